"""From lists to the `ranking` rows of a run: ranks where they are known, and how far they are.

Restricting a ranking to the passages of one language keeps their order. So a list of the multilingual pool says of each
language's pool as much as it holds passages of it: the m passages of a language in it are the first m of that pool.

Where a list is as long as lists can be, it was cut, and what it lacks stands anywhere below. Where it is shorter, the
system found nothing more. What it did not find counts as below the first `LAST_CUT_OFF` in any pool that has so many,
so that measures with a cut-off are those of trec_eval, and anywhere below these.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from xlbias.data.task import RetrievalTask
from xlbias.measures.quality.average_precision import average_precision
from xlbias.measures.ragged import Bools, Floats, Ints, Rankings
from xlbias.runs.parts import list_column
from xlbias.runs.schema import MULTILINGUAL_POOL, RELEVANT, TOP, setting_of
from xlbias.systems.lists import Lists, truncated

LAST_CUT_OFF = 100
"""The deepest cut-off of a measure."""


@dataclass(frozen=True, eq=False)
class PoolLists:
    """Lists of one pool each.

    Attributes:
        pool: name of the pool.
        queries: int64 [n_queries], rows of the task's queries, ascending: those that have been searched there.
        query: int64 [n], the query of each entry, ascending, then by place.
        passage: int64 [n], rows of the task's passages.
        score: float32 [n].
        length: int64 [n_all_queries], entries of each query of the task.
        cut: bool [n_all_queries], whether the ranking goes on where the list ends.
    """

    pool: str
    queries: Ints
    query: Ints
    passage: Ints
    score: Any
    length: Ints
    cut: Bools

    def only(self, queries: Ints) -> PoolLists:
        """Return the lists of some of the queries, ascending."""
        there = np.isin(self.query, queries)
        length = np.where(np.isin(np.arange(len(self.length)), queries), self.length, 0)
        return PoolLists(
            self.pool, queries, self.query[there], self.passage[there], self.score[there], length, self.cut
        )


def pool_lists(lists: Lists, task: RetrievalTask) -> list[PoolLists]:
    """Return the lists of every pool that a file says something of: its own, or each language's and the whole."""
    languages = task.queries["language"].to_numpy()
    queries = np.flatnonzero(np.isin(languages, lists.languages))
    own = lists.source.pool or MULTILINGUAL_POOL
    found = [_of_pool(own, lists, queries, np.ones(len(lists.query), dtype=np.bool_))]
    if lists.source.pool is None:
        of_passage = task.passages["language"].to_numpy()[lists.passage]
        parts = [_of_pool(pool, lists, queries, of_passage == pool) for pool in task.passage_languages]
        found = [*parts, *found]
    return found


def _of_pool(pool: str, lists: Lists, queries: Ints, which: Bools) -> PoolLists:
    query = lists.query[which]
    length = np.bincount(query, minlength=len(lists.lengths)).astype(np.int64)
    return PoolLists(pool, queries, query, lists.passage[which], lists.score[which], length, truncated(lists))


def ranking_rows(lists: PoolLists, task: RetrievalTask, top_k: int) -> pl.DataFrame:
    """Return the `ranking` rows of one pool: a row for each of its queries, in their order."""
    pairs = _relevant_pairs(task, lists)
    rows = lists.queries
    row_of = np.full(task.queries.height, -1, dtype=np.int64)
    row_of[rows] = np.arange(len(rows))
    place, at = _places(lists), _entry_of(lists, pairs, task.passages.height)
    there = at >= 0
    tied_before, tied_after = _ties(lists, place)
    row = row_of[pairs["q"].to_numpy()]
    relevance = pairs["relevance"].cast(pl.Int64).to_numpy()
    rank = np.where(there, place[at], 0)
    lengths = np.bincount(row, minlength=len(rows)).astype(np.int64)
    missing = np.bincount(row[~there], minlength=len(rows)).astype(np.int64)
    size = _sizes(task, lists)[rows]
    length, cut = lists.length[rows], lists.cut[rows]
    below = np.minimum(np.maximum(length, LAST_CUT_OFF), size - missing)
    known = np.where(cut, length, below)
    order = np.lexsort((relevance * ~there, rank, ~there, row))
    row, relevance, rank, at = (one[order] for one in (row, relevance, rank, at))
    there = at >= 0
    position = np.arange(len(row)) - (np.cumsum(lengths) - lengths)[row] + 1
    worst = size[row] - lengths[row] + position
    rank = np.where(there, rank, worst)
    exact = (missing == 0) | (known + missing >= size)
    rankings = Rankings(rank, relevance, lengths)
    ap = np.where(exact, average_precision(rankings), np.nan)
    first, last = _ends(rankings, missing, lengths)
    passage = pairs["p"].to_numpy()[order]
    relevants = task.passages.select("passage_id", "language", "parallel_id")[passage].with_columns(
        pl.Series("relevance", relevance, dtype=pl.Int32),
        pl.Series("rank", rank, dtype=pl.UInt32),
        _where("score", lists.score, at, there, pl.Float32),
        _where("tied_before", tied_before, at, there & (tied_before[at] >= 0), pl.UInt32),
        _where("tied_after", tied_after, at, there & (tied_before[at] >= 0), pl.UInt32),
    )
    queries = task.queries.select("query_id", query_language="language")[rows]
    settings = {ql: setting_of(ql, lists.pool) for ql in task.query_languages}
    whole = (known >= size) & (missing == 0)
    return queries.with_columns(
        pl.lit(lists.pool).alias("pool"),
        pl.Series("setting", [settings[ql] for ql in queries["query_language"]], dtype=pl.String),
        pl.Series("n_relevant", lengths, dtype=pl.UInt32),
        pl.Series("ap", ap, nan_to_null=True),
        pl.Series("first_rank", first).replace(0, None).cast(pl.UInt32),
        pl.Series("last_rank", last).replace(0, None).cast(pl.UInt32),
        list_column("relevants", relevants.select(field.name for field in RELEVANT.fields), lengths),
        _tops(lists, place, task, row_of, top_k),
        pl.Series("known_to", np.where(whole, -1, known)).replace(-1, None).cast(pl.UInt32),
    )


