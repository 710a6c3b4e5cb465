"""Counting better-scored passages in a block of scores: one kernel for the CPU, one for any torch device.

Both count, for a relevant passage with score t, the passages x with ``s(x) > t``, and those with ``s(x) = t`` that
stand before it in the declared order, and after it. They are exact and agree bit for bit on the same scores.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from xlbias.retrieve.compiled import compiled

Int64s = npt.NDArray[np.int64]
Float32s = npt.NDArray[np.float32]


COUNTS = ABOVE, TIED_BEFORE, TIED_AFTER = range(3)
"""What is counted: passages with a higher score, and others with the same one, before and after in the declared order.
"""

_SHIFT = 15
"""Bits of a packed pair of counts that hold the first: a tile has fewer columns than 2 to this power."""

_MASK = (1 << _SHIFT) - 1


# A function with an explicit contiguous signature: only so does LLVM turn the loop into packed compares. Both counts
# are kept in one integer, as a second accumulator costs more than a second compare (see benchmarks/ranks.py).
@compiled("int32(float32[::1], float32)", nogil=True)
def _above_and_equal(values: Float32s, threshold: np.float32) -> np.int32:
    """Return how many values are above the threshold, plus how many are equal to it shifted by `_SHIFT` bits."""
    packed = np.int32(0)
    for k in range(values.shape[0]):
        packed = np.int32(
            packed + np.int32(values[k] > threshold) + np.int32(np.int32(values[k] == threshold) << np.int32(_SHIFT))
        )
    return packed


@compiled(nogil=True)
def count_better_cpu(
    scores: Float32s,
    first_column: int,
    n_columns: int,
    indptr: Int64s,
    thresholds: Float32s,
    pools: Int64s,
    pool_starts: Int64s,
    before: npt.NDArray[np.int32],
    own: Int64s,
    union: Int64s,
) -> int:
    """Add to `own` and `union` what one tile of scores holds above and beside each relevant passage.

    Args:
        scores: float32 [rows, >= n_columns], C-contiguous; columns stand for the passages `first_column` and on.
        first_column: index of the tile's first passage; passages are grouped by pool, in declared order within each.
        n_columns: columns that stand for passages (the rest is padding).
        indptr: int64 [rows + 1]; row i's pairs are ``indptr[i]`` to ``indptr[i + 1]``.
        thresholds: float32 [n_pairs], the relevant passages' scores.
        pools: int64 [n_pairs], the relevant passages' pools.
        pool_starts: int64 [n_pools + 1], where each pool's passages begin.
        before: int32 [n_pairs, n_pools], how many passages of a pool stand before the pair's in the declared order.
        own: int64 [n_pairs, 3], added to: passages within the pair's own pool, by `ABOVE`, `TIED_BEFORE`,
            `TIED_AFTER`; the passage itself is not counted.
        union: int64 [n_pairs, 3], added to: the same in all pools.

    Returns how many relevant passages of this tile have another score in it than their threshold: 0 where scores do not
    depend on where a passage stands.
    """
    last_column = first_column + n_columns
    others = 0
    for i in range(indptr.shape[0] - 1):
        row = scores[i]
        for r in range(indptr[i], indptr[i + 1]):
            for p in range(pool_starts.shape[0] - 1):
                start = max(pool_starts[p], first_column) - first_column
                stop = min(pool_starts[p + 1], last_column) - first_column
                if start >= stop:
                    continue
                place = pool_starts[p] + before[r, p] - first_column
                split = min(max(place, start), stop)
                first = _above_and_equal(row[start:split], thresholds[r])
                second = _above_and_equal(row[split:stop], thresholds[r])
                above = (first & _MASK) + (second & _MASK)
                tied_before, tied_after = first >> _SHIFT, second >> _SHIFT
                mine = p == pools[r]
                if mine and start <= place < stop:
                    if row[place] == thresholds[r]:
                        tied_after -= 1  # the passage itself
                    else:
                        others += 1
                union[r, ABOVE] += above
                union[r, TIED_BEFORE] += tied_before
                union[r, TIED_AFTER] += tied_after
                if mine:
                    own[r, ABOVE] += above
                    own[r, TIED_BEFORE] += tied_before
                    own[r, TIED_AFTER] += tied_after
    return others


def count_better_torch(
    scores: torch.Tensor,
    columns: torch.Tensor,
    column_order: torch.Tensor,
    column_pool: torch.Tensor,
    rows: torch.Tensor,
    thresholds: torch.Tensor,
    pair_order: torch.Tensor,
    pair_pool: torch.Tensor,
    *,
    chunk_elements: int = 1 << 28,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return (own, union), int64 [n_pairs, 3]: the same counts, by plain comparison, on the device of `scores`.

    Args:
        scores: float32 [rows, columns].
        columns: int64 [n], which columns stand for passages.
        column_order: int64 [n], each passage's place in the declared order.
        column_pool: int64 [n], each passage's pool.
        rows: int64 [n_pairs], each pair's row of `scores`.
        thresholds: float32 [n_pairs].
        pair_order: int64 [n_pairs], the relevant passage's place in the declared order.
        pair_pool: int64 [n_pairs], its pool.
        chunk_elements: pairs × columns compared at a time; bounds the memory (about 4 bytes each).
    """
    valid = scores.index_select(1, columns) if columns.numel() != scores.shape[1] else scores
    step = max(1, chunk_elements // max(1, valid.shape[1]))
    own, union = [], []
    for start in range(0, rows.numel(), step):
        part = slice(start, start + step)
        s = valid.index_select(0, rows[part])
        t = thresholds[part, None]
        order, mine = pair_order[part, None], column_pool[None, :] == pair_pool[part, None]
        tied = s == t
        counted = (s > t, tied & (column_order[None, :] < order), tied & (column_order[None, :] > order))
        union.append(torch.stack([one.sum(dim=1) for one in counted], dim=1))
        own.append(torch.stack([(one & mine).sum(dim=1) for one in counted], dim=1))
    empty = torch.empty(0, len(COUNTS), dtype=torch.int64, device=scores.device)
    return torch.cat([empty, *own]), torch.cat([empty, *union])


def as_numpy(tensor: torch.Tensor) -> Any:
    """Return a tensor's content as an array, without a copy where it is on the CPU already."""
    return tensor.detach().cpu().numpy()
