"""Who is reported on: the encoders that have been ranked on a task, each with its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from xlbias.report.cells import Numbers, Row
from xlbias.report.phrases import name_of
from xlbias.report.tables import overview
from xlbias.runs.run import Run
from xlbias.runs.values import Key
from xlbias.text import one_line

LONGEST_NAME = 200


@dataclass(frozen=True)
class Subject:
    """One encoder on one task: its row of the overview, its name as shown, and its numbers."""

    row: Mapping[str, Any]
    name: str
    numbers: Mapping[Key, Row]


def subjects(run: Run) -> dict[str, list[Subject]]:
    """Return by task the encoders that have been ranked on it, in the order of the run; no task without any."""
    numbers = Numbers(run.summary)
    found: dict[str, list[Subject]] = {}
    for row in overview(run).iter_rows(named=True):
        if row["n_rankings"]:
            one = Subject(row, one_line(name_of(row), LONGEST_NAME), numbers.of(row["model"], row["task"]))
            found.setdefault(row["task"], []).append(one)
    return found
