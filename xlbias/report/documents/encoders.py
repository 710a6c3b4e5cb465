"""Who is reported on: the encoders that have been ranked on a task, each with its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from xlbias.measures.measure import Measure
from xlbias.report.documents.caveats import mark_of
from xlbias.report.documents.wording import name_of
from xlbias.report.numbers import NO_NUMBER, Entry, entry
from xlbias.results.by_key import Numbers
from xlbias.results.caveats import caveats
from xlbias.results.cell import Cell
from xlbias.results.overview import overview
from xlbias.results.per_query import Key
from xlbias.results.run import Run
from xlbias.text import one_line

LONGEST_NAME = 200


@dataclass(frozen=True)
class EncoderOnTask:
    """One encoder on one task: its row of the overview, its name as shown, its numbers, and the mark of its caveats."""

    row: Mapping[str, Any]
    name: str
    numbers: Mapping[Key, Cell]
    mark: str = ""

    def entry(self, key: Key, measure: Measure) -> Entry:
        """Return the number under `key` as an entry."""
        return entry(self.numbers.get(key, NO_NUMBER), measure)

    @property
    def marked(self) -> str:
        """The name as it stands in a row of numbers: behind the mark of a caveat, where there is one."""
        return f"{self.mark}{self.name}"


def encoders_by_task(run: Run) -> dict[str, list[EncoderOnTask]]:
    """Return by task the encoders that have been ranked on it, in the order of the run; no task without any."""
    numbers, doubts = Numbers(run.summary), caveats(run)
    found: dict[str, list[EncoderOnTask]] = {}
    for row in overview(run).iter_rows(named=True):
        if row["n_rankings"]:
            model, task = row["model"], row["task"]
            name = one_line(name_of(row), LONGEST_NAME)
            one = EncoderOnTask(row, name, numbers.of(model, task), mark_of(doubts, model, task))
            found.setdefault(row["task"], []).append(one)
    return found
