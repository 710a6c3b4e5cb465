"""PEER: does the rank of a relevant passage depend on its language?"""

from __future__ import annotations

import numpy as np

from xlbias.measures.measure import Measure
from xlbias.measures.pooled import PooledRankings
from xlbias.measures.ragged import Floats
from xlbias.stats.kruskal import kruskal_p


def peer(rankings: PooledRankings) -> Floats:
    """Kruskal–Wallis p-value of the ranks of relevants grouped by language, float64 [n_rankings]; high is fair.

    NaN unless at least two languages have relevants and each of those has two or more: with one relevant in each
    language the p-value is a constant whatever the ranking (0.440493 for 11 languages).
    """
    counts = rankings.per_language
    present = counts > 0
    usable = (present.sum(axis=1) >= 2) & ((counts >= 2) | ~present).all(axis=1)
    value = np.full(rankings.n, np.nan)
    for i in np.flatnonzero(usable):
        own = slice(rankings.starts[i], rankings.starts[i] + rankings.lengths[i])
        value[i] = kruskal_p(rankings.ranks[own].astype(np.float64), rankings.language[own])
    return value


MEASURES = (
    Measure(
        name="peer",
        label="PEER",
        family="bias",
        definition="probability that the ranks of relevant passages do not depend on their language "
        "(Kruskal–Wallis p-value), mean over queries",
        compute=peer,
        source="Yang et al. 2024, Language Fairness in Multilingual Information Retrieval (SIGIR)",
        undefined="unless two languages have relevant passages, and each that has any has several: with one in each "
        "language it is a constant, whatever the ranking",
    ),
)
