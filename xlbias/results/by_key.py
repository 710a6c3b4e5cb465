"""The numbers of a run, looked up by what they are: measure, setting and languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import polars as pl

from xlbias.results.cell import Cell
from xlbias.results.per_query import Key

NUMBERS = ("value", "low", "high", "n", "n_ids", "n_excluded", "least", "most")
"""The columns of a summary that a cell takes, by its names."""


def cell_of(numbers: Sequence[Any]) -> Cell:
    """Return what a summary says of a number, its columns NUMBERS, as a cell."""
    return Cell(**dict(zip(NUMBERS, numbers, strict=True)))


class Numbers:
    """The numbers of a run by model and task; each pair's are read when they are first asked for."""

    def __init__(self, summary: pl.DataFrame) -> None:
        """Take the summary of a run, see `xlbias.results.summary`."""
        self._summary = summary
        self._read: dict[tuple[str, str], dict[Key, Cell]] = {}

    def of(self, model: str, task: str) -> Mapping[Key, Cell]:
        """Return the numbers of a model on a task; empty where it has not been ranked."""
        if (model, task) not in self._read:
            part = self._parts.get((model, task))
            rows = () if part is None else part.select(*Key._fields, *NUMBERS).iter_rows()
            count = len(Key._fields)
            self._read[model, task] = {Key(*row[:count]): cell_of(row[count:]) for row in rows}
        return self._read[model, task]

    @cached_property
    def _parts(self) -> dict[tuple[object, ...], pl.DataFrame]:
        return self._summary.partition_by(["model", "task"], as_dict=True)
