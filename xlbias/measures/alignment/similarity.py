"""Cosine similarities of two languages' parallel texts: what accuracy and hubness are read from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xlbias.measures.alignment.parallel import Vectors, once_per_array
from xlbias.measures.ragged import Ints

NEIGHBOURS = 10
"""How many nearest texts CSLS and hubness look at."""

_BLOCK = 1 << 16  # similarities looked at together: 256 KiB
_STRIPE = 16  # float32s in a line of a cache


@dataclass(frozen=True, eq=False)
class Similarity:
    """Similarities between n texts (rows) and their translations (columns), n > 0.

    Attributes:
        matrix: float32 [n, n], entry (i, j) of text i in one language and text j in the other; i and i are
            translations of one another.
        transposed: the same from the second language to the first, C-contiguous like it.
        nearest: float32 [n, min(NEIGHBOURS, n)], the greatest of each row, the least of them first.
        nearest_of_columns: the same of each column.
    """

    matrix: npt.NDArray[np.float32]
    transposed: npt.NDArray[np.float32]
    nearest: npt.NDArray[np.float32]
    nearest_of_columns: npt.NDArray[np.float32]

    @classmethod
    def of(cls, x: Vectors, y: Vectors) -> Similarity:
        """Return the similarities of unit vectors `x` and `y`, both float32 [n, d].

        Equal vectors get bit-for-bit equal similarities, which a matrix product alone does not promise.
        """
        distinct_x, row = _distinct(x)
        distinct_y, column = _distinct(y)
        matrix = x[distinct_x] @ y[distinct_y].T
        return cls.from_matrix(matrix if matrix.shape == (len(x), len(y)) else matrix[row][:, column])

    @classmethod
    def from_matrix(cls, matrix: npt.NDArray[np.float32]) -> Similarity:
        """Return the similarities with the nearest found."""
        matrix = np.ascontiguousarray(matrix)
        transposed = np.empty_like(matrix)
        for start in range(0, len(matrix), _STRIPE):  # by columns that stand side by side: twice as fast as whole
            transposed[:, start : start + _STRIPE] = matrix[start : start + _STRIPE].T
        return cls(matrix, transposed, _greatest(matrix), _greatest(transposed))

    @property
    def n(self) -> int:
        """Number of texts."""
        return len(self.matrix)

    @property
    def reversed(self) -> Similarity:
        """The same from the second language to the first."""
        return Similarity(self.transposed, self.matrix, self.nearest_of_columns, self.nearest)

    def blocks(self) -> Iterator[slice]:
        """Yield some rows at a time: so few that what is made of them stays in a core's cache."""
        return _blocks(self.n)


def _blocks(n: int) -> Iterator[slice]:
    rows = max(1, _BLOCK // max(n, 1))
    return (slice(start, min(start + rows, n)) for start in range(0, n, rows))


def _greatest(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    least = max(len(rows) - NEIGHBOURS, 0)
    found = np.empty((len(rows), min(len(rows), NEIGHBOURS)), dtype=np.float32)
    for block in _blocks(len(rows)):
        found[block] = np.partition(rows[block], least, axis=1)[:, least:]
    return found


@once_per_array
def _distinct(rows: Vectors) -> tuple[Ints, Ints]:
    """Return the first of each group of equal rows, and for each row its group, in order of appearance."""
    groups: dict[bytes, int] = {}
    group = np.fromiter((groups.setdefault(row.tobytes(), len(groups)) for row in rows), np.int64, len(rows))
    return np.unique(group, return_index=True)[1], group
