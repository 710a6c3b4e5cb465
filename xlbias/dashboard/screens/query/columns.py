"""Columns of the panels of one query: codes and numbers aligned, texts last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import polars as pl

from xlbias.dashboard.terminal.numbers import count
from xlbias.dashboard.views.query_panels import RELEVANT, Reading
from xlbias.dashboard.widgets.table.columns import GAP, Column
from xlbias.report.numbers import number
from xlbias.text import clean, width

_DIM, _NAME = "virtual-table--dim", "virtual-table--name"
_WIDEST = 12  # cells of a language code at most: `zh-Hant-TW` has ten
_TEXT = 400


_EDGES = 3  # cells: the cursor's mark, and a scrollbar


class Ranks(NamedTuple):
    """Columns of the grid of ranks, and the numbers of the languages that they are of."""

    columns: tuple[Column, ...]
    seen: range


def top_columns(
    frame: pl.DataFrame, *, compared: bool, beside: int | None, reading: Reading | None = None
) -> tuple[Column, ...]:
    """Return the columns of the top k, with ranks in the other run; its own top k as well in `beside` cells.

    What is read in another language has its translation beside the text where there is room, else in its place.
    """
    code = _widest(frame, "language", "base_language")
    moved = [Column("was", "was", _widest(frame, "was"), rank=2), _move(frame)] if compared else []
    columns = [
        Column("rank", "#", _widest(frame, "rank", least=3)),
        Column("mark", RELEVANT, 1, align="left", style=_NAME),
        Column("language", "lang", code, align="left"),
        Column("score", "score", 5, number, rank=3, style=_DIM),
        *moved,
    ]
    if not compared and beside is not None and reading is not None:
        half = max(10, (beside - sum(column.width + GAP for column in columns) - 2 * GAP) // 2)
        return (*columns, Column("text", "text", half, text=True, brief=True), _read_in(reading))
    if not compared or beside is None:
        return (*columns, _text(reading))
    columns += [
        Column("base_mark", RELEVANT, 1, align="left", style=_NAME),
        Column("base_language", "base", code, align="left"),
        Column("base_score", "score", 5, number, style=_DIM, rank=3),
        Column("base_now", "now", _widest(frame, "base_now")),
    ]
    half = max(10, (beside - sum(column.width + GAP for column in columns) - 2 * GAP) // 2)
    if reading is not None:
        mine, theirs = _read_in(reading, half), _read_in(reading, name="base_translation", whose="the baseline's ")
        return (*columns, mine, theirs)
    return (
        *columns,
        Column("text", "text", half, text=True, brief=True),
        Column("base_text", "the baseline's text", _TEXT, text=True, brief=True, style=_DIM),
    )


def _text(reading: Reading | None) -> Column:
    return Column("text", "text", _TEXT, text=True, brief=True) if reading is None else _read_in(reading)


def _read_in(reading: Reading, width: int = _TEXT, *, name: str = "translation", whose: str = "") -> Column:
    return Column(name, f"{whose}text in {reading.name}", width, text=True, brief=True)


def relevant_columns(frame: pl.DataFrame, *, compared: bool) -> tuple[Column, ...]:
    """Return the columns of the relevant passages."""
    moved = [Column("was", "was", _widest(frame, "was"), rank=2), _move(frame)] if compared else []
    return (
        Column("language", "lang", _widest(frame, "language"), align="left"),
        Column("rank", "rank", _most(frame, "rank"), _count),
        Column("score", "score", 5, number, rank=3, style=_DIM),
        *moved,
        Column("text", "text", _TEXT, text=True, brief=True),
    )


def language_columns(frame: pl.DataFrame, *, compared: bool) -> tuple[Column, ...]:
    """Return the columns of the query in its languages: how it fares in the chosen pool."""
    moved = [Column("was", "was", _most(frame, "was"), _count, rank=2), _move(frame)] if compared else []
    return (
        Column("code", " query", max(6, _widest(frame, "code")), align="left", style=_NAME),
        Column("ap", "ap", 5, number),
        Column("rank", "first", _most(frame, "rank", 5), _count),
        *moved,
        Column("text", "text", _TEXT, text=True, brief=True),
    )


def rank_columns(frame: pl.DataFrame, languages: Sequence[str], room: int, start: int = 0) -> Ranks:
    """Return the columns of the grid: ranks in full where there is room, else in four characters, else without ap.

    Where not even that fits, columns from that of language number `start` on, and arrows to those that are not seen.
    """
    names, codes = [f"in:{language}" for language in languages], [clean(language) for language in languages]
    first = max(6, _widest(frame, "code"))
    left = room - _EDGES - first  # for what stands behind the code, each with a gap before it
    query = Column("code", " query", first, align="left", style=_NAME)
    ap = Column("ap", "ap", 5, number, style=_DIM)
    full = [max(_most(frame, name, width(code)), 2) for name, code in zip(names, codes, strict=True)]
    thin = [max(4, min(_WIDEST, width(code))) for code in codes]
    for before, cells, text in (([ap], full, _count), ([ap], thin, _thin), ([], thin, _thin)):
        if not names or sum(GAP + column.width for column in before) + sum(GAP + n for n in cells) <= left:
            columns = (Column(*about, text) for about in zip(names, codes, cells, strict=True))
            return Ranks((query, *before, *columns), range(len(names)))
    marked = [max(4, min(_WIDEST, width(code)) + 2) for code in codes]  # with an arrow on either side
    seen = _that_fit(marked, left, start)
    labels = {
        i: f"{'‹' if i == seen.start > 0 else ''}{codes[i]}{'›' if i == seen[-1] < len(codes) - 1 else ''}"
        for i in seen
    }
    return Ranks((query, *(Column(names[i], label, marked[i], _thin) for i, label in labels.items())), seen)


def _that_fit(cells: Sequence[int], room: int, start: int) -> range:
    """Return which columns, from one on, fit a room, at least that one; from an earlier one where there is room."""
    stop = start + 1
    used = GAP + cells[start]
    while stop < len(cells) and used + GAP + cells[stop] <= room:
        used, stop = used + GAP + cells[stop], stop + 1
    while start > 0 and used + GAP + cells[start - 1] <= room:
        start -= 1
        used += GAP + cells[start]
    return range(start, stop)


def _move(frame: pl.DataFrame) -> Column:
    return Column("move", "move", max(4, _widest(frame, "move")), align="left")


def _count(value: int) -> str:
    return f"{value:,}"


def _thin(value: int) -> str:
    """A count in four cells: ``852``, ``1.2k``, ``13k``."""
    return f"{value / 1000:.1f}k" if 1000 <= value < 9950 else count(value if value < 1000 else max(value, 10_000))


def _widest(frame: pl.DataFrame, *names: str, least: int = 4) -> int:
    """Cells that the texts of some columns need, at least four, as its head has."""
    return max([least, *(min(_WIDEST, width(clean(text))) for name in names for text in _values(frame, name))])


def _most(frame: pl.DataFrame, name: str, least: int = 4) -> int:
    """Cells that the counts of a column need."""
    return max([least, *(len(_count(value)) for value in _values(frame, name))])


def _values(frame: pl.DataFrame, name: str) -> list[Any]:
    """What is not null; taken without a query, whose threads may be busy with a reader's."""
    return [value for value in frame[name].to_list() if value is not None]
