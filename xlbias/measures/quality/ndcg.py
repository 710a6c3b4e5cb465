"""nDCG@k: discounted gain of graded relevance."""

from __future__ import annotations

from functools import partial

import numpy as np

from xlbias.measures import chance
from xlbias.measures.measure import Measure
from xlbias.measures.ragged import Floats, Rankings


def ndcg(rankings: Rankings, k: int) -> Floats:
    """nDCG@k: sum of relevance / log2(rank + 1) over the first k, float64 [n_rankings].

    It is divided by the best sum that min(k, |R|) passages allow.
    """
    gain = np.where(rankings.ranks <= k, rankings.relevance / np.log2(rankings.ranks + 1.0), 0.0)
    by_grade = np.lexsort((-rankings.relevance, rankings.owner))  # best grades first within each ranking
    ideal = np.where(rankings.position <= k, rankings.relevance[by_grade] / np.log2(rankings.position + 1.0), 0.0)
    best = rankings.summed(ideal)
    return rankings.undefined_where_empty(rankings.summed(gain) / np.where(best > 0, best, 1.0))


MEASURES = (
    Measure(
        name="ndcg@10",
        label="nDCG@10",
        family="quality",
        definition="discounted gain of the first 10 against the best possible",
        compute=partial(ndcg, k=10),
        chance=partial(chance.ndcg, k=10),
        source="Järvelin and Kekäläinen 2002",
        undefined="for a query without relevant passages in the pool",
    ),
)
