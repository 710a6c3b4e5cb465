"""Training pairs of tasks: every (id, query language, passage language) that exists, addressed without being listed.

A pair is one 64-bit number, (query row << 32) | passage row, which `PairTexts` turns into two texts when a batch is
made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from typing import Protocol

import numpy as np
import polars as pl

from xlbias.data.task import RetrievalTask
from xlbias.errors import TrainingError
from xlbias.train.sampling.batch import Batch, Ints, Pairs
from xlbias.train.sampling.candidates import TaskPairs
from xlbias.train.sampling.index import index_task

_PASSAGE_BITS = 32


class TextSwitch(Protocol):
    """Rewrites a text when a batch is made; code-switching is one."""

    def __call__(self, text: str, language: str, key: tuple[int, ...]) -> str:
        """Return what `text`, in `language` (BCP 47), becomes; `key` alone decides what is drawn."""


class PairTexts:
    """A map-style dataset over the pairs of several tasks: a pair's number in, its two texts out.

    `tasks` are the drawable pairs of each task; query and passage rows are counted over all tasks. Texts are looked up
    when a batch is made and never copied before; `switch` then rewrites each of them.
    """

    column_names = ("query", "passage")

    def __init__(self, tasks: Sequence[RetrievalTask], switch: TextSwitch | None = None) -> None:
        if not tasks:
            raise TrainingError("nothing to train on: expected at least one task")
        self.languages = tuple(sorted({language for task in tasks for language in task.languages}))
        self.switch = switch
        self.tasks: list[TaskPairs] = []
        self.queries: list[pl.Series] = []
        self.passages: list[pl.Series] = []
        for task in tasks:
            pairs, queries, passages = index_task(task, self.languages)
            self.tasks.append(pairs)
            self.queries.append(queries)
            self.passages.append(passages)
        self._first_query = np.cumsum([0, *(len(texts) for texts in self.queries)])
        self._first_passage = np.cumsum([0, *(len(texts) for texts in self.passages)])
        if self._first_passage[-1] >= 1 << _PASSAGE_BITS or self._first_query[-1] >= 1 << (63 - _PASSAGE_BITS):
            raise TrainingError("too many texts to train on: at most 2 billion queries and 4 billion passages")

    def switched_by(self, switch: TextSwitch | None) -> PairTexts:
        """Return the same pairs of the same texts, rewritten by another switch."""
        other = copy(self)
        other.switch = switch
        return other

    def encode(self, task: int, query_rows: Ints, passage_rows: Ints) -> Pairs:
        """Return the numbers of pairs of rows of one task, int64 [n]."""
        queries = query_rows.astype(np.int64) + self._first_query[task]
        passages = passage_rows.astype(np.int64) + self._first_passage[task]
        pairs: Pairs = (queries << _PASSAGE_BITS) | passages
        return pairs

    def decode(self, pairs: Pairs) -> tuple[int, Pairs, Pairs]:
        """Return the task of `pairs` (one batch, so one task) and their query and passage rows in it."""
        queries, passages = pairs >> _PASSAGE_BITS, pairs & ((1 << _PASSAGE_BITS) - 1)
        task = int(np.searchsorted(self._first_query, queries[0], side="right")) - 1
        return task, queries - self._first_query[task], passages - self._first_passage[task]

    def __len__(self) -> int:
        """Number of ids that can be drawn, over all tasks."""
        return sum(task.n_ids for task in self.tasks)

    def __getitem__(self, pair: int) -> dict[str, str]:
        return self.__getitems__([pair])[0]

    def __getitems__(self, batch: Sequence[int]) -> list[dict[str, str]]:
        """Return the texts of one batch; PyTorch's data loader asks for a whole batch at once.

        A row is ``query`` and ``passage`` of a pair; the rows after the pairs are a hard ``negative`` each.
        """
        task, query_rows, passage_rows = self.decode(np.asarray(batch, dtype=np.int64))
        queries = self.queries[task].gather(query_rows).to_list()
        passages = self.passages[task].gather(passage_rows).to_list()
        negatives: list[str] = []
        if isinstance(batch, Batch):
            queries = self._switched(queries, batch.query_language, batch, 0, batch.first)
            passages = self._switched(passages, batch.passage_language, batch, 1, batch.first)
            if of_task := self.tasks[task].negatives:
                negatives = self.passages[task].gather(batch.negatives).to_list()
                languages = of_task.language_of(batch.negatives)
                negatives = self._switched(negatives, languages, batch, 2, batch.first_negative)
        pairs = [{"query": query, "passage": passage} for query, passage in zip(queries, passages, strict=True)]
        return pairs + [{"negative": text} for text in negatives]

    def _switched(self, texts: list[str], languages: Ints, batch: Batch, side: int, first: int) -> list[str]:
        """Rewrite the texts of one side of a batch; the place of a text in the whole batch decides what is drawn.

        `first` is the place of the first of `texts` there.
        """
        if self.switch is None:
            return texts
        return [
            self.switch(text, self.languages[code], (batch.epoch, batch.number, side, first + row))
            for row, (text, code) in enumerate(zip(texts, languages.tolist(), strict=True))
        ]

    def texts(self) -> Iterator[tuple[str, pl.Series]]:
        """Yield (language, texts), each distinct text of a task once: what may be trained on, hard negatives too."""
        for task, queries, passages in zip(self.tasks, self.queries, self.passages, strict=True):
            of_queries = np.concatenate(list(task.queries.codes()))
            of_passages = task.passage_languages(len(passages))
            for code, language in enumerate(task.languages):
                both = pl.concat(
                    [
                        queries.filter(pl.Series(of_queries == code)),
                        passages.filter(pl.Series(of_passages == code)),
                    ]
                )
                if len(both):
                    yield language, both.unique(maintain_order=True)
