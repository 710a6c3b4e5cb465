"""Rank distance: how far apart the translations of one answer stand in the multilingual pool."""

from __future__ import annotations

import math

import numpy as np

from xlbias.measures.measure import Measure
from xlbias.measures.pooled import PooledRankings
from xlbias.measures.ragged import Floats

_UNDEFINED = "for fewer than two relevant passages, or several in one language whose translations are not known"


def rank_distance(rankings: PooledRankings) -> Floats:
    """Max − min rank over a query's parallel relevants, float64 [n_rankings], in ranks, at least |R| − 1.

    The expectation under a random order of equal scores, in closed form. A mean over parallel groups where the query
    has several.
    """
    groups = rankings.groups
    return rankings.mean_over_groups(groups.last - groups.first)


def rank_distance_bounds(rankings: PooledRankings) -> tuple[Floats, Floats]:
    """Return the least and the greatest rank distance where ranks are not all known, float64 [n_rankings] each."""
    low, high = _bounds_of_groups(rankings)
    return rankings.mean_over_groups(low), rankings.mean_over_groups(high)


def _bounds_of_groups(rankings: PooledRankings) -> tuple[Floats, Floats]:
    """Return the least and the greatest distance of each parallel group.

    Missing passages stand after those that are found. At best the group's own come first of them, at worst the last of
    them ends the pool; where the whole group is missing, its passages stand together at best.
    """
    groups, missing = rankings.groups, rankings.groups.missing
    exact = groups.last - groups.first
    if rankings.known is None or not missing.any():
        return exact, exact
    known, end = rankings.known[groups.owner], rankings.last_rank[groups.owner]
    all_missing = missing == groups.size
    low = np.where(all_missing, groups.size - 1, known + missing - groups.first)
    high = np.where(all_missing, end - known - 1, end - groups.first)
    return np.where(missing > 0, low, exact), np.where(missing > 0, high, exact)


def normalised_bounds(rankings: PooledRankings) -> tuple[Floats, Floats]:
    """Return the least and the greatest normalised rank distance, float64 [n_rankings] each."""
    low, high = (rankings.mean_over_groups(_normalised(rankings, each)) for each in _bounds_of_groups(rankings))
    return low, high


def normalised_rank_distance(rankings: PooledRankings) -> Floats:
    """(d − (|R|−1)) / (|pool| − |R|), float64 [n_rankings]: 0 where translations stand together, 1 at the two ends.

    Undefined also where the pool holds nothing but relevant passages.
    """
    groups = rankings.groups
    return rankings.mean_over_groups(_normalised(rankings, groups.last - groups.first))


def _normalised(rankings: PooledRankings, distance: Floats) -> Floats:
    room = rankings.pool_size - rankings.groups.size
    return np.where(room > 0, (distance - (rankings.groups.size - 1)) / np.maximum(room, 1), np.nan)


MEASURES = (
    Measure(
        name="rank_distance",
        label="rank dist.",
        family="bias",
        definition="max − min rank over the translations of one answer, in the multilingual pool; mean over queries",
        compute=rank_distance,
        source="arXiv 2408.10536, § 4.3; arXiv 2305.09025",
        low=1.0,
        high=math.inf,
        better="low",
        unit="ranks",
        undefined=_UNDEFINED,
        bounds=rank_distance_bounds,
    ),
    Measure(
        name="rank_distance.normalised",
        label="rank dist. norm.",
        family="bias",
        definition="rank distance between 0 (translations stand together) and 1 (at the two ends of the pool)",
        compute=normalised_rank_distance,
        source="xlbias; comparable across data sets and numbers of languages",
        better="low",
        undefined=f"{_UNDEFINED}, and where the pool holds nothing else",
        bounds=normalised_bounds,
    ),
    Measure(
        name="rank_distance.median",
        label="rank dist. med.",
        family="bias",
        definition="median over queries of the rank distance",
        compute=rank_distance,
        source="arXiv 2408.10536, § 4.3",
        low=1.0,
        high=math.inf,
        better="low",
        unit="ranks",
        undefined=_UNDEFINED,
        statistic="median",
        bounds=rank_distance_bounds,
    ),
)
