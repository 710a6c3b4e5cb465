"""Cosine similarities of two languages' parallel texts: what accuracy and hubness are read from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xlbias.measures.alignment.parallel import Vectors
from xlbias.measures.ragged import Ints

NEIGHBOURS = 10
"""How many nearest texts CSLS and hubness look at."""


@dataclass(frozen=True, eq=False)
class Similarity:
    """Similarities between n texts (rows) and their translations (columns), n > 0.

    Attributes:
        matrix: float32 [n, n], entry (i, j) of text i in one language and text j in the other; i and i are
            translations of one another.
        nearest: float32 [n, min(NEIGHBOURS, n)], the greatest of each row, the least of them first.
        nearest_of_columns: the same of each column.
    """

    matrix: npt.NDArray[np.float32]
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
        return cls(matrix, _greatest(matrix), _greatest(np.ascontiguousarray(matrix.T)))

    @property
    def n(self) -> int:
        """Number of texts."""
        return len(self.matrix)

    @property
    def reversed(self) -> Similarity:
        """The same from the second language to the first."""
        return Similarity(self.matrix.T, self.nearest_of_columns, self.nearest)


def _greatest(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    least = max(len(rows) - NEIGHBOURS, 0)
    return np.partition(rows, least, axis=1)[:, least:].copy()  # a view would keep all of the sorted matrix


def _distinct(rows: Vectors) -> tuple[Ints, Ints]:
    """Return the first of each group of equal rows, and for each row its group, in order of appearance."""
    groups: dict[bytes, int] = {}
    group = np.fromiter((groups.setdefault(row.tobytes(), len(groups)) for row in rows), np.int64, len(rows))
    return np.unique(group, return_index=True)[1], group
