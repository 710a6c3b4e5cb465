"""A run, opened: what is stored of it, its numbers, and what is asked most often."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import polars as pl

from xlbias.choices import listed, suggestion
from xlbias.errors import RunError
from xlbias.results import wide
from xlbias.results.compare import Side, compare
from xlbias.results.matching import matched
from xlbias.results.run_numbers import RunNumbers
from xlbias.runs.run_file import open_run_file
from xlbias.runs.schema import MULTILINGUAL_POOL


class Run(RunNumbers):
    """A run, as it was when it was opened; open it again to see what has come since.

    Its attributes and records are those of `xlbias.runs.run_file.RunFile`, its numbers those of
    `xlbias.results.run_numbers.RunNumbers`.
    """

    def matrix(self, measure: str = "map", *, model: str | None = None, task: str | None = None) -> pl.DataFrame:
        """One measure as a matrix: a row per query language, a column per pool, the multilingual pool last.

        `model` and `task` may be left out where the run has one only. Raises RunError for a measure, model or task
        that is not there.
        """
        if measure not in wide.MEASURES:
            close = suggestion(measure, wide.MEASURES)
            raise RunError(f"unknown measure {measure!r}{close}; choose from {', '.join(wide.MEASURES)}")
        chosen = self.cells.filter(
            (pl.col("model") == self.only("model", model)) & (pl.col("task") == self.only("task", task))
        )
        if chosen.is_empty():
            return pl.DataFrame(schema={"query_language": pl.String})
        table = chosen.pivot("pool", index="query_language", values=measure, sort_columns=True)
        pools = [c for c in table.columns if c not in ("query_language", MULTILINGUAL_POOL)]
        last = [MULTILINGUAL_POOL] if MULTILINGUAL_POOL in table.columns else []
        return table.select("query_language", *pools, *last).sort("query_language")

    def compare(
        self, other: Run, *, base: str | None = None, new: str | None = None, task: str | None = None
    ) -> pl.DataFrame:
        """Return the paired differences ``other − self``; columns as `xlbias.results.compare.COMPARISON_SCHEMA`.

        `base` is a model of this run, `new` one of `other`; they may be left out where there is one only, as may
        `task`, a task of this run that `other` must have, under whatever name. Raises RunError where one is not there,
        or where the tasks are not the same: then it says what differs.
        """
        name, found = self.only("task", task), matched(other, self)
        if name in found.differing:
            raise RunError(found.why_not(name))
        sides = Side(self, (self.only("model", base),)), Side(found.run, (other.only("model", new),))
        return compare(*sides, name)

    def only(self, kind: Literal["model", "task"], name: str | None) -> str:
        """Return `name` if it is one of the run's, or its only one for None. Raises RunError naming all otherwise."""
        names = [entry.name for entry in (self.models if kind == "model" else self.tasks)]
        if name is None and len(names) == 1:
            return names[0]
        if name is None or name not in names:
            what = "encoder" if kind == "model" else kind
            asked = f"no {what} {name!r}{suggestion(name, names)}" if name is not None else f"several {what}s: name one"
            raise RunError(f"{self.path}: {asked}; choose from {listed(names)}")
        return name


def open_run(path: str | Path, *, live: bool = True) -> Run:
    """Open the run at `path`: a finished run file, or one in progress (its final path, or its ``.live`` folder).

    With `live` off, only a finished run file is opened, whatever is being written beside it. Raises RunError if there
    is none, or if it is truncated, of a newer schema, or no run at all.
    """
    return open_run_file(path, Run, live=live)
