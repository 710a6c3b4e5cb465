"""Ties: how many answers score the same as another passage, so that only their ids say which comes first."""

from __future__ import annotations

import numpy as np

from xlbias.measures.measure import Measure
from xlbias.measures.pooled import PooledRankings
from xlbias.measures.ragged import Bools, Floats


def tied(rankings: PooledRankings) -> Floats:
    """Share of a query's relevants that score the same as another passage of the multilingual pool.

    float64 [n_rankings]; NaN without relevants, and where ties were not counted.
    """
    return _share(rankings, rankings.size > 1)


def tied_answers(rankings: PooledRankings) -> Floats:
    """Share of a query's relevants that score the same as a relevant in another language, float64 [n_rankings]."""
    return _share(rankings, _ties_with_answers(rankings))


def tied_bounds(rankings: PooledRankings) -> tuple[Floats, Floats]:
    """Return the least and the greatest share where ranks are not all known: a missing answer may tie, or not."""
    return _bounds(rankings, rankings.size > 1)


def tied_answers_bounds(rankings: PooledRankings) -> tuple[Floats, Floats]:
    """Return the same of ties with answers in another language."""
    return _bounds(rankings, _ties_with_answers(rankings))


def _ties_with_answers(rankings: PooledRankings) -> Bools:
    cells = rankings.block * rankings.n_languages + rankings.language
    n_blocks = int(rankings.block.max(initial=-1)) + 1
    languages = np.bincount(np.unique(cells) // max(rankings.n_languages, 1), minlength=n_blocks)
    return np.asarray(languages[rankings.block] > 1)


def _bounds(rankings: PooledRankings, which: Bools) -> tuple[Floats, Floats]:
    uncounted = rankings.summed(((rankings.tied_before < 0) & ~rankings.missing).astype(np.float64))
    there = (uncounted == 0) & (rankings.lengths > 0)
    found = rankings.summed((which & ~rankings.missing).astype(np.float64))
    low, high = (
        np.where(there, n / np.maximum(rankings.lengths, 1), np.nan) for n in (found, found + rankings.n_missing)
    )
    return low, high


def _share(rankings: PooledRankings, which: Bools) -> Floats:
    counted = rankings.summed((rankings.tied_before < 0).astype(np.float64)) == 0
    share = rankings.summed(which.astype(np.float64)) / np.maximum(rankings.lengths, 1)
    return np.where(counted & (rankings.lengths > 0), share, np.nan)


_UNDEFINED = "for a query without answers, and in a run of an earlier version, which did not count ties"

MEASURES = (
    Measure(
        name="tied",
        label="tied",
        family="bias",
        definition="share of answers that score the same as another passage of the multilingual pool, so that their "
        "order is settled by passage ids in measures of quality, and left open in those of bias",
        compute=tied,
        source="xlbias",
        better="neither",
        undefined=_UNDEFINED,
        bounds=tied_bounds,
    ),
    Measure(
        name="tied.answers",
        label="tied answers",
        family="bias",
        definition="share of answers that score the same as an answer to the same query in another language",
        compute=tied_answers,
        source="xlbias",
        better="neither",
        undefined=_UNDEFINED,
        bounds=tied_answers_bounds,
    ),
)
