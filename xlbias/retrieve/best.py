"""The best of each pool and of the union, in one pass over a row of scores: a kernel for the CPU."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xlbias.retrieve.compiled import compiled, prange

Int64s = npt.NDArray[np.int64]
Float32s = npt.NDArray[np.float32]


@compiled(parallel=True, nogil=True)
def best_cpu(
    scores: Float32s,
    pool_starts: Int64s,
    order: Int64s,
    list_starts: Int64s,
    list_sizes: Int64s,
    columns: Int64s,
    best: Float32s,
    of_union: Int64s,
    best_of_union: Float32s,
    tied: Int64s,
) -> None:
    """Find the highest scores of each pool, and of all; equal ones in the declared order.

    Args:
        scores: float32 [n_queries, n_passages]; passages are grouped by pool, in declared order within each.
        pool_starts: int64 [n_pools + 1], where each pool's passages begin.
        order: int64 [n_passages], each passage's place in the declared order.
        list_starts: int64 [n_pools], where each pool's list begins in a row of `columns`.
        list_sizes: int64 [n_pools], how long it is: at most as long as the pool, at least as the union's or the pool.
        columns: int64 [n_queries, sum of `list_sizes`], filled: columns of `scores`, best first.
        best: float32, same shape, filled: their scores.
        of_union: int64 [n_queries, k], filled: the same of all pools together.
        best_of_union: float32, same shape, filled.
        tied: int64 [n_queries, n_pools], filled: passages that score the same as the last of the union's list and do
            not stand in it.
    """
    for i in prange(scores.shape[0]):
        row, held = scores[i], 0
        for p in range(pool_starts.shape[0] - 1):
            part = slice(list_starts[p], list_starts[p] + list_sizes[p])
            _best_of_pool(row, pool_starts[p], pool_starts[p + 1], columns[i, part], best[i, part])
            held = _merge(columns[i, part], best[i, part], order, of_union[i], best_of_union[i], held)
        _count_tied(row, pool_starts, of_union[i], best_of_union[i], tied[i])


@compiled(nogil=True)
def _best_of_pool(row: Float32s, start: int, stop: int, columns: Int64s, best: Float32s) -> None:
    """Fill a pool's list; of equal scores the earlier column comes first."""
    held = 0
    for column in range(start, stop):
        score = row[column]
        if held == best.shape[0]:
            if score <= best[held - 1]:
                continue
            held -= 1
        at = held
        while at > 0 and best[at - 1] < score:
            best[at], columns[at] = best[at - 1], columns[at - 1]
            at -= 1
        best[at], columns[at] = score, column
        held += 1


@compiled(nogil=True)
def _merge(columns: Int64s, best: Float32s, order: Int64s, of_union: Int64s, best_of_union: Float32s, held: int) -> int:
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


@compiled(nogil=True)
def _count_tied(row: Float32s, pool_starts: Int64s, of_union: Int64s, best_of_union: Float32s, tied: Int64s) -> None:
    """Fill how many passages of each pool score the same as the last of the union's list and are not in it."""
    last = best_of_union[-1]
    for p in range(pool_starts.shape[0] - 1):
        same = 0
        for column in range(pool_starts[p], pool_starts[p + 1]):
            same += row[column] == last
        for score, column in zip(best_of_union, of_union):  # noqa: B905
            same -= score == last and pool_starts[p] <= column < pool_starts[p + 1]
        tied[p] = same
