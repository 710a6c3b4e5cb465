"""Rank consistency: does a question get the same ranking whatever language it is asked in?"""

from __future__ import annotations

import numpy as np

from xlbias.measures.measure import Measure
from xlbias.measures.pooled import PooledRankings
from xlbias.measures.ragged import Floats

MOST_SCORES = 4_000_000_000
"""Queries × passages that are ranked in full at most: beyond it, sorting would take longer than all the rest, and a
sample of query ids says as much."""


def mean_spearman(ranks: Floats) -> Floats:
    """Return each ranking's mean Spearman correlation with the others, float64 [n_translations].

    Args:
        ranks: float64 [n_translations, n_passages], the rank of every passage for each translation of one query;
            passages of equal score share their mean rank.

    A ranking that is one tie agrees with nothing: it has no correlation, and is left out of those of the others. NaN
    where there is no other ranking, and for fewer than two passages.
    """
    centred = ranks - (ranks.shape[1] + 1) / 2.0
    return mean_correlation(centred @ centred.T)


def mean_correlation(products: Floats) -> Floats:
    """Return the same from products of centred rankings with one another, float64 [..., n_translations].

    `products` are float64 [..., n_translations, n_translations], of one query or of several.
    """
    spread = np.sqrt(products.diagonal(axis1=-2, axis2=-1))
    ranked = spread > 0
    both = spread[..., :, None] * spread[..., None, :]
    correlation = np.clip(products / np.maximum(both, 1e-300), -1.0, 1.0)
    others = ranked[..., None, :] & ranked[..., :, None] & ~np.eye(products.shape[-1], dtype=np.bool_)
    counts = others.sum(axis=-1)
    return np.where(counts > 0, np.where(others, correlation, 0.0).sum(axis=-1) / np.maximum(counts, 1), np.nan)


def consistency(rankings: PooledRankings) -> Floats:
    """Return what was computed while ranking, float64 [n_rankings]: the mean over the query's other translations."""
    return rankings.consistency


MEASURES = (
    Measure(
        name="rank_consistency",
        label="consistency",
        family="bias",
        definition="mean Spearman correlation of the rankings of the multilingual pool that the translations of one "
        "query give, passages of equal score sharing their rank",
        compute=consistency,
        source="Spearman 1904, between the translations of one query",
        low=-1.0,
        undefined="for a query in one language only, where all passages score the same, as such a ranking agrees with "
        "nothing, and where only some of the ranks are known, as of rankings that were imported",
    ),
)
