"""Success@k: whether anything relevant is among the first k."""

from __future__ import annotations

from functools import partial

import numpy as np

from xlbias.measures import chance
from xlbias.measures.measure import Measure
from xlbias.measures.ragged import Floats, Rankings


def success(rankings: Rankings, k: int) -> Floats:
    """Success@k: 1 if any relevant passage is among the first k, else 0, float64 [n_rankings]."""
    return rankings.undefined_where_empty((rankings.hits(k) > 0).astype(np.float64))


MEASURES = (
    Measure(
        name="success@10",
        label="S@10",
        family="quality",
        definition="share of queries with a relevant passage among the first 10",
        compute=partial(success, k=10),
        chance=partial(chance.success, k=10),
        source="trec_eval",
        undefined="for a query without relevant passages in the pool",
    ),
)
