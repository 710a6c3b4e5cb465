"""What can be drawn from one task, as arrays whose size grows with its ids, never with its language pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xlbias.train.sampling.batch import Ints
from xlbias.train.sampling.language_rows import LanguageRows, draw_codes
from xlbias.train.sampling.negatives import HardNegatives
from xlbias.train.sampling.shares import Floats, draw_weighted


@dataclass(frozen=True, eq=False)
class TaskPairs:
    """What can be drawn from one task, as arrays over ids 0..n-1.

    Attributes:
        name: the task's name.
        languages: BCP 47 tags; a language code is an index into them.
        queries: the languages in which each id has a query; its rows are query rows.
        runs: the languages in which each id has relevant passages; its rows are runs of such passages.
        relevant_offsets: int [n_runs + 1], where a run's relevant passages stand in `relevant_passage`; None where
            every run has one passage.
        relevant_passage: passage row of each relevant passage; None where it is the place itself, as no passage is
            relevant twice.
        group: int [n_ids]. Two ids of one group must not meet in a batch: a passage of one answers the other. None
            where every id is a group of its own.
        negatives: hard negatives, None where the task has none.
    """

    name: str
    languages: tuple[str, ...]
    queries: LanguageRows
    runs: LanguageRows
    relevant_offsets: Ints | None
    relevant_passage: Ints | None
    group: Ints | None
    negatives: HardNegatives | None = None

    @property
    def n_ids(self) -> int:
        """Number of query ids that have a relevant passage."""
        return len(self.queries)

    def groups_of(self, ids: Ints) -> Ints:
        """Group of each id."""
        return ids if self.group is None else self.group[ids]

    def draw_passages(self, ids: Ints, codes: Ints, rng: np.random.Generator) -> Ints:
        """Draw one relevant passage row for each (id, language code), uniformly over those of that language."""
        places = self.runs.rows(ids, codes)
        if self.relevant_offsets is not None:
            first = self.relevant_offsets[places]
            places = first + rng.integers(self.relevant_offsets[places + 1] - first)
        return places if self.relevant_passage is None else self.relevant_passage[places]

    def draw_languages(self, ids: Ints, rng: np.random.Generator, weights: Floats | None = None) -> Ints:
        """Draw a language code for each id, uniformly over those in which it has both query and passage.

        With `weights`, float [n_languages], in proportion to these; each id must have a language whose weight is not 0.
        """
        both = self.queries.has(ids) & self.runs.has(ids)
        return draw_codes(both, rng) if weights is None else draw_weighted(both * weights, rng)

    def draw_language_pairs(
        self, ids: Ints, rng: np.random.Generator, weights: tuple[Floats, Floats] | None = None
    ) -> tuple[Ints, Ints]:
        """Draw query and passage language of each id, uniformly over its pairs of two different languages.

        Every id must have such a pair. Pairs are counted by query language, and one of them is drawn by its number.
        With `weights` of query and passage languages, float [n_languages] each, a pair is drawn in proportion to their
        product.
        """
        has_query, has_passage = self.queries.has(ids), self.runs.has(ids)
        if weights is not None:
            of_passages = has_passage * weights[1]
            query = draw_weighted(has_query * weights[0] * (of_passages.sum(axis=1)[:, None] - of_passages), rng)
            of_passages[np.arange(len(ids)), query] = 0.0
            return query, draw_weighted(of_passages, rng)
        each = np.arange(len(ids))
        others = has_passage.sum(axis=1)[:, None] - has_passage  # passages in another language than this
        ends = np.cumsum(has_query * others, axis=1)
        number = rng.integers(ends[:, -1])
        query = (ends > number[:, None]).argmax(axis=1)
        number -= ends[each, query] - others[each, query]
        has_passage[each, query] = False
        return query, (np.cumsum(has_passage, axis=1) > number[:, None]).argmax(axis=1)

    def draw_negatives(self, ids: Ints, codes: Ints, most: int, rng: np.random.Generator) -> Ints:
        """Draw up to `most` hard negatives for each (id, language code) of a batch; see `HardNegatives.draw`."""
        if self.negatives is None or not most:
            return np.empty(0, dtype=np.int64)
        return self.negatives.draw(ids, codes, self.groups_of(ids), most, rng)

    def passage_languages(self, n_passages: int) -> Ints:
        """Language code of each passage row, int [n_passages]."""
        languages = np.zeros(n_passages, dtype=np.min_scalar_type(len(self.languages)))
        start = 0
        for of_runs in self.runs.codes():
            stop = start + len(of_runs)
            places, codes = slice(start, stop), of_runs
            if self.relevant_offsets is not None:
                offsets = self.relevant_offsets[start : stop + 1]
                places, codes = slice(int(offsets[0]), int(offsets[-1])), np.repeat(of_runs, np.diff(offsets))
            languages[places if self.relevant_passage is None else self.relevant_passage[places]] = codes
            start = stop
        if self.negatives is not None:
            languages[self.negatives.passage] = self.negatives.language
        return languages
