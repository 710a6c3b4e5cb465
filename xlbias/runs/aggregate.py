"""From the rankings of a run to numbers: one mean per cell and measure, each with its n.

The report, the JSON, the dashboard and the Python API all take their numbers from here.
"""

from __future__ import annotations

import polars as pl

from xlbias.measures.bias import rank_distance
from xlbias.measures.quality import QUALITY
from xlbias.measures.ragged import Rankings
from xlbias.runs.schema import MULTILINGUAL_POOL

CELL = ["model", "task", "domain", "query_language", "pool", "setting"]
"""The columns that name a cell."""

MEASURES = tuple(QUALITY)


def cells(rankings: pl.LazyFrame) -> pl.DataFrame:
    """Return one row per cell: CELL, ``n`` (queries with a relevant passage in the pool), ``n_excluded`` (queries
    without), and the mean of every measure of `MEASURES` over those n; null where n is 0.
    """
    ranked = rankings.select(*CELL, "n_relevant", "relevants").collect()
    pairs = ranked["relevants"].explode(empty_as_null=False, keep_nulls=False).struct.unnest()
    rankings_of = Rankings(
        *(column.cast(pl.Int64).to_numpy() for column in (pairs["rank"], pairs["relevance"], ranked["n_relevant"]))
    )
    values = [pl.Series(name, QUALITY[name].compute(rankings_of), nan_to_null=True) for name in MEASURES]
    has = pl.Series("has", rankings_of.lengths > 0)
    return (
        ranked.select(CELL)
        .with_columns(has, *values)
        .group_by(CELL)
        .agg(
            pl.col("has").sum().cast(pl.Int64).alias("n"),
            (~pl.col("has")).sum().cast(pl.Int64).alias("n_excluded"),
            *(pl.col(name).mean() for name in MEASURES),
        )
        .sort("model", "task", "query_language", pl.col("pool") == MULTILINGUAL_POOL, "pool", maintain_order=True)
    )


def settings(cell_means: pl.DataFrame, rankings: pl.LazyFrame) -> pl.DataFrame:
    """Return one row per model, task and setting: the macro average of every measure over the setting's cells.

    Columns: ``model, task, domain, setting``, ``n_cells`` (cells with queries), ``n_cells_empty`` (cells without,
    excluded), ``n_queries`` (distinct queries), ``n_rankings`` (queries summed over cells), ``n_excluded``,
    every measure as the macro average over cells, and every measure with the suffix ``_weighted`` as the average over
    rankings.
    """
    some = pl.col("n") > 0
    distinct = (
        rankings.filter(pl.col("n_relevant") > 0)
        .group_by("model", "task", "setting")
        .agg(pl.struct("query_id", "query_language").n_unique().cast(pl.Int64).alias("n_queries"))
        .collect()
    )
    return (
        cell_means.group_by("model", "task", "domain", "setting", maintain_order=True)
        .agg(
            some.sum().cast(pl.Int64).alias("n_cells"),
            (~some).sum().cast(pl.Int64).alias("n_cells_empty"),
            pl.col("n").sum().alias("n_rankings"),
            pl.col("n_excluded").sum(),
            *(pl.col(name).filter(some).mean() for name in MEASURES),
            *(
                ((pl.col(name) * pl.col("n")).filter(some).sum() / pl.col("n").filter(some).sum()).alias(
                    f"{name}_weighted"
                )
                for name in MEASURES
            ),
        )
        .join(distinct, on=["model", "task", "setting"], how="left")
        .with_columns(pl.col("n_queries").fill_null(0))
        .with_columns(pl.col("setting").cast(pl.Enum(["monolingual", "cross-lingual", "multilingual"])))
        .sort("model", "task", "setting", maintain_order=True)
        .with_columns(pl.col("setting").cast(pl.String))
    )


def rank_distances(rankings: pl.LazyFrame, pool_sizes: dict[str, int]) -> pl.DataFrame:
    """Return rank distance per query: ``model, task, domain, query_language, query_id, rank_distance, normalised``.

    `pool_sizes` gives, per task, the size of the multilingual pool. Both values are null for a query whose rank
    distance is undefined (see `measures.bias.rank_distance`).
    """
    keys = ["model", "task", "domain", "query_language", "query_id"]
    union = rankings.filter(pl.col("pool") == MULTILINGUAL_POOL)
    exploded = (
        union.select(*keys, "relevants")
        .explode("relevants", empty_as_null=True, keep_nulls=True)
        .with_columns(
            pl.col("relevants").struct.field("rank"),
            pl.col("relevants").struct.field("language"),
            pl.col("relevants").struct.field("parallel_id"),
            pl.col("task").replace_strict(pool_sizes, default=None, return_dtype=pl.Int64).alias("pool_size"),
        )
    )
    return rank_distance(exploded, keys).sort(keys).collect()


def rank_distance_by_language(per_query: pl.DataFrame) -> pl.DataFrame:
    """Return one row per model, task and query language: ``mean, median, normalised, n, n_excluded``."""
    keys = ["model", "task", "domain", "query_language"]
    return per_query.group_by(keys, maintain_order=True).agg(*_summary())


def rank_distance_summary(per_query: pl.DataFrame) -> pl.DataFrame:
    """Return one row per model and task: rank distance over all query languages.

    ``mean`` and ``normalised`` are macro averages over query languages, ``median`` is taken over all queries; ``n``
    and ``n_excluded`` count queries.
    """
    keys = ["model", "task", "domain"]
    by_language = rank_distance_by_language(per_query)
    macro = by_language.group_by(keys, maintain_order=True).agg(
        pl.col("mean").mean(), pl.col("normalised").mean(), pl.col("n").sum(), pl.col("n_excluded").sum()
    )
    medians = per_query.group_by(keys, maintain_order=True).agg(pl.col("rank_distance").median().alias("median"))
    return macro.join(medians, on=keys, how="left", maintain_order="left").select(
        *keys, "mean", "median", "normalised", "n", "n_excluded"
    )


def _summary() -> list[pl.Expr]:
    value = pl.col("rank_distance")
    return [
        value.mean().alias("mean"),
        value.median().alias("median"),
        pl.col("normalised").mean(),
        value.count().cast(pl.Int64).alias("n"),
        value.null_count().cast(pl.Int64).alias("n_excluded"),
    ]
