"""Rows of vectors that are asked for piece by piece, whether they are held or lie in a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]

ROWS = 4_096
"""Looked at together where all are looked at: a few megabytes."""


class VectorRows(Protocol):
    """Vectors, float32 [n, d], all of them finite.

    Attributes:
        shape: (n, d).
        largest_norm: the greatest length of one.
    """

    @property
    def shape(self) -> tuple[int, int]:
        """See above."""

    @property
    def largest_norm(self) -> float:
        """See above."""

    def __len__(self) -> int:
        """Return how many there are."""

    def read(self, start: int, stop: int) -> Vectors:
        """Return the rows from `start` to `stop`, C-contiguous; they hold until the next call."""

    def gather(self, rows: npt.NDArray[np.integer]) -> Vectors:
        """Return these rows, ascending or not, in an array of their own."""


class HeldRows:
    """Vectors in memory."""

    def __init__(self, vectors: Vectors) -> None:
        self.vectors = vectors

    @property
    def shape(self) -> tuple[int, int]:
        """See `VectorRows`."""
        return self.vectors.shape[0], self.vectors.shape[1]

    @cached_property
    def largest_norm(self) -> float:
        """See `VectorRows`."""
        return longest(self)

    def __len__(self) -> int:
        return len(self.vectors)

    def read(self, start: int, stop: int) -> Vectors:
        """See `VectorRows`: no copy."""
        return self.vectors[start:stop]

    def gather(self, rows: npt.NDArray[np.integer]) -> Vectors:
        """See `VectorRows`."""
        found: Vectors = self.vectors[rows]
        return found


@dataclass(frozen=True, eq=False)
class ChangedRows:
    """Rows of which something else is made whenever they are read.

    Attributes:
        rows: the rows as they are.
        change: makes float32 [n, d'] of float32 [n, d] and the positions of these rows; of each row by itself, so that
            equal ones stay equal.
        dimension: d'.
    """

    rows: VectorRows
    change: Callable[[Vectors, npt.NDArray[np.int64]], Vectors]
    dimension: int

    @property
    def shape(self) -> tuple[int, int]:
        """See `VectorRows`."""
        return len(self.rows), self.dimension

    @cached_property
    def largest_norm(self) -> float:
        """See `VectorRows`."""
        return longest(self)

    def __len__(self) -> int:
        return len(self.rows)

    def read(self, start: int, stop: int) -> Vectors:
        """See `VectorRows`."""
        return self.change(self.rows.read(start, stop), np.arange(start, stop))

    def gather(self, rows: npt.NDArray[np.integer]) -> Vectors:
        """See `VectorRows`."""
        return self.change(self.rows.gather(rows), rows.astype(np.int64))


@dataclass(frozen=True, eq=False)
class SomeRows:
    """Neighbours among rows, known by where they stand among all of them; the others must not be asked for.

    Attributes:
        rows: these rows.
        first: where the first of them stands.
        n: how many there are of all.
        largest_norm: of these or of all.
    """

    rows: VectorRows
    first: int
    n: int
    largest_norm: float

    @property
    def shape(self) -> tuple[int, int]:
        """See `VectorRows`."""
        return self.n, self.rows.shape[1]

    def __len__(self) -> int:
        return self.n

    def read(self, start: int, stop: int) -> Vectors:
        """See `VectorRows`."""
        return self.rows.read(start - self.first, stop - self.first)

    def gather(self, rows: npt.NDArray[np.integer]) -> Vectors:
        """See `VectorRows`."""
        return self.rows.gather(rows - self.first)


def as_array(vectors: Vectors | VectorRows) -> Vectors:
    """Return all vectors in memory."""
    if isinstance(vectors, np.ndarray):
        return vectors
    return np.array(vectors.read(0, len(vectors)), dtype=np.float32)


def longest(rows: VectorRows) -> float:
    """Return the greatest length of a vector."""
    largest = 0.0
    for start in range(0, len(rows), ROWS):
        part = rows.read(start, min(start + ROWS, len(rows)))
        largest = max(largest, float(np.einsum("ij,ij->i", part, part, dtype=np.float64).max(initial=0.0)))
    return float(np.sqrt(largest))
