"""Printed results of the same data set, as a table of their own: other people's encoders, to look at side by side."""

from __future__ import annotations

import polars as pl

from xlbias.measures.measure import Measure
from xlbias.measures.registry import all_measures
from xlbias.report.document import Table
from xlbias.report.numbers import Entry, measured, numeric
from xlbias.results.published import MEAN, rows_for
from xlbias.runs.run_info import TaskInfo
from xlbias.runs.schema import SETTING_SHORT, SETTINGS


def published_table(source: str, task: TaskInfo) -> Table | None:
    """Return what the paper `source` printed for the data set that a task is; None where it has nothing on it."""
    means = rows_for(source, task).filter(pl.col("query_language") == MEAN)
    if means.is_empty():
        return None
    there = set(means.select("measure", "setting").iter_rows())
    known = all_measures()
    columns = [(measure, setting) for measure in known for setting in SETTINGS if (measure, setting) in there]
    found: dict[tuple[str, str], dict[tuple[str, str], float]] = {}
    for row in means.iter_rows(named=True):
        found.setdefault((row["encoder"], row["sampler"]), {})[row["measure"], row["setting"]] = row["value"]
    rows = tuple(
        (Entry(f"{encoder} ({sampler})"), *(_cell(values.get(column), known[column[0]]) for column in columns))
        for (encoder, sampler), values in found.items()
    )
    heads = ("encoder (sampler), printed", *(_head(known[measure], setting) for measure, setting in columns))
    same = bool(means["same_pools"][0])
    notes = [
        f"Printed in arXiv {source}, tables {', '.join(means['table'].unique(maintain_order=True))}: "
        "other people's encoders, which a run is shown next to and never expected to equal.",
        "Same pools: this task has the languages of that data set and its number of passages in each; ranks compare."
        if same
        else "Not the same pools: this task differs from that data set in languages or passages; ranks do not compare.",
    ]
    if "recall@1" in {measure for measure, _ in columns}:
        notes.append(
            "R@1 is printed for the multilingual setting, too, but above what it can be (1/11), and the paper's text "
            "speaks of R@10: those numbers are left out."
        )
    return Table(f"Printed in arXiv {source}: other people's encoders", heads, rows, tuple(notes))


def _head(measure: Measure, setting: str) -> str:
    return measure.label if measure.name == "rank_distance" else f"{measure.label} {SETTING_SHORT[setting]}"


def _cell(value: float | None, measure: Measure) -> Entry:
    return numeric(measured(value, measure), value)
