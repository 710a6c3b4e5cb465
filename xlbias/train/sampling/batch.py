"""One batch as a sampler draws it: which pairs, of what kind, and which share of it a process takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, overload

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[Any]  # integers; narrow ones where they are stored
Pairs = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Batch(Sequence[int]):
    """One drawn batch: the sequence of its pairs' numbers, and all that is known of it.

    Attributes:
        epoch, number: which batch it is; with the seed they decide everything about it.
        task: index of the task that all its pairs come from.
        kind: ``monolingual``, ``cross-lingual`` or ``mixed``.
        pairs: int64 [n], see `PairTexts`.
        query_language, passage_language: language codes, int [n].
        negatives: hard negatives for all queries, rows of the task's passages, int [m]; m may be 0.
        first: position of the first pair in the whole batch, where this is a part of one.
        first_negative: position of the first negative among those of the whole batch.
    """

    epoch: int
    number: int
    task: int
    kind: str
    pairs: Pairs
    query_language: Ints
    passage_language: Ints
    negatives: Ints
    first: int = 0
    first_negative: int = 0

    def part(self, rank: int, world: int) -> Batch:
        """Return the share of process `rank` of `world`: equal shares in order, which together are the batch.

        The number of pairs must be divisible by `world`. Hard negatives that cannot be shared out equally are left out,
        as processes exchange arrays of one shape.
        """
        size, extra = len(self.pairs) // world, len(self.negatives) // world
        mine = slice(rank * size, (rank + 1) * size)
        return replace(
            self,
            pairs=self.pairs[mine],
            query_language=self.query_language[mine],
            passage_language=self.passage_language[mine],
            negatives=self.negatives[rank * extra : (rank + 1) * extra],
            first=self.first + mine.start,
            first_negative=self.first_negative + rank * extra,
        )

    def __len__(self) -> int:
        return len(self.pairs)

    def __iter__(self) -> Iterator[int]:
        return iter(self.pairs.tolist())

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> list[int]: ...
    def __getitem__(self, index: int | slice) -> int | list[int]:
        some: int | list[int] = self.pairs[index].tolist()
        return some
