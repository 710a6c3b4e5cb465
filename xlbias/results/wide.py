"""Views of a run's summary: cells, settings and rank distance as wide frames, a column per measure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from xlbias.measures.bias.rank_distance import normalised_rank_distance, rank_distance
from xlbias.measures.registry import measures
from xlbias.results.per_query import Ranked
from xlbias.results.summary import SUMMARY_SCHEMA, summarise
from xlbias.runs.schema import MULTILINGUAL_POOL, SETTINGS

WHO = {"model": pl.String(), "task": pl.String(), "domain": pl.String()}
CELL = ["model", "task", "domain", "query_language", "pool", "setting"]
"""The columns that name a cell."""

MEASURES = tuple(measures("quality"))

_KEYS = ["model", "task", "domain"]
RANK_DISTANCES = {
    "mean": "rank_distance", "median": "rank_distance.median", "normalised": "rank_distance.normalised"
}  # fmt: skip


def each(rankings: pl.DataFrame, pool_sizes: Mapping[str, Mapping[str, int]]) -> Iterator[tuple[pl.DataFrame, Ranked]]:
    """Yield ``model, task, domain`` as a frame of one row, and the rankings, of every model and task."""
    for rows in rankings.partition_by("model", "task", maintain_order=True):
        yield rows[:1].select(_KEYS), Ranked(rows, pool_sizes[rows["task"][0]])


def summary_of(rankings: pl.DataFrame, pool_sizes: Mapping[str, Mapping[str, int]]) -> pl.DataFrame:
    """Return the summary, without intervals, of every model and task in `rankings`: WHO and SUMMARY_SCHEMA."""
    found = [
        who.join(summarise(ranked.frame, ranked.pool_sizes, intervals=False), how="cross")
        for who, ranked in each(rankings, pool_sizes)
    ]
    return pl.concat([pl.DataFrame(schema={**WHO, **SUMMARY_SCHEMA}), *found])


def cells(summary: pl.DataFrame) -> pl.DataFrame:
    """Return one row per cell: CELL, ``n`` (queries with a relevant passage in the pool), ``n_excluded`` (queries
    without), and the mean of every measure of `MEASURES` over those n; null where n is 0.
    """
    chosen = summary.filter(
        pl.col("measure").is_in(MEASURES) & pl.col("query_language").is_not_null() & pl.col("n_cells").is_not_null()
    ).rename({"passage_language": "pool"})
    return (
        chosen.group_by(CELL, maintain_order=True)
        .agg(
            pl.col("n").filter(pl.col("measure") == "map").first(),
            pl.col("n_excluded").filter(pl.col("measure") == "map").first(),
            *(pl.col("value").filter(pl.col("measure") == name).first().alias(name) for name in MEASURES),
        )
        .sort("model", "task", "query_language", pl.col("pool") == MULTILINGUAL_POOL, "pool", maintain_order=True)
    )


def settings(summary: pl.DataFrame) -> pl.DataFrame:
    """Return one row per model, task and setting: the macro average of every measure over the setting's cells.

    Columns: ``model, task, domain, setting``, ``n_cells`` (cells with queries), ``n_cells_empty`` (cells without,
    excluded), ``n_queries`` (distinct queries), ``n_ids`` (distinct query ids), ``n_rankings`` (queries summed over
    cells), ``n_excluded``, every measure as the macro average over cells, and every measure with the suffix
    ``_weighted`` as the average over rankings.
    """
    chosen = summary.filter(
        pl.col("measure").is_in(MEASURES) & pl.col("query_language").is_null() & pl.col("setting").is_in(SETTINGS)
    )
    of_map = pl.col("measure") == "map"
    counts = ("n_cells", "n_cells_empty", "n_queries", "n_ids", "n_excluded")
    return (
        chosen.group_by(*_KEYS, "setting", maintain_order=True)
        .agg(
            pl.col("n").filter(of_map).first().alias("n_rankings"),
            *(pl.col(name).filter(of_map).first() for name in counts),
            *(pl.col("value").filter(pl.col("measure") == name).first().alias(name) for name in MEASURES),
            *(
                pl.col("weighted").filter(pl.col("measure") == name).first().alias(f"{name}_weighted")
                for name in MEASURES
            ),
        )
        .with_columns(pl.col("n_rankings", "n_excluded").fill_null(0), pl.col("setting").cast(pl.Enum(SETTINGS)))
        .sort("model", "task", "setting", maintain_order=True)
        .with_columns(pl.col("setting").cast(pl.String))
    )


def rank_distance_by_language(summary: pl.DataFrame) -> pl.DataFrame:
    """Return one row per model, task and query language: ``mean, median, normalised, n, n_excluded``."""
    return _rank_distance(summary.filter(pl.col("query_language").is_not_null()), [*_KEYS, "query_language"])


def rank_distance_summary(summary: pl.DataFrame) -> pl.DataFrame:
    """Return one row per model and task: rank distance over all query languages.

    ``mean`` and ``normalised`` are macro averages over query languages, ``median`` is taken over all queries; ``n``
    and ``n_excluded`` count queries.
    """
    return _rank_distance(summary.filter(pl.col("query_language").is_null()), _KEYS)


def rank_distances(rankings: pl.DataFrame, pool_sizes: Mapping[str, Mapping[str, int]]) -> pl.DataFrame:
    """Return rank distance per query: ``model, task, domain, query_language, query_id, rank_distance, normalised``.

    `pool_sizes` gives, per task, passages by language. Both values are null for a query whose rank distance is
    undefined (see `measures.bias.rank_distance`).
    """
    keys = [*_KEYS, "query_language", "query_id"]
    found = [
        ranked.union.select(keys).with_columns(
            pl.Series("rank_distance", rank_distance(ranked.pooled), nan_to_null=True),
            pl.Series("normalised", normalised_rank_distance(ranked.pooled), nan_to_null=True),
        )
        for _, ranked in each(rankings, pool_sizes)
        if ranked.union.height
    ]
    schema = {**dict.fromkeys(keys, pl.String()), "rank_distance": pl.Float64(), "normalised": pl.Float64()}
    return pl.concat([pl.DataFrame(schema=schema), *found]).sort(keys)


def _rank_distance(rows: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    main = pl.col("measure") == "rank_distance"
    return (
        rows.filter(pl.col("measure").is_in(list(RANK_DISTANCES.values())))
        .group_by(keys, maintain_order=True)
        .agg(
            *(
                pl.col("value").filter(pl.col("measure") == measure).first().alias(name)
                for name, measure in RANK_DISTANCES.items()
            ),
            pl.col("n").filter(main).first(),
            pl.col("n_excluded").filter(main).first(),
        )
    )
