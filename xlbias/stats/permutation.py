"""Paired sign-flip test over query ids, for all cells of a matrix at once.

Under the null hypothesis the two runs are exchangeable, so each id's difference may as well have the other sign.
Source: Fisher's randomisation test as in Smucker, Allan and Carterette 2007; p = (c + 1) / (B + 1), never 0: Phipson
and Smyth 2010.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xlbias.stats.means import Floats, without_gaps

CHUNK = 2_000_000
"""Numbers per working array: 16 MB each."""

TIE = 1e-12
"""Of the sum of absolute differences: above rounding in a sum, below any real difference."""


def sign_flip(differences: Floats, *, permutations: int = 10_000, seed: int = 0) -> Floats:
    """Return the two-sided p-value of each column's mean difference.

    Args:
        differences: float64 [n_ids, n_columns], one run minus the other per id (a mean over what the id has in that
            cell), NaN where the id has no value in that column.
        permutations: B; the smallest p is 1 / (B + 1), so that after Holm over m columns nothing falls below
            m / (B + 1).
        seed: the signs depend on it and on the number of ids, never on the columns, which all share them.

    Returns float64 [n_columns] in (0, 1]: 1 for a column of zeros or one id, NaN for a column without ids. A
    permutation counts where |sum of signed differences| >= |observed sum|, sums equal but for rounding included.
    Raises ValueError for a shape other than 2-D, infinite values or fewer than one permutation.
    """
    if permutations < 1:
        raise ValueError(f"expected at least one permutation, got {permutations}")
    filled, present = without_gaps(differences)
    n_ids, n_columns = differences.shape
    threshold = np.abs(filled.sum(axis=0)) - TIE * np.abs(filled).sum(axis=0)
    at_least = np.zeros(n_columns, np.int64)
    rng = np.random.default_rng(seed)
    step = max(1, CHUNK // max(n_ids, n_columns, 1))
    for start in range(0, permutations, step):
        signs = random_signs(rng, min(step, permutations - start), n_ids)
        sums = signs.astype(np.float64) @ filled
        at_least += np.count_nonzero(np.abs(sums, out=sums) >= threshold, axis=0)
    return np.where(present.any(axis=0), (at_least + 1) / (permutations + 1), np.nan)


def random_signs(rng: np.random.Generator, permutations: int, n_ids: int) -> npt.NDArray[np.int8]:
    """Return −1 or 1 with equal chance, int8 [permutations, n_ids], from one random bit each."""
    words = rng.integers(0, 2**64, (permutations, -(-n_ids // 64)), np.uint64).astype("<u8")
    bits = np.unpackbits(words.view(np.uint8), axis=1, count=n_ids, bitorder="little").view(np.int8)
    bits *= 2
    bits -= 1
    return bits
