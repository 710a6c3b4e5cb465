"""Friedman's test and Kendall's W: does one language come first in query after query?

Blocks are query ids, treatments passage languages, values the ranks of the parallel relevants. Source: Friedman 1937;
Kendall and Babington Smith 1939; correction for ties: Conover 1999, § 5.8.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xlbias.stats.chi2 import chi2_tail
from xlbias.stats.means import Floats, Ints


@dataclass(frozen=True, eq=False)
class Friedman:
    """Friedman's test of n blocks of k treatments.

    Attributes:
        chi2: χ² of k − 1 degrees of freedom, corrected for ties.
        p: probability of at least that χ² under the null hypothesis of random order (asymptotic).
        w: Kendall's W = χ² / (n (k − 1)), 0 no treatment is preferred, 1 the same order in every block.
        mean_ranks: float64 [k], mean rank within a block, 1 to k.
        n: number of blocks.
    """

    chi2: float
    p: float
    w: float
    mean_ranks: Floats
    n: int


def friedman(values: Floats) -> Friedman:
    """Return Friedman's test of `values`, float64 [n_blocks, k], complete; smaller values get smaller ranks.

    χ², p and W are NaN for no block and for k < 2; 0, 1 and 0 where every block is one tie, as no treatment is
    preferred; mean ranks are NaN for no block.
    Raises ValueError for a missing value: leave blocks that are not complete out and count them.
    """
    if values.ndim != 2 or np.isnan(values).any():
        raise ValueError(f"expected complete values of shape [n_blocks, k], got {list(values.shape)} or NaN")
    n, k = values.shape
    if n == 0:
        return Friedman(np.nan, np.nan, np.nan, np.full(k, np.nan), 0)
    mean_ranks = average_ranks(values)[0].mean(axis=0)
    spread = untied(values)
    if k < 2:
        return Friedman(np.nan, np.nan, np.nan, mean_ranks, n)
    if spread <= 0:
        return Friedman(0.0, 1.0, 0.0, mean_ranks, n)
    w = float(kendall_w_of_mean_ranks(mean_ranks)) / spread
    chi2 = w * n * (k - 1)
    return Friedman(chi2, chi2_tail(k - 1, chi2), w, mean_ranks, n)


def untied(values: Floats) -> float:
    """Return the share of the variance of ranks that ties leave in complete `values` [n_blocks, k]: 1 without ties.

    W of mean ranks, which know nothing of ties, divided by it is W corrected for them.
    """
    n, k = values.shape
    tied = average_ranks(values)[1]
    lost = float((tied**2 - 1).sum())
    return 1.0 - lost / float(max(n * k * (k**2 - 1), 1))


def kendall_w_of_mean_ranks(mean_ranks: Floats) -> Floats:
    """Return Kendall's W, float64 [...], from mean ranks [..., k] of blocks without ties; NaN for k < 2.

    Over bootstrap replicates W lies about (1 − W) / n above that of the sample, as resampled blocks repeat.
    """
    k = mean_ranks.shape[-1]
    if k < 2:
        return np.full(mean_ranks.shape[:-1], np.nan)
    squares = ((mean_ranks - (k + 1) / 2) ** 2).sum(axis=-1)
    return np.asarray(12 * squares / (k * (k**2 - 1)), np.float64)


def average_ranks(values: Floats) -> tuple[Floats, Ints]:
    """Return ranks from 1 along the last axis, ties sharing their mean rank, and how many share each value.

    Both have the shape of `values` [..., k]. Every pair is compared, so memory grows with k².
    """
    this, other = values[..., :, None], values[..., None, :]
    smaller = (other < this).sum(axis=-1)
    tied = (other == this).sum(axis=-1)
    return smaller + (tied + 1) / 2, tied
