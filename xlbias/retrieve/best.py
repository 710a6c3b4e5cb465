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
        q = first_query + i
        for p in range(pool_starts.shape[0] - 1):
            start = max(pool_starts[p], first_column) - first_column
            stop = min(pool_starts[p + 1], last_column) - first_column
            if start >= stop or list_sizes[p] == 0:
                continue
            part = slice(list_starts[p], list_starts[p] + list_sizes[p])
            _take(scores[i, start:stop], first_column + start, columns[q, part], best[q, part], held[q], dropped[q], p)


@compiled(nogil=True)
def _take(
    values: Float32s, first_column: int, columns: Int64s, best: Float32s, held: Int64s, dropped: Int64s, p: int
) -> None:
    size = best.shape[0]
    for begin in range(0, values.shape[0], _CHUNK):
        end = min(begin + _CHUNK, values.shape[0])
        if held[p] == size and _n_reaching(values[begin:end], best[size - 1]) == 0:
            continue
        for k in range(begin, end):
            if held[p] < size or values[k] >= best[size - 1]:  # else a call would cost more than what it does
                _put(values[k], first_column + k, columns, best, held, dropped, p)


@compiled(nogil=True)
def _put(
    score: np.float32, column: int, columns: Int64s, best: Float32s, held: Int64s, dropped: Int64s, p: int
) -> None:
    """Put one passage, which comes after all before it, into a list, if it belongs there."""
    size = best.shape[0]
    at = held[p]
    if at == size:
        last = best[size - 1]
        if score < last:
            return
        if score == last:
            dropped[p] += 1
            return
        at = size - 1
    while at > 0 and best[at - 1] < score:
        at -= 1
    if held[p] == size:
        gone = best[size - 1]
        for place in range(size - 1, at, -1):
            best[place], columns[place] = best[place - 1], columns[place - 1]
        best[at], columns[at] = score, column
        dropped[p] = dropped[p] + 1 if best[size - 1] == gone else 0
        return
    for place in range(held[p], at, -1):
        best[place], columns[place] = best[place - 1], columns[place - 1]
    best[at], columns[at] = score, column
    held[p] += 1


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
            if list_sizes[p] == 0:
                continue
            part = slice(list_starts[p], list_starts[p] + list_sizes[p])
            for place in range(list_starts[p], list_starts[p] + other_held[q, p]):
                _put(other_best[q, place], other_columns[q, place], columns[q, part], best[q, part], held[q],
                     dropped[q], p)  # fmt: skip
            last = list_starts[p] + list_sizes[p] - 1
            if other_dropped[q, p] > 0 and other_best[q, last] == best[q, last]:
                dropped[q, p] += other_dropped[q, p]


@compiled(nogil=True)
def best_of_union(
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
    for i in range(columns.shape[0]):
        held = 0
        for p in range(list_sizes.shape[0]):
            part = slice(list_starts[p], list_starts[p] + list_sizes[p])
            held = _merge(columns[i, part], best[i, part], order, of_union[i], scores_of_union[i], held)
        if of_union.shape[1] == 0:
            continue
        last = scores_of_union[i, of_union.shape[1] - 1]
        for p in range(list_sizes.shape[0]):
            if list_sizes[p] == 0:
                continue
            end = list_starts[p] + list_sizes[p]
            same = dropped[i, p] if best[i, end - 1] == last else 0
            for place in range(list_starts[p], end):
                if best[i, place] == last:
                    same += 1
                    for column in of_union[i]:
                        if column == columns[i, place]:
                            same -= 1
                            break
            tied[i, p] = same


@compiled(nogil=True)
def _merge(columns: Int64s, best: Float32s, order: Int32s, of_union: Int64s, best_of_union: Float32s, held: int) -> int:
    """Merge a pool's list into the union's, of which `held` places are filled; return how many are then."""
    for score, column in zip(best, columns):  # noqa: B905  # Numba's has no strict
        at = held
        while at > 0 and (
            best_of_union[at - 1] < score
            or (best_of_union[at - 1] == score and order[of_union[at - 1]] > order[column])
        ):
            at -= 1
        if at == best_of_union.shape[0]:
            break
        held = min(held + 1, best_of_union.shape[0])
        for place in range(held - 1, at, -1):
            best_of_union[place], of_union[place] = best_of_union[place - 1], of_union[place - 1]
        best_of_union[at], of_union[at] = score, column
    return held
