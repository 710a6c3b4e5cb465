"""Average precision; its mean over queries is mAP."""

from __future__ import annotations

import numpy as np

from xlbias.measures import chance
from xlbias.measures.measure import Measure
from xlbias.measures.ragged import Floats, Rankings


def average_precision(rankings: Rankings, k: int | None = None) -> Floats:
    """AP: mean over R of (relevants at rank <= r) / r, float64 [n_rankings].

    With a cut-off k the divisor stays |R|, as in trec_eval; LAReQA's own code divides by min(k, |R|).
    """
    precision = rankings.position / rankings.ranks
    if k is not None:
        precision = np.where(rankings.ranks <= k, precision, 0.0)
    return rankings.undefined_where_empty(rankings.summed(precision) / np.maximum(rankings.lengths, 1))


MEASURES = (
    Measure(
        name="map",
        label="mAP",
        family="quality",
        definition="mean average precision, without cut-off",
        compute=average_precision,
        chance=chance.average_precision,
        source="Manning, Raghavan and Schütze 2008, ch. 8; without cut-off as in LAReQA, arXiv 2004.05484",
        undefined="for a query without relevant passages in the pool",
    ),
)
