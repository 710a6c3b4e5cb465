"""Encoders and tasks with their first numbers, as a table."""

from __future__ import annotations

import polars as pl

from xlbias.measures.registry import measures
from xlbias.report.document import Table
from xlbias.report.documents.caveats import lines as lines_of
from xlbias.report.documents.caveats import mark_of
from xlbias.report.documents.matrices import INTERVALS
from xlbias.report.numbers import NO_NUMBER, NOTHING, Entry, entry, measured
from xlbias.results.by_key import Numbers
from xlbias.results.caveats import caveats
from xlbias.results.cell import Cell
from xlbias.results.per_query import Key
from xlbias.results.run import Run
from xlbias.runs.schema import SETTING_SHORT, SETTINGS

_RANK_DISTANCES = ("rank_distance", "rank_distance.normalised")


def overview_table(run: Run, rows: pl.DataFrame) -> Table:
    """Return rows of `xlbias.results.overview.overview` as a table, with intervals."""
    numbers, quality, bias = Numbers(run.summary), measures("quality")["map"], measures("bias")
    lines, doubts = [], caveats(run)
    for row in rows.iter_rows(named=True):
        found = numbers.of(row["model"], row["task"])
        lines.append(
            (
                Entry(f"{mark_of(doubts, row['model'], row['task'])}{row['model']}", kind="name"),
                Entry(row["task"], kind="name"),
                *(entry(found.get(Key("map", setting), NO_NUMBER), quality) for setting in SETTINGS),
                *(entry(found.get(Key(name, SETTINGS[2]), NO_NUMBER), bias[name]) for name in _RANK_DISTANCES),
                *(
                    Entry(f"{row[f'{end}_pair']} {measured(row[end], quality)}", Cell(row[end]))
                    if row[f"{end}_pair"]
                    else Entry(NOTHING)
                    for end in ("worst", "best")
                ),
            )
        )
    settings = [f"mAP {SETTING_SHORT[setting]}" for setting in SETTINGS]
    heads = ("encoder", "task", *settings, *(bias[name].label for name in _RANK_DISTANCES), "worst pair", "best pair")
    notes = ["mAP: mean over the cells of a setting."]
    if any(cell.interval for line in lines for cell in line):
        notes.append(INTERVALS)
    shown = rows.select("model", "task").rows()
    notes += lines_of([one for one in doubts if any(one.concerns(*who) for who in shown)])
    return Table("Encoders and tasks", heads, tuple(lines), tuple(notes), 2)
