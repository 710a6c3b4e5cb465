"""Hard negatives of a task: which passages may stand in a batch as wrong answers, and drawing them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from xlbias.train.sampling.batch import Ints
from xlbias.train.sampling.language_rows import LanguageRows


@dataclass(frozen=True, eq=False)
class HardNegatives:
    """The hard negatives of each (id, language), as lists of entries.

    Attributes:
        lists: which ids have negatives in which languages; a row is a list.
        offsets: int [n_lists + 1]; list i is ``entries[offsets[i]:offsets[i + 1]]``.
        entries: int, indices into the arrays below.
        passage: passage row of each negative passage, int [m], ascending.
        language: its language code, int [m].
        text: int [m], equal for equal texts.
        group: int [m]: the group of ids (`TaskPairs.group`) that it answers, or of which it is a translation; a number
            that no id has where there is none.
    """

    lists: LanguageRows
    offsets: Ints
    entries: Ints
    passage: Ints
    language: Ints
    text: Ints
    group: Ints

    def language_of(self, passages: Ints) -> Ints:
        """Language code of each of the passage rows, which must be negatives."""
        codes: Ints = self.language[np.searchsorted(self.passage, passages)]
        return codes

    def draw(self, ids: Ints, codes: Ints, groups: Ints, most: int, rng: np.random.Generator) -> Ints:
        """Draw up to `most` negatives for each id of a batch, in its language: passage rows, int64 [m].

        Those of one id are drawn uniformly without replacement among the texts that answer no other id of the batch
        (`groups` are theirs) and that no id before has been given; no text is there twice.
        """
        having = np.flatnonzero(self.lists.has_in(ids, codes))
        lists = self.lists.rows(ids[having], codes[having])
        first = self.offsets[lists].astype(np.int64)
        counts = self.offsets[lists + 1] - first
        # A few draws with replacement are enough for most lists, however long; doubles are passed over.
        some = first[:, None] + rng.integers(counts[:, None], size=(len(having), 2 * most + 2))
        answered = {group: place for place, group in enumerate(groups.tolist())}
        taken: set[int] = set()
        drawn: list[int] = []
        for row, place in enumerate(having.tolist()):
            left = most
            for passage, text, group in self._in_random_order(some[row], int(first[row]), int(counts[row]), rng):
                if text not in taken and answered.get(group, place) == place:
                    taken.add(text)
                    drawn.append(passage)
                    left -= 1
                if not left:
                    break
        return np.array(drawn, dtype=np.int64)

    def _in_random_order(
        self, some: Ints, first: int, count: int, rng: np.random.Generator
    ) -> Iterator[tuple[int, int, int]]:
        """Yield (passage, text, group) of a list's entries: those of `some`, then, if asked for more, all at random."""
        yield from self._described(some)
        yield from self._described(first + rng.permutation(count))

    def _described(self, places: Ints) -> Iterator[tuple[int, int, int]]:
        entries = self.entries[places]
        return zip(*(of[entries].tolist() for of in (self.passage, self.text, self.group)), strict=True)
