"""Follows a run: a thread watches the files and hands over frozen snapshots; it never touches a widget.

Polars and the run are imported in that thread, so that they load while the terminal interface does.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlbias.errors import RunError

if TYPE_CHECKING:
    import polars as pl

    from xlbias.results.caveats import Caveat
    from xlbias.results.overview import Matrix
    from xlbias.results.run import Progress, Run, RunState

INTERVAL = 0.5
"""Seconds between two looks at the files: at most two repaints a second, and a dead writer is seen at once."""

_SHARE = 3.0  # after a costly read the thread rests this many times as long, so that the work that it watches goes on
_WINDOW = 30.0  # seconds over which a rate is taken
_LONG = 64  # reports over which that of a study is taken

STUDY = "study"
"""What the phase of a study's progress begins with."""

Cell = tuple[str, str, str, str]
"""Model, task, query language and pool."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A run and its tables as they were at one moment.

    Attributes:
        run: the run; its numbers have been computed, so asking for them is quick.
        state: where it stands; newer than `run.state` where nothing but the progress has changed.
        overview: see `xlbias.results.overview.overview`.
        notes: what a reader must know of its coverage.
        doubts: its caveats.
        cells: the cells that are evaluated.
        read_at: Unix time.
        trained: whether the run holds a training.
        kept: what screens have made of the run, by keys of their own; a new snapshot of the same content keeps it.
    """

    run: Run
    state: RunState
    overview: pl.DataFrame
    notes: tuple[str, ...]
    cells: frozenset[Cell]
    read_at: float
    trained: bool = False
    doubts: tuple[Caveat, ...] = ()
    kept: dict[Hashable, Any] = field(default_factory=dict, repr=False)

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
        models, tasks = ([entry["name"] for entry in entries] for entries in (self.run.models, self.run.tasks))
        new = self.cells - before.cells
        return max(new, key=lambda cell: (models.index(cell[0]), tasks.index(cell[1]), cell[2:]), default=None)

    def doubts_of(self, model: str, task: str) -> tuple[Caveat, ...]:
        """The caveats of a model on a task."""
        return tuple(one for one in self.doubts if one.concerns(model, task))

    def matrix(self, measure: str, model: str, task: str) -> Matrix:
        """One measure as a matrix, made when first asked for."""
        key = ("matrix", measure, model, task)
        if key not in self.kept:
            from xlbias.results.overview import matrix

            self.kept[key] = matrix(self.run, measure, model, task)
        found: Matrix = self.kept[key]
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


