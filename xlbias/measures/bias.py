"""Language bias of a ranking: rank distance between the translations of one answer in the multilingual pool.

Source: arXiv 2408.10536, § 4.3 (rank distance); arXiv 2305.09025.
"""

from __future__ import annotations

import polars as pl


def rank_distance(relevants: pl.LazyFrame, keys: list[str]) -> pl.LazyFrame:
    """Return rank distance per query from the ranks of its relevant passages in the multilingual pool.

    Args:
        relevants: one row per (query, relevant passage) with the columns `keys`, ``rank`` (from 1), ``language``,
            ``parallel_id`` (null where a query has one relevant passage per language), ``pool_size``.
        keys: the columns that identify a query.

    Returns one row per query: `keys`, ``rank_distance`` (max − min rank over a parallel group; a mean over groups
    where the query has several) and ``normalised`` = (d − (|R|−1)) / (|pool| − |R|), 0 best, 1 worst. Both are null,
    so that the query is excluded and counted, where no group has two passages, or where relevant passages of one
    language cannot be told apart because their translations are not known. `normalised` alone is null where the pool
    holds nothing but relevant passages.
    """
    group = [*keys, "parallel_id"]
    groups = relevants.group_by(group).agg(
        (pl.col("rank").max().cast(pl.Float64) - pl.col("rank").min()).alias("distance"),
        pl.len().cast(pl.Float64).alias("size"),
        pl.col("language").n_unique().alias("languages"),
        pl.col("pool_size").first().cast(pl.Float64),
    )
    usable = (pl.col("size") >= 2) & (pl.col("languages") == pl.col("size"))
    room = pl.col("pool_size") - pl.col("size")
    normalised = pl.when(room > 0).then((pl.col("distance") - (pl.col("size") - 1)) / room)
    return groups.group_by(keys).agg(
        pl.col("distance").filter(usable).mean().alias("rank_distance"),
        normalised.filter(usable).mean().alias("normalised"),
    )
