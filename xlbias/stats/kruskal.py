"""Kruskal–Wallis test of ranks grouped by language, the core of PEER.

Source: Kruskal and Wallis 1952; Yang et al. 2024, Language Fairness in Multilingual Information Retrieval (PEER).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xlbias.stats.friedman import average_ranks
from xlbias.stats.means import Floats, Ints


def kruskal_p(ranks: Ints | Floats, groups: Sequence[str] | Ints) -> float:
    """Return the p-value of Kruskal and Wallis' H, corrected for ties, in [0, 1]: 1 fair, 0 one group goes first.

    Args:
        ranks: [n], ranks of one query's relevant passages in the pool; only their order matters.
        groups: [n], the language of each.

    NaN for fewer than two groups and where all ranks are equal. With one rank in each group it is a constant whatever
    the ranking (0.440493 for 11 groups): say so instead of showing it.
    """
    from scipy.special import chdtrc  # slow to import, and not needed to open a run

    _, group = np.unique(np.asarray(groups), return_inverse=True)
    sizes = np.bincount(group)
    n = len(ranks)
    if len(group) != n:
        raise ValueError(f"expected one group per rank, got {n} ranks and {len(group)} groups")
    if len(sizes) < 2:
        return np.nan
    within, tied = average_ranks(np.asarray(ranks, np.float64))
    spread = 1 - float((tied**2 - 1).sum()) / (n * (n**2 - 1))  # share of the variance that ties leave
    if spread <= 0:
        return np.nan
    mean_ranks = np.bincount(group, weights=within) / sizes
    h = 12 / (n * (n + 1)) * float((sizes * (mean_ranks - (n + 1) / 2) ** 2).sum()) / spread
    return float(chdtrc(len(sizes) - 1, h))
