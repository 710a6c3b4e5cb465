"""How the encoders of a run were trained: steps, loss, and a histogram of what was drawn, from their cards.

A card comes out of a file that anyone may have written, so everything in it is looked at before it is believed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import polars as pl

from xlbias.measures.measure import Measure
from xlbias.measures.registry import measures
from xlbias.report.document import Table
from xlbias.report.formats.columns import blocks, cut_all, table, wrapped
from xlbias.report.numbers import EMPTY, NOTHING, Entry, measured, number, numeric
from xlbias.results.training import (
    KINDS,
    MAPS,
    VALIDATED,
    Curves,
    Drawn,
    Trained,
)
from xlbias.text import clean, cut, one_line

_BAR = 16  # cells of a bar that stands for all
_EIGHTHS = " ▏▎▍▌▋▊▉"
_MOST_ROWS = 12  # of tasks, of validations
_MOST_LANGUAGES = 16  # in a matrix; more are shown by themselves
_VALIDATION_HEADS = ("step", "loss", "mono", "cross", "multi", "rank dist.")
_TAG = 12  # cells of a language tag; a longer one is no tag


def training_facts(training: Trained) -> dict[str, Any]:
    """Return a training for JSON: its steps, losses and rate, and counts with their shares of all."""
    facts = asdict(training)
    del facts["model"]
    if drawn := training.drawn:
        facts["drawn"] = {
            "batches_by_kind": _shares(drawn.kinds),
            "batches_by_task": _shares(drawn.tasks),
            "pairs_by_query_language": _shares(drawn.languages(0)),
            "pairs_by_passage_language": _shares(drawn.languages(1)),
            "pairs": [
                {"query_language": query, "passage_language": passage, "n": n}
                for (query, passage), n in sorted(drawn.pairs.items())
            ],
            "n_negatives": drawn.negatives,
            "code_switched": drawn.words or None,
        }
    return facts


def training_lines(training: Trained, width: int, *, matrix: bool) -> list[str]:
    """Return a training as text: a line of figures, a histogram of kinds and tasks, and the languages of the pairs.

    With `matrix`, pairs are shown by query and passage language, where there are not too many, and the validations.
    """
    figures = []
    if training.steps is not None:
        figures.append(f"{training.steps:,} steps")
    if training.first_loss is not None and training.last_loss is not None:
        figures.append(f"loss {training.first_loss:.3f} to {training.last_loss:.3f}")
    if training.pairs_per_second is not None:
        figures.append(f"{training.pairs_per_second:,.0f} pairs a second")
    # The name is cut so that the figures have room.
    about = f": {', '.join(figures)}" if figures else ""
    lines = [cut(f"Training of {one_line(training.model, max(8, width - 12 - len(about)))}{about}", width)]
    if matrix:
        lines += cut_all(validation_lines(training.validation, training.best_step), width)
    if training.best_step == 0:
        said = "Training did not help: no validation was better than that before the first step, so the base was saved."
        lines += wrapped(said, width)
    if drawn := training.drawn:
        lines += cut_all(_histogram(drawn), width)
        if matrix and len({language for pair in drawn.pairs for language in pair}) <= _MOST_LANGUAGES:
            lines += cut_all(_pair_matrix(drawn, width), width)
        else:
            lines += _language_lines(drawn, width)
        if words := drawn.words.get("words"):
            replaced, translatable = (drawn.words.get(name, 0) for name in ("replaced", "translatable"))
            switched = f"code-switched: {replaced:,} of {translatable:,} translatable words, of {words:,} words"
            lines += wrapped(switched, width)
    return lines


def _shares(counts: Mapping[str, int]) -> dict[str, dict[str, float]]:
    total = sum(counts.values())
    return {name: {"n": n, "share": n / total} for name, n in _by_count(counts)}


def _by_count(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _histogram(drawn: Drawn) -> list[str]:
    rows = []
    for what, counts in (("kind", drawn.kinds), ("task", drawn.tasks)):
        total = sum(counts.values())
        ordered = _by_count(counts)
        for name, n in ordered[:_MOST_ROWS]:
            rows.append([f"{n:,}", f"{n / total:.1%}", _bar(n / total), what, one_line(name, 200)])
        if rest := ordered[_MOST_ROWS:]:
            n = sum(n for _, n in rest)
            rows.append([f"{n:,}", f"{n / total:.1%}", _bar(n / total), what, f"and {len(rest):,} more"])
    return table(["batches", "share", " " * _BAR, "of", "drawn"], rows, left=3) if rows else []


def _bar(share: float) -> str:
    whole, part = divmod(round(share * _BAR * 8), 8)
    return ("█" * whole + _EIGHTHS[part].strip()).ljust(_BAR)


def _pair_matrix(drawn: Drawn, width: int) -> list[str]:
    """Return the share of every language pair in percent, a row for each query language."""
    total = sum(drawn.pairs.values())
    queries, passages = drawn.languages(0), drawn.languages(1)
    body = [[_percent(drawn.pairs.get((query, passage), 0), total) for passage in passages] for query in queries]
    rows, columns = ([one_line(tag, _TAG) for tag in side] for side in (queries, passages))
    title = f"{total:,} pairs{_and_negatives(drawn)}, in percent: query language down, passage language across"
    return [*wrapped(title, width), *blocks(rows, columns, body, width)] if total else []


def _percent(n: int, total: int) -> str:
    return f"{100 * n / total:.1f}" if n else NOTHING


def _language_lines(drawn: Drawn, width: int) -> list[str]:
    """Return the share of every language among queries, and among passages."""
    total = sum(drawn.pairs.values())
    lines = [f"{total:,} pairs{_and_negatives(drawn)}, by language in percent"] if total else []
    for what, side in (("queries", 0), ("passages", 1)):
        shares = [f"{one_line(tag, _TAG)}={_percent(n, total)}" for tag, n in drawn.languages(side).items()]
        if shares:
            lines.append(f"{what}: {', '.join(shares)}")
    return [part for line in lines for part in wrapped(clean(line), width)]


def _and_negatives(drawn: Drawn) -> str:
    return f" and {drawn.negatives:,} hard negatives" if drawn.negatives else ""


_LOGGED = ("epoch", "loss", "learning_rate", "pairs_per_second", "memory_bytes", *KINDS.values())


_CURVE_HEADS = (
    "step", "validated on", "epoch", "loss", "learning rate", "pairs/s", "memory bytes", "monolingual batches",
    "cross-lingual batches", "mixed batches", "validation loss", "mAP mono", "mAP cross", "mAP multi",
    "rank distance", "rank distance normalised",
)  # fmt: skip


def curve_table(training: Curves, *, last: bool = False) -> Table:
    """Return the logged steps and the validations as a table, or only the `last` step and the last validation.

    A row is a logged step, or one task of a validation.
    """
    logged, validated = training.steps, training.validation
    if last:
        logged = logged.tail(1)
        validated = validated.filter(pl.col("step") == pl.col("step").max())
    nothing = EMPTY
    rows = []
    for row in logged.iter_rows(named=True):
        numbers = [_curve_cell(name, row[name]) for name in _LOGGED]
        rows.append((row["step"], 0, (Entry(""), *numbers, *[nothing] * len(VALIDATED))))
    for row in validated.iter_rows(named=True):
        numbers = [_curve_cell(name, row[name]) for name in VALIDATED]
        rows.append((row["step"], 1, (Entry(row["task"] or "", kind="name"), *[nothing] * len(_LOGGED), *numbers)))
    rows.sort(key=lambda row: row[:2])
    notes = ("A row is a logged step, or one task of a validation.",)
    lines = tuple((_curve_cell("step", step), *cells) for step, _, cells in rows)
    return Table(f"Training of {training.model}", _CURVE_HEADS, lines, notes, 1)


def _curve_cell(name: str, value: float | None) -> Entry:
    if value is None or not math.isfinite(value):
        return EMPTY
    about = _curve_measure(name)
    text = measured(value, about) if about else f"{value:,}" if isinstance(value, int) else f"{value:.6g}"
    return numeric(text, float(value))


def _curve_measure(name: str) -> Measure | None:
    if name in MAPS.values():
        return measures("quality")["map"]
    return measures("bias").get(name.replace("distance_", "distance."))


def validation_lines(curve: Sequence[dict[str, Any]], best_step: int | None) -> list[str]:
    """Return the curve as text, at most 12 lines of it: the first, the last, the best, and some between."""
    chosen = {round(i * (len(curve) - 1) / (_MOST_ROWS - 1)) for i in range(_MOST_ROWS)} if curve else set()
    shown = [row for i, row in enumerate(curve) if i in chosen or row["step"] == best_step]
    rows = [
        [
            f"{row['step']:,}",
            *(number(row[name], nothing="-") for name in VALIDATED[:4]),
            number(row["rank_distance"], digits=1, nothing="-"),
            "saved" if row["step"] == best_step else "",
        ]
        for row in shown
    ]
    return table([*_VALIDATION_HEADS, "validation"], rows, left=1) if rows else []
