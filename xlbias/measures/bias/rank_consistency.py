"""Rank consistency: does a question get the same ranking whatever language it is asked in?"""

from __future__ import annotations

import numpy as np

from xlbias.measures.measure import Measure
from xlbias.measures.pooled import PooledRankings
from xlbias.measures.ragged import Floats, Ints


def mean_spearman(ranks: Ints) -> Floats:
    """Return each ranking's mean Spearman correlation with the others, float64 [n_translations].

    Args:
        ranks: int [n_translations, n_passages], the rank of every passage for each translation of one query, ties
            settled by the declared order, so that each row is a permutation of 1 to n_passages.

    NaN for all where there are fewer than two translations or two passages.
    """
    n, size = ranks.shape
    if n < 2 or size < 2:
        return np.full(n, np.nan)
    centred = ranks - (size + 1) / 2.0
    correlation = centred @ centred.T / (size * (size * size - 1.0) / 12.0)
    return np.asarray((correlation.sum(axis=1) - np.diagonal(correlation)) / (n - 1))


def consistency(rankings: PooledRankings) -> Floats:
    """Return what was computed while ranking, float64 [n_rankings]: the mean over the query's other translations."""
    return rankings.consistency


MEASURES = (
    Measure(
        name="rank_consistency",
        label="consistency",
        family="bias",
        definition="mean Spearman correlation of the rankings of the multilingual pool that the translations of one "
        "query give",
        compute=consistency,
        source="Spearman 1904, between the translations of one query",
        low=-1.0,
        undefined="for a query in one language only",
    ),
)
