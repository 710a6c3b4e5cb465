"""Rankings in the multilingual pool, with the language of each relevant passage: what bias measures are taken from.

Ids often hold the language, so an order of equal scores by id is a preference for a language. Measures of bias are
therefore expectations under a random order of equal scores, see `xlbias.measures.ties`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from xlbias.measures.ragged import Bools, Floats, Ints, Rankings
from xlbias.measures.ties import drawn_places, n_orders

_OF_PAIRS = ("ranks", "relevance", "language", "parallel", "tied_before", "tied_after")
"""Fields that have an entry for each relevant passage."""

_PAIRS = 1 << 16  # relevant passages of drawn orders that are looked at together


@dataclass(frozen=True, eq=False)
class PooledRankings(Rankings):
    """Ranks of relevant passages of many queries in the union of all languages' passages.

    `ranks` settles ties by the declared order; `tied_before` and `tied_after` say where else each could stand.

    Attributes:
        languages: the languages of the pool.
        pool_sizes: int64 [n_languages], passages of each.
        language: int64 [n_pairs], the language of each relevant passage, as an index into `languages`.
        parallel: int64 [n_pairs], the same number for relevant passages of one ranking that are translations of one
            another; -1 where that is not known.
        query_language: int64 [n_rankings], index into `languages`; -1 for one that has no passages.
        top: int64 [n_rankings, k], the languages of the first k passages; -1 where a list is shorter.
        consistency: float64 [n_rankings], see `measures.bias.rank_consistency`; NaN where it was not computed.
        tied_before: int64 [n_pairs], passages of the pool that score the same and stand before it in the declared
            order; -1 where that is not known: then the ranks are taken as they are.
        tied_after: int64 [n_pairs], the same after it.
        top_scores: float64 [n_rankings, k], scores of the first k passages; NaN where a list is shorter.
        tied_with_last: int64 [n_rankings, n_languages], passages beyond these that score the same as the last of them;
            -1 where that is not known: then the list is taken as it is.
        key: int64 [n_rankings], distinct: tells rankings apart, whatever order they come in. Orders of equal scores are
            drawn by it, so that a number does not depend on the order of rows.
    """

    languages: tuple[str, ...]
    pool_sizes: Ints
    language: Ints
    parallel: Ints
    query_language: Ints
    top: Ints
    consistency: Floats
    tied_before: Ints
    tied_after: Ints
    top_scores: Floats
    tied_with_last: Ints
    key: Ints

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

    def _in_order(self, order: Ints, ranks: Ints) -> Self:
        own = {name: getattr(self, name)[order] for name in _OF_PAIRS if name != "ranks"}
        return replace(self, ranks=ranks, **own, known=None)

    # -- ties ----------------------------------------------------------------------------------------------------------

    @cached_property
    def before(self) -> Ints:
        """int64 [n_pairs]: places before the block that each relevant passage stands in, see `measures.ties`."""
        return self.ranks - np.maximum(self.tied_before, 0) - 1

    @cached_property
    def size(self) -> Ints:
        """int64 [n_pairs]: places of that block, 1 for a passage that ties with none."""
        return np.maximum(self.tied_before, 0) + np.maximum(self.tied_after, 0) + 1

    @cached_property
    def block(self) -> Ints:
        """int64 [n_pairs], ascending: the block of each relevant passage."""
        begins = np.ones(len(self.ranks), dtype=np.bool_)
        begins[1:] = (np.diff(self.owner) != 0) | (np.diff(self.before) != 0)
        return np.cumsum(begins) - 1

    @cached_property
    def expected_rank(self) -> Floats:
        """float64 [n_pairs]: rank on average over orders of equal scores, the middle of the block."""
        return self.before + (self.size + 1) / 2

    @cached_property
    def has_ties(self) -> Bools:
        """Whether a relevant passage of each ranking scores the same as another passage, bool [n_rankings]."""
        return np.bincount(self.owner, weights=self.size > 1, minlength=self.n) > 0

    @cached_property
    def open_order(self) -> Bools:
        """Whether relevant passages in different languages score the same, bool [n_rankings]."""
        mixed = np.zeros(len(self.ranks), dtype=np.bool_)
        mixed[1:] = (np.diff(self.block) == 0) & (np.diff(self.language) != 0)
        return np.bincount(self.owner, weights=mixed, minlength=self.n) > 0

    def chosen(self, rankings: Bools) -> PooledRankings:
        """Return some of the rankings, bool [n_rankings]."""
        pairs = rankings[self.owner]
        others = ("lengths", "query_language", "top", "consistency", "top_scores", "tied_with_last", "key")
        return replace(
            self,
            **{name: getattr(self, name)[pairs] for name in _OF_PAIRS},
            **{name: getattr(self, name)[rankings] for name in others},
            known=None if self.known is None else self.known[rankings],
        )

    def over_orders(self, compute: Callable[[PooledRankings], Floats], seed: int = 0) -> Floats:
        """Return the mean of `compute` over drawn orders of equal scores, in the shape of what it returns.

        Each order is given as rankings without ties, their relevants by rank. NaN where it is NaN in an order.
        """
        total: Floats | float = 0.0
        orders = n_orders(self.n)
        for ranks in self._drawn(orders, seed):
            total = total + compute(self._settled(ranks[None]))
        return np.asarray(total / orders, np.float64)

    def in_orders(self, compute: Callable[[PooledRankings], Floats], seed: int = 0) -> Iterator[Floats]:
        """Yield what `compute` gives each ranking in the same drawn orders, float64 [some orders, n_rankings] each.

        It is given the rankings of several orders at a time, side by side.
        """
        orders = n_orders(self.n)
        together = max(1, _PAIRS // max(len(self.ranks), 1))
        drawn = self._drawn(orders, seed)
        for start in range(0, orders, together):
            some = [next(drawn) for _ in range(start, min(start + together, orders))]
            yield compute(self._settled(np.stack(some))).reshape(len(some), self.n)

    def _drawn(self, orders: int, seed: int) -> Iterator[Ints]:
        """Yield ranks, int64 [n_pairs], in drawn orders of equal scores; those of a ranking do not ascend."""
        rng = np.random.default_rng(seed)
        by_key = np.argsort(self.key[self.owner], kind="stable")
        block, size = self.block[by_key], self.size[by_key]
        block = np.cumsum(np.append(0, np.diff(block) != 0)) if len(block) else block
        for _ in range(orders):
            ranks = np.empty(len(self.ranks), dtype=np.int64)
            ranks[by_key] = self.before[by_key] + drawn_places(block, size, rng)
            yield ranks

    def _settled(self, ranks: Ints) -> PooledRankings:
        """Return rankings without ties in several orders, those of an order side by side: int64 [n_orders, n_pairs]."""
        n = len(ranks)
        many = self if n == 1 else self._side_by_side(n)
        order = np.lexsort((ranks.reshape(-1), many.owner))
        settled = {name: getattr(many, name)[order] for name in ("relevance", "language", "parallel")}
        none = np.zeros(len(order), dtype=np.int64)
        return replace(many, ranks=ranks.reshape(-1)[order], **settled, tied_before=none, tied_after=none)

    def _side_by_side(self, n: int) -> PooledRankings:
        """Return the rankings `n` times."""
        others = ("lengths", "query_language", "top", "consistency", "top_scores", "tied_with_last")
        pair, row = np.tile(np.arange(len(self.ranks)), n), np.tile(np.arange(self.n), n)
        return replace(
            self,
            **{name: getattr(self, name)[pair] for name in _OF_PAIRS},
            **{name: getattr(self, name)[row] for name in others},
            key=np.arange(len(row)),
            known=None if self.known is None else self.known[row],
        )

    # -- parallel groups -----------------------------------------------------------------------------------------------

    @cached_property
    def groups(self) -> ParallelGroups:
        """The parallel groups of all rankings."""
        key = self.owner * (int(self.parallel.max(initial=-1)) + 2) + self.parallel + 1
        _, group = np.unique(key, return_inverse=True)
        n = int(group.max(initial=-1)) + 1
        owner = np.zeros(n, dtype=np.int64)
        owner[group] = self.owner
        size = np.bincount(group, minlength=n).astype(np.int64)
        distinct = np.unique(group * self.n_languages + self.language) // max(self.n_languages, 1)
        languages = np.bincount(distinct, minlength=n).astype(np.int64)
        first, last = self._ends(group, n)
        usable = (size >= 2) & (languages == size)
        missing = np.bincount(group[self.missing], minlength=n).astype(np.int64)
        return ParallelGroups(owner[usable], size[usable], first[usable], last[usable], missing[usable])

    def _ends(self, group: Ints, n: int) -> tuple[Floats, Floats]:
        """Return the best and the worst rank of each group on average over orders of equal scores, float64 [n]."""
        order = np.lexsort((self.block, group))
        group, block, before, size = (one[order] for one in (group, self.block, self.before, self.size))
        begins = np.ones(len(order), dtype=np.bool_)
        begins[1:] = (np.diff(group) != 0) | (np.diff(block) != 0)
        there = np.flatnonzero(begins)  # the relevants of one group in one block
        among = np.diff(np.append(there, len(order)))
        group, before, size = group[there], before[there], size[there]
        place = (size + 1) / (among + 1)
        of_group = np.bincount(group, minlength=n)
        end = np.cumsum(of_group)
        start, stop = end - of_group, end - 1
        return (before + place)[start], (before + among * place)[stop]

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
        first: float64 [n_groups], best rank, on average over orders of equal scores.
        last: float64 [n_groups], worst rank, the same.
        missing: int64 [n_groups], passages whose rank is not known.
    """

    owner: Ints
    size: Ints
    first: Floats
    last: Floats
    missing: Ints
