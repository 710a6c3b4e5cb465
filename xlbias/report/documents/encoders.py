"""Who is reported on: the encoders that have been ranked on a task, each with its numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from xlbias.measures.measure import Measure
from xlbias.report.documents.caveats import mark_of
from xlbias.report.documents.wording import name_of
from xlbias.report.numbers import NO_NUMBER, Entry, entry
from xlbias.results.caveats import caveats
from xlbias.results.cell import Cell
from xlbias.results.overview import overview
from xlbias.results.per_query import Key
from xlbias.results.run import Run
from xlbias.text import one_line

LONGEST_NAME = 200


@dataclass(frozen=True)
class EncoderOnTask:
    """One encoder on one task.

    Attributes:
        run: the run that it is in.
        row: of the overview.
        name: as shown.
        numbers: its numbers on the task.
        mark: of its caveats.
    """

    run: Run
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


def encoders_by_task(*runs: Run) -> dict[str, list[EncoderOnTask]]:
    """Return by task the encoders that have been ranked on it, in the order of the runs; no task without any.

    Encoders of several runs that have one name are told apart by that of the run.
    """
    found: dict[str, list[EncoderOnTask]] = {}
    for run in runs:
        numbers, doubts = run.numbers, caveats(run)
        for row in overview(run).iter_rows(named=True):
            if row["n_rankings"]:
                model, task = row["model"], row["task"]
                name = one_line(name_of(row), LONGEST_NAME)
                one = EncoderOnTask(run, row, name, numbers.of(model, task), mark_of(doubts, model, task))
                found.setdefault(task, []).append(one)
    if len(runs) > 1:
        found = {task: _told_apart(some) for task, some in found.items()}
    return found


def by_run(found: Sequence[EncoderOnTask]) -> list[tuple[Run, list[EncoderOnTask]]]:
    """Return the encoders of each run."""
    runs: dict[int, tuple[Run, list[EncoderOnTask]]] = {}
    for one in found:
        runs.setdefault(id(one.run), (one.run, []))[1].append(one)
    return list(runs.values())


def _told_apart(found: Sequence[EncoderOnTask]) -> list[EncoderOnTask]:
    names = Counter(one.name for one in found)
    return [
        replace(one, name=one_line(f"{one.name} ({one.run.path.stem})", LONGEST_NAME)) if names[one.name] > 1 else one
        for one in found
    ]
