"""From exact ranks and top k to the `ranking` rows of a run: one row per query and pool."""

from __future__ import annotations

import numpy as np
import polars as pl

from xlbias.measures.quality.average_precision import average_precision
from xlbias.measures.ragged import Rankings
from xlbias.retrieve.index import Int64s, PassageOrder
from xlbias.retrieve.ranks import PairRanks
from xlbias.retrieve.topk import TopK
from xlbias.runs.parts import list_column
from xlbias.runs.schema import MULTILINGUAL_POOL, TOP, setting_of


def ranking_rows(
    queries: pl.DataFrame,
    passages: pl.DataFrame,
    index: PassageOrder,
    pair_query: Int64s,
    pair_passage: Int64s,
    relevance: Int64s,
    ranks: PairRanks,
    top: list[TopK],
) -> pl.DataFrame:
    """Return the ranking rows of one block of queries, ordered by query, then by pool, the multilingual pool last.

    Args:
        queries: ``query_id, language``, one row per query of the block.
        passages: ``passage_id, language, parallel_id``, in the order given to the index.
        index: the index of those passages.
        pair_query: int64 [n_pairs], rows of `queries`.
        pair_passage: int64 [n_pairs], rows of `passages`.
        relevance: int64 [n_pairs].
        ranks: from `rank_pairs` for these pairs.
        top: from `top_k` for these queries: one per language of the index, then the union; empty where no passages
            are to be kept.
    """
    pools = [*index.languages, MULTILINGUAL_POOL]
    n_rows = queries.height * len(pools)
    own_pool = index.pools(index.column_of[pair_passage])
    row = np.concatenate([pair_query * len(pools) + own_pool, pair_query * len(pools) + len(pools) - 1])
    rank = np.concatenate([ranks.in_pool, ranks.in_union])
    tied = np.concatenate([ranks.tied_in_pool, ranks.tied_in_union])
    order = np.lexsort((rank, row))
    row, rank, tied = row[order], rank[order], tied[order]
    pair = np.concatenate([np.arange(len(pair_query))] * 2)[order]
    lengths = np.bincount(row, minlength=n_rows).astype(np.int64)
    rankings = Rankings(rank, relevance[pair], lengths)

    relevants = (
        passages.select("passage_id", "language", "parallel_id")[pair_passage[pair]]
        .with_columns(
            pl.Series("relevance", relevance[pair], dtype=pl.Int32),
            pl.Series("rank", rank, dtype=pl.UInt32),
            pl.Series("score", ranks.score[pair]),
            pl.Series("tied_before", tied[:, 0], dtype=pl.UInt32),
            pl.Series("tied_after", tied[:, 1], dtype=pl.UInt32),
        )
    )  # fmt: skip
    ap = average_precision(rankings)
    has = lengths > 0
    first, last = np.zeros(n_rows, np.int64), np.zeros(n_rows, np.int64)
    first[has] = rank[rankings.starts[has]]
    last[has] = rank[rankings.starts[has] + lengths[has] - 1]
    query_row = np.repeat(np.arange(queries.height), len(pools))
    frame = queries.select("query_id", pl.col("language").alias("query_language"))[query_row].with_columns(
        pl.Series("pool", pools * queries.height),
        pl.Series("n_relevant", lengths, dtype=pl.UInt32),
        pl.Series("ap", ap, nan_to_null=True),
        pl.Series("first_rank", first).replace(0, None).cast(pl.UInt32),
        pl.Series("last_rank", last).replace(0, None).cast(pl.UInt32),
        list_column("relevants", relevants, lengths),
        _top_lists(passages, top) if top else pl.Series("top", [[]] * n_rows, dtype=pl.List(TOP)),
        _tied_with_last(index.languages, top, queries.height),
    )
    settings = {(ql, pool): setting_of(ql, pool) for ql in queries["language"].unique() for pool in pools}
    setting = [settings[key] for key in frame.select("query_language", "pool").iter_rows()]
    return frame.with_columns(pl.Series("setting", setting, dtype=pl.String))


def _top_lists(passages: pl.DataFrame, top: list[TopK]) -> pl.Series:
    """Return the `top` column: for each query, the lists of all pools in the order of `top`."""
    found = np.concatenate([t.rows for t in top], axis=1).reshape(-1)
    scores = np.concatenate([t.scores for t in top], axis=1).reshape(-1)
    lengths = np.stack([(t.rows >= 0).sum(axis=1) for t in top], axis=1).reshape(-1).astype(np.int64)
    filled = found >= 0  # some are not where a query leaves passages out of a pool that has no more than these
    values = passages.select("passage_id", "language")[found[filled]].with_columns(pl.Series("score", scores[filled]))
    return list_column("top", values, lengths)


def _tied_with_last(languages: list[str], top: list[TopK], n_queries: int) -> pl.Series:
    """Return the `tied_with_last` column: null but for the pools of which it was counted, the multilingual one."""
    n_pools = len(languages) + 1
    counted = [one.tied for one in top]
    lengths = np.zeros((n_queries, n_pools), dtype=np.int64)
    known = np.zeros((n_queries, n_pools), dtype=np.bool_)
    values = pl.DataFrame(schema={"language": pl.String, "n": pl.UInt32})
    if top and (tied := counted[-1]) is not None:
        query, language = np.nonzero(tied)
        lengths[:, -1] = np.bincount(query, minlength=n_queries)
        known[:, -1] = True
        names = pl.Series(languages, dtype=pl.String)[language]
        values = pl.DataFrame({"language": names, "n": tied[query, language]}, schema=values.schema)
    lists = list_column("tied_with_last", values, lengths.reshape(-1))
    return lists.set(pl.Series(~known.reshape(-1)), None)
