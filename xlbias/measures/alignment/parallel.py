"""Vectors of parallel texts: one text per id and language, where some translations may be missing."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from xlbias.errors import EncoderError, TaskError
from xlbias.measures.alignment.sampling import drawn
from xlbias.measures.ragged import Floats, Ints

Vectors = npt.NDArray[np.float32]

BLOCK = 16_384
"""Vectors held in float64 at once."""

_ROWS = 256  # the same where each is looked at once: so few that they stay in a core's cache

WORKERS = min(os.cpu_count() or 1, 8)
"""Language pairs, or tiles, at a time, each in one thread: numpy lets go of the interpreter, and most of a pair is not
BLAS."""


Made = TypeVar("Made")


def once_per_array(function: Callable[[Vectors], Made]) -> Callable[[Vectors], Made]:
    """Return `function`, of an array that cannot be written to called once for as long as that array lives.

    A language is part of many pairs: what is made of its vectors alone need not be made for each of them.
    """
    made: dict[int, tuple[weakref.ref[Vectors], Made]] = {}

    @wraps(function)
    def remembered(vectors: Vectors) -> Made:
        if vectors.flags.writeable:
            return function(vectors)
        key = id(vectors)
        held = made.get(key)
        if held is not None and held[0]() is vectors:
            return held[1]
        result = function(vectors)
        made[key] = weakref.ref(vectors, lambda _: made.pop(key, None)), result
        return result

    return remembered


@dataclass(frozen=True, eq=False)
class Pair:
    """The texts that two languages share.

    Attributes:
        x: float32 [n, d], unit vectors in the first language.
        y: float32 [n, d], unit vectors of their translations in the second.
        ids: int64 [n], ascending indices into `ParallelVectors.ids`.
    """

    x: Vectors
    y: Vectors
    ids: Ints

    @property
    def n(self) -> int:
        """Number of shared ids."""
        return len(self.ids)

    def thinned(self, limit: int, places: Ints) -> Pair:
        """Return at most `limit` texts, those first drawn; `places` of all ids, see `sampling.drawing_order`."""
        if self.n <= limit:
            return self
        kept = drawn(places[self.ids], limit)
        return Pair(self.x[kept], self.y[kept], self.ids[kept])


@dataclass(frozen=True, eq=False)
class ParallelVectors:
    """Unit vectors of parallel texts, see `of`.

    Attributes:
        ids: all ids, sorted.
        vectors: per language, sorted, float32 [n_language, d], of length 1.
        rows: per language int64 [n_language], the id of each vector, as ascending indices into `ids`.
        excluded: (id, language) of texts whose vector is zero: it has no direction, so they are left out.
    """

    ids: tuple[str, ...]
    vectors: dict[str, Vectors]
    rows: dict[str, Ints]
    excluded: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, ids: Sequence[str], languages: Sequence[str], vectors: npt.NDArray[np.floating]) -> ParallelVectors:
        """Build from one row per text, in any order.

        Args:
            ids: n ids; texts with one id are translations of one another.
            languages: n languages.
            vectors: float [n, d], of any length; they are scaled to length 1.

        Raises TaskError where an id has two texts in one language, EncoderError where shapes do not fit or a vector
        is NaN or infinite, naming it.
        """
        if vectors.ndim != 2 or not len(ids) == len(languages) == len(vectors):
            raise EncoderError(
                f"{len(ids)} ids, {len(languages)} languages and vectors of shape {vectors.shape} do not fit: "
                "expected one row [d] per text"
            )
        all_ids, id_of = _codes(ids)
        names, language_of = _codes(languages)
        order = np.lexsort((id_of, language_of))
        _refuse_doubles(ids, languages, id_of, language_of, order)
        length = _lengths(ids, languages, vectors)
        there = length > 0
        kept = order[there[order]]
        of_language = [kept[language_of[kept] == code] for code in range(len(names))]
        return cls(
            all_ids,
            {name: _unit(vectors, rows, length) for name, rows in zip(names, of_language, strict=True)},
            {name: id_of[rows] for name, rows in zip(names, of_language, strict=True)},
            tuple(sorted((ids[i], languages[i]) for i in np.flatnonzero(~there).tolist())),
        )

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages, sorted; one whose texts are all excluded still counts."""
        return tuple(self.vectors)

    def pair(self, a: str, b: str) -> Pair:
        """Return the texts that languages `a` and `b` share."""
        if np.array_equal(self.rows[a], self.rows[b]):  # nothing to copy
            return Pair(self.vectors[a], self.vectors[b], self.rows[a])
        ids, in_a, in_b = np.intersect1d(self.rows[a], self.rows[b], assume_unique=True, return_indices=True)
        return Pair(self.vectors[a][in_a], self.vectors[b][in_b], ids)

    def n_excluded(self, language: str | None = None, other: str | None = None) -> int:
        """Return how many ids a measure lacks because a text of theirs is excluded.

        Of one language, of what two languages share, or of all: then ids with an excluded text in any language.
        """
        gone = self._excluded_ids
        if language is None:
            return len(set().union(*gone.values()))
        if other is None:
            return len(gone[language])
        lost = gone[language] | gone[other]
        shared = [gone[one] | {self.ids[row] for row in self.rows[one].tolist()} for one in (language, other) if lost]
        return len(lost.intersection(*shared))

    @cached_property
    def _excluded_ids(self) -> dict[str, set[str]]:
        return {one: {id_ for id_, language in self.excluded if language == one} for one in self.languages}

    def stacked(self) -> tuple[Vectors, Ints, Ints]:
        """Return all vectors, float32 [n, d], the language of each, int64 [n], and its id, int64 [n], as indices."""
        if not self.vectors:
            return np.empty((0, 0), dtype=np.float32), np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        sizes = [len(rows) for rows in self.rows.values()]
        language = np.repeat(np.arange(len(sizes)), sizes)
        return np.concatenate(list(self.vectors.values())), language, np.concatenate(list(self.rows.values()))