class Follower:
    """Watches the run at `path` in a thread of its own and hands every new `Event` to the sink.

    Begins before there is a sink, and keeps the newest event for it. The sink is called in the follower's thread.
    What is at `path` in the version `ignored` (see `xlbias.results.run.state_version`) was there before the work that
    is waited for, and is taken for nothing until `heed_all`.
    """

    def __init__(self, path: Path, interval: float = INTERVAL, ignored: tuple[Any, ...] | None = None) -> None:
        self.path = path.with_name(path.name.removesuffix(".live")) if path.name.endswith(".live") else path
        self._interval = interval
        self._lock = threading.Lock()
        self._sink: Callable[[Event], None] | None = None
        self._newest: Event | None = None
        self._wake = threading.Event()
        self._stopped = False
        self._again = False
        self._ignored = ignored
        self._thread = threading.Thread(target=self._follow, name="follow-run", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Stop watching; once this returns the sink is called no more."""
        with self._lock:
            self._stopped = True
        self._wake.set()

    def attach(self, sink: Callable[[Event], None]) -> None:
        """Hand every event from now on to `sink`, and the newest one if there is one already."""
        with self._lock:
            self._sink = sink
            if self._newest is not None:
                sink(self._newest)

    def heed_all(self) -> None:
        """Read the run as it is, also where it is what was there before."""
        self._ignored = None
        self.reload()

    def reload(self) -> None:
        """Read the run anew, whether or not it has changed."""
        self._again = True
        self._wake.set()

    def _follow(self) -> None:
        from xlbias.results.run import state_version

        seen: tuple[Any, ...] | None = None
        while not self._stopped:
            started = time.monotonic()
            self._wake.clear()
            again, self._again = self._again, False
            version = state_version(self.path)
            if again or version != seen:
                old = self._ignored is not None and version == self._ignored
                event = Waiting(self.path, ()) if old else self._read(fresh=again)
                # A run that changes under the reader (its journal becomes a file) is read again, not called broken.
                if isinstance(event, Broken) and state_version(self.path) != version:
                    seen = None
                else:
                    seen = version
                    self._hand_over(event)
            cost = time.monotonic() - started
            self._wake.wait(max(self._interval, _SHARE * cost))

    def _hand_over(self, event: Event) -> None:
        with self._lock:
            if event == self._newest or self._stopped:
                return
            self._newest = event
            if self._sink is not None:
                self._sink(event)

    def _read(self, *, fresh: bool) -> Event:
        import polars as pl

        previous = self._newest if isinstance(self._newest, Snapshot) and not fresh else None
        try:
            return take_snapshot(self.path, previous)
        except RunError as error:
            return Broken(self.path, str(error)) if _is_there(self.path) else Waiting(self.path, _others(self.path))
        except (Exception, pl.exceptions.PanicException) as error:  # whatever a damaged file does to its readers
            reason = str(error).strip().partition("\n")[0]
            return Broken(self.path, f"{self.path}: cannot be read: {reason or type(error).__name__}")


def take_snapshot(path: Path, previous: Snapshot | None = None) -> Snapshot:
    """Open the run at `path` and compute its tables, or take those of `previous` where only the progress is new.

    Raises RunError as `xlbias.results.run.open_run` does.
    """
    from xlbias.results.caveats import caveats
    from xlbias.results.overview import coverage_notes, overview
    from xlbias.results.run import open_run

    run = open_run(path)
    if previous is not None and _same_content(previous.run, run):
        old = previous
        return replace(old, state=run.state, read_at=time.time())
    evaluated = run.cells.select("model", "task", "query_language", "pool").rows()
    # A run without tasks is that of a training, from before its first step on.
    trained = (not run.tasks and bool(run.models)) or not run.training.select("step").head(1).collect().is_empty()
    notes = tuple(coverage_notes(run))
    return Snapshot(run, run.state, overview(run), notes, frozenset(evaluated), time.time(), trained, caveats(run))


def _same_content(old: Run, new: Run) -> bool:
    """Whether both have the same parts; a part never changes once it is there."""
    unfinished = old.state.status != "finished" and new.state.status != "finished"
    return unfinished and old.files == new.files and old.metadata == new.metadata


def _is_there(path: Path) -> bool:
    from xlbias.runs.journal import live_folder

    return path.exists() or (live_folder(path) / "run.json").exists()


def _others(path: Path) -> tuple[str, ...] | None:
    if not path.parent.is_dir():
        return None
    try:
        return tuple(sorted(file.name for file in path.parent.glob("*.parquet")))
    except OSError:
        return ()


@dataclass(frozen=True)
class Pace:
    """How fast a run in progress is, from what it has said of its progress so far.

    Attributes:
        reports: ``(at, done)`` of one phase, oldest first, at most half a minute of them.
    """

    phase: str = ""
    reports: tuple[tuple[float, int], ...] = ()

    def after(self, progress: Progress) -> Pace:
        """The pace with one more report taken in; a new phase begins anew."""
        report = (progress.at, progress.done)
        study = progress.phase.partition(": ")[0] == STUDY  # its phase names what is being done, its steps are long
        phase = STUDY if study else progress.phase
        if phase != self.phase or (self.reports and progress.done < self.reports[-1][1]):
            return Pace(phase, (report,))
        if self.reports and progress.at <= self.reports[-1][0]:
            return self
        recent = self.reports[-_LONG:] if study else self.reports
        recent = tuple(r for r in recent if study or progress.at - r[0] <= _WINDOW) or self.reports[-1:]
        return Pace(self.phase, (*recent, report))

    @property
    def rate(self) -> float | None:
        """Units a second, None before there are two reports that differ."""
        if len(self.reports) < 2:
            return None
        (first_at, first), (last_at, last) = self.reports[0], self.reports[-1]
        return (last - first) / (last_at - first_at) if last > first else None

    @property
    def speeds(self) -> list[float]:
        """Units a second between every two reports, oldest first."""
        return [(b - a) / (b_at - a_at) for (a_at, a), (b_at, b) in pairwise(self.reports) if b_at > a_at]

    def seconds_left(self, progress: Progress) -> float | None:
        """Seconds until all is done, as the writer reckons; else until this phase is done at the present rate.

        None where that is not known.
        """
        if progress.share is not None:
            return progress.left
        if not self.rate or progress.total is None:
            return None
        return max(0.0, (progress.total - progress.done) / self.rate)
