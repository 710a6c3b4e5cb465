"""The top k of every pool, for browsing. Ranks never come from here.

Up to `MOST_IN_MEMORY` passages one product serves all pools, and each query's scores are passed once; beyond it FAISS
searches each pool in bounded memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import faiss
import numpy as np
import numpy.typing as npt

from xlbias.cells import TopOf
from xlbias.retrieve.best import best_cpu
from xlbias.retrieve.ranks import Int64s, PassageIndex, PassageOrder, Queries, Vectors, count_tied

MOST_IN_MEMORY = 1 << 20
"""Passages up to which a row of scores is kept whole."""

_SCORES = 1 << 22  # kept at a time: 16 MB

_SPARE = 8
"""Looked up beyond k, so that ties at the cut are settled by the declared order rather than by a heap's. Where more
than these tie with the last of k, all scores of that query are looked at."""


@dataclass(frozen=True)
class TopK:
    """The first passages of one pool for each query.

    Attributes:
        pool: the pool's language, or None for the union of all.
        rows: int64 [n_queries, <= k], positions of passages as given to the index, best first; equal scores in the
            declared order.
        scores: float32, same shape.
        tied: of the union: int64 [n_queries, n_languages], passages that score the same as the last one of the list and
            do not stand in it: which of them stand there is a matter of their ids. None where it was not counted.
    """

    pool: str | None
    rows: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float32]
    tied: Int64s | None = None


def top_k(index: PassageOrder, queries: Queries, k: int, of: TopOf = "all") -> list[TopK]:
    """Return the top k of every pool and, last, of the union: one matrix product of queries and passages in all.

    With `of` ``multilingual`` only the union has any. A pool with fewer than k passages gives all it has. Scores come
    from a product of its own and may differ from those of the ranks in the last bit.
    """
    if isinstance(index, PassageIndex) and index.n_passages > MOST_IN_MEMORY:
        found, tied = _by_faiss(index, np.ascontiguousarray(queries, dtype=np.float32), k, of)
    else:
        found, tied = _in_memory(index, queries, k, of)
    return [
        TopK(pool, index.rows[columns[:, :k]], scores[:, :k], tied if pool is None else None)
        for pool, (columns, scores) in zip([*index.languages, None], found, strict=True)
    ]


Found = tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]  # columns and scores


def _in_memory(index: PassageOrder, queries: Queries, k: int, of: TopOf) -> tuple[list[Found], Int64s]:
    """One product of a tile of queries with all passages, of which every pool takes its part."""
    sizes = np.minimum(np.diff(index.pool_starts), k)
    ends = np.cumsum(sizes)
    columns = np.empty((len(queries), int(sizes.sum())), dtype=np.int64)
    best = np.empty(columns.shape, dtype=np.float32)
    of_union = np.empty((len(queries), min(k, index.n_passages)), dtype=np.int64)
    best_of_union = np.empty(of_union.shape, dtype=np.float32)
    tied = np.zeros((len(queries), len(index.languages)), dtype=np.int64)
    step = max(1, _SCORES // index.n_passages)
    for first in range(0, len(queries), step):
        rows = slice(first, first + step)
        scores = index.scores(queries[rows])
        best_cpu(
            scores, index.pool_starts, index.order, ends - sizes, sizes, columns[rows], best[rows], of_union[rows],
            best_of_union[rows], tied[rows],
        )  # fmt: skip
    pools = [(columns[:, end - size : end], best[:, end - size : end]) for end, size in zip(ends, sizes, strict=True)]
    return [*(pools if of == "all" else _nothing(index, queries)), (of_union, best_of_union)], tied


def _by_faiss(index: PassageIndex, queries: Vectors, k: int, of: TopOf) -> tuple[list[Found], Int64s]:
    """A search of each pool, with memory that does not grow with the passages."""
    found: list[Found] = []
    looked_up: list[Found] = []
    for start, stop in pairwise(index.pool_starts):
        wanted = min(k + _SPARE, int(stop - start))
        scores, at = faiss.knn(queries, index.vectors[start:stop], wanted, metric=faiss.METRIC_INNER_PRODUCT)
        columns, cut = _best(index, at.astype(np.int64) + int(start), scores, k)
        for row in _unsettled(scores, k, int(stop - start)):
            columns[row], cut[row] = _of_all(index, index.vectors[start:stop] @ queries[row], int(start), k)
        found.append((columns, cut))
        looked_up.append((at.astype(np.int64) + int(start), scores))
    columns, cut = _best(index, np.hstack([c for c, _ in found]), np.hstack([s for _, s in found]), k)
    short = np.diff(index.pool_starts) > k + _SPARE  # pools that there is more of than was looked up
    more = [s[:, -1] >= cut[:, -1] for is_short, (_, s) in zip(short, looked_up, strict=True) if is_short]
    unsettled = np.flatnonzero(np.any(more, axis=0)) if more else np.empty(0, dtype=np.int64)
    at, best = np.hstack([c for c, _ in looked_up]), np.hstack([s for _, s in looked_up])
    tied = _tied(index, queries, columns, cut, at, best, unsettled)
    return [*(found if of == "all" else _nothing(index, queries)), (columns, cut)], tied


def _tied(
    index: PassageIndex,
    queries: Vectors,
    columns: Int64s,
    cut: Vectors,
    looked_up: Int64s,
    best: Vectors,
    unsettled: Int64s,
) -> Int64s:
    """Return how many passages beyond the list score the same as its last one, int64 [n_queries, n_languages].

    Args:
        index: the passages.
        queries: float32 [n_queries, d].
        columns: int64 [n_queries, k], the list.
        cut: its scores.
        looked_up: int64 [n_queries, >= k], columns that were looked at.
        best: their scores.
        unsettled: queries that have more such passages than were looked at: all are counted.
    """
    tied = np.zeros((len(columns), len(index.languages)), dtype=np.int64)
    last = cut[:, -1:]
    for sign, where, scores in ((1, looked_up, best), (-1, columns, cut)):
        query, place = np.nonzero(scores == last)
        np.add.at(tied, (query, index.pool[where[query, place]]), sign)
    if len(unsettled):
        tied[unsettled] = count_tied(index, queries[unsettled], columns[unsettled, -1])
        query, place = np.nonzero(cut[unsettled] == last[unsettled])
        query = unsettled[query]
        np.add.at(tied, (query, index.pool[columns[query, place]]), -1)
    return np.maximum(tied, 0)


def _unsettled(best: Vectors, k: int, size: int) -> npt.NDArray[np.int64]:
    """Return the rows of `best`, descending, whose k-th score ties with the last looked up of a pool of `size`."""
    if best.shape[1] == size:
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero(best[:, k - 1] == best[:, -1])


def _of_all(index: PassageIndex, scores: Vectors, start: int, k: int) -> Found:
    """Return the columns and scores of the first k of one query, from the scores of all of a pool's passages."""
    place = index.order[start : start + len(scores)]
    first = np.lexsort((place, -scores))[:k]
    return first + start, scores[first]


def _nothing(index: PassageOrder, queries: Queries) -> list[Found]:
    columns = np.empty((len(queries), 0), dtype=np.int64)
    return [(columns, columns.astype(np.float32))] * len(index.languages)


def _best(
    index: PassageIndex, columns: npt.NDArray[np.int64], scores: npt.NDArray[np.float32], k: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Return columns and scores sorted by score, then by the declared order, cut at k."""
    order = np.lexsort((index.order[columns], -scores), axis=1)[:, :k]
    return np.take_along_axis(columns, order, axis=1), np.take_along_axis(scores, order, axis=1)
