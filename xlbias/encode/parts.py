"""How texts are cut into parts that are encoded and kept one by one, and these into batches.

A batch is padded to its longest text, and its composition decides the last bits of its vectors. So both are cut from
the texts in one order, by sizes that depend on texts and encoder alone: never on what was cached or interrupted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

CHUNK = 4_096
"""Texts of a part at most."""

PART_TOKENS = 1 << 14
"""Tokens of a part, about: what a kill loses, and between two signs of progress. Seconds for a small transformer on a
CPU, a minute for a large one."""

PART_CHARACTERS = 1 << 17
"""The same where tokens are not known: of encoders that look vectors up, or that do not tell."""


@dataclass(frozen=True)
class Batching:
    """How many texts are encoded at a time, of texts that come by size.

    Attributes:
        tokens: so many tokens, padding counted.
        texts: so many texts, whatever their size; None leaves it to `tokens`.
    """

    tokens: int
    texts: int | None = None

    def __str__(self) -> str:
        return f"{self.texts} texts" if self.texts else f"{self.tokens} tokens"

    def batches(self, sizes: Sequence[int]) -> Iterator[slice]:
        """Yield the batches of texts with these sizes, the largest first."""
        start = 0
        while start < len(sizes):
            n = self.texts or max(1, self.tokens // max(1, sizes[start]))
            yield slice(start, min(start + n, len(sizes)))
            start += n


@dataclass(frozen=True)
class Part:
    """Neighbours that are kept together: `batches` of them, and how much `work` they are."""

    batches: tuple[slice, ...]
    work: int

    @property
    def rows(self) -> slice:
        """Where they stand."""
        return slice(self.batches[0].start, self.batches[-1].stop)


def parts(sizes: Sequence[int], batching: Batching | None, most: int | None = None) -> list[Part]:
    """Return the parts of texts with these sizes, the largest first; of `most` texts each at most, but for a batch.

    Sizes are tokens, and each part is whole batches; without `batching` they are characters, and a part is one batch.
    """
    found: list[Part] = []
    waiting: list[slice] = []
    work = 0
    for batch in batching.batches(sizes) if batching else (slice(i, i + 1) for i in range(len(sizes))):
        waiting.append(batch)
        work += max(1, sizes[batch.start]) * (batch.stop - batch.start)  # padded to the longest, which is the first
        n = batch.stop - waiting[0].start
        if work >= (PART_TOKENS if batching else PART_CHARACTERS) or n >= (most or CHUNK) or batch.stop == len(sizes):
            together = tuple(waiting) if batching else (slice(waiting[0].start, batch.stop),)
            found.append(Part(together, work))
            waiting, work = [], 0
    return found
