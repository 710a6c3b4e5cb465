"""Friedman's ranks of passage languages and Kendall's W: is one language's answer always first?"""

from __future__ import annotations

import math

import numpy as np

from xlbias.measures.measure import Measure
from xlbias.measures.pooled import PooledRankings
from xlbias.measures.ragged import Floats
from xlbias.stats.friedman import average_ranks, friedman


def ranks_by_language(rankings: PooledRankings) -> Floats:
    """Mean rank of a query's relevants in each language, float64 [n_rankings, n_languages]; NaN where it has none.

    The expectation under a random order of equal scores: passages that tie share their mean rank.
    """
    return rankings.averaged(rankings.expected_rank)


def within_blocks(values: Floats) -> Floats:
    """Return ranks from 1 within each row of `values` [n_blocks, k], float64, ties shared; NaN for incomplete rows.

    A block is a query, its treatments are the passage languages, its values mean ranks.
    """
    complete = np.isfinite(values).all(axis=1) & (values.shape[1] > 1)
    ranks = np.full(values.shape, np.nan)
    ranks[complete] = average_ranks(values[complete])[0]
    return ranks


def language_ranks(rankings: PooledRankings) -> Floats:
    """Places of the languages among the answers to one query, float64 [n_rankings, n_languages], 1 for the first.

    The expectation under a random order of equal scores: answers that tie share their place. Where a language has
    several answers there is no closed form, and places are means over drawn orders.
    """
    places = within_blocks(ranks_by_language(rankings))
    drawn = rankings.has_ties & (rankings.per_language > 1).any(axis=1) & np.isfinite(places).all(axis=1)
    if drawn.any():
        places[drawn] = rankings.chosen(drawn).over_orders(lambda one: within_blocks(ranks_by_language(one)))
    return places


def bounds(rankings: PooledRankings) -> tuple[Floats, Floats]:
    """Return the least and the greatest place of each language, float64 [n_rankings, n_languages] each.

    A language stands before another for certain where its mean rank at worst is above that of the other at best.
    """
    value = language_ranks(rankings)
    open_rows = (rankings.n_missing > 0) & np.isfinite(value).all(axis=1)
    low, high = value.copy(), value.copy()
    if open_rows.any():
        best, worst = _mean_rank_bounds(rankings.chosen(open_rows))
        n = best.shape[1]
        low[open_rows] = 1 + (worst[:, None, :] < best[:, :, None]).sum(axis=2)
        high[open_rows] = n - (best[:, None, :] > worst[:, :, None]).sum(axis=2)
        decided = open_rows & (low == high).all(axis=1)
        low[decided] = high[decided] = value[decided]
    return low, high


def _mean_rank_bounds(rankings: PooledRankings) -> tuple[Floats, Floats]:
    """Return the least and the greatest mean rank of each language, float64 [n_rankings, n_languages] each.

    Its own missing answers come first of all that are missing, or last.
    """
    assert rankings.known is not None
    missing = rankings.missing.astype(np.float64)
    shape = (rankings.n, rankings.n_languages)
    n_missing = np.bincount(rankings.cell, weights=missing, minlength=shape[0] * shape[1]).reshape(shape)
    found = rankings.expected_rank * ~rankings.missing
    of_found = np.bincount(rankings.cell, weights=found, minlength=shape[0] * shape[1]).reshape(shape)
    triangle = n_missing * (n_missing + 1) / 2
    counts = np.maximum(rankings.per_language, 1)
    known = rankings.known[:, None]
    end = rankings.last_rank[:, None]
    low = (of_found + n_missing * known + triangle) / counts
    high = (of_found + n_missing * (end - n_missing) + triangle) / counts
    return low, high


MEASURES = (
    Measure(
        name="language_rank",
        label="mean rank",
        family="bias",
        definition="mean place of a language's answer among the answers to one query, from 1 (first) to the number of "
        "languages",
        compute=language_ranks,
        source="Friedman 1937",
        low=1.0,
        high=math.inf,
        better="neither",
        undefined="unless the query has an answer in every language of the pool",
        bounds=bounds,
    ),
    Measure(
        name="kendall_w",
        label="Kendall W",
        family="bias",
        definition="agreement of queries on the order of answer languages: 0 no language is favoured, 1 one order "
        "always; χ² over the greatest there can be",
        compute=friedman,
        source="Kendall and Babington Smith 1939; incomplete blocks: xlbias",
        better="low",
        undefined="unless queries have answers in two languages, and where the ranks of these are not all known",
        statistic="derived",
    ),
    Measure(
        name="friedman_chi2",
        label="Friedman χ²",
        family="bias",
        definition="Friedman's statistic over query ids, of ranks averaged over query languages; L − 1 degrees of "
        "freedom; that of Skillings and Mack where ids lack languages",
        compute=friedman,
        source="Friedman 1937; Skillings and Mack 1981",
        high=math.inf,
        better="low",
        undefined="unless queries have answers in two languages, and where the ranks of these are not all known",
        statistic="derived",
    ),
    Measure(
        name="friedman_p",
        label="Friedman p",
        family="bias",
        definition="probability of at least that χ² if no answer language were favoured",
        compute=friedman,
        source="Friedman 1937; Skillings and Mack 1981",
        undefined="unless queries have answers in two languages, and where the ranks of these are not all known",
        statistic="derived",
    ),
)
