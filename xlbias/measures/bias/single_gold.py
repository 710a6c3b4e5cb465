"""Single-gold mAP: how well the answer in one language is found among the passages of all languages."""

from __future__ import annotations

import numpy as np

from xlbias.measures.measure import Measure
from xlbias.measures.pooled import PooledRankings
from xlbias.measures.ragged import Floats
from xlbias.measures.ties import mean_precision


def single_gold(rankings: PooledRankings) -> Floats:
    """AP when only the relevants of one language are kept, float64 [n_rankings, n_languages]; NaN where it has none.

    The relevants of the other languages are taken out of the pool, so each of them that stood before a passage lets
    that passage move up by one. The expectation under a random order of equal scores, in closed form.
    """
    of_block = np.bincount(rankings.block)[rankings.block]
    first = np.searchsorted(rankings.block, rankings.block)  # the block's first relevant
    before_block = first - rankings.starts[rankings.owner]
    key = rankings.block * rankings.n_languages + rankings.language
    _, of_key, counts = np.unique(key, return_inverse=True, return_counts=True)
    among = counts[of_key].astype(np.int64)
    best = np.full(len(counts), np.iinfo(np.int64).max)
    np.minimum.at(best, of_key, rankings.position_in_language)
    found = best[of_key] - 1
    before = rankings.before - (before_block - found)
    return rankings.averaged(mean_precision(before, rankings.size - (of_block - among), found, among))


def bounds(rankings: PooledRankings) -> tuple[Floats, Floats]:
    """Return the least and the greatest value where ranks are not all known, float64 [n_rankings, n_languages] each.

    Missing passages of other languages are taken out, so that each language has its worst and its best case at once.
    """
    return single_gold(rankings), single_gold(rankings.at_best)


def gap(rankings: PooledRankings) -> Floats:
    """Single-gold AP of the query's own language minus the mean over the others, float64 [n_rankings].

    NaN where either is missing. The gap reported is that of means over cells, not the mean of these.
    """
    values = single_gold(rankings)
    own = np.full(rankings.n, np.nan)
    known = np.flatnonzero(rankings.query_language >= 0)
    own[known] = values[known, rankings.query_language[known]]
    values[known, rankings.query_language[known]] = np.nan
    there = np.isfinite(values)
    others = np.where(there, values, 0.0).sum(axis=1) / np.where(there.any(axis=1), there.sum(axis=1), np.nan)
    difference: Floats = own - others
    return difference


MEASURES = (
    Measure(
        name="single_gold",
        label="single gold",
        family="bias",
        definition="mAP by query and answer language in the multilingual pool when only that language's answers are "
        "kept and those in other languages are taken out",
        compute=single_gold,
        source="LAReQA, arXiv 2004.05484, § 5 (bias analysis)",
        undefined="for a language without an answer to the query",
        bounds=bounds,
    ),
    Measure(
        name="single_gold.gap",
        label="own − other",
        family="bias",
        definition="single-gold mAP of answers in the query's language minus that of answers in other languages, over "
        "the query languages that have both: the preference for one's own language",
        compute=gap,
        source="LAReQA, arXiv 2004.05484, § 5 (bias analysis)",
        low=-1.0,
        better="neither",
        undefined="without answers in the query's language and in another",
        statistic="derived",
    ),
)
