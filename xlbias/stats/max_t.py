"""Step-down max-T on sign flips: p-values corrected over many cells that share their query ids.

All columns are flipped by the same signs, so the correction knows how they are correlated: a column that stands twice
costs nothing, and the smallest p is 1 / (B + 1) however many there are, where Holm's is m / (B + 1). The family-wise
error rate is kept, also where some null hypotheses are false. Source: Westfall and Young 1993, algorithm 4.1; on sign
flips: Ge, Dudoit and Speed 2003.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xlbias.stats.bootstrap import by_unit
from xlbias.stats.means import Floats, Ints
from xlbias.stats.permutation import CHUNK, TIE, random_signs


@dataclass(frozen=True, eq=False)
class FlipTests:
    """Two-sided p-values of the mean of each column, each float64 [n_columns].

    Attributes:
        p: of the column alone: the share of flips whose sum is as far from 0 as the observed one.
        p_family: corrected over the columns of its family.
        resolution: 1 / (B + 1), the smallest that either can be: a p that equals it means "at most this".
    """

    p: Floats
    p_family: Floats
    resolution: float


def flip_tests(
    differences: Floats, families: Ints, *, clusters: Ints | None = None, permutations: int = 10_000, seed: int = 0
) -> FlipTests:
    """Return the sign-flip test of each column, alone and corrected over its family by step-down max-T.

    Args:
        differences: float64 [n_ids, n_columns], one run minus the other per id, NaN where the id has no value there.
        families: int64 [n_columns], which family a column belongs to.
        clusters: int64 [n_ids], the unit that an id belongs to and that is flipped whole; by default each is its own.
        permutations: B, the number of sign flips.
        seed: the signs depend on it and on the number of units, never on the columns, which all share them.

    The statistic is the sum over its standard deviation under the flips, ``|Σd| / √Σd²``. Within a column, and among
    columns with equally many ids, it orders flips as Student's t does; it is at most √n, so that a column of three ids
    cannot overrule the others. p is 1 for a column of zeros or one id, NaN for a column without ids, which is in no
    family. Raises ValueError for a shape other than 2-D, infinite values or fewer than one permutation.
    """
    if permutations < 1:
        raise ValueError(f"expected at least one permutation, got {permutations}")
    filled, counts = by_unit(differences, clusters)
    present = counts > 0
    n_ids, n_columns = filled.shape
    norm = np.sqrt((filled**2).sum(axis=0))
    scaled = np.divide(filled, norm, out=np.zeros_like(filled), where=norm > 0)
    observed = np.abs(scaled.sum(axis=0))
    threshold = observed - TIE * np.abs(scaled).sum(axis=0)
    steps = [_steps(np.flatnonzero((families == family) & present.any(axis=0)), observed) for family in set(families)]
    alone, together = np.zeros(n_columns, np.int64), np.zeros(n_columns, np.int64)
    rng = np.random.default_rng(seed)
    size = max(1, CHUNK // max(n_ids, n_columns, 1))
    for start in range(0, permutations, size):
        signs = random_signs(rng, min(size, permutations - start), n_ids)
        flipped = signs.astype(np.float64) @ scaled
        np.abs(flipped, out=flipped)
        alone += np.count_nonzero(flipped >= threshold, axis=0)
        for columns in steps:  # the largest last, so that each sees the maximum of itself and all smaller ones
            largest = np.maximum.accumulate(flipped[:, columns], axis=1)
            together[columns] += np.count_nonzero(largest >= threshold[columns], axis=0)
    tested = present.any(axis=0)
    p = np.where(tested, (alone + 1) / (permutations + 1), np.nan)
    p_family = np.where(tested, (together + 1) / (permutations + 1), np.nan)
    for columns in steps:  # from the largest statistic down, no p below that of a larger one
        p_family[columns] = np.maximum.accumulate(p_family[columns[::-1]])[::-1]
    return FlipTests(p, p_family, 1 / (permutations + 1))


def _steps(columns: Ints, observed: Floats) -> Ints:
    """Return the columns of a family, smallest statistic first."""
    return columns[np.argsort(observed[columns], kind="stable")]
