"""Similarities of two languages' parallel texts, read by compiled code: what alignment is measured with.

The same as `xlbias.measures.alignment.similarity.OfNumpy`, which needs no compiler, in a fifth of the time: each
function reads the matrix once for both directions, so that it is never transposed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from xlbias.measures.alignment.similarity import Bools, Floats, Matrix
from xlbias.retrieve.compiled import compiled
from xlbias.retrieve.index import exact_products, fast_product

_LANES = 16
"""Parts of a row, or of a column, whose greatest are taken first, side by side: the tenth of these is no more than the
tenth of all. As many float32s as there are in a register."""

_WORDS = 8  # of marks that are looked at together, eight marks each


class Compiled:
    """See `xlbias.measures.alignment.similarity.Reads`."""

    def product(self, x: Matrix, y: Matrix) -> Matrix:
        """See `Reads`."""
        with exact_products():
            found: Matrix = fast_product(_tensor(x), _tensor(y)).numpy()
        return found

    def nearest(self, matrix: Matrix, k: int) -> tuple[Matrix, Matrix]:
        """See `Reads`."""
        found = np.empty((2, len(matrix), k), dtype=np.float32)
        if k:
            _nearest(matrix, found[0], found[1])
        return found[0], found[1]

    def scaled(self, matrix: Matrix, of_rows: npt.NDArray[np.float32], of_columns: npt.NDArray[np.float32]) -> Any:
        """See `Reads`."""
        found = np.empty((2, len(matrix)), dtype=np.bool_)
        _scaled(matrix, of_rows, of_columns, found[0], found[1])
        return found[0], found[1]

    def occurrences(self, matrix: Matrix, nearest: Matrix, nearest_of_columns: Matrix) -> tuple[Floats, Floats]:
        """See `Reads`."""
        found = np.zeros((2, len(matrix)))
        _occurrences(matrix, nearest, nearest_of_columns, found[0], found[1])
        return found[0], found[1]

    def near(self, matrix: Matrix) -> float:
        """See `Reads`."""
        return float(_near(matrix.reshape(-1)))


class _Lent:
    """An array as one that may be written to: torch warns of others, also of what is only read."""

    def __init__(self, array: Matrix) -> None:
        about = array.__array_interface__
        self.__array_interface__ = {**about, "data": (about["data"][0], False)}
        self.array = array  # which holds the memory


def _tensor(array: Matrix) -> torch.Tensor:
    return torch.from_numpy(np.asarray(_Lent(np.ascontiguousarray(array))))


@compiled("int64(float32[::1], float32[::1], boolean[::1], int64[::1])", nogil=True)
def _reaching(
    values: npt.NDArray[np.float32], bounds: npt.NDArray[np.float32], marks: Bools, places: npt.NDArray[np.int64]
) -> int:
    """Fill in the places of values that reach their bounds, each its own or all the only one; return how many do.

    `marks` is room for as many as there are values, from `_room`.
    """
    n = values.shape[0]
    if bounds.shape[0] == 1:
        bound = bounds[0]
        for k in range(n):
            marks[k] = values[k] >= bound
    else:
        for k in range(n):
            marks[k] = values[k] >= bounds[k]
    found = 0
    words = marks.view(np.uint64)
    for begin in range(0, words.shape[0], _WORDS):
        any_of = np.uint64(0)
        for word in range(_WORDS):
            any_of |= words[begin + word]
        if any_of == 0:
            continue
        for word in range(begin, begin + _WORDS):
            if words[word] != 0:
                for k in range(8 * word, 8 * word + 8):
                    places[found] = k  # stays if it is marked: sooner than to ask
                    found += int(marks[k])
    return found


@compiled("boolean[::1](int64)", nogil=True)
def _room(n: int) -> Bools:
    """Return room for the marks of `n` values, false."""
    return np.zeros(-(-n // (8 * _WORDS)) * (8 * _WORDS), dtype=np.bool_)


@compiled("void(float32[::1], float32[::1])", nogil=True)
def _raise(greatest: npt.NDArray[np.float32], values: npt.NDArray[np.float32]) -> None:
    """Take values into the greatest of their places; there may be fewer."""
    for k in range(values.shape[0]):
        greatest[k] = max(greatest[k], values[k])


@compiled("void(float32[::1], float32[::1])", nogil=True)
def _greatest_of_parts(values: npt.NDArray[np.float32], greatest: npt.NDArray[np.float32]) -> None:
    """Fill in the greatest of each sixteenth value."""
    n = values.shape[0]
    whole = n - n % _LANES
    greatest[:] = np.float32(-np.inf)
    for start in range(0, whole, _LANES):
        for k in range(_LANES):
            greatest[k] = max(greatest[k], values[start + k])
    for k in range(n - whole):
        greatest[k] = max(greatest[k], values[whole + k])


@compiled("void(float32, float32[::1])", nogil=True)
def _put(value: np.float32, greatest: npt.NDArray[np.float32]) -> None:
    """Put a value into a list of the greatest, the least of them first, in the place of the least."""
    at = 0
    while at + 1 < greatest.shape[0] and greatest[at + 1] < value:
        greatest[at] = greatest[at + 1]
        at += 1
    greatest[at] = value


@compiled("void(float32[:,::1], float32[:,::1], float32[:,::1])", nogil=True)
def _nearest(matrix: Matrix, of_rows: Matrix, of_columns: Matrix) -> None:
    """Fill in the greatest of each row and of each column, the least of them first.

    What is less than as many of the greatest of parts is looked at no more.
    """
    n, k = matrix.shape[0], of_rows.shape[1]
    least = np.float32(-np.inf)
    marks, places = _room(n), np.empty(n + 1, dtype=np.int64)
    of_parts = np.full((_LANES, n), least, dtype=np.float32)
    parts, greatest = np.empty(_LANES, dtype=np.float32), np.empty(k, dtype=np.float32)
    for i in range(n):
        row = matrix[i]
        _raise(of_parts[i % _LANES], row)
        _greatest_of_parts(row, parts)
        greatest[:] = least
        for part in range(_LANES):
            if parts[part] > greatest[0]:
                _put(parts[part], greatest)
        of_rows[i, :] = least
        for place in places[: _reaching(row, greatest[:1], marks, places)]:
            if row[place] > of_rows[i, 0]:
                _put(row[place], of_rows[i])
    bounds = np.empty(n, dtype=np.float32)
    for j in range(n):
        greatest[:] = least
        for part in range(_LANES):
            if of_parts[part, j] > greatest[0]:
                _put(of_parts[part, j], greatest)
        bounds[j] = greatest[0]
        of_columns[j, :] = least
    for i in range(n):
        row = matrix[i]
        for place in places[: _reaching(row, bounds, marks, places)]:
            if row[place] > of_columns[place, 0]:
                _put(row[place], of_columns[place])


@compiled("float32(float32[::1], float32, float32[::1], float32[::1])", nogil=True)
def _scale(
    row: npt.NDArray[np.float32],
    own: np.float32,
    others: npt.NDArray[np.float32],
    best: npt.NDArray[np.float32],
) -> np.float32:
    """Return the greatest scaled similarity of a row, and take what it has for each column into `best`.

    Each is rounded as in its own direction, so that one is the other's of the transposed matrix.
    """
    greatest = np.full(_LANES, np.float32(-np.inf), dtype=np.float32)
    n = row.shape[0]
    whole = n - n % _LANES
    for start in range(0, whole, _LANES):
        for k in range(_LANES):
            double = np.float32(2.0) * row[start + k]
            greatest[k] = max(greatest[k], (double - own) - others[start + k])
            best[start + k] = max(best[start + k], (double - others[start + k]) - own)
    for j in range(whole, n):
        double = np.float32(2.0) * row[j]
        greatest[0] = max(greatest[0], (double - own) - others[j])
        best[j] = max(best[j], (double - others[j]) - own)
    found: np.float32 = greatest[0]
    for k in range(1, _LANES):
        found = max(found, greatest[k])
    return found


@compiled("void(float32[:,::1], float32[::1], float32[::1], boolean[::1], boolean[::1])", nogil=True)
def _scaled(
    matrix: Matrix,
    of_rows: npt.NDArray[np.float32],
    of_columns: npt.NDArray[np.float32],
    rows: Bools,
    columns: Bools,
) -> None:
    """Fill in whether a translation is the nearest by scaled similarity, of rows and of columns."""
    n = matrix.shape[0]
    best = np.full(n, np.float32(-np.inf), dtype=np.float32)
    for i in range(n):
        row = matrix[i]
        before = _scale(row[:i], of_rows[i], of_columns[:i], best[:i])
        after = _scale(row[i + 1 :], of_rows[i], of_columns[i + 1 :], best[i + 1 :])
        rows[i] = max(before, after) < (np.float32(2.0) * row[i] - of_rows[i]) - of_columns[i]
    for j in range(n):
        columns[j] = best[j] < (np.float32(2.0) * matrix[j, j] - of_columns[j]) - of_rows[j]


@compiled("void(float32[:,::1], float32[:,::1], float32[:,::1], float64[::1], float64[::1])", nogil=True)
def _occurrences(matrix: Matrix, nearest: Matrix, nearest_of_columns: Matrix, columns: Floats, rows: Floats) -> None:
    """Add to `columns` how often each is among the nearest of a row, and to `rows` among those of a column."""
    n, k = nearest.shape
    marks, places = _room(n), np.empty(n + 1, dtype=np.int64)
    least = np.ascontiguousarray(nearest_of_columns[:, 0])
    n_above, n_least = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    for i in range(n):
        row, own = matrix[i], nearest[i, 0]
        found = places[: _reaching(row, nearest[i, :1], marks, places)]
        above = 0
        for place in found:
            above += row[place] > own
        for place in found:
            columns[place] += 1.0 if row[place] > own else (k - above) / (len(found) - above)
        for place in places[: _reaching(row, least, marks, places)]:
            rows[i] += 1.0
            if row[place] > least[place]:
                n_above[place] += 1
            else:
                n_least[place] += 1
    if (n_above + n_least == k).all():  # none is tied with what is not among the nearest
        return
    for i in range(n):
        row = matrix[i]
        for place in places[: _reaching(row, least, marks, places)]:
            if row[place] == least[place]:
                rows[i] += (k - n_above[place]) / n_least[place] - 1.0


@compiled("float64(float32[::1])", nogil=True, fastmath={"contract", "reassoc", "nsz"})
def _near(cosines: npt.NDArray[np.float32]) -> float:
    """Return the sum of exp(−2 ||x − y||²) = exp(4 (cosine − 1)).

    It is (exp(cosine / 2))⁸ / e⁴, by the exponential's series around 0.
    """
    total = 0.0
    for begin in range(0, cosines.shape[0], 4096):
        part = cosines[begin : begin + 4096]
        own = 0.0
        for k in range(part.shape[0]):
            z = np.float32(0.5) * min(part[k], np.float32(1.0))
            power = np.float32(1 / 40320)
            power = power * z + np.float32(1 / 5040)
            power = power * z + np.float32(1 / 720)
            power = power * z + np.float32(1 / 120)
            power = power * z + np.float32(1 / 24)
            power = power * z + np.float32(1 / 6)
            power = power * z + np.float32(1 / 2)
            power = power * z + np.float32(1.0)
            power = power * z + np.float32(1.0)
            power = power * power
            power = power * power
            power = power * power
            own += np.float64(power)
        total += own
    result: float = total * np.exp(-4.0)
    return result
