"""What chance gives: the expectation of a measure when the pool is in a uniformly random order, in closed form.

Every function takes `n`, the size of the pool, and `relevance`, the grades of the relevant passages in it, at least one
of them and all above 0. Hypergeometric sampling is behind all of them: the place of a relevant passage is uniform, and
a place before a relevant one holds a relevant one with chance (R − 1) / (N − 1).

Source: AP: Bestgen 2015, Exact expected average precision of the random baseline; the others follow from linearity of
expectation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

_SUMMED = 1_000  # from here on the expansion is exact to the last digit
_EULER = 0.5772156649015329
_PIECE = 1 << 20
_NEGLIGIBLE = 1e-17

Grades = Sequence[float]


def average_precision(n: int, relevance: Grades) -> float:
    """Return E[AP] = (H + (R − 1)(N − H) / (N − 1)) / N, with H the harmonic number of N."""
    r, h = len(relevance), harmonic(n)
    others = (r - 1) * (n - h) / (n - 1) if r > 1 else 0.0
    return (h + others) / n


def precision(n: int, relevance: Grades, k: int) -> float:
    """Return E[P@k]: each of the first k is relevant with chance R / N."""
    return len(relevance) * min(k, n) / (n * k)


def recall(n: int, relevance: Grades, k: int) -> float:
    """Return E[R@k]: each relevant passage is among the first k with chance k / N."""
    return min(k, n) / n


def success(n: int, relevance: Grades, k: int) -> float:
    """Return the chance that one of the first k is relevant."""
    r = len(relevance)
    none = 1.0
    for i in range(min(k, n)):
        none *= max(n - r - i, 0) / (n - i)
    return 1.0 - none


def reciprocal_rank(n: int, relevance: Grades) -> float:
    """Return E[1 / first rank] = Σ_k C(N − k, R − 1) / (k C(N, R))."""
    r = len(relevance)
    if r == 1:
        return harmonic(n) / n
    total, chance, first = 0.0, r / n, 1  # that the first relevant passage stands at rank `first`
    while first <= n - r + 1 and chance > _NEGLIGIBLE:
        ranks = np.arange(first, min(first + _PIECE, n - r + 2), dtype=np.float64)
        steps = np.cumprod((n - ranks - r + 1) / np.maximum(n - ranks, 1))
        chances = chance * np.concatenate([[1.0], steps[:-1]])
        total += float((chances / ranks).sum())
        chance, first = chance * float(steps[-1]), first + len(ranks)
    return total


def ndcg(n: int, relevance: Grades, k: int) -> float:
    """Return E[nDCG@k]: each place holds the mean grade of the pool, over the best sum that k passages allow."""
    discounts = 1 / np.log2(np.arange(2, min(k, n) + 2))
    best = np.sort(np.asarray(relevance, dtype=np.float64))[::-1][:k]
    ideal = float((best * discounts[: len(best)]).sum())
    return float(sum(relevance)) / n * float(discounts.sum()) / ideal


def normalised_rank_distance(answers: int) -> float:
    """Return the expected normalised rank distance of so many answers, at least two: (R − 1) / (R + 1) in any pool.

    The range of R uniform ranks in a pool of N is (R − 1)(N + 1) / (R + 1).
    """
    return (answers - 1) / (answers + 1)


def harmonic(n: int) -> float:
    """Return 1 + 1/2 + … + 1/n."""
    if n < _SUMMED:
        return math.fsum(1 / k for k in range(1, n + 1))
    return math.log(n) + _EULER + 1 / (2 * n) - 1 / (12 * n * n) + 1 / (120 * n**4)
