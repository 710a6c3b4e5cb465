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
    cells = rankings.block * rankings.n_languages + rankings.language
    n_blocks = int(rankings.block.max(initial=-1)) + 1
    languages = np.bincount(np.unique(cells) // max(rankings.n_languages, 1), minlength=n_blocks)
    return _share(rankings, languages[rankings.block] > 1)


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
    ),
)
