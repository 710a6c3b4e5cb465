"""Rankings as arrays: the ranks of each query's relevant passages, laid end to end."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

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
    """

    ranks: Ints
    relevance: Ints
    lengths: Ints

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
