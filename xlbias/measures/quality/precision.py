"""Precision@k: how much of the first k is relevant."""

from __future__ import annotations

from functools import partial

from xlbias.measures import chance
from xlbias.measures.measure import Measure
from xlbias.measures.ragged import Floats, Rankings


def precision(rankings: Rankings, k: int) -> Floats:
    """Precision@k: share of the first k that is relevant, float64 [n_rankings]; k divides also in a smaller pool."""
    return rankings.undefined_where_empty(rankings.hits(k) / k)


MEASURES = (
    Measure(
        name="precision@10",
        label="P@10",
        family="quality",
        definition="share of the first 10 that is relevant",
        compute=partial(precision, k=10),
        chance=partial(chance.precision, k=10),
        source="Manning, Raghavan and Schütze 2008, ch. 8",
        undefined="for a query without relevant passages in the pool",
    ),
)
