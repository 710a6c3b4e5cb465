"""Same-language preference: is the best-ranked answer the one in the query's own language?"""

from __future__ import annotations

import numpy as np

from xlbias.measures.measure import Measure
from xlbias.measures.pooled import PooledRankings
from xlbias.measures.ragged import Floats


def same_language(rankings: PooledRankings) -> Floats:
    """1 where the top relevant passage is in the query's language, else 0, float64 [n_rankings].

    Where several share the best score, the share of them that is in the query's language: each is as likely to be first
    in a random order. NaN unless there are relevant passages in every language of the pool, two at least, among them
    the query's.
    """
    everywhere = (rankings.per_language > 0).all(axis=1) & (rankings.query_language >= 0) & (rankings.n_languages > 1)
    value = np.full(rankings.n, np.nan)
    best = rankings.before == rankings.before[rankings.starts[rankings.owner]]
    own = rankings.language == rankings.query_language[rankings.owner]
    share = rankings.summed((best & own).astype(np.float64)) / np.maximum(rankings.summed(best.astype(np.float64)), 1)
    value[everywhere] = share[everywhere]
    return value


def bounds(rankings: PooledRankings) -> tuple[Floats, Floats]:
    """Return the least and the greatest value, float64 [n_rankings] each: open only where no answer is found."""
    value = same_language(rankings)
    none = (rankings.n_missing == rankings.lengths) & np.isfinite(value)
    return np.where(none, 0.0, value), np.where(none, 1.0, value)


MEASURES = (
    Measure(
        name="same_language@1",
        label="own first",
        family="bias",
        definition="share of queries whose best-ranked answer is in the query's language; 1/L is neutral",
        compute=same_language,
        source="xlbias, after LAReQA, arXiv 2004.05484",
        better="neither",
        undefined="unless the query has an answer in every language of the pool, its own among them",
        bounds=bounds,
    ),
)