def _codes(names: Sequence[str]) -> tuple[tuple[str, ...], Ints]:
    """Return the distinct names, sorted, and the index of each name among them."""
    distinct = tuple(sorted(set(names)))
    code = {name: i for i, name in enumerate(distinct)}
    return distinct, np.fromiter((code[name] for name in names), dtype=np.int64, count=len(names))


def _refuse_doubles(ids: Sequence[str], languages: Sequence[str], id_of: Ints, language_of: Ints, order: Ints) -> None:
    same = (np.diff(id_of[order]) == 0) & (np.diff(language_of[order]) == 0)
    if same.any():
        row = int(order[np.flatnonzero(same)[0]])
        raise TaskError(f"the id {ids[row]!r} has two texts in {languages[row]!r}; expected one per language")


def _lengths(ids: Sequence[str], languages: Sequence[str], vectors: npt.NDArray[np.floating]) -> Floats:
    """Return the length of each vector, float64 [n]. Raises EncoderError for one that is not finite."""
    found = np.empty(len(vectors))
    for start in range(0, len(vectors), _ROWS):
        block = vectors[start : start + _ROWS]
        finite = np.isfinite(block).all(axis=1)
        if not finite.all():
            row = start + int(np.flatnonzero(~finite)[0])
            raise EncoderError(f"NaN or infinite vector for the text {ids[row]!r} in {languages[row]!r}")
        rows = block.astype(np.float64)
        found[start : start + _ROWS] = np.sqrt((rows * rows).sum(axis=1))
    return found


def _unit(vectors: npt.NDArray[np.floating], rows: Ints, length: Floats) -> Vectors:
    """Return the vectors of `rows` scaled to length 1, float32 [len(rows), d], which cannot be written to."""
    unit = np.empty((len(rows), vectors.shape[1]), dtype=np.float32)
    for start in range(0, len(rows), _ROWS):
        block = rows[start : start + _ROWS]
        unit[start : start + _ROWS] = vectors[block].astype(np.float64) / length[block][:, None]
    unit.setflags(write=False)
    return unit
