"""Max@R: how deep one must read to have every relevant passage."""

from __future__ import annotations

import numpy as np

from xlbias.measures.measure import Measure
from xlbias.measures.pooled import PooledRankings
from xlbias.measures.ragged import Floats
from xlbias.measures.ties import mean_log2_of_last


def max_at_r(rankings: PooledRankings) -> Floats:
    """100 · (log2|pool| − log2 worst rank) / (log2|pool| − log2|R|), float64 [n_rankings], 0 worst, 100 best.

    The expectation under a random order of equal scores, in closed form. Undefined for a query without relevant
    passages, and where the pool holds nothing else.
    """
    value = np.full(rankings.n, np.nan)
    usable = (rankings.lengths > 0) & (rankings.lengths < rankings.pool_size)
    last = (rankings.starts + rankings.lengths - 1)[usable]
    among = np.bincount(rankings.block)[rankings.block[last]] if last.size else last
    worst = mean_log2_of_last(rankings.before[last], rankings.size[last], among)
    pool = np.log2(rankings.pool_size)
    share = (pool - worst) / (pool - np.log2(rankings.lengths[usable]))
    value[usable] = 100.0 * share  # in this order, as 100 x / x may exceed 100
    return value


def bounds(rankings: PooledRankings) -> tuple[Floats, Floats]:
    """Return the least and the greatest value where ranks are not all known, float64 [n_rankings] each."""
    return max_at_r(rankings), max_at_r(rankings.at_best)


MEASURES = (
    Measure(
        name="max@r",
        label="Max@R",
        family="bias",
        definition="how soon every translation of the answer is found, on a logarithmic scale of ranks; 100: at once",
        compute=max_at_r,
        source="arXiv 2604.05684",
        high=100.0,
        undefined="without relevant passages, and where the pool holds nothing else",
        bounds=bounds,
    ),
)
