"""Drawing ids that have some property, and that may meet in a batch, without keeping a list of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from xlbias.errors import TrainingError
from xlbias.train.sampling.batch import Ints
from xlbias.train.sampling.language_rows import CHUNK, Bools

_RARE = 16  # where fewer than one id in so many belongs, a list is smaller than the draws that would miss
_ROUNDS = 4  # of drawing with replacement, before all ids are put in order; enough unless groups are scarce

Member = Callable[[Ints | slice], Bools]


def check_batch_size(size: int) -> None:
    """Raise TrainingError unless a batch of so many pairs has negatives."""
    if size < 2:
        raise TrainingError(f"a batch of {size} has no negatives: expected a batch size of at least 2")


class Pool:
    """The ids among 0..n-1 that `member` says yes to, to be drawn from uniformly.

    Where they are many, ids are drawn from all and those that do not belong are thrown away, which leaves a uniform
    draw from those that do; where they are few, they are listed. So a pool takes memory for a sixteenth of all ids at
    most.
    """

    def __init__(self, n_ids: int, member: Member) -> None:
        self.n_ids, self.member = n_ids, member
        self.count = 0
        """Number of ids that belong."""
        listed: list[Ints] | None = []
        for ids in self._chunks():
            self.count += len(ids)
            if listed is not None:
                listed = [*listed, ids] if self.count * _RARE < n_ids else None
        self.ids = np.concatenate(listed) if listed else None

    def _chunks(self) -> Iterator[Ints]:
        of: type[np.integer[Any]] = np.int32 if self.n_ids <= np.iinfo(np.int32).max else np.int64
        for start in range(0, self.n_ids, CHUNK):
            belong = self.member(slice(start, start + CHUNK))
            if belong.any():
                yield (np.flatnonzero(belong) + start).astype(of)

    def __iter__(self) -> Iterator[Ints]:
        """Yield all ids that belong, ascending, in chunks."""
        return iter([self.ids]) if self.ids is not None else self._chunks()

    def draw(self, rng: np.random.Generator, n: int) -> Ints:
        """Draw `n` ids with replacement, int [n]; one at least must belong."""
        if self.ids is not None:
            drawn: Ints = self.ids[rng.integers(len(self.ids), size=n)]
            return drawn
        if self.count == self.n_ids:
            return rng.integers(self.n_ids, size=n)
        drawn = np.empty(0, dtype=np.int64)
        while len(drawn) < n:
            expected = (n - len(drawn)) * self.n_ids / self.count
            more = rng.integers(self.n_ids, size=int(1.1 * expected) + 8)
            drawn = np.concatenate((drawn, more[self.member(more)]))
        return drawn[:n]

    def count_groups(self, group: Ints | None, enough: int) -> int:
        """Number of groups that the ids belong to, counted no further than about `enough`."""
        if group is None:
            return self.count
        found = group[:0]
        for ids in self:
            found = np.union1d(found, group[ids])
            if len(found) >= enough:
                break
        return len(found)


def draw_ids(rng: np.random.Generator, pool: Pool, group: Ints | None, size: int) -> Ints:
    """Draw `size` ids of `pool` in random order, no two of one group: a random permutation with conflicts skipped.

    `group` is int [n_ids], None where every id is a group of its own. The ids must belong to at least `size` groups.
    """
    chosen = np.empty(0, dtype=np.int64)
    for _ in range(_ROUNDS):
        chosen = np.concatenate((chosen, pool.draw(rng, size + size // 4)))
        chosen = _first_of_group(chosen, group)
        if len(chosen) >= size:
            return chosen[:size]
    everyone = rng.permutation(np.concatenate(list(pool)))
    return _first_of_group(np.concatenate((chosen, everyone)), group)[:size]


def _first_of_group(ids: Ints, group: Ints | None) -> Ints:
    _, first = np.unique(ids if group is None else group[ids], return_index=True)
    return ids[np.sort(first)]
