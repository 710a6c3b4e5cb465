"""Bias and alignment of a task in few lines: a row per measure, a column per encoder, each number with its interval."""

from __future__ import annotations

from collections.abc import Sequence

from xlbias.measures.measure import Direction, Family
from xlbias.measures.registry import SIDES, measures
from xlbias.report.documents.encoders import EncoderOnTask
from xlbias.report.documents.overall import overall_bias, overall_of_sides, undefined_notes
from xlbias.report.formats.columns import cut_all, table, wrapped
from xlbias.report.numbers import NOTHING, Entry
from xlbias.results.per_query import Key
from xlbias.runs.schema import SETTING_SHORT, SETTINGS
from xlbias.text import width as cells

_ARROW: dict[Direction, str] = {"high": " ↑", "low": " ↓", "neither": ""}


def bias_lines(found: Sequence[EncoderOnTask], width: int) -> list[str]:
    """Return mAP by setting and every overall number of bias with their intervals, and why one has no value."""
    numbers = [one.numbers for one in found]
    of_map = measures("quality")["map"]
    bias = list(overall_bias(numbers))
    keys = [(f"mAP {SETTING_SHORT[setting]}", of_map, Key("map", setting)) for setting in SETTINGS]
    shown = [*keys, *bias]
    if not bias:
        return []
    columns = [(head, [one.entry(key, about) for _, about, key in shown]) for head, one in _headed(found)]
    n = [_n([one.numbers[key].n or 0 for one in found if key in one.numbers]) for _, _, key in shown]
    labels = [f"{_short(label)}{_ARROW[about.better]}" for label, about, _ in shown]
    lines = _columns(columns, [("n", n)], "Bias (↑ ↓: better)", labels, width)
    return [
        *_legend(found, width),
        *lines,
        *(line for note in undefined_notes(numbers, shown) for line in wrapped(note, width)),
    ]


def alignment_lines(found: Sequence[EncoderOnTask], width: int) -> list[str]:
    """Return every overall number of the alignment of passages and of queries."""
    return _side_lines("alignment", "Alignment", found, width)


def texts_lines(found: Sequence[EncoderOnTask], width: int) -> list[str]:
    """Return every overall number of passages and queries as they are read; nothing where they were not counted."""
    return _side_lines("texts", "Texts", found, width)


def _side_lines(family: Family, title: str, found: Sequence[EncoderOnTask], width: int) -> list[str]:
    numbers = [one.numbers for one in found]
    wanted = list(overall_of_sides(family, numbers))
    if not wanted:
        return []
    of_both = [(about.label, about, keys[side]) for about, keys in wanted for side in SIDES]
    notes = dict.fromkeys(undefined_notes(numbers, of_both))  # once where neither side has a value
    columns = [
        (f"{head} {side}" if len(found) > 1 else side, [one.entry(keys[side], about) for about, keys in wanted])
        for head, one in _headed(found)
        for side in SIDES
    ]
    n = [
        (
            f"n {side}",
            [_n([one.numbers[keys[side]].n or 0 for one in found if keys[side] in one.numbers]) for _, keys in wanted],
        )
        for side in SIDES
    ]
    if all(counts == n[0][1] for _, counts in n):
        n = [("n", n[0][1])]  # of both sides: a second column would only take the room of numbers
    labels = [f"{about.label}{_ARROW[about.better]}" for about, _ in wanted]
    lines = _columns(columns, n, title, labels, width)
    return [*lines, *(line for note in notes for line in wrapped(note, width))]


def _short(label: str) -> str:
    return label.removesuffix(" language").removesuffix(" languages")


def _headed(found: Sequence[EncoderOnTask]) -> list[tuple[str, EncoderOnTask]]:
    """Return each encoder with the head of its column: a number where there are several."""
    return [(str(i) if len(found) > 1 else "", one) for i, one in enumerate(found, 1)]


def _legend(found: Sequence[EncoderOnTask], width: int) -> list[str]:
    return wrapped(", ".join(f"{head}: {one.marked}" for head, one in _headed(found)), width) if len(found) > 1 else []


def _n(counts: Sequence[int]) -> str:
    if not counts:
        return NOTHING
    least, most = min(counts), max(counts)
    return f"{most:,}" if least == most else f"{least:,} to {most:,}"


def _columns(
    columns: Sequence[tuple[str, Sequence[Entry]]],
    counts: Sequence[tuple[str, Sequence[str]]],
    title: str,
    labels: Sequence[str],
    width: int,
) -> list[str]:
    """Return columns of cells, then `counts`, then the labels of the rows; in blocks of as many as fit the width."""
    last = max(map(cells, [title, *labels])) + sum(2 + max(map(cells, [head, *n])) for head, n in counts)
    widest = 2 + max(cells(text) for head, body in columns for text in (head, *(one.whole for one in body)))
    per_block = max(1, (width - last) // widest)
    lines: list[str] = []
    for start in range(0, len(columns), per_block):
        part = columns[start : start + per_block]
        body = [
            [*(_aligned(row_cells, row) for _, row_cells in part), *(n[row] for _, n in counts), labels[row]]
            for row in range(len(labels))
        ]
        heads = [*(head for head, _ in part), *(head for head, _ in counts), title]
        lines += cut_all(table(heads, body, left=1), width)
    return lines


def _aligned(column: Sequence[Entry], row: int) -> str:
    """Return a cell so that numbers and intervals of its column stand below one another."""
    longest = max(cells(one.interval) for one in column)
    one = column[row]
    return f"{one.text} {one.interval.rjust(longest)}" if longest else one.text
