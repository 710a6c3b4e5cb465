"""Rankings as arrays: the ranks of each query's relevant passages, laid end to end."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Rankings:
    """Ranks of relevant passages of many rankings.

    Attributes:
        ranks: int64 [n_pairs], ranks from 1, ascending within each ranking.
        relevance: int64 [n_pairs], graded relevance, > 0.
        lengths: int64 [n_rankings], how many relevant passages each ranking has; may be 0.
        known: int64 [n_rankings], the rank down to which each ranking is known, -1 where it is to its end; None where
            all are. A relevant passage beyond it is *missing*: its rank is the worst that it can have.
    """

    ranks: Ints
    relevance: Ints
    lengths: Ints
    known: Ints | None = field(default=None, kw_only=True)

    @property
    def n(self) -> int:
        """Number of rankings."""
        return len(self.lengths)

    @cached_property
    def owner(self) -> Ints:
        """int64 [n_pairs]: the ranking that each relevant passage belongs to."""
        return np.repeat(np.arange(self.n), self.lengths)

    @cached_property
    def starts(self) -> Ints:
        """int64 [n_rankings]: where each ranking's pairs begin."""
        return np.cumsum(self.lengths) - self.lengths

    @cached_property
    def position(self) -> Ints:
        """int64 [n_pairs]: 1 for a ranking's best relevant passage, 2 for its second, ..."""
        return np.arange(len(self.ranks)) - self.starts[self.owner] + 1

    def summed(self, values: Floats) -> Floats:
        """Return the sum of `values` [n_pairs] per ranking, float64 [n_rankings], 0 where there is none."""
        return np.bincount(self.owner, weights=values, minlength=self.n).astype(np.float64)

    # -- ranks that are not known --------------------------------------------------------------------------------------

    @cached_property
    def missing(self) -> Bools:
        """Bool [n_pairs]: whether the rank of a relevant passage is not known."""
        if self.known is None:
            return np.zeros(len(self.ranks), dtype=np.bool_)
        known = self.known[self.owner]
        return (known >= 0) & (self.ranks > known)

    @cached_property
    def last_rank(self) -> Ints:
        """int64 [n_rankings]: rank of the last relevant passage, 0 where there is none; the pool's end where it is
        missing."""
        last = np.zeros(self.n, dtype=np.int64)
        some = self.lengths > 0
        last[some] = self.ranks[(self.starts + self.lengths - 1)[some]]
        return last

    @cached_property
    def n_missing(self) -> Ints:
        """int64 [n_rankings]: how many relevant passages of each ranking are missing."""
        return np.bincount(self.owner[self.missing], minlength=self.n).astype(np.int64)

    @cached_property
    def at_best(self) -> Self:
        """The same rankings, missing passages at the first ranks that are not known: the best grades first."""
        if not self.missing.any():
            return replace(self, known=None)
        assert self.known is not None
        order = np.lexsort((-self.relevance * self.missing, self.ranks * ~self.missing, self.missing, self.owner))
        missing = self.missing[order]  # the owners stay as they are
        place = self.position - (self.lengths - self.n_missing)[self.owner]
        ranks = np.where(missing, self.known[self.owner] + place, self.ranks[order])
        return self._in_order(order, ranks)

    def _in_order(self, order: Ints, ranks: Ints) -> Self:
        """Return the same rankings with their relevant passages in another order, at these ranks, all known."""
        return replace(self, ranks=ranks, relevance=self.relevance[order], known=None)

    def hits(self, k: int) -> Floats:
        """Return how many relevant passages of each ranking are among its first k, float64 [n_rankings]."""
        return self.summed((self.ranks <= k).astype(np.float64))

    def undefined_where_empty(self, values: Floats) -> Floats:
        """Return `values` [n_rankings] with NaN for rankings without a relevant passage."""
        return np.where(self.lengths > 0, values, np.nan)

    @classmethod
    def of(cls, ranks_per_ranking: list[list[int]], relevance: list[list[int]] | None = None) -> Rankings:
        """Build from nested lists (for tests and notebooks); ranks must ascend."""
        flat = [rank for ranks in ranks_per_ranking for rank in ranks]
        grades = [1] * len(flat) if relevance is None else [grade for grades in relevance for grade in grades]
        lengths = [len(ranks) for ranks in ranks_per_ranking]
        return cls(np.array(flat, np.int64), np.array(grades, np.int64), np.array(lengths, np.int64))
