"""Bounds of a measure where rankings are known down to a depth only: the ranks of what was not found are *censored*.

A ranking that is known down to rank k says of a relevant passage that is not among the first k only that it stands
somewhere below. So a measure that needs its rank has a least and a greatest value: over all ways in which the pool can
go on. Both are of each ranking by itself; their means are the bounds of the mean (Manski 2003, Partial Identification
of Probability Distributions, ch. 1).
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from xlbias.measures.measure import Measure, computed
from xlbias.measures.ragged import Floats, Rankings

_SAME = 1e-12


def bounds(measure: Measure, rankings: Rankings, *, shapes: Collection[tuple[int, ...]]) -> tuple[Floats, Floats]:
    """Return the least and the greatest value of a measure for each ranking, of one of `shapes`; equal where exact.

    NaN where the measure is undefined. Where a measure of bias does not say its bounds, a ranking that lacks relevant
    passages has any value of its range, which may be infinite. Raises MeasureError as `computed` does.
    """
    if measure.bounds is not None:
        low, high = measure.bounds(rankings)
        low, high = (np.asarray(each, dtype=np.float64) for each in (low, high))
    elif measure.family == "quality":
        low, high = (computed(measure, each, shapes=shapes) for each in (rankings, rankings.at_best))
    else:
        value = computed(measure, rankings, shapes=shapes)
        open_rows = (rankings.n_missing > 0).reshape(-1, *[1] * (value.ndim - 1)) & np.isfinite(value)
        low, high = np.where(open_rows, measure.low, value), np.where(open_rows, measure.high, value)
    same = np.abs(high - low) <= _SAME
    return low, np.where(same, low, high)
