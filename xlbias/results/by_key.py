"""The numbers of a run, looked up by what they are: measure, setting and languages."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple

import polars as pl

from xlbias.results.per_query import Key

_FIELDS = ("value", "low", "high", "n", "n_ids", "n_excluded")


class Row(NamedTuple):
    """What the summary says of one number; None where undefined."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    n_ids: int
    n_excluded: int


class Numbers:
    """The numbers of a run by model and task; each pair's are read when they are first asked for."""

    def __init__(self, summary: pl.DataFrame) -> None:
        """Take the summary of a run, see `xlbias.results.summary`."""
        self._summary = summary
        self._read: dict[tuple[str, str], dict[Key, Row]] = {}

    def of(self, model: str, task: str) -> Mapping[Key, Row]:
        """Return the numbers of a model on a task; empty where it has not been ranked."""
        if (model, task) not in self._read:
            part = self._parts.get((model, task))
            rows = () if part is None else part.select(*Key._fields, *_FIELDS).iter_rows()
            count = len(Key._fields)
            self._read[model, task] = {Key(*row[:count]): Row(*row[count:]) for row in rows}
        return self._read[model, task]

    @cached_property
    def _parts(self) -> dict[tuple[object, ...], pl.DataFrame]:
        return self._summary.partition_by(["model", "task"], as_dict=True)
