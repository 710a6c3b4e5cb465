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
        undefined="unless queries have answers in two languages",
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
        undefined="unless queries have answers in two languages",
        statistic="derived",
    ),
    Measure(
        name="friedman_p",
        label="Friedman p",
        family="bias",
        definition="probability of at least that χ² if no answer language were favoured",
        compute=friedman,
        source="Friedman 1937; Skillings and Mack 1981",
        undefined="unless queries have answers in two languages",
        statistic="derived",
    ),
)
