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
    n_pools = pool_starts.shape[0] - 1
    k = of_union.shape[1]
    for i in prange(scores.shape[0]):
        row = scores[i]
        found = 0
        for p in range(n_pools):
            first, size, held = list_starts[p], list_sizes[p], 0
            for column in range(pool_starts[p], pool_starts[p + 1]):
                score = row[column]
                if held == size:
                    if score <= best[i, first + size - 1]:
                        continue
                    held -= 1
                at = first + held
                while at > first and best[i, at - 1] < score:
                    best[i, at] = best[i, at - 1]
                    columns[i, at] = columns[i, at - 1]
                    at -= 1
                best[i, at] = score
                columns[i, at] = column
                held += 1
            for place in range(first, first + size):
                score, column = best[i, place], columns[i, place]
                if found == k:
                    last = best_of_union[i, k - 1]
                    if score < last:
                        break
                    if score == last and order[column] > order[of_union[i, k - 1]]:
                        break
                    found -= 1
                at = found
                while at > 0 and (
                    best_of_union[i, at - 1] < score
                    or (best_of_union[i, at - 1] == score and order[of_union[i, at - 1]] > order[column])
                ):
                    best_of_union[i, at] = best_of_union[i, at - 1]
                    of_union[i, at] = of_union[i, at - 1]
                    at -= 1
                best_of_union[i, at] = score
                of_union[i, at] = column
                found += 1
        last = best_of_union[i, k - 1]
        for p in range(n_pools):
            same = 0
            for column in range(pool_starts[p], pool_starts[p + 1]):
                same += row[column] == last
            for place in range(k):
                if best_of_union[i, place] == last and pool_starts[p] <= of_union[i, place] < pool_starts[p + 1]:
                    same -= 1
            tied[i, p] = same
