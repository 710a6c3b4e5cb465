"""Rankings in the multilingual pool, with the language of each relevant passage: what bias measures are taken from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from xlbias.measures.ragged import Floats, Ints, Rankings


@dataclass(frozen=True, eq=False)
class PooledRankings(Rankings):
    """Ranks of relevant passages of many queries in the union of all languages' passages.

    Attributes:
        languages: the languages of the pool.
        pool_sizes: int64 [n_languages], passages of each.
        language: int64 [n_pairs], the language of each relevant passage, as an index into `languages`.
        parallel: int64 [n_pairs], the same number for relevant passages of one ranking that are translations of one
            another; -1 where that is not known.
        query_language: int64 [n_rankings], index into `languages`; -1 for one that has no passages.
        top: int64 [n_rankings, k], the languages of the first k passages; -1 where a list is shorter.
        consistency: float64 [n_rankings], see `measures.bias.rank_consistency`; NaN where it was not computed.
    """

    languages: tuple[str, ...]
    pool_sizes: Ints
    language: Ints
    parallel: Ints
    query_language: Ints
    top: Ints
    consistency: Floats

    @property
    def n_languages(self) -> int:
        """Number of languages in the pool."""
        return len(self.languages)

    @property
    def pool_size(self) -> int:
        """Passages in the multilingual pool."""
        return int(self.pool_sizes.sum())

    @cached_property
    def cell(self) -> Ints:
        """int64 [n_pairs]: the place of each pair in a flattened [n_rankings, n_languages] table."""
        return self.owner * self.n_languages + self.language

    @cached_property
    def per_language(self) -> Ints:
        """int64 [n_rankings, n_languages]: how many relevant passages each ranking has in each language."""
        counts = np.bincount(self.cell, minlength=self.n * self.n_languages)
        return counts.reshape(self.n, self.n_languages).astype(np.int64)

    @cached_property
    def position_in_language(self) -> Ints:
        """int64 [n_pairs]: 1 for a ranking's best relevant passage in its language, 2 for the second, ..."""
        order = np.argsort(self.cell, kind="stable")
        sizes = np.bincount(self.cell, minlength=self.n * self.n_languages)
        starts = np.cumsum(sizes) - sizes
        position = np.empty(len(order), dtype=np.int64)
        position[order] = np.arange(len(order)) - starts[self.cell[order]] + 1
        return position

    def averaged(self, values: Floats) -> Floats:
        """Return the mean of `values` [n_pairs] per ranking and language, float64 [n_rankings, n_languages] or NaN."""
        sums = np.bincount(self.cell, weights=values, minlength=self.n * self.n_languages)
        counts = self.per_language
        means = sums.reshape(self.n, self.n_languages) / np.maximum(counts, 1)
        return np.where(counts > 0, means, np.nan)

    @cached_property
    def groups(self) -> ParallelGroups:
        """The parallel groups of all rankings."""
        key = self.owner * (int(self.parallel.max(initial=-1)) + 2) + self.parallel + 1
        _, group = np.unique(key, return_inverse=True)
        n = int(group.max(initial=-1)) + 1
        first, last = np.full(n, np.iinfo(np.int64).max), np.zeros(n, dtype=np.int64)
        np.minimum.at(first, group, self.ranks)
        np.maximum.at(last, group, self.ranks)
        owner = np.zeros(n, dtype=np.int64)
        owner[group] = self.owner
        size = np.bincount(group, minlength=n).astype(np.int64)
        distinct = np.unique(group * self.n_languages + self.language) // max(self.n_languages, 1)
        languages = np.bincount(distinct, minlength=n).astype(np.int64)
        usable = (size >= 2) & (languages == size)
        return ParallelGroups(owner[usable], size[usable], first[usable], last[usable])

    def mean_over_groups(self, values: Floats) -> Floats:
        """Return the mean of `values` [n_groups] per ranking, float64 [n_rankings], without NaN ones; else NaN."""
        there = np.isfinite(values)
        owner = self.groups.owner[there]
        sums = np.bincount(owner, weights=values[there], minlength=self.n)
        counts = np.bincount(owner, minlength=self.n)
        return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


@dataclass(frozen=True, eq=False)
class ParallelGroups:
    """Relevant passages that are translations of one another, where there are at least two, one in a language.

    Attributes:
        owner: int64 [n_groups], the ranking.
        size: int64 [n_groups], passages.
        first: int64 [n_groups], best rank.
        last: int64 [n_groups], worst rank.
    """

    owner: Ints
    size: Ints
    first: Ints
    last: Ints
