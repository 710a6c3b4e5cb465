"""Mitigation without training: what all texts of a language have in common is taken out of their vectors.

Sources: Yang et al. 2021, A Simple and Effective Method To Eliminate the Self Language Bias in Multilingual
Representations (LIR); Libovický et al. 2020 (centring per language).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from xlbias.encode.options import Similarity
from xlbias.encode.similarity import Vectors
from xlbias.errors import EncoderError, UsageError

BLOCK = 16_384
"""Rows held in float64 at once."""

_RANK = 1e-12
"""Squared singular values below this share of the greatest come from float32 rounding."""
_NOTHING_LEFT = 1e-6
"""Share of a vector's length below which what is left of it is rounding."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Mitigation:
    """A way to take language out of vectors, not yet fitted.

    Attributes:
        method: ``mean`` subtracts a language's mean vector; ``lir`` removes the span of its first directions.
        directions: for ``lir``, how many; 0 for ``mean``.
    """

    method: Literal["mean", "lir"]
    directions: int = 0

    def __str__(self) -> str:
        return f"{self.method}:{self.directions}" if self.directions else self.method

    def fit(self, vectors: Vectors, languages: Sequence[str]) -> FittedMitigation:
        """Learn what the texts of each language have in common.

        Args:
            vectors: float32 [n, d].
            languages: n languages.

        LIR takes the right singular vectors of each language's vectors, uncentred, as in the paper. Raises
        EncoderError where shapes do not fit, a vector is not finite, or a language's texts span no more directions
        than LIR would remove.
        """
        rows_of = _rows_of(vectors, languages)
        if self.method == "mean":
            removed = {language: _mean(vectors, rows)[None] for language, rows in rows_of.items()}
        else:
            removed = {language: self._first(vectors, rows, language) for language, rows in rows_of.items()}
        return FittedMitigation(self, removed)

    def _first(self, vectors: Vectors, rows: npt.NDArray[np.int64], language: str) -> Floats:
        """Return the first right singular vectors of one language, float64 [directions, d]."""
        squares, directions = _directions(vectors, rows)
        rank = int((squares > _RANK * squares.max(initial=0.0)).sum())
        if rank <= self.directions:
            raise EncoderError(
                f"{self}: the {len(rows)} texts in {language!r} span {rank} of {vectors.shape[1]} directions; "
                f"expected more than {self.directions}"
            )
        return directions[: self.directions]


@dataclass(frozen=True, eq=False)
class FittedMitigation:
    """A mitigation that knows its languages.

    Attributes:
        mitigation: what was fitted.
        removed: per language float64 [1, d], the mean, or [directions, d], orthonormal.
    """

    mitigation: Mitigation
    removed: dict[str, Floats]

    def apply(self, vectors: Vectors, languages: Sequence[str], similarity: Similarity = "cosine") -> Vectors:
        """Return the vectors without what their languages have in common, float32 [n, d]; of length 1 for cosine.

        Equal vectors of a language stay equal bit for bit, wherever they stand. Raises EncoderError where shapes do
        not fit, a vector is not finite, a language was not there when fitting, or, for cosine, nothing is left of a
        vector, naming its row.
        """
        rows_of = _rows_of(vectors, languages)
        result = np.empty(vectors.shape, dtype=np.float32)
        for language, rows in rows_of.items():
            removed = self.removed.get(language)
            if removed is None:
                raise EncoderError(f"{self.mitigation}: was fitted without texts in {language!r}, so it cannot be used")
            if removed.shape[1] != vectors.shape[1]:
                raise EncoderError(
                    f"{self.mitigation}: was fitted to vectors of length {removed.shape[1]}, not {vectors.shape[1]}"
                )
            for block in _blocks(rows):
                before = vectors[block].astype(np.float64)
                after = self._without(before, removed)
                if similarity == "cosine":
                    length, least = _lengths(after), _NOTHING_LEFT * _lengths(before)
                    if (length <= least).any():
                        row = int(block[int(np.argmax(length <= least))])
                        raise EncoderError(f"{self.mitigation}: leaves nothing of vector {row}, a text in {language!r}")
                    after /= length[:, None]
                result[block] = after
        return result

    def _without(self, rows: Floats, removed: Floats) -> Floats:
        """Return `rows` [n, d] without the mean or the directions.

        Row by row, not by matrix products: their last bits depend on where a row stands.
        """
        if self.mitigation.method == "mean":
            return rows - removed
        for direction in removed:
            rows = rows - (rows * direction).sum(axis=1)[:, None] * direction
        return rows


def parse_mitigation(text: str) -> Mitigation:
    """Return the mitigation that `text` names: ``mean``, or ``lir:R`` with R from 1. Raises UsageError for others."""
    if text == "mean":
        return Mitigation("mean")
    lir = re.fullmatch(r"lir:([1-9][0-9]{0,5})", text)
    if not lir:
        raise UsageError(f"unknown mitigation {text!r}; expected 'mean' or 'lir:R' with a whole number R from 1")
    return Mitigation("lir", int(lir[1]))


def _rows_of(vectors: Vectors, languages: Sequence[str]) -> dict[str, npt.NDArray[np.int64]]:
    """Return the rows of each language, ascending; checks shapes and numbers."""
    if vectors.ndim != 2 or len(vectors) != len(languages):
        raise EncoderError(f"vectors of shape {vectors.shape} do not fit {len(languages)} languages")
    finite = np.isfinite(vectors).all(axis=1)
    if not finite.all():
        row = int(np.flatnonzero(~finite)[0])
        raise EncoderError(f"NaN or infinite vector {row}, a text in {languages[row]!r}")
    rows: dict[str, list[int]] = {}
    for row, language in enumerate(languages):
        rows.setdefault(language, []).append(row)
    return {language: np.array(found, dtype=np.int64) for language, found in rows.items()}


def _blocks(rows: npt.NDArray[np.int64]) -> Iterator[npt.NDArray[np.int64]]:
    for start in range(0, len(rows), BLOCK):
        yield rows[start : start + BLOCK]


def _mean(vectors: Vectors, rows: npt.NDArray[np.int64]) -> Floats:
    total = np.zeros(vectors.shape[1])
    for block in _blocks(rows):
        total += vectors[block].sum(axis=0, dtype=np.float64)
    return total / len(rows)


def _directions(vectors: Vectors, rows: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Return squared singular values, descending, and right singular vectors [.., d] of the given rows, uncentred."""
    dimension = vectors.shape[1]
    if len(rows) <= dimension:
        _, values, directions = np.linalg.svd(vectors[rows].astype(np.float64), full_matrices=False)
        return values**2, directions
    gram = np.zeros((dimension, dimension))
    for block in _blocks(rows):
        part = vectors[block].astype(np.float64)
        gram += part.T @ part
    squares, columns = np.linalg.eigh(gram)
    return squares[::-1], columns[:, ::-1].T


def _lengths(rows: Floats) -> Floats:
    return np.asarray(np.sqrt((rows * rows).sum(axis=1)), dtype=np.float64)
