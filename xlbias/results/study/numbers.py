"""The overall numbers of a study: of every encoder on every target, and their means over seeds."""

from __future__ import annotations

from typing import Any

import polars as pl

from xlbias.results.run_numbers import RunNumbers
from xlbias.results.study.design import REFERENCE, Study
from xlbias.results.summary import OVERALL
from xlbias.stats.paired import t_interval


def numbers(run: RunNumbers, study: Study) -> pl.DataFrame:
    """Return ``source, arm, seed, target, measure, setting, value``: overall numbers of every encoder and target."""
    return _of(run, [(name, source, arm.label, seed) for (source, arm, seed), name in study.members.items()])


def reference_numbers(run: RunNumbers, study: Study) -> pl.DataFrame:
    """Return the same of the encoder that all others were trained from; ``source`` is null. Empty without one."""
    return _of(run, [(study.reference, None, REFERENCE.label, 0)] if study.reference is not None else [])


def _of(run: RunNumbers, rows: list[tuple[str, str | None, str, int]]) -> pl.DataFrame:
    schema = {"model": pl.String, "source": pl.String, "arm": pl.String, "seed": pl.Int64}
    overall = run.summary.filter(OVERALL)
    return (
        pl.DataFrame(rows, schema=schema, orient="row")
        .join(overall, on="model", maintain_order="left")
        .select("source", "arm", "seed", pl.col("task").alias("target"), "measure", "setting", "value")
    )


def over_seeds(values: pl.DataFrame) -> pl.DataFrame:
    """Return ``source, arm, target, measure, setting, mean, low, high, n_seeds``: means with t-intervals over seeds."""
    keys = ["source", "arm", "target", "measure", "setting"]
    return _intervals(values.drop_nulls("value"), keys, "value").rename({"mean_": "mean"})


def _intervals(frame: pl.DataFrame, keys: list[str], column: str) -> pl.DataFrame:
    rows = []
    for key, part in frame.group_by(keys, maintain_order=True):
        found = t_interval(part[column].to_numpy())
        rows.append((*key, found.mean, found.low, found.high, part.height))
    schema: dict[str, Any] = dict.fromkeys(keys, pl.String)
    schema |= {"mean_": pl.Float64, "low": pl.Float64, "high": pl.Float64, "n_seeds": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(pl.col(pl.Float64).fill_nan(None))
