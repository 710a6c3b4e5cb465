"""Texts of passages that a run keeps: all of them, or those that a ranking of it names."""

from __future__ import annotations

from typing import Literal, get_args

import polars as pl

from xlbias.data.task import RetrievalTask
from xlbias.errors import UsageError
from xlbias.runs.journal import Journal
from xlbias.runs.parts import with_columns

Texts = Literal["all", "found"]

MOST_PASSAGES = 100_000
"""Passages of a task up to which the texts of all are kept, where it is not said."""


def chosen_texts(wanted: str | None, task: RetrievalTask) -> Texts:
    """Return which texts of a task's passages are kept. Raises UsageError where `wanted` is none of them."""
    for known in get_args(Texts):
        if wanted == known:
            return known  # type: ignore[no-any-return]
    if wanted is not None:
        raise UsageError(f"texts is {wanted!r}; expected {' or '.join(get_args(Texts))}")
    return "all" if task.passages.height <= MOST_PASSAGES else "found"


class FoundTexts:
    """Writes the texts of passages that are relevant to a query or stand in a top k, each once.

    Args:
        journal: where they are written.
        t: the task's position.
        task: the task.
    """

    def __init__(self, journal: Journal, t: int, task: RetrievalTask) -> None:
        self._journal, self._t, self._task = journal, t, task
        self._parts = 0
        self._written = pl.DataFrame(schema={"passage_id": pl.String})
        while journal.has("passage", self._key):
            self._written = pl.concat([self._written, journal.read("passage", self._key, ["passage_id"])])
            self._parts += 1

    @property
    def _key(self) -> str:
        return f"{self._t:03d}-{self._parts:05d}"

    def add(self, rankings: pl.DataFrame) -> None:
        """Write what `ranking` rows name and is not there yet."""
        named = [
            rankings.lazy().select(pl.col(name).explode().struct.field("passage_id")).drop_nulls()
            for name in ("relevants", "top")
        ]
        new = pl.concat(named).unique().collect().join(self._written, on="passage_id", how="anti")
        if new.is_empty():
            return
        texts = self._task.passages.join(new, on="passage_id", how="semi").sort("passage_id")
        about = {"task": self._task.name, "domain": self._task.domain}
        self._journal.write("passage", self._key, with_columns(texts, about))
        self._written = pl.concat([self._written, new])
        self._parts += 1
