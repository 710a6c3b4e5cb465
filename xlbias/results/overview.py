"""The overview of a run: a row per encoder and task. Every report and every screen takes its columns from here."""

from __future__ import annotations

from typing import Any

import polars as pl

from xlbias.results.per_query import Key
from xlbias.results.run_numbers import RunNumbers
from xlbias.results.summary import OVERALL
from xlbias.results.wide import rank_distance_summary
from xlbias.runs.run_info import ModelInfo, TaskInfo
from xlbias.runs.schema import MULTILINGUAL_POOL, SETTING_SHORT


def overview(run: RunNumbers) -> pl.DataFrame:
    """Return one row per model and task, in the order of the run: what the first screen and the first table show.

    Columns: ``model, source, sampler, alpha, seed, task, domain``; ``map_mono, map_cross, map_multi`` (macro averages
    over cells); ``rank_distance, rank_distance_median, rank_distance_normalised``; ``n_rankings`` (over all cells),
    ``n_cells, n_cells_expected``; ``best_pair, best, worst_pair, worst`` (mAP of the best and worst cell of one
    language, e.g. ``th→de``); ``map_mono_least, ...``: the lower bounds of numbers of censored ranks, which are null.
    """
    wide = run.settings.pivot("setting", index=["model", "task"], values="map")
    for setting, short in SETTING_SHORT.items():
        value = pl.col(setting) if setting in wide.columns else pl.lit(None, dtype=pl.Float64)
        wide = wide.with_columns(value.alias(f"map_{short}"))
    counts = run.cells.group_by("model", "task").agg(
        pl.col("n").sum().alias("n_rankings"), (pl.col("n") > 0).sum().cast(pl.Int64).alias("n_cells")
    )
    keys = ["model", "task"]
    return (
        _every_pair(run)
        .join(wide.select(*keys, *(f"map_{s}" for s in SETTING_SHORT.values())), on=keys, how="left")
        .join(_rank_distance(run), on=keys, how="left")
        .join(counts, on=keys, how="left")
        .join(_extreme(run, worst=False), on=keys, how="left")
        .join(_extreme(run, worst=True), on=keys, how="left")
        .sort("position")
        .drop("position")
        .with_columns(pl.col("n_rankings", "n_cells").fill_null(0))
        .join(_bounds(run), on=keys, how="left", maintain_order="left")
    )


_BOUNDED = {
    **{f"map_{short}": Key("map", setting) for setting, short in SETTING_SHORT.items()},
    "rank_distance": Key("rank_distance", "multilingual"),
    "rank_distance_normalised": Key("rank_distance.normalised", "multilingual"),
}
"""Columns whose numbers have bounds where ranks are censored."""


def _bounds(run: RunNumbers) -> pl.DataFrame:
    """Return the lower bounds of the numbers that have any, by model and task."""
    rows = run.summary.filter(OVERALL & pl.col("least").is_not_null())
    return rows.group_by("model", "task").agg(
        pl.col("least").filter(measure=key.measure, setting=key.setting).first().alias(f"{name}_least")
        for name, key in _BOUNDED.items()
    )


def _every_pair(run: RunNumbers) -> pl.DataFrame:
    """Return every model × task of the run, also those that are not evaluated yet."""
    rows: list[dict[str, Any]] = []
    for model in run.models:
        for task in run.tasks:
            rows.append(
                {
                    **who_on_what(model, task),
                    "n_cells_expected": len(task.n_queries) * (len(task.pool_sizes) + 1),
                    "position": len(rows),
                }
            )
    schema = {
        "model": pl.String, "source": pl.String, "sampler": pl.String, "alpha": pl.Float64, "seed": pl.Int64,
        "task": pl.String, "domain": pl.String, "n_cells_expected": pl.Int64, "position": pl.Int64,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema)


def who_on_what(model: ModelInfo, task: TaskInfo | None) -> dict[str, Any]:
    """Return ``model, source, sampler, alpha, seed, task, domain`` of one result; None for what is not known.

    `source` names the tasks that the encoder was trained on, joined by `` + ``.
    """
    card = model.card
    return {
        "model": model.name,
        "source": " + ".join(source.name for source in card.trained_on) or None,
        "sampler": card.sampler,
        "alpha": card.alpha,
        "seed": card.seed,
        "task": task.name if task is not None else None,
        "domain": task.domain if task is not None else None,
    }


def _rank_distance(run: RunNumbers) -> pl.DataFrame:
    return rank_distance_summary(run.summary).select(
        "model",
        "task",
        pl.col("mean").alias("rank_distance"),
        pl.col("median").alias("rank_distance_median"),
        pl.col("normalised").alias("rank_distance_normalised"),
    )


def _extreme(run: RunNumbers, *, worst: bool) -> pl.DataFrame:
    """Return the worst or best single-language cell by mAP; the first by name where several are equal."""
    name = "worst" if worst else "best"
    singles = run.cells.filter((pl.col("pool") != MULTILINGUAL_POOL) & (pl.col("n") > 0))
    known = pl.col("map").is_not_null().all().over("model", "task")  # with bounds nobody can tell which is the best
    singles = singles.filter(known)
    return (
        singles.sort("map", "query_language", "pool", descending=[not worst, False, False], maintain_order=True)
        .group_by("model", "task", maintain_order=True)
        .first()
        .select(
            "model",
            "task",
            (pl.col("query_language") + "→" + pl.col("pool")).alias(f"{name}_pair"),
            pl.col("map").alias(name),
        )
    )
