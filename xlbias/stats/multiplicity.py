"""Adjusted p-values over a family of tests, such as the cells of a matrix.

NaN (a cell that was not tested) is passed through and not counted in the family. Adjusted values compare with the same
level as plain ones.
"""

from __future__ import annotations

import numpy as np

from xlbias.stats.means import Floats


def holm(p: Floats) -> Floats:
    """Return p adjusted for the family-wise error rate, float64 [n_tests] in [0, 1]. Holm 1979."""
    adjusted, tested = _ascending(p)
    m = len(tested)
    adjusted[tested] = np.minimum(np.maximum.accumulate(adjusted[tested] * np.arange(m, 0, -1)), 1)
    return adjusted


def benjamini_hochberg(p: Floats) -> Floats:
    """Return p adjusted for the false discovery rate, float64 [n_tests] in [0, 1]. Benjamini and Hochberg 1995."""
    adjusted, tested = _ascending(p)
    m = len(tested)
    scaled = adjusted[tested] * m / np.arange(1, m + 1)
    adjusted[tested] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1)
    return adjusted


def _ascending(p: Floats) -> tuple[Floats, np.typing.NDArray[np.int64]]:
    """Return a copy of `p` and the places of its numbers, smallest first."""
    if p.ndim != 1:
        raise ValueError(f"expected p-values of shape [n_tests], got {list(p.shape)}")
    order = np.argsort(p, kind="stable")  # NaN last
    return p.astype(np.float64), order[: np.count_nonzero(~np.isnan(p))]
