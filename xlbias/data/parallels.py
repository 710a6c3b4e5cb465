"""What of a task is parallel: which of its ids hold translations, on what evidence, and the task without any."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import polars as pl

from xlbias.data.task import RetrievalTask
from xlbias.errors import TaskError

_COUNTER = re.compile(r"(\D*)(\d{1,18})")
_SPARSE = 10
"""Ids are a counter if they begin at 0 or 1 and use at least one number in as many: some may have been left out."""


@dataclass(frozen=True)
class Parallels:
    """What a task takes for translations of one another.

    Attributes:
        by: what they have in common (``question id``); None where the task takes nothing for parallel.
        n_ids: query ids of the task.
        n_shared: those of them with texts, queries or relevant passages, in two or more languages.
        counters: the ids stand in a file for each language, agree between languages, and count from 0 or 1 in each of
            them: files that have nothing to do with one another would agree just as well.
    """

    by: str | None
    n_ids: int
    n_shared: int
    counters: bool


def parallels(task: RetrievalTask) -> Parallels:
    """Return what the task takes for parallel."""
    of_passages = task.qrels.join(task.passages.select("passage_id", "language"), on="passage_id")
    languages = pl.concat([task.queries.select("query_id", "language"), of_passages.select("query_id", "language")])
    counts = languages.unique().group_by("query_id").len()
    n_shared = counts.filter(pl.col("len") > 1).height
    return Parallels(
        by=task.notes.parallel_by or None,
        n_ids=task.queries["query_id"].n_unique(),
        n_shared=n_shared,
        counters=bool(n_shared) and task.notes.files_count and _all_count(task.queries),
    )


def without_parallels(task: RetrievalTask) -> RetrievalTask:
    """Return the task with nothing parallel: each language has ids and documents of its own.

    A query becomes ``LANGUAGE/ID``, and relevant to it are passages of its own language only. Raises TaskError where
    no query has one.
    """
    own = pl.concat_str("language", pl.lit("/"), "query_id")
    document = pl.concat_str("language", pl.lit("/"), "document")
    language_of = task.passages.select("passage_id", "language")

    def apart(pairs: pl.DataFrame) -> pl.DataFrame:
        """Keep a pair for the query in the passage's language."""
        known = pairs.join(language_of, on="passage_id", how="left", maintain_order="left")
        asked = known.join(task.queries, on=["query_id", "language"], how="semi", maintain_order="left")
        return asked.with_columns(query_id=own).select(pairs.columns)

    qrels = apart(task.qrels)
    if qrels.is_empty():
        raise TaskError(
            f"{task.name}: with parallel=no nothing would be relevant: no query has a relevant passage in its own "
            "language"
        )
    more = task.more_documents.join(language_of, on="passage_id", maintain_order="left")
    return task.changed(
        queries=task.queries.with_columns(query_id=own),
        passages=task.passages.with_columns(document=document, parallel_id=pl.lit(None, dtype=pl.String)),
        qrels=qrels,
        negatives=apart(task.negatives),
        more_documents=more.with_columns(document=document).select(task.more_documents.columns),
        excluded=task.excluded.with_columns(query_id=own),
        notes=replace(task.notes, parallel_by="", files_count=False),
    )


def _all_count(queries: pl.DataFrame) -> bool:
    """Tell whether the ids of each language are a counter, with one prefix before all of them or none."""
    prefixes: set[str] = set()
    for (_language,), group in queries.group_by("language"):
        numbers: list[int] = []
        for query_id in group["query_id"]:
            match = _COUNTER.fullmatch(query_id)
            if match is None:
                return False
            prefixes.add(match.group(1))
            numbers.append(int(match.group(2)))
        if len(prefixes) > 1 or min(numbers) > 1 or max(numbers) > _SPARSE * len(numbers):
            return False
    return True
