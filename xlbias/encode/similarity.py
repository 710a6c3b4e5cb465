"""How two vectors are compared, and vectors whose dot products rank in just that way.

Ranking knows one product, the dot product. Cosine is the dot product of vectors of length 1. Euclidean distance ranks
the passages of a query as ``q·d - |d|²/2`` does, since ``-|q-d|² = 2 (q·d - |d|²/2) - |q|²``: two more coordinates.
Manhattan distance has no such form: `xlbias.retrieve.scorer` takes its scores one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xlbias.encode.options import SIMILARITIES, Similarity
from xlbias.encode.vector_rows import ChangedRows, HeldRows, VectorRows
from xlbias.errors import EncoderError

Vectors = npt.NDArray[np.float32]

_ROWS = 4_096  # converted at a time
_ROUNDING = 1e-6  # of the length of a vector that was scaled to length 1 in float32


def chosen_similarity(own: str | None, wanted: str | None, encoder: str) -> Similarity:
    """Return the similarity to rank by: `wanted`, else the encoder's `own`, else cosine.

    Raises EncoderError where it is none of SIMILARITIES.
    """
    for similarity in SIMILARITIES:
        if (wanted or own or "cosine") == similarity:
            return similarity
    what = f"similarity {wanted!r} is unknown" if wanted else f"asks for {own}, which is no similarity of two vectors"
    raise EncoderError(f"{encoder}: {what}: choose from {', '.join(SIMILARITIES)} (--similarity)")


def unit(vectors: npt.NDArray[np.generic]) -> Vectors:
    """Return the rows scaled to length 1, float32 [n, d]; rows of zeros, and those of length 1, stay as they are.

    Cast first and scaled then: vectors of length 1 in half precision are off by up to .4 %. Equal rows stay equal bit
    for bit, wherever they stand.
    """
    result = np.array(vectors, dtype=np.float32, order="C")
    for start in range(0, len(result), _ROWS):
        part = result[start : start + _ROWS]
        wide = part.astype(np.float64)
        length = np.sqrt((wide * wide).sum(axis=1))
        length[(length == 0.0) | (np.abs(length - 1.0) < _ROUNDING)] = 1.0
        part[:] = wide / length[:, None]
    return result


@dataclass(frozen=True, eq=False)
class Searchable:
    """Queries and passages of which a greater dot product is a better match.

    Attributes:
        queries: float32 [n_queries, d'].
        passages: float32 [n_passages, d'], or rows that are read when they are looked at.
        squares: for euclidean distance float64 [n_queries], squared lengths of the queries; else None.
    """

    queries: Vectors
    passages: Vectors | VectorRows
    squares: npt.NDArray[np.float64] | None = None

    def scores(self, products: Vectors, rows: npt.NDArray[np.int64]) -> Vectors:
        """Return what a user calls the score of dot products with the queries `rows`: minus the distance, for one."""
        if self.squares is None:
            return products
        squared = self.squares[rows] - 2.0 * products.astype(np.float64)
        return (-np.sqrt(np.maximum(squared, 0.0))).astype(np.float32)


def searchable(queries: Vectors, passages: Vectors | VectorRows, similarity: Similarity) -> Searchable:
    """Return vectors whose dot products rank as `similarity` does; cosine wants vectors of length 1.

    For euclidean distance all vectors are moved by the passages' mean first, which changes no distance and keeps the
    numbers small, and half the squared length is kept in two coordinates, a float32 and what it lacks.
    """
    if similarity != "euclidean" or not len(passages):
        return Searchable(queries, passages)
    rows = HeldRows(passages) if isinstance(passages, np.ndarray) else passages
    mean = sum(part.sum(axis=0, dtype=np.float64) for part in _parts(rows)) / len(rows)

    def lengthened(vectors: Vectors, _: npt.NDArray[np.int64]) -> Vectors:
        moved = _moved(vectors, mean)
        half = -_squares(moved) / 2.0
        high = half.astype(np.float32)
        low = (half - high).astype(np.float32)
        return np.hstack([moved, high[:, None], low[:, None]])

    moved_queries = _moved(queries, mean)
    ones = np.ones((len(queries), 2), dtype=np.float32)
    found: Vectors | VectorRows = ChangedRows(rows, lengthened, rows.shape[1] + 2)
    if isinstance(passages, np.ndarray):
        found = lengthened(passages, np.arange(len(passages)))
    return Searchable(np.hstack([moved_queries, ones]), found, _squares(moved_queries))


def _moved(vectors: Vectors, mean: npt.NDArray[np.float64]) -> Vectors:
    moved = np.empty(vectors.shape, dtype=np.float32)
    for start in range(0, len(vectors), _ROWS):
        moved[start : start + _ROWS] = vectors[start : start + _ROWS] - mean
    return moved


def _squares(vectors: Vectors) -> npt.NDArray[np.float64]:
    """Return squared lengths, row by row in float64, so that equal rows have equal ones."""
    parts = _parts(HeldRows(vectors))
    return np.concatenate([np.empty(0), *((part.astype(np.float64) ** 2).sum(axis=1) for part in parts)])


def _parts(rows: VectorRows) -> Iterator[Vectors]:
    for start in range(0, len(rows), _ROWS):
        yield rows.read(start, min(start + _ROWS, len(rows)))