def _relevant_pairs(task: RetrievalTask, lists: PoolLists) -> pl.DataFrame:
    """Return ``q, p, relevance``: rows of queries searched in the pool, and of what is relevant to them there."""
    passages = task.passages.select("passage_id", pl.col("language").alias("pool")).with_row_index("p")
    if lists.pool != MULTILINGUAL_POOL:
        passages = passages.filter(pl.col("pool") == lists.pool)
    queries = task.queries.select("query_id", "language").with_row_index("q")[lists.queries]
    pairs = queries.join(task.qrels, on="query_id").join(passages, on="passage_id")
    pairs = pairs.join(task.excluded, on=["query_id", "language", "passage_id"], how="anti")
    return pairs.select(pl.col("q", "p").cast(pl.Int64), "relevance").sort("q", "p")


def _sizes(task: RetrievalTask, lists: PoolLists) -> Ints:
    """Return how many passages of the pool each query of the task is searched in, int64 [n_queries]."""
    pool_sizes = task.pool_sizes
    whole = lists.pool == MULTILINGUAL_POOL
    size = np.full(task.queries.height, sum(pool_sizes.values()) if whole else pool_sizes[lists.pool], dtype=np.int64)
    if not task.excluded.is_empty():
        out = task.excluded.join(task.passages.select("passage_id", pool="language"), on="passage_id")
        out = out if whole else out.filter(pl.col("pool") == lists.pool)
        counts = out.group_by("query_id", "language").len("n")
        found = task.queries.join(counts, on=["query_id", "language"], how="left", maintain_order="left")
        size = size - found["n"].fill_null(0).cast(pl.Int64).to_numpy()
    return size


def _places(lists: PoolLists) -> Ints:
    """Return the place of each entry in its list, int64 [n], from 1; one more entry at the end, for none."""
    starts = np.cumsum(lists.length) - lists.length
    return np.append(np.arange(len(lists.query)) - starts[lists.query] + 1, 0)


def _entry_of(lists: PoolLists, pairs: pl.DataFrame, n_passages: int) -> Ints:
    """Return the entry of each pair of query and passage, int64 [n_pairs], -1 where it is in no list."""
    keys = lists.query * n_passages + lists.passage
    order = np.argsort(keys, kind="stable")
    wanted = pairs["q"].to_numpy() * n_passages + pairs["p"].to_numpy()
    at = np.searchsorted(keys[order], wanted)
    if not len(keys):
        return np.full(len(wanted), -1, dtype=np.int64)
    inside = np.minimum(at, len(keys) - 1)
    found = order[inside]
    return np.where(keys[found] == wanted, found, -1)


def _ties(lists: PoolLists, place: Ints) -> tuple[Ints, Ints]:
    """Return how many entries before and after each score the same, int64 [n + 1]; -1 where that is not known.

    It is not of the last score of a list that was cut: what follows may score the same.
    """
    n = len(lists.query)
    begins = np.ones(n, dtype=np.bool_)
    begins[1:] = (np.diff(lists.query) != 0) | (np.diff(lists.score) != 0)
    block = np.cumsum(begins) - 1
    start = np.flatnonzero(begins)
    size = np.diff(np.append(start, n))
    before = np.arange(n) - start[block]
    after = size[block] - before - 1
    ends = place[:-1] + after == lists.length[lists.query]
    unknown = ends & lists.cut[lists.query]
    return np.append(np.where(unknown, -1, before), -1), np.append(np.where(unknown, -1, after), -1)


def _ends(rankings: Rankings, missing: Ints, lengths: Ints) -> tuple[Ints, Ints]:
    """Return the first and the last rank of each ranking, int64 [n], 0 where that is not known."""
    first, last = np.zeros(len(lengths), np.int64), np.zeros(len(lengths), np.int64)
    some, all_there = missing < lengths, (missing == 0) & (lengths > 0)
    first[some] = rankings.ranks[rankings.starts[some]]
    last[all_there] = rankings.ranks[(rankings.starts + lengths - 1)[all_there]]
    return first, last


def _where(name: str, values: Ints | Floats, at: Ints, there: Bools, dtype: Any) -> pl.Series:
    column = np.append(values, 0) if len(values) == 0 else values
    found = pl.Series(name, np.where(there, column[np.where(there, at, 0)], 0)).cast(dtype)
    return found.set(pl.Series(~there), None)


def _tops(lists: PoolLists, place: Ints, task: RetrievalTask, row_of: Ints, top_k: int) -> pl.Series:
    first = place[:-1] <= top_k
    values = task.passages.select("passage_id", "language")[lists.passage[first]].with_columns(
        pl.Series("score", lists.score[first], dtype=pl.Float32)
    )
    n_rows = int((row_of >= 0).sum())
    lengths = np.bincount(row_of[lists.query[first]], minlength=n_rows).astype(np.int64)
    if not n_rows:
        return pl.Series("top", [], dtype=pl.List(TOP))
    return list_column("top", values, lengths)
