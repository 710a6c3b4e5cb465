"""Reciprocal rank; its mean over queries is MRR."""

from __future__ import annotations

import numpy as np

from xlbias.measures import chance
from xlbias.measures.measure import Measure
from xlbias.measures.ragged import Floats, Rankings


def reciprocal_rank(rankings: Rankings, k: int | None = None) -> Floats:
    """RR: 1 / rank of the best relevant passage, float64 [n_rankings]; 0 if that lies beyond k."""
    value = np.full(rankings.n, np.nan)
    some = rankings.lengths > 0
    best = rankings.ranks[rankings.starts[some]]
    value[some] = np.where(best <= (k or np.inf), 1.0 / best, 0.0)
    return value


MEASURES = (
    Measure(
        name="rr",
        label="MRR",
        family="quality",
        definition="mean reciprocal rank of the best relevant passage",
        compute=reciprocal_rank,
        chance=chance.reciprocal_rank,
        source="Voorhees 1999 (TREC-8 question answering)",
        undefined="for a query without relevant passages in the pool",
    ),
)
