"""Encoders and tasks with their first numbers, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from xlbias.measures.registry import measures
from xlbias.report.document import Table
from xlbias.report.documents.caveats import lines as lines_of
from xlbias.report.documents.caveats import mark_of
from xlbias.report.documents.matrices import DELTA, INTERVALS
from xlbias.report.numbers import EMPTY, NO_NUMBER, NOTHING, Entry, Kind, difference_entry, entry, measured
from xlbias.results.caveats import caveats
from xlbias.results.cell import Cell
from xlbias.results.per_query import Key
from xlbias.results.run import Run
from xlbias.runs.schema import SETTING_SHORT, SETTINGS

_RANK_DISTANCES = ("rank_distance", "rank_distance.normalised")

_PAIRS = ("worst", "best")

MEAN_OF_CELLS = "mAP: mean over the cells of a setting."
"""What the mAP of a setting is."""


def overview_heads(distances: Sequence[str]) -> tuple[str, ...]:
    """Return the heads of `overview_entries`; `distances` are those of the rank distances."""
    settings = (f"mAP {SETTING_SHORT[setting]}" for setting in SETTINGS)
    return (*settings, *distances, *(f"{end} pair" for end in _PAIRS))


def overview_entries(
    row: Mapping[str, Any], numbers: Mapping[Key, Cell], distances: Sequence[str], pairs: Kind = "number"
) -> tuple[Entry, ...]:
    """Return what an overview says of an encoder on a task: mAP by setting, rank distances, the worst and best pair.

    Args:
        row: of `xlbias.results.overview.overview`.
        numbers: those of the encoder on the task.
        distances: the measures of rank distance.
        pairs: what the pairs with their mAP count as: numbers, or words, which then stand for a number.
    """
    quality, bias = measures("quality")["map"], measures("bias")
    worst_and_best = (
        Entry(f"{row[f'{end}_pair']} {measured(row[end], quality)}", Cell(row[end]), kind=pairs)
        if row[f"{end}_pair"]
        else Entry(NOTHING)
        for end in _PAIRS
    )
    return (
        *(entry(numbers.get(Key("map", setting), NO_NUMBER), quality) for setting in SETTINGS),
        *(entry(numbers.get(Key(name, SETTINGS[2]), NO_NUMBER), bias[name]) for name in distances),
        *worst_and_best,
    )


def overview_table(run: Run, rows: pl.DataFrame) -> Table:
    """Return rows of `xlbias.results.overview.overview` as a table, with intervals.

    Where they have them, also ``delta``, the difference of mAP across languages, ``significant``, the cells that are
    significantly better and worse, and ``base``, what they are compared with.
    """
    differs = "delta" in rows.columns and rows["significant"].is_not_null().any()
    numbers, bias = run.numbers, measures("bias")
    lines, doubts = [], caveats(run)
    for row in rows.iter_rows(named=True):
        lines.append(
            (
                Entry(f"{mark_of(doubts, row['model'], row['task'])}{row['model']}", kind="name"),
                Entry(row["task"], kind="name"),
                *overview_entries(row, numbers.of(row["model"], row["task"]), _RANK_DISTANCES, "text"),
                *(_compared(row) if differs else ()),
            )
        )
    heads = ("encoder", "task", *overview_heads([bias[name].label for name in _RANK_DISTANCES]))
    heads += (f"{DELTA}mAP {SETTING_SHORT[SETTINGS[1]]}", "better and worse cells", "against") if differs else ()
    notes = [MEAN_OF_CELLS]
    if any(cell.interval for line in lines for cell in line):
        notes.append(INTERVALS)
    shown = rows.select("model", "task").rows()
    notes += lines_of([one for one in doubts if any(one.concerns(*who) for who in shown)])
    return Table("Encoders and tasks", heads, tuple(lines), tuple(notes), 2)


def _compared(row: Mapping[str, Any]) -> tuple[Entry, ...]:
    """Return what a row says of differences: nothing where it is not compared."""
    if row["significant"] is None:
        return (EMPTY, EMPTY, EMPTY)
    across = difference_entry(Cell(row["delta"]), measures("quality")["map"]) if row["delta"] is not None else EMPTY
    return across, Entry(row["significant"]), Entry(row["base"] or "", kind="name")
