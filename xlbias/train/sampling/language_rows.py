"""Which languages each id has a text in, and where: a bit per language and the first row of an id.

A language code for every row would take a byte or more for each text; a bit for each (id, language) takes an eighth of
that, and answers "does this id have Thai?" for ids drawn at random without a search.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xlbias.train.sampling.batch import Ints

Bools = npt.NDArray[np.bool_]

CHUNK = 1 << 16  # ids looked at together: bounds the memory of a pass over all ids


@dataclass(frozen=True, eq=False)
class LanguageRows:
    """Rows of ids 0..n-1: those of an id stand together, one for each of its languages, by ascending language code.

    Attributes:
        n_languages: number of language codes.
        mask: uint8 [n_ids, ceil(n_languages / 8)], as `numpy.packbits` makes it of bool [n_ids, n_languages].
        first: int [n_ids], the first row of each id; None where every id has all languages.
    """

    n_languages: int
    mask: Ints
    first: Ints | None

    @classmethod
    def of(cls, ids: Ints, codes: Ints, n_ids: int, n_languages: int) -> LanguageRows:
        """Make it from the id and the language code of each row, sorted by id and code, each pair once."""
        mask = np.zeros((n_ids, -(-n_languages // 8)), dtype=np.uint8)
        for start in range(0, n_ids, CHUNK):
            size = min(CHUNK, n_ids - start)
            rows = slice(*np.searchsorted(ids, (start, start + size)))
            present = np.zeros((size, n_languages), dtype=bool)
            present[ids[rows] - start, codes[rows]] = True
            mask[start : start + size] = np.packbits(present, axis=1)
        if len(ids) == n_ids * n_languages:
            return cls(n_languages, mask, None)
        counts = np.bitwise_count(mask).sum(axis=1, dtype=np.int64)
        return cls(n_languages, mask, narrow(np.cumsum(counts) - counts, len(ids)))

    def __len__(self) -> int:
        """Number of ids."""
        return len(self.mask)

    def has(self, ids: Ints | slice) -> Bools:
        """Whether each id has each language, bool [n, n_languages]."""
        return np.unpackbits(self.mask[ids], axis=1, count=self.n_languages).view(bool)

    def has_in(self, ids: Ints | slice, codes: Ints | int) -> Bools:
        """Whether each id has its language of `codes` (or the one language), bool [n]."""
        there: Bools = (self.mask[ids, codes >> 3] & (128 >> (codes & 7))) != 0
        return there

    def count(self, ids: Ints | slice) -> Ints:
        """Number of languages of each id, int [n]."""
        counts: Ints = np.bitwise_count(self.mask[ids]).sum(axis=1, dtype=np.int64)
        return counts

    def rows(self, ids: Ints, codes: Ints) -> Ints:
        """Row of each (id, language code), int64 [n]; every one of them must exist."""
        before = self.has(ids) & (np.arange(self.n_languages) < codes[:, None])
        first = ids.astype(np.int64) * self.n_languages if self.first is None else self.first[ids]
        found: Ints = first + before.sum(axis=1)
        return found

    def codes(self) -> Iterator[Ints]:
        """Yield the language codes of all rows in order, for chunks of ids."""
        for start in range(0, len(self), CHUNK):
            codes = np.nonzero(self.has(slice(start, start + CHUNK)))[1]
            yield narrow(codes, self.n_languages)


def draw_codes(present: Bools, rng: np.random.Generator) -> Ints:
    """Draw a language code for each row of `present` (bool [n, n_languages]), uniformly over those that it has.

    Each row must have one. Returns int64 [n].
    """
    ordinal = rng.integers(present.sum(axis=1))
    codes: Ints = (np.cumsum(present, axis=1) > ordinal[:, None]).argmax(axis=1)
    return codes


def narrow(values: Ints, most: int) -> Ints:
    """Return `values`, all between 0 and `most`, in the narrowest unsigned type that holds them."""
    return values.astype(np.min_scalar_type(most), copy=False)
