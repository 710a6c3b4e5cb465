"""PEER: does the rank of a relevant passage depend on its language?"""

from __future__ import annotations

import numpy as np

from xlbias.measures.measure import Measure
from xlbias.measures.pooled import PooledRankings
from xlbias.measures.ragged import Floats


def peer(rankings: PooledRankings) -> Floats:
    """Kruskal–Wallis p-value of the ranks of relevants grouped by language, float64 [n_rankings]; high is fair.

    Where equal scores leave the order of the languages open, a mean over drawn orders. NaN unless at least two
    languages have relevants and each of those has two or more: with one relevant in each language the p-value is a
    constant whatever the ranking (0.440493 for 11 languages).
    """
    counts = rankings.per_language
    present = counts > 0
    usable = (present.sum(axis=1) >= 2) & ((counts >= 2) | ~present).all(axis=1)
    value = np.full(rankings.n, np.nan)
    if usable.any():
        value[usable] = _kruskal_p(rankings.chosen(usable))
    drawn = usable & rankings.open_order
    if drawn.any():
        value[drawn] = rankings.chosen(drawn).over_orders(_kruskal_p)
    return value


def _kruskal_p(rankings: PooledRankings) -> Floats:
    """Return the p-value of Kruskal and Wallis' H of each ranking, float64 [n_rankings]; ranks have no ties."""
    from scipy.special import chdtrc  # slow to import, and not needed to open a run

    n = rankings.lengths
    sizes, mean_ranks = rankings.per_language, rankings.averaged(rankings.position.astype(np.float64))
    squares = np.where(sizes > 0, sizes * (mean_ranks - (n[:, None] + 1) / 2) ** 2, 0.0).sum(axis=1)
    return np.asarray(chdtrc((sizes > 0).sum(axis=1) - 1, 12 / (n * (n + 1)) * squares), np.float64)


def bounds(rankings: PooledRankings) -> tuple[Floats, Floats]:
    """Return the least and the greatest value, float64 [n_rankings] each.

    Only the order of the answers counts, which is open where answers in several languages are missing: then it may be
    anything.
    """
    value = peer(rankings)
    missing = rankings.cell[rankings.missing]
    languages = np.bincount(np.unique(missing) // max(rankings.n_languages, 1), minlength=rankings.n)
    open_rows = (languages > 1) & np.isfinite(value)
    return np.where(open_rows, 0.0, value), np.where(open_rows, 1.0, value)


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
        bounds=bounds,
    ),
)
