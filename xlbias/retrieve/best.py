"""The best of each pool, kept while tiles of scores pass, and from them those of the union: kernels for the CPU."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xlbias.retrieve.compiled import compiled

Int64s = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]
Float32s = npt.NDArray[np.float32]

_CHUNK = 64
"""Scores that are first asked together whether any of them belongs into a full list: few do."""


@compiled("int32(float32[::1], float32)", nogil=True)
def _n_reaching(values: Float32s, threshold: np.float32) -> np.int32:
    """Return how many values are at least the threshold."""
    found = np.int32(0)
    for k in range(values.shape[0]):
        found += np.int32(values[k] >= threshold)
    return found


@compiled(nogil=True)
def best_of_pools(
    scores: Float32s,
    first_query: int,
    n_queries: int,
    first_column: int,
    n_columns: int,
    pool_starts: Int64s,
    list_starts: Int64s,
    list_sizes: Int64s,
    columns: Int64s,
    best: Float32s,
    held: Int64s,
    dropped: Int64s,
) -> None:
    """Take a tile of scores into the lists of the best of each pool; of equal scores the earlier column comes first.

    Args:
        scores: float32 [>= n_queries, >= n_columns]; row i is of query ``first_query + i``, columns stand for the
            passages `first_column` and on, which are grouped by pool, in declared order within each.
        first_query: row of the other arrays.
        n_queries: rows that stand for queries.
        first_column: index of the tile's first passage.
        n_columns: columns that stand for passages.
        pool_starts: int64 [n_pools + 1], where each pool's passages begin.
        list_starts: int64 [n_pools], where each pool's list begins in a row of `columns`.
        list_sizes: int64 [n_pools], how long it is: at most as long as the pool.
        columns: int64 [all queries, sum of `list_sizes`], changed: passages, best first.
        best: float32, same shape, changed: their scores.
        held: int64 [all queries, n_pools], changed: how long each list is by now.
        dropped: int64, same shape, changed: passages that score the same as the last of a full list and are not in it.
    """
    last_column = first_column + n_columns
    for i in range(n_queries):
        q, row = first_query + i, scores[i]
        for p in range(pool_starts.shape[0] - 1):
            start = max(pool_starts[p], first_column) - first_column
            stop = min(pool_starts[p + 1], last_column) - first_column
            first, size = list_starts[p], list_sizes[p]
            last = first + size - 1
            if size == 0:
                continue
            for begin in range(start, stop, _CHUNK):
                end = min(begin + _CHUNK, stop)
                if held[q, p] == size and _n_reaching(row[begin:end], best[q, last]) == 0:
                    continue
                for k in range(begin, end):
                    if held[q, p] < size or row[k] >= best[q, last]:  # else a call would cost more than what it does
                        _put(row[k], first_column + k, columns, best, held, dropped, q, p, first, size)


@compiled(nogil=True)
def _put(
    score: np.float32,
    column: int,
    columns: Int64s,
    best: Float32s,
    held: Int64s,
    dropped: Int64s,
    q: int,
    p: int,
    first: int,
    size: int,
) -> None:
    """Put one passage, which comes after all before it, into the list of a query and a pool, if it belongs there.

    The list has `size` places, from `first` on in row `q` of `columns` and `best`.
    """
    full = held[q, p] == size
    at = first + held[q, p]
    if full:
        at -= 1
        if score <= best[q, at]:
            dropped[q, p] += score == best[q, at]
            return
    gone, end = best[q, at], at
    while at > first and best[q, at - 1] < score:
        at -= 1
    for place in range(end, at, -1):
        best[q, place], columns[q, place] = best[q, place - 1], columns[q, place - 1]
    best[q, at], columns[q, at] = score, column
    if full:
        dropped[q, p] = dropped[q, p] + 1 if best[q, end] == gone else 0
    else:
        held[q, p] += 1


@compiled(nogil=True)
def merge_pools(
    list_starts: Int64s,
    list_sizes: Int64s,
    other_columns: Int64s,
    other_best: Float32s,
    other_held: Int64s,
    other_dropped: Int64s,
    columns: Int64s,
    best: Float32s,
    held: Int64s,
    dropped: Int64s,
) -> None:
    """Take lists of later passages into those of earlier ones: shapes as of `best_of_pools`, for all queries."""
    for q in range(columns.shape[0]):
        for p in range(list_sizes.shape[0]):
            first, size = list_starts[p], list_sizes[p]
            if size == 0:
                continue
            for place in range(first, first + other_held[q, p]):
                _put(other_best[q, place], other_columns[q, place], columns, best, held, dropped, q, p, first, size)
            last = first + size - 1
            if other_dropped[q, p] > 0 and other_best[q, last] == best[q, last]:
                dropped[q, p] += other_dropped[q, p]


@compiled(nogil=True)
def best_of_union(  # noqa: PLR0912  # each function more takes a tenth of a second to compile
    order: Int32s,
    list_starts: Int64s,
    list_sizes: Int64s,
    columns: Int64s,
    best: Float32s,
    dropped: Int64s,
    of_union: Int64s,
    scores_of_union: Float32s,
    tied: Int64s,
) -> None:
    """Merge the full lists of all pools into those of the union; equal scores in the declared order.

    Args:
        order: int32 [n_passages], each passage's place in the declared order.
        list_starts: int64 [n_pools].
        list_sizes: int64 [n_pools]; at least as long as the union's or the pool.
        columns: int64 [n_queries, sum of `list_sizes`], all filled.
        best: float32, same shape.
        dropped: int64 [n_queries, n_pools].
        of_union: int64 [n_queries, k], filled.
        scores_of_union: float32, same shape, filled.
        tied: int64 [n_queries, n_pools], filled: passages that score the same as the last of the union's list and do
            not stand in it.
    """
    size = of_union.shape[1]
    if size == 0:
        return
    for i in range(columns.shape[0]):
        held = 0
        for p in range(list_sizes.shape[0]):
            for place in range(list_starts[p], list_starts[p] + list_sizes[p]):
                score, column = best[i, place], columns[i, place]
                at = held
                while at > 0 and (
                    scores_of_union[i, at - 1] < score
                    or (scores_of_union[i, at - 1] == score and order[of_union[i, at - 1]] > order[column])
                ):
                    at -= 1
                if at == size:
                    break
                held = min(held + 1, size)
                for later in range(held - 1, at, -1):
                    scores_of_union[i, later] = scores_of_union[i, later - 1]
                    of_union[i, later] = of_union[i, later - 1]
                scores_of_union[i, at], of_union[i, at] = score, column
        last = scores_of_union[i, size - 1]
        for p in range(list_sizes.shape[0]):
            if list_sizes[p] == 0:
                continue
            end = list_starts[p] + list_sizes[p]
            same = dropped[i, p] if best[i, end - 1] == last else 0
            for place in range(list_starts[p], end):
                if best[i, place] == last:
                    same += 1
                    for one in range(size):
                        if of_union[i, one] == columns[i, place]:
                            same -= 1
                            break
            tied[i, p] = same
