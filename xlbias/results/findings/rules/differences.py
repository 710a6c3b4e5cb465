"""Real? Encoder against encoder: how much, in how many cells significantly, and whether seeds confirm it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import polars as pl

from xlbias.measures.registry import measures
from xlbias.results.findings.context import Context
from xlbias.results.findings.finding import ONE_TRAINING, Destination, Finding, Number
from xlbias.results.matrix import difference
from xlbias.results.summary import OVERALL
from xlbias.results.written import LEAST_P, difference_interval, largest_p, signed_text
from xlbias.runs.schema import SETTING_SHORT

KINDS = ("difference",)

_MAP = "map"


def found(context: Context) -> Iterator[Finding]:
    """Yield every comparison of two sides on a task."""
    for task, base, new, frame in context.compared():
        of_map = frame.filter(pl.col("measure") == _MAP)
        settings = of_map.filter(OVERALL & pl.col("difference").is_not_null())
        cells = of_map.filter(pl.col("query_language").is_not_null() & pl.col("difference").is_not_null())
        if settings.is_empty() or cells.is_empty():
            continue
        names = ", ".join(base.models), ", ".join(new.models)
        alpha = context.thresholds.significance
        significant = cells.filter(pl.col("p_corrected") < alpha)
        better, worse = (significant.filter(side) for side in (pl.col("difference") > 0, pl.col("difference") < 0))
        seeds = int(frame["n_seeds"].max() or 1)  # type: ignore[arg-type]
        sentence = (
            f"mAP {', '.join(_setting(row) for row in settings.iter_rows(named=True))}; {better.height} of "
            f"{cells.height} cells significantly better, {worse.height} worse{_largest(significant, seeds)}"
            f"{_seeds(seeds, bool(frame['one_training'].any())) if significant.height else ''}."
        )
        extremes = [
            part.sort("difference", descending=up)[:1]
            for part, up in ((better, True), (worse, False))
            if part.height
        ]  # fmt: skip
        values = ", ".join(_setting(row, with_interval=False) for row in settings.iter_rows(named=True))
        short = f"mAP {values}; {better.height} of {cells.height} cells significantly better, {worse.height} worse."
        rows = pl.concat([settings, *extremes])
        counts = [
            Number(_MAP, float(part.height), n=cells.height, encoder=names[1], task=task, base=names[0], role=role)
            for part, role in ((better, "better cells"), (worse, "worse cells"))
        ]
        least_sure = significant.sort("p_corrected", descending=True)[:1].iter_rows(named=True)
        counts += [replace(_number(row, names, task), role="largest p") for row in least_sure]
        sizes = [abs(row["difference"]) for row in settings.iter_rows(named=True)]
        yield Finding(
            "difference", "real", sentence, max(sizes) if significant.height else 0.0,
            Destination("matrix", "compare", _MAP), names[1], task, names[0],
            numbers=(*(_number(row, names, task) for row in rows.iter_rows(named=True)), *counts),
            concern=worse.height > better.height, short=short,
        )  # fmt: skip


def _setting(row: dict[str, object], *, with_interval: bool = True) -> str:
    about, (value, low, high) = measures("quality")[_MAP], (row[name] for name in ("difference", "low", "high"))
    assert isinstance(value, float)
    ends = ""
    if with_interval and isinstance(low, float) and isinstance(high, float):
        ends = difference_interval(low, high, about)
    return " ".join(filter(None, (SETTING_SHORT[str(row["setting"])], signed_text(value, about), ends)))


def _largest(significant: pl.DataFrame, seeds: int) -> str:
    if significant.is_empty():
        return ""
    largest = significant["p_corrected"].max()
    return f" ({largest_p(largest, LEAST_P if seeds == 1 else None)})"


def _seeds(seeds: int, one_training: bool) -> str:
    if seeds > 1:
        return f"; confirmed where significant: over query ids and {seeds} trainings of each side"
    return f"; {ONE_TRAINING}" if one_training else ""


def _number(row: dict[str, Any], names: tuple[str, str], task: str) -> Number:
    cell, query, passage = difference(row), row["query_language"], row["passage_language"]
    p = cell.p if query is not None else None  # the family of all other numbers is that of a whole comparison
    return Number(
        _MAP, cell.value, cell.low, cell.high, cell.n, p, names[1], task, row["setting"], query, passage, names[0]
    )
