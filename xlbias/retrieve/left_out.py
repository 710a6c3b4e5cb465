"""Passages that are left out of the pools in which a query is searched, such as the query itself.

They are scored and ranked with all others, and then taken out of the counts, which is exact: a passage that is left out
stands before another one, or beside it, or behind it, and nothing else about it matters.
"""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import numpy.typing as npt
import polars as pl

from xlbias.data.task import RetrievalTask
from xlbias.retrieve.index import Int64s, PassageOrder
from xlbias.retrieve.ranks import PairRanks
from xlbias.retrieve.topk import TopK


def left_out_pairs(task: RetrievalTask, passages: pl.DataFrame) -> pl.DataFrame:
    """Return ``query_id, language, passage_row``: what is left out, by the position of the passage in `passages`."""
    rows = passages.select("passage_id").with_row_index("passage_row")
    return task.excluded.join(rows, on="passage_id", how="inner").select("query_id", "language", "passage_row")


def without(
    index: PassageOrder, ranks: PairRanks, query: Int64s, passage: Int64s, out: npt.NDArray[np.bool_]
) -> PairRanks:
    """Return the ranks of the pairs that stay, as they are in pools without the passages of the pairs that are `out`.

    Args:
        index: the passages.
        ranks: of all pairs, int64 [n_pairs].
        query: int64 [n_pairs], the query of each pair.
        passage: int64 [n_pairs], its passage, by its position as given to the index.
        out: bool [n_pairs].
    """
    stay = np.flatnonzero(~out)
    gone = np.flatnonzero(out)
    pairs = (
        pl.DataFrame({"query": query[stay]})
        .with_row_index("place")
        .join(pl.DataFrame({"query": query[gone], "gone": gone}), on="query")
    )
    place, other = pairs["place"].to_numpy(), pairs["gone"].to_numpy()
    kept = PairRanks(**{each.name: getattr(ranks, each.name)[stay].copy() for each in fields(PairRanks)})
    pool = index.pools(index.column_of[passage])
    same_pool = pool[stay][place] == pool[other]
    tied = ranks.score[other] == ranks.score[stay][place]
    for rank, before, ties, counted in (
        (kept.in_pool, ranks.in_pool, kept.tied_in_pool, same_pool),
        (kept.in_union, ranks.in_union, kept.tied_in_union, np.ones(len(place), dtype=np.bool_)),
    ):
        ahead = before[other] < before[stay][place]
        np.subtract.at(rank, place[counted & ahead], 1)
        for side, on_it in enumerate((ahead, ~ahead)):
            np.subtract.at(ties[:, side], place[counted & tied & on_it], 1)
    return kept


def top_without(
    index: PassageOrder, found: list[TopK], ranks: PairRanks, query: Int64s, passage: Int64s, k: int
) -> list[TopK]:
    """Return the best `k` without what is left out, from lists that are longer by the most that a query leaves out.

    Places that cannot be filled hold the row -1. `query` and `passage` are the pairs that are left out, int64 [n], and
    `ranks` are theirs.
    """
    cut = []
    for one in found:
        gone = np.zeros(one.rows.shape, dtype=np.bool_)
        np.logical_or.at(gone, query, one.rows[query] == passage[:, None])
        order = np.argsort(gone, axis=1, kind="stable")[:, :k]
        rows = np.where(np.take_along_axis(gone, order, 1), -1, np.take_along_axis(one.rows, order, 1))
        tied = None if one.tied is None else _tied_without(index, one, gone, ranks, query, passage, k)
        cut.append(TopK(one.pool, rows, np.take_along_axis(one.scores, order, 1), tied))
    return cut


def _tied_without(
    index: PassageOrder,
    one: TopK,
    gone: npt.NDArray[np.bool_],
    ranks: PairRanks,
    query: Int64s,
    passage: Int64s,
    k: int,
) -> Int64s:
    """Return `TopK.tied` of a list of the union that is cut to its best `k` without those `gone`."""
    there = np.cumsum(~gone, axis=1)
    counts = np.minimum(there[:, -1], k)
    place = np.argmax(there >= counts[:, None], axis=1)  # of the last that stays in the list
    last = one.scores[np.arange(len(place)), place]
    beyond = ~gone & (there > k) & (one.scores == last[:, None])
    tied = np.zeros((len(place), len(index.languages)), dtype=np.int64)
    row, column = np.nonzero(beyond)
    np.add.at(tied, (row, index.pools(index.column_of[one.rows[row, column]])), 1)
    to_the_end = one.scores[:, -1] == last  # those beyond the longer list score the same too
    tied[to_the_end] += 0 if one.tied is None else one.tied[to_the_end]
    length = one.rows.shape[1]
    first = ranks.in_union - ranks.tied_in_union[:, 0]  # rank of the first passage with that score
    less = to_the_end[query] & (ranks.in_union > length) & (first <= length)
    np.subtract.at(tied, (query[less], index.pools(index.column_of[passage[less]])), 1)
    return tied
