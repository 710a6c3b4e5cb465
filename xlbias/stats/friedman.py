"""Friedman's test and Kendall's W: does one language come first in query after query?

Blocks are query ids, treatments passage languages, values the ranks of the parallel relevants. Where blocks lack
treatments the test is that of Skillings and Mack: ranks within a block are taken from their middle, so that a missing
treatment counts for neither side, and weighted by the block's size; without gaps it is Friedman's.

Source: Friedman 1937; Kendall and Babington Smith 1939; ties: Conover 1999, § 5.8; incomplete blocks: Skillings and
Mack 1981, with the covariance of permuted tied ranks as in Benard and van Elteren 1953.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from xlbias.blas import threads_for
from xlbias.stats.bootstrap import by_unit
from xlbias.stats.chi2 import chi2_tail
from xlbias.stats.means import Bools, Floats, Ints

_ROUNDING = 1e-12
"""Of the greatest value of a block: what sums in another order may differ by, and no more."""

_PAIRS = 1 << 21  # compared at a time: 16 MB


@dataclass(frozen=True, eq=False)
class Friedman:
    """The test of n blocks of k treatments.

    Attributes:
        chi2: χ², corrected for ties.
        degrees: its degrees of freedom: k − 1, and one less for each part of the treatments that no block connects.
        p: probability of at least that χ² under the null hypothesis of random order (asymptotic).
        w: Kendall's W, χ² over the greatest there can be, see `Concordance`.
        n: number of blocks with two treatments at least.
    """

    chi2: float
    degrees: int
    p: float
    w: float
    n: int


def friedman(values: Floats) -> Friedman:
    """Return the test of `values`, float64 [n_blocks, k], NaN where a treatment is missing; smaller ranks first.

    χ², p and W are NaN where no block has two treatments; 0, 1 and 0 where every block is one tie, as no treatment is
    preferred.
    """
    found = Concordance(values)
    w, degrees = found.w, found.degrees
    chi2 = w * found.most
    if not degrees:  # no blocks, or each is one tie
        return Friedman(chi2, 0, 1.0 if found.n else float("nan"), w, found.n)
    return Friedman(chi2, degrees, chi2_tail(degrees, chi2), w, found.n)


class Concordance:
    """Kendall's W of blocks that may lack treatments, as a function of means over blocks, so that it can be drawn.

    W = χ² / Σ (k_i − 1), where k_i is how many treatments block i has: 0 no treatment is preferred, 1 the same order in
    every block. It is χ² / (n (k − 1)), as published, where no treatment is missing. Where some are, the quotient is
    ours: no χ² exceeds Σ (k_i − 1), the sum of what each block alone would give.

    Attributes:
        parts: float64 [n_blocks, k + 2], what `of` takes the means of; NaN for blocks with fewer than two treatments.
        n: how many blocks have two.
        degrees: degrees of freedom of χ², 0 where there is none.
        most: Σ (k_i − 1).
        w: W; NaN where no block has two treatments.
    """

    def __init__(self, values: Floats) -> None:
        """Take float64 [n_blocks, k], NaN where a treatment is missing; a smaller value is preferred."""
        if values.ndim != 2:
            raise ValueError(f"expected values of shape [n_blocks, k], got {list(values.shape)}")
        there = ~np.isnan(values)
        size = there.sum(axis=1)
        used = size > 1
        self.n, self.most = int(used.sum()), float((size[used] - 1).sum())
        scores, left = _scores(values[used], there[used])
        covariance = _covariance(there[used], left) / max(self.n, 1)
        with threads_for(len(covariance)):
            self.degrees, self._inverse = _inverted(covariance)
        effects = self._inverse @ scores.sum(axis=0) / max(self.n, 1)
        spread = _spread(there[used], left, np.outer(effects, effects))
        if spread.sum() <= _ROUNDING * self.n:  # no treatment is preferred: any direction is as good
            spread = _spread(there[used], left, self._inverse)
        self.parts = np.full((len(values), values.shape[1] + 2), np.nan)
        self.parts[used] = np.column_stack([scores, spread, size[used] - 1])
        self._spread = float(spread.mean()) if self.n else 0.0
        self.w = float(self.of(self.parts[used].mean(axis=0)[None])[0]) if self.n else float("nan")

    def of(self, means: Floats) -> Floats:
        """Return W, float64 [b], from means of `parts` over some of the blocks, float64 [b, k + 2].

        The ties and gaps of those blocks count: exactly where no treatment is missing, else to first order.
        """
        scores, spread, most = means[:, :-2], means[:, -2], means[:, -1]
        with np.errstate(invalid="ignore", divide="ignore"):
            w = ((scores @ self._inverse) * scores).sum(axis=1) / most
            w = w * np.where(spread > 0, self._spread / spread, np.where(np.isnan(spread), np.nan, 0.0))
        return np.asarray(np.clip(w, 0.0, 1.0))

    def of_drawn(self, means: Floats, bias: float) -> Floats:
        """Return W, float64 [b], of blocks that were drawn with replacement, less what their repeats add.

        Where W of what is drawn is on average W + `bias`, see `bias`, this is W on average, but for what is cut off
        at 0.
        """
        room = 1 - self.w - bias
        if not room > 0:
            return self.of(means)
        w = self.of(means)
        return np.clip(w - min(bias / room, 1.0) * (1 - w), 0.0, 1.0)

    def bias(self, clusters: Ints | None = None) -> float:
        """Return how far W of blocks, or clusters of them, drawn with replacement lies above `w` on average.

        (1 − W) / n for n blocks without gaps, each of which is its own cluster.
        """
        if not self.n:
            return float("nan")
        sums, counts = by_unit(self.parts[:, :-2], clusters)
        residual = sums - counts * (sums.sum(axis=0) / self.n)
        spread = ((residual @ self._inverse) * residual).sum()
        return float(spread / self.n / self.most)

    def influences(self) -> Floats:
        """Return each block's part in W, float64 [n_blocks]: their mean is W, their spread its standard error.

        NaN for blocks with fewer than two treatments.
        """
        scores, spread, most = self.parts[:, :-2], self.parts[:, -2], self.parts[:, -1]
        mean = np.nanmean(self.parts, axis=0) if self.n else np.zeros(self.parts.shape[1])
        if not self.n or self._spread <= 0:
            return np.where(np.isnan(spread), np.nan, 0.0)
        effects = self._inverse @ mean[:-2]
        derivative = (
            2 * (scores - mean[:-2]) @ effects / mean[-1]
            - self.w * (spread - mean[-2]) / mean[-2]
            - self.w * (most - mean[-1]) / mean[-1]
        )
        return np.asarray(self.w + derivative)


class Concordances:
    """Several Ws over the same units, drawn together.

    Attributes:
        parts: float64 [n_blocks, n_columns], what each is made of, side by side.
        columns: which columns of `parts` each is made of.
    """

    def __init__(self, each: Sequence[Concordance], n_blocks: int, clusters: Ints | None = None) -> None:
        """Take Ws of the same `n_blocks` blocks; `clusters`, int64 [n_blocks], are what is drawn, if not blocks."""
        self._each = each
        self._biases = [one.bias(clusters) for one in each]
        self.parts = np.hstack([np.empty((n_blocks, 0)), *(one.parts for one in each)])
        ends = np.cumsum([0, *(one.parts.shape[1] for one in each)]).tolist()
        self.columns = [range(start, stop) for start, stop in pairwise(ends)]

    def of(self, means: Floats) -> Floats:
        """Return each W, float64 [b, n], of means [b, n_columns] of `parts`."""
        found = [one.of(means[:, at.start : at.stop]) for one, at in zip(self._each, self.columns, strict=True)]
        return np.stack(found, axis=1) if found else np.empty((len(means), 0))

    def of_drawn(self, means: Floats) -> Floats:
        """Return the same of units that were drawn with replacement, see `Concordance.of_drawn`."""
        each = zip(self._each, self.columns, self._biases, strict=True)
        found = [one.of_drawn(means[:, at.start : at.stop], bias) for one, at, bias in each]
        return np.stack(found, axis=1) if found else np.empty((len(means), 0))


def average_ranks(values: Floats) -> tuple[Floats, Ints]:
    """Return ranks from 1 along the last axis, ties sharing their mean rank, and how many share each value.

    Both have the shape of `values` [..., k]; NaN has the rank NaN and is shared by none. Values that differ by rounding
    only are tied: a sum taken in another order must neither make nor break a tie. Every pair of a row is compared.
    """
    there = ~np.isnan(values)
    room = _ROUNDING * np.abs(np.where(there, values, 0.0)).max(axis=-1, keepdims=True, initial=0.0)
    k = values.shape[-1]
    rows = values.reshape(math.prod(values.shape[:-1]), k)
    within = np.broadcast_to(room, values.shape).reshape(rows.shape)
    smaller, tied = np.empty(rows.shape, dtype=np.int64), np.empty(rows.shape, dtype=np.int64)
    step = max(1, _PAIRS // max(k * k, 1))
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        more = rows[part, :, None] - rows[part, None, :]
        smaller[part] = (more > within[part, :, None]).sum(axis=-1)
        tied[part] = (np.abs(more) <= within[part, :, None]).sum(axis=-1)
    ranks = smaller + (tied + 1) / 2
    return np.where(there, ranks.reshape(values.shape), np.nan), tied.reshape(values.shape)


def _scores(values: Floats, there: Bools) -> tuple[Floats, Floats]:
    """Return Skillings and Mack's weighted ranks from the middle, float64 [n, k], 0 where a treatment is missing.

    And the share of the variance of its ranks that ties leave in each block, float64 [n]: 1 without ties, 0 where all
    is one tie.
    """
    ranks, tied = average_ranks(values)
    size = there.sum(axis=1, keepdims=True).astype(np.float64)
    scores = np.where(there, np.sqrt(12 / (size + 1)) * (ranks - (size + 1) / 2), 0.0)
    lost = np.where(there, tied**2 - 1.0, 0.0).sum(axis=1)
    return scores, 1 - lost / (size[:, 0] * (size[:, 0] ** 2 - 1))


def _covariance(there: Bools, left: Floats) -> Floats:
    """Return the covariance of the sums of scores, float64 [k, k], were each block's ranks permuted."""
    both = (there * left[:, None]).T @ there.astype(np.float64)
    covariance = -both
    np.fill_diagonal(covariance, both.sum(axis=1) - both.diagonal())
    return covariance


def _inverted(covariance: Floats) -> tuple[int, Floats]:
    """Return the rank and the generalised inverse of a covariance [k, k]."""
    sizes, directions = np.linalg.eigh(covariance)
    there = sizes > 1e-10 * sizes.max(initial=0.0)
    kept = directions[:, there]
    return int(there.sum()), (kept / sizes[there]) @ kept.T


def _spread(there: Bools, left: Floats, weights: Floats) -> Floats:
    """Return the sum of `weights` [k, k] times the covariance of each block's scores, float64 [n]."""
    inside = there.astype(np.float64)
    own = inside.sum(axis=1) * (inside @ weights.diagonal())
    return np.asarray(left * (own - ((inside @ weights) * inside).sum(axis=1)))
