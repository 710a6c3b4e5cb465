"""Training pairs of tasks: every (id, query language, passage language) that exists, addressed without being listed.

A pair is one 64-bit number, (query row << 32) | passage row, which `PairTexts` turns into two texts. What can be drawn
from a task is described by arrays whose size grows with its texts, never with its language pairs, so that 40 million
ids in 9 languages fit into memory beside their texts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from xlbias.data import components
from xlbias.data.task import RetrievalTask
from xlbias.errors import TrainingError
from xlbias.train.batch import Batch, Ints, Pairs

_PASSAGE_BITS = 32
_CHUNK = 1 << 16  # ids looked at together: bounds the memory of a pass over all ids


@dataclass(frozen=True, eq=False)
class TaskPairs:
    """What can be drawn from one task, as arrays over ids 0..n-1 (compressed sparse rows).

    Attributes:
        name: the task's name.
        languages: BCP 47 tags; a language code is an index into them.
        query_offsets: int [n_ids + 1]; id i has the query rows ``query_offsets[i]:query_offsets[i + 1]``.
        query_language: language code of each query row, ascending within an id.
        run_offsets: int [n_ids + 1]; id i has the runs ``run_offsets[i]:run_offsets[i + 1]``, one for each language
            in which it has relevant passages.
        run_language: language code of each run, ascending within an id.
        relevant_offsets: int [n_runs + 1], where a run's relevant passages stand in `relevant_passage`.
        relevant_passage: passage row of each relevant passage.
        group: int [n_ids]. Two ids of one group must not meet in a batch: a passage of one answers the other.
    """

    name: str
    languages: tuple[str, ...]
    query_offsets: Ints
    query_language: Ints
    run_offsets: Ints
    run_language: Ints
    relevant_offsets: Ints
    relevant_passage: Ints
    group: Ints

    @property
    def n_ids(self) -> int:
        """Number of query ids that have a relevant passage."""
        return len(self.query_offsets) - 1

    @cached_property
    def n_groups(self) -> int:
        """Number of groups: the most ids that one batch could hold."""
        return int(self.group.max()) + 1

    def count_groups(self, ids: Ints) -> int:
        """Number of groups that `ids` belong to."""
        seen = np.zeros(self.n_groups, dtype=bool)
        seen[self.group[ids]] = True
        return int(seen.sum())

    def languages_of_ids(self) -> Iterator[tuple[int, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]]:
        """Yield (first id, has query, has passage) for chunks of ids; both bool [chunk, n_languages]."""
        for start in range(0, self.n_ids, _CHUNK):
            stop = min(start + _CHUNK, self.n_ids)
            yield (
                start,
                self._presence(start, stop, self.query_offsets, self.query_language),
                self._presence(start, stop, self.run_offsets, self.run_language),
            )

    def _presence(self, start: int, stop: int, offsets: Ints, codes: Ints) -> npt.NDArray[np.bool_]:
        present = np.zeros((stop - start, len(self.languages)), dtype=bool)
        rows = np.repeat(np.arange(stop - start), np.diff(offsets[start : stop + 1]))
        present[rows, codes[offsets[start] : offsets[stop]]] = True
        return present

    def query_rows(self, ids: Ints, codes: Ints) -> Ints:
        """Query row of each (id, language code); every one of them must exist."""
        return _find(self.query_offsets, self.query_language, ids, codes)

    def draw_passages(self, ids: Ints, codes: Ints, rng: np.random.Generator) -> Ints:
        """Draw one relevant passage row for each (id, language code), uniformly over those of that language."""
        runs = _find(self.run_offsets, self.run_language, ids, codes)
        first = self.relevant_offsets[runs]
        counts = self.relevant_offsets[runs + 1] - first
        rows: Ints = self.relevant_passage[first + rng.integers(counts)]
        return rows

    def draw_language_pairs(self, ids: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
        """Draw query and passage language of each id, uniformly over its pairs of two different languages.

        Every id must have such a pair. Draws that give the same language twice are repeated; at least every second
        draw succeeds, as an id with only same-language pairs is not among `ids`.
        """
        query, passage = (np.empty(len(ids), dtype=np.int64) for _ in range(2))
        waiting = np.arange(len(ids))
        while len(waiting):
            of = ids[waiting]
            for codes, offsets, languages in (
                (query, self.query_offsets, self.query_language),
                (passage, self.run_offsets, self.run_language),
            ):
                first = offsets[of]
                codes[waiting] = languages[first + rng.integers(offsets[of + 1] - first)]
            waiting = waiting[query[waiting] == passage[waiting]]
        return query, passage


def _find(offsets: Ints, values: Ints, ids: Ints, wanted: Ints) -> Ints:
    """Position of ``wanted[i]`` among the values of ``ids[i]``; it must stand there exactly once."""
    first = offsets[ids]
    counts = offsets[ids + 1] - first
    positions = np.repeat(first - np.concatenate(([0], np.cumsum(counts)[:-1])), counts) + np.arange(counts.sum())
    found: Ints = positions[values[positions] == np.repeat(wanted, counts)]
    return found


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
            raise TrainingError("there is no task to train on")
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
        if self.switch and isinstance(batch, Batch):
            queries = self._switched(queries, batch.query_language, batch, 0)
            passages = self._switched(passages, batch.passage_language, batch, 1)
        return [{"query": query, "passage": passage} for query, passage in zip(queries, passages, strict=True)]

    def _switched(self, texts: list[str], languages: Ints, batch: Batch, side: int) -> list[str]:
        """Rewrite the texts of one side of a batch; the place of a text in the whole batch decides what is drawn."""
        assert self.switch is not None
        return [
            self.switch(text, self.languages[code], (batch.epoch, batch.number, side, batch.first + row))
            for row, (text, code) in enumerate(zip(texts, languages.tolist(), strict=True))
        ]

    def texts(self) -> Iterator[tuple[str, pl.Series]]:
        """Yield (language, texts), each distinct text of a task's queries and passages once: what may be trained on."""
        for task, queries, passages in zip(self.tasks, self.queries, self.passages, strict=True):
            languages = np.zeros(len(passages), dtype=np.int64)
            languages[task.relevant_passage] = np.repeat(task.run_language, np.diff(task.relevant_offsets))
            for code, language in enumerate(task.languages):
                both = pl.concat(
                    [
                        queries.filter(pl.Series(task.query_language == code)),
                        passages.filter(pl.Series(languages == code)),
                    ]
                )
                if len(both):
                    yield language, both.unique(maintain_order=True)


