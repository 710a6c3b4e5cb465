"""Exposure: whose passages fill the top of the list, against how many passages each language has."""

from __future__ import annotations

import math

import numpy as np

from xlbias.measures.measure import Measure
from xlbias.measures.pooled import PooledRankings
from xlbias.measures.ragged import Floats

K = 10


def exposure(rankings: PooledRankings, k: int = K) -> Floats:
    """Share of the top k by passage language, float64 [n_rankings, n_languages]; rows add up to 1.

    NaN where fewer than min(k, |pool|) passages were kept.
    """
    top = rankings.top[:, :k]
    wanted = min(k, rankings.pool_size)
    kept = (top >= 0).sum(axis=1)
    shares = np.stack([(top == language).sum(axis=1) for language in range(rankings.n_languages)], axis=1) / max(
        wanted, 1
    )
    return np.where((kept >= wanted)[:, None], shares, np.nan)


def exposure_ratio(rankings: PooledRankings, k: int = K) -> Floats:
    """Share of the top k over the language's share of the pool, float64 [n_rankings, n_languages]; 1 is neutral."""
    return exposure(rankings, k) / (rankings.pool_sizes / rankings.pool_size)


MEASURES = (
    Measure(
        name=f"exposure@{K}",
        label=f"share@{K}",
        family="bias",
        definition=f"share of the first {K} passages of the multilingual pool by passage language",
        compute=exposure,
        source="Singh and Joachims 2018 (exposure), per language",
        better="neither",
        undefined=f"where fewer than {K} passages of a ranking were kept",
    ),
    Measure(
        name=f"exposure@{K}.ratio",
        label=f"ratio@{K}",
        family="bias",
        definition=f"share of the first {K} passages by passage language over that language's share of the pool; 1: as "
        "its size",
        compute=exposure_ratio,
        source="Singh and Joachims 2018 (exposure), per language",
        high=math.inf,
        better="neither",
        undefined=f"where fewer than {K} passages of a ranking were kept",
    ),
)
