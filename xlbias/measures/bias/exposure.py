"""Exposure: whose passages fill the top of the list, against how many passages each language has."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from xlbias.measures.measure import Measure
from xlbias.measures.pooled import PooledRankings
from xlbias.measures.ragged import Bools, Floats, Ints

K = 10


def exposure(rankings: PooledRankings, k: int = K) -> Floats:
    """Share of the top k by passage language, float64 [n_rankings, n_languages]; rows add up to 1.

    Passages that share the score at the k-th place are each as likely to stand there: the places that are left for them
    go to their languages by their number. NaN where fewer than min(k, |pool|) passages were kept.
    """
    wanted = min(k, rankings.pool_size)
    kept = (rankings.top >= 0).sum(axis=1)
    if rankings.top.shape[1] < max(wanted, 1):
        return np.full((rankings.n, rankings.n_languages), np.nan)
    settled = np.asarray(rankings.tied_with_last < 0).any(
        axis=1, keepdims=True
    )  # ties are not known: the list is taken as it is
    last = rankings.top_scores[:, wanted - 1]
    first = np.arange(rankings.top.shape[1]) < wanted
    tied = np.equal(rankings.top_scores, last[:, None]) & ~settled
    certain = _by_language(rankings, first & ~tied)
    ends = rankings.top_scores[np.arange(rankings.n), np.maximum(kept - 1, 0)] == last  # the list ends among the tied
    rest = _by_language(rankings, tied) + np.where(ends[:, None] & ~settled, rankings.tied_with_last, 0)
    left = wanted - certain.sum(axis=1, keepdims=True)
    shares = (certain + left * rest / np.maximum(rest.sum(axis=1, keepdims=True), 1)) / wanted
    return np.where((kept >= wanted)[:, None], shares, np.nan)


def _by_language(rankings: PooledRankings, which: Bools) -> Ints:
    """Return how many of the passages `which`, bool [n_rankings, k], are in each language."""
    languages = range(rankings.n_languages)
    return np.stack([(which & (rankings.top == language)).sum(axis=1) for language in languages], axis=1)


def exposure_ratio(rankings: PooledRankings, k: int = K) -> Floats:
    """Share of the top k over the language's share of the pool, float64 [n_rankings, n_languages]; 1 is neutral."""
    return exposure(rankings, k) / (rankings.pool_sizes / rankings.pool_size)


def _known(compute: Callable[[PooledRankings], Floats]) -> Callable[[PooledRankings], tuple[Floats, Floats]]:
    """Return the bounds of a measure of the first passages alone: ranks beyond them change nothing."""

    def bounds(rankings: PooledRankings) -> tuple[Floats, Floats]:
        value = compute(rankings)
        return value, value

    return bounds


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
        bounds=_known(exposure),
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
        bounds=_known(exposure_ratio),
    ),
)