def index_task(task: RetrievalTask, languages: Sequence[str]) -> tuple[TaskPairs, pl.Series, pl.Series]:
    """Return the drawable pairs of `task`, its query texts by query row and its passage texts by passage row.

    `languages` holds at least the task's. Rows are in the order of ids, so the same task gives the same rows whatever
    the order of its frames. Queries without a relevant passage and passages that nothing asks for are left out.
    """
    code = pl.col("language").replace_strict(
        dict(zip(languages, range(len(languages)), strict=True)), return_dtype=pl.Int16
    )
    ids = task.qrels.select("query_id").unique().sort("query_id").with_row_index("id")
    queries = task.queries.join(ids, on="query_id").with_columns(code.alias("code")).sort("id", "code")
    passages = task.passages.join(task.qrels, on="passage_id", how="semi").sort("passage_id").with_row_index("passage")
    relevants = (
        task.qrels.join(ids, on="query_id")
        .join(passages.select("passage_id", "passage", "parallel_id", "text", code.alias("code")), on="passage_id")
        .sort("id", "code", "passage")
    )
    runs = relevants.group_by("id", "code", maintain_order=True).len()
    pairs = TaskPairs(
        name=task.name,
        languages=tuple(languages),
        query_offsets=_offsets(queries["id"], ids.height),
        query_language=queries["code"].to_numpy(),
        run_offsets=_offsets(runs["id"], ids.height),
        run_language=runs["code"].to_numpy(),
        relevant_offsets=_compact(np.concatenate(([0], np.cumsum(runs["len"].to_numpy(), dtype=np.int64)))),
        relevant_passage=relevants["passage"].to_numpy(),
        group=_groups(queries, relevants, ids.height),
    )
    return pairs, queries["text"], passages["text"]


def _offsets(ids: pl.Series, n_ids: int) -> Ints:
    """Where each id's rows begin in `ids` (sorted), int [n_ids + 1]."""
    counts = np.bincount(ids.to_numpy(), minlength=n_ids)
    return _compact(np.concatenate(([0], np.cumsum(counts))))


def _compact(offsets: Ints) -> Ints:
    return offsets.astype(np.int32 if offsets[-1] < np.iinfo(np.int32).max else np.int64)


def _groups(queries: pl.DataFrame, relevants: pl.DataFrame, n_ids: int) -> Ints:
    """Group of each id: ids stand in one group if a passage or query text, or a parallel group, of one is the other's.

    Then a passage of one id, in whatever language, answers the other: as a negative it would be a false one. The
    relation is closed transitively, which keeps a group to one number for each id.
    """
    texts = pl.concat([queries.select("id", "text"), relevants.select("id", "text")])
    links = [texts.select("id", key=pl.col("text").rank("dense").cast(pl.Int64))]
    parallel = relevants.filter(pl.col("parallel_id").is_not_null())
    if parallel.height:
        # negative, so that no parallel id is taken for a text
        links.append(parallel.select("id", key=-pl.col("parallel_id").rank("dense").cast(pl.Int64)))
    edges = pl.concat(links).unique()
    edges = edges.filter(pl.len().over("key") > 1).sort("key", "id")
    return connected_components(edges["id"].to_numpy(), edges["key"].to_numpy(), n_ids)


def connected_components(items: Ints, keys: Ints, n_items: int) -> Ints:
    """Number the connected components of items 0..n-1, where two items are connected if they share a key.

    `items` and `keys` belong together and are sorted by key. Returns int32 or int64 [n_items], numbers from 0 without
    gaps.
    """
    starts = np.flatnonzero(np.diff(keys, prepend=keys[:1] - 1))
    first = np.repeat(items[starts], np.diff(np.append(starts, len(keys))))  # of the key: all its items hang on it
    labels = components.connected_components(n_items, items, first)
    return _compact(np.append(np.unique(labels, return_inverse=True)[1], n_items))[:-1]
