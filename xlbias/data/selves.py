"""Queries that are passages of their own pool, as sentences searched for their translations are."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from xlbias.data.task import EXCLUDED_SCHEMA, RetrievalTask
from xlbias.errors import TaskError
from xlbias.folding import canonical_texts

_PASSAGES = 65_536  # put into canonical form at a time


@dataclass(frozen=True)
class Selves:
    """How many queries are passages of their own language's pool, by their text (see `folding.canonical`).

    Attributes:
        n_relevant: queries that are relevant to themselves: an encoder finds each first, whatever it has learnt.
        n_other: queries that are in their pool and not relevant: each stands before what is.
        of: all queries.
        left_out: each is left out of the pools that it is searched in (``[self=ignore]``).
    """

    n_relevant: int
    n_other: int
    of: int
    left_out: bool


def selves(task: RetrievalTask) -> Selves:
    """Count the queries of a task that are passages of their own pool."""
    found = _found(task)
    key = ["query_id", "language"]
    n_all = found.select(key).n_unique()
    n_relevant = found.join(task.qrels, on=["query_id", "passage_id"], how="semi").select(key).n_unique()
    return Selves(n_relevant, n_all - n_relevant, task.queries.height, not task.excluded.is_empty())


def without_selves(task: RetrievalTask) -> RetrievalTask:
    """Return the task with every query left out of the pools that it is searched in, where it is a passage of one.

    It is no passage to the query itself any more, neither relevant nor a rival, and stays one to all others. Raises
    TaskError where nothing would be relevant then.
    """
    changed = task.changed(excluded=_found(task))
    if not changed.n_pairs:
        raise TaskError(
            f"{task.name}: with self=ignore nothing would be relevant: each query is its only relevant passage"
        )
    return changed


def _found(task: RetrievalTask) -> pl.DataFrame:
    """Return ``query_id, language, passage_id`` of queries and passages of one language with one text."""
    same = canonical_texts(pl.col("text"))
    queries = task.queries.select("query_id", "language", text=same)
    asked = queries.with_row_index("row")
    found = [
        asked.join(some.select("passage_id", "language", text=same), on=["language", "text"], maintain_order="left")
        for some in task.passages.iter_slices(_PASSAGES)
    ]
    return pl.concat(found).sort("row", maintain_order=True).select(list(EXCLUDED_SCHEMA))
