"""A run and its tables as they were at one moment, or why there are none.

Polars and the run are imported when a snapshot is taken, so that they load while the terminal interface does.
"""

from __future__ import annotations

import time
from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

    from xlbias.results.caveats import Caveat
    from xlbias.results.matrix import Matrix
    from xlbias.results.run import Run
    from xlbias.runs.run_file import RunState

Chosen = tuple[str, str]
"""Encoder and task."""

Cell = tuple[str, str, str, str]
"""Encoder, task, query language and pool."""

MANY_CELLS = 500
"""Of a run, from which on what is made of its numbers takes its time."""

QueryKey = tuple[str, str, str]
"""Query id, query language and pool."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A run and its tables as they were at one moment.

    Attributes:
        run: the run; its numbers have been computed, so asking for them is quick.
        state: where it stands; newer than `run.state` where nothing but the progress has changed.
        overview: see `xlbias.results.overview.overview`.
        notes: what a reader must know of its coverage.
        doubts: its caveats, those that mark numbers.
        cells: the cells that are evaluated.
        read_at: Unix time.
        trained: whether the run holds a training.
        cache: what screens have made of the run, by keys of their own; a new snapshot of the same content keeps it.
    """

    run: Run
    state: RunState
    overview: pl.DataFrame
    notes: tuple[str, ...]
    cells: frozenset[Cell]
    read_at: float
    trained: bool = False
    doubts: tuple[Caveat, ...] = ()
    cache: dict[Hashable, Any] = field(default_factory=dict, repr=False)

    @property
    def finished(self) -> bool:
        """Whether the run is complete."""
        return self.state.status == "finished"

    @property
    def trained_only(self) -> bool:
        """Whether the run holds a training and nothing else."""
        return self.trained and not self.run.tasks

    @property
    def is_empty(self) -> bool:
        """Whether an unfinished run has no result yet: no ranking, no step, no validation."""
        results = any(file.name.startswith(("ranking-", "training-", "validation-")) for file in self.run.files)
        return not (self.finished or self.cells or results)

    def newest_since(self, before: Snapshot) -> Cell | None:
        """The cell that was finished last since `before`, in the order in which an evaluation goes through them."""
        models, tasks = ([entry.name for entry in entries] for entries in (self.run.models, self.run.tasks))
        new = self.cells - before.cells
        return max(new, key=lambda cell: (models.index(cell[0]), tasks.index(cell[1]), cell[2:]), default=None)

    def doubts_of(self, model: str, task: str) -> tuple[Caveat, ...]:
        """The caveats of an encoder on a task."""
        return tuple(one for one in self.doubts if one.concerns(model, task))

    def matrix(self, measure: str, model: str, task: str) -> Matrix:
        """One measure as a matrix, made when first asked for."""
        key = ("matrix", measure, model, task)
        if key not in self.cache:
            from xlbias.results.matrix import matrix

            self.cache[key] = matrix(self.run, measure, model, task)
        found: Matrix = self.cache[key]
        return found


@dataclass(frozen=True)
class Waiting:
    """There is no run yet; `others` are Parquet files in its folder, None where there is no such folder."""

    path: Path
    others: tuple[str, ...] | None


@dataclass(frozen=True)
class Broken:
    """Something is there that cannot be read; `sentence` says why."""

    path: Path
    sentence: str


Event = Snapshot | Waiting | Broken


def take_snapshot(path: Path, previous: Snapshot | None = None) -> Snapshot:
    """Open the run at `path` and compute its tables, or take those of `previous` where only the progress is new.

    Raises RunError as `xlbias.results.run.open_run` does.
    """
    from xlbias.report.documents.wording import coverage_notes
    from xlbias.results.caveats import caveats
    from xlbias.results.overview import overview
    from xlbias.results.run import open_run

    run = open_run(path)
    if previous is not None and _same_content(previous.run, run):
        old = previous
        return replace(old, state=run.state, read_at=time.time())
    evaluated = run.cells.select("model", "task", "query_language", "pool").rows()
    # A run without tasks is that of a training, from before its first step on.
    trained = (not run.tasks and bool(run.models)) or not run.training.select("step").head(1).collect().is_empty()
    notes = tuple(coverage_notes(run))
    doubts = tuple(one for one in caveats(run) if one.marks)
    return Snapshot(run, run.state, overview(run), notes, frozenset(evaluated), time.time(), trained, doubts)


def _same_content(old: Run, new: Run) -> bool:
    """Whether both have the same parts; a part never changes once it is there."""
    unfinished = old.state.status != "finished" and new.state.status != "finished"
    return unfinished and old.files == new.files and old.metadata == new.metadata
