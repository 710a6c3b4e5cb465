"""Recall@k: how much of what is relevant is among the first k."""

from __future__ import annotations

from functools import partial

from xlbias.measures import chance
from xlbias.measures.measure import Measure
from xlbias.measures.ragged import Floats, Rankings


def recall(rankings: Rankings, k: int) -> Floats:
    """Recall@k: share of the relevant passages that are among the first k, float64 [n_rankings]."""
    return rankings.undefined_where_empty(rankings.hits(k) / rankings.lengths.clip(1))


MEASURES = tuple(
    Measure(
        name=f"recall@{k}",
        label=f"R@{k}",
        family="quality",
        definition=f"relevant passages found {f'among the first {k}' if k > 1 else 'at rank 1'}, of all relevant",
        compute=partial(recall, k=k),
        chance=partial(chance.recall, k=k),
        source="Manning, Raghavan and Schütze 2008, ch. 8",
        undefined="for a query without relevant passages in the pool",
    )
    for k in (1, 10, 100)
)
