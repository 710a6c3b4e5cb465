"""Cosine similarities of two languages' parallel texts: what accuracy and hubness are read from."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from xlbias.measures.alignment.parallel import Vectors, once_per_array
from xlbias.measures.ragged import Bools, Floats, Ints

__all__ = ["NEIGHBOURS", "NUMPY", "Bools", "Floats", "Matrix", "OfNumpy", "Reads", "Similarity"]

Matrix: TypeAlias = npt.NDArray[np.float32]

NEIGHBOURS = 10
"""How many nearest texts CSLS and hubness look at."""

_BLOCK = 1 << 16  # similarities looked at together: 256 KiB
_STRIPE = 16  # float32s in a line of a cache


class Reads(Protocol):
    """How similarities are made and read, all float32 [n, n] and C-contiguous: by NumPy, or by compiled code."""

    def product(self, x: Vectors, y: Vectors) -> Matrix:
        """Return x yᵀ of `x`, float32 [n, d], and `y`, float32 [m, d]."""

    def nearest(self, matrix: Matrix, k: int) -> tuple[Matrix, Matrix]:
        """Return the `k` greatest of each row, and of each column, float32 [n, k], the least of them first."""

    def scaled(self, matrix: Matrix, of_rows: Vectors, of_columns: Vectors) -> tuple[Bools, Bools]:
        """Return whether 2 s(i, j) − r(i) − r(j) is greatest at the translation alone: of each row, of each column.

        `of_rows` and `of_columns` are r, float32 [n].
        """

    def occurrences(self, matrix: Matrix, nearest: Matrix, nearest_of_columns: Matrix) -> tuple[Floats, Floats]:
        """Return how often each column is among the nearest of a row, and each row among those of a column.

        Those tied for the last places share them equally. The nearest are as `nearest` gives them.
        """

    def near(self, matrix: Matrix) -> float:
        """Return the sum of exp(−2 ||x − y||²) over all pairs of unit vectors with these similarities."""


class OfNumpy:
    """Reads similarities without a compiler."""

    def product(self, x: Vectors, y: Vectors) -> Matrix:
        """See `Reads`."""
        found: Matrix = x @ y.T
        return found

    def nearest(self, matrix: Matrix, k: int) -> tuple[Matrix, Matrix]:
        """See `Reads`."""
        return _greatest(matrix, k), _greatest(transposed(matrix), k)

    def scaled(self, matrix: Matrix, of_rows: Vectors, of_columns: Vectors) -> tuple[Bools, Bools]:
        """See `Reads`."""
        return _scaled(matrix, of_rows, of_columns), _scaled(transposed(matrix), of_columns, of_rows)

    def occurrences(self, matrix: Matrix, nearest: Matrix, nearest_of_columns: Matrix) -> tuple[Floats, Floats]:
        """See `Reads`."""
        return _occurrences(matrix, nearest), _occurrences(transposed(matrix), nearest_of_columns)

    def near(self, matrix: Matrix) -> float:
        """See `Reads`."""
        return sum(_near(matrix[block]) for block in _blocks(*matrix.shape))


NUMPY = OfNumpy()


class _Both:
    """What is read of both directions at once, when one of them is asked for."""

    def __init__(self, matrix: Matrix, reads: Reads) -> None:
        self.matrix, self.reads = matrix, reads

    @cached_property
    def transposed(self) -> Matrix:
        return transposed(self.matrix)

    @cached_property
    def nearest(self) -> tuple[Matrix, Matrix]:
        return self.reads.nearest(self.matrix, min(len(self.matrix), NEIGHBOURS))

    @cached_property
    def scaled(self) -> tuple[Bools, Bools]:
        means = [near.mean(axis=1, dtype=np.float64).astype(np.float32) for near in self.nearest]
        return self.reads.scaled(self.matrix, *means)

    @cached_property
    def occurrences(self) -> tuple[Floats, Floats]:
        return self.reads.occurrences(self.matrix, *self.nearest)


class Similarity:
    """Similarities between n texts (rows) and their translations (columns), n > 0."""

    def __init__(self, both: _Both, direction: int = 0) -> None:
        """Take both directions, and which of them this is: see `of` and `from_matrix`."""
        self._both, self._direction = both, direction

    @classmethod
    def of(cls, x: Vectors, y: Vectors, reads: Reads = NUMPY) -> Similarity:
        """Return the similarities of unit vectors `x` and `y`, both float32 [n, d].

        Equal vectors get bit-for-bit equal similarities, which a matrix product alone does not promise.
        """
        distinct_x, row = _distinct(x)
        distinct_y, column = _distinct(y)
        if len(distinct_x) == len(x) and len(distinct_y) == len(y):
            return cls.from_matrix(reads.product(x, y), reads)
        matrix = reads.product(x[distinct_x], y[distinct_y])
        return cls.from_matrix(matrix[row][:, column], reads)

    @classmethod
    def from_matrix(cls, matrix: Matrix, reads: Reads = NUMPY) -> Similarity:
        """Return what is read of similarities, float32 [n, n]."""
        return cls(_Both(np.ascontiguousarray(matrix), reads))

    @property
    def matrix(self) -> Matrix:
        """float32 [n, n], C-contiguous: entry (i, j) of text i in one language and text j in the other.

        i and i are translations of one another.
        """
        return self._both.transposed if self._direction else self._both.matrix

    @property
    def of_translations(self) -> Vectors:
        """float32 [n]: the similarity of each text and its translation."""
        return self._both.matrix.diagonal()

    @property
    def nearest(self) -> Matrix:
        """float32 [n, min(NEIGHBOURS, n)]: the greatest of each row, the least of them first."""
        return self._both.nearest[self._direction]

    @property
    def nearest_of_columns(self) -> Matrix:
        """The same of each column."""
        return self._both.nearest[1 - self._direction]

    @property
    def is_nearest_scaled(self) -> Bools:
        """Bool [n]: whether 2 s(i, j) − r(i) − r(j) of text i is greatest at its translation alone.

        r is the mean of a text's similarities to its nearest.
        """
        return self._both.scaled[self._direction]

    @property
    def occurrences(self) -> Floats:
        """float64 [n]: how often each column is among the nearest of a row; those tied for its last places share them.

        The order of texts does not matter.
        """
        return self._both.occurrences[self._direction]

    @property
    def n(self) -> int:
        """Number of texts."""
        return len(self._both.matrix)

    @property
    def reversed(self) -> Similarity:
        """The same from the second language to the first."""
        return Similarity(self._both, 1 - self._direction)

    def near(self) -> float:
        """Return the sum of exp(−2 ||x − y||²) over all n² pairs of a text and one of the other language."""
        return self._both.reads.near(self._both.matrix)


def transposed(matrix: Matrix) -> Matrix:
    """Return the transposed matrix, C-contiguous."""
    found = np.empty(matrix.shape[::-1], dtype=matrix.dtype)
    for start in range(0, len(matrix), _STRIPE):  # by columns that stand side by side: twice as fast as whole
        found[:, start : start + _STRIPE] = matrix[start : start + _STRIPE].T
    return found


def _blocks(n: int, n_columns: int) -> Iterator[slice]:
    """Yield some rows at a time: so few that what is made of them stays in a core's cache."""
    rows = max(1, _BLOCK // max(n_columns, 1))
    return (slice(start, min(start + rows, n)) for start in range(0, n, rows))


def _greatest(rows: Matrix, k: int) -> Matrix:
    least = rows.shape[1] - k
    found = np.empty((len(rows), k), dtype=np.float32)
    for block in _blocks(*rows.shape):
        found[block] = np.partition(rows[block], least, axis=1)[:, least:]
    return found


def _scaled(matrix: Matrix, own: Vectors, others: Vectors) -> Bools:
    found = np.empty(len(matrix), dtype=np.bool_)
    for rows in _blocks(*matrix.shape):
        scores = 2 * matrix[rows]
        scores -= own[rows, None]
        scores -= others
        at = np.arange(len(scores)), np.arange(rows.start, rows.stop)
        translation = scores[at]
        scores[at] = -np.inf
        found[rows] = scores.max(axis=1) < translation
    return found


def _occurrences(matrix: Matrix, nearest: Matrix) -> Floats:
    n, k = nearest.shape
    counts = np.zeros(n)
    for rows in _blocks(*matrix.shape):
        scores, least = matrix[rows], nearest[rows, :1]
        row, column = np.divmod(np.flatnonzero(scores >= least), n)  # sooner than nonzero of two dimensions
        above = scores[row, column] > least[row, 0]
        places = k - np.bincount(row[above], minlength=len(scores))
        share = places / np.bincount(row[~above], minlength=len(scores))
        counts += np.bincount(column, weights=np.where(above, 1.0, share[row]), minlength=n)
    return counts


def _near(cosines: Matrix) -> float:
    exponent = np.minimum(cosines, 1.0)
    exponent -= 1.0
    exponent *= 4.0
    return float(np.exp(exponent, out=exponent).sum(dtype=np.float64))


@once_per_array
def _distinct(rows: Vectors) -> tuple[Ints, Ints]:
    """Return the first of each group of equal rows, and for each row its group, in order of appearance."""
    numbers = rows.view(np.uint32).astype(np.uint64) @ _weights(rows.shape[1])
    if len(np.unique(numbers)) == len(rows):  # as nearly always; sooner than to compare the rows
        return np.arange(len(rows)), np.arange(len(rows))
    groups: dict[bytes, int] = {}
    group = np.fromiter((groups.setdefault(row.tobytes(), len(groups)) for row in rows), np.int64, len(rows))
    return np.unique(group, return_index=True)[1], group


def _weights(n: int) -> npt.NDArray[np.uint64]:
    """Return numbers to sum the bits of a row with: equal rows have equal sums, and others hardly ever."""
    return np.random.default_rng(0).integers(1 << 63, size=n, dtype=np.uint64)
