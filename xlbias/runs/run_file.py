"""A run as it is stored, finished or in progress: metadata, where it stands, and records, read when asked for."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

import polars as pl

from xlbias.errors import RunError
from xlbias.records import convert
from xlbias.runs import earlier
from xlbias.runs.checksums import verify
from xlbias.runs.journal import live_folder, parts_of
from xlbias.runs.limits import check_rows
from xlbias.runs.parquet import check_schema, read_metadata, read_through, readable, reading, unpacked
from xlbias.runs.run_info import ModelInfo, TaskInfo
from xlbias.runs.schema import COLUMNS, OF_RECORD, completed, is_whole
from xlbias.runs.validation import check_columns, checking
from xlbias.runs.writer import read_writer, writer_state

R = TypeVar("R", bound="RunFile")
Status = Literal["finished", "running", "died", "elsewhere"]


@dataclass(frozen=True)
class Progress:
    """How far a run in progress is, as of Unix time `at`.

    `done` of `total` units of one phase; `share` of all the work of its command, in [0, 1], of which `left` seconds are
    left: None where the writer did not say.
    """

    phase: str
    done: int
    total: int | None
    unit: str
    at: float
    share: float | None = None
    left: float | None = None

    @property
    def whole(self) -> float | None:
        """How much is done, in [0, 1]: of all the work, of the phase where only that is known, or None."""
        if self.share is not None:
            return min(max(self.share, 0.0), 1.0)
        return min(1.0, self.done / self.total) if self.total else None


@dataclass(frozen=True)
class RunState:
    """Where a run stands.

    `status` is ``finished``; ``running``; ``died`` (unfinished and its writer's process is gone); or ``elsewhere``
    (unfinished and written from another host, whose processes cannot be seen from here).
    """

    status: Status
    progress: Progress | None = None
    writer: dict[str, Any] | None = field(default=None, hash=False)
    version: tuple[Any, ...] = ()
    """Changes whenever there is something new to read."""


@dataclass(frozen=True, eq=False)
class RunFile:
    """What is stored of a run, as it was when it was opened; open it again to see what has come since.

    Attributes:
        path: the run file's path, also while it is still in progress.
        metadata: models, tasks, versions, seed, command line; see `xlbias.evaluation`.
        state: finished or in progress, and how far.
        task_names: other names for tasks than those in the files, see `renamed`.
    """

    path: Path
    metadata: dict[str, Any]
    state: RunState
    files: tuple[Path, ...]
    task_names: Mapping[str, str] = field(default_factory=dict)

    def renamed(self, names: Mapping[str, str]) -> Self:
        """Return the same run with other names for some of its tasks, by the names that they have."""
        tasks = [{**task, "name": names.get(task["name"], task["name"])} for task in self.metadata.get("tasks", [])]
        again = {own: names.get(name, name) for own, name in self.task_names.items()}
        return replace(self, metadata={**self.metadata, "tasks": tasks}, task_names={**names, **again})

    @cached_property
    def models(self) -> list[ModelInfo]:
        """The encoders of the run, each with its name and its card (sampler, sources, seed, ... where known)."""
        return convert(self.metadata.get("models", []), list[ModelInfo])

    @cached_property
    def tasks(self) -> list[TaskInfo]:
        """The tasks of the run, each with name, domain, source, licence, fingerprint and sizes."""
        return convert(self.metadata.get("tasks", []), list[TaskInfo])

    def model(self, name: str) -> ModelInfo | None:
        """Return the encoder of this name, None where there is none."""
        return next((model for model in self.models if model.name == name), None)

    def task(self, name: str) -> TaskInfo | None:
        """Return the task of this name, None where there is none."""
        return next((task for task in self.tasks if task.name == name), None)

    @cached_property
    def rankings(self) -> pl.LazyFrame:
        """One row per query and pool: ``model, task, domain, query_id, query_language, pool, setting, n_relevant, ap,
        first_rank, last_rank, relevants, top``."""
        return self._records("ranking")

    @cached_property
    def queries(self) -> pl.LazyFrame:
        """Query texts: ``task, domain, query_id, language, text``."""
        return self._records("query")

    @cached_property
    def passages(self) -> pl.LazyFrame:
        """Passage texts: ``task, domain, passage_id, language, text, document``."""
        return self._records("passage")

    @cached_property
    def training(self) -> pl.LazyFrame:
        """Logged training steps: ``model, step, epoch, loss, learning_rate, ...``."""
        return self._records("training")

    @cached_property
    def validation(self) -> pl.LazyFrame:
        """Validations during training, one row per step and task: ``model, task, domain, step, loss, map_..., ...``."""
        return self._records("validation")

    @cached_property
    def alignments(self) -> pl.LazyFrame:
        """Alignment of the translations of every query id: ``model, task, domain, measure, query_id, value``."""
        return self._records("alignment")

    @cached_property
    def stored_summary(self) -> pl.DataFrame:
        """The numbers as a finished evaluation has stored them; those of other evaluations are not there."""
        return self._records("summary").collect()

    @property
    def pool_sizes(self) -> dict[str, dict[str, int]]:
        """Passages by language, of each task."""
        return {task.name: task.pool_sizes for task in self.tasks}

    def _records(self, record: str) -> pl.LazyFrame:
        columns = list(OF_RECORD[record])
        finished = self.state.status == "finished"
        files = [file for file in self.files if finished or file.name.startswith(f"{record}-")]
        if not files:
            return pl.LazyFrame(schema={name: COLUMNS[name] for name in columns})
        for file in files:
            self._check_bytes(file, record)
        with reading(self.path):
            rows = pl.scan_parquet([readable(file) for file in files], glob=False, hive_partitioning=False)
            there = rows.collect_schema()
            check_columns(self.path, record, there)
            check_rows(self.path, rows.select(pl.len()).collect().item(), sum(file.stat().st_size for file in files))
        if finished:
            rows = rows.filter(pl.col("record") == record)
        # A file of an earlier version lacks what has come since. Added, not selected: rows stay as many.
        lacking = [completed(name, there) for name in columns if not is_whole(name, there)]
        rows = rows.with_columns(lacking).select(columns)
        if record == "summary":
            rows = earlier.renamed(rows, self.metadata["schema"])
        if self.task_names and "task" in columns:
            rows = rows.with_columns(pl.col("task").replace(dict(self.task_names)))
        sound = checking(self.path, record, self.pool_sizes)
        # Only the rows and columns that are asked for are read, and checked as they pass.
        return rows.map_batches(
            sound, predicate_pushdown=True, projection_pushdown=True, slice_pushdown=True, streamable=True
        )

    def _check_bytes(self, file: Path, record: str) -> None:
        """Raise RunError unless a record's bytes are as they were written, or can at least be read."""
        if (file, record) not in self._sound:
            if not verify(file, (record,)):
                read_through(file, record)
            self._sound.add((file, record))

    @cached_property
    def _sound(self) -> set[tuple[Path, str]]:
        return set()


def open_run_file(path: str | Path, kind: type[R], *, live: bool = True) -> R:
    """Open the run at `path`: a finished run file, or one in progress (its final path, or its ``.live`` folder).

    `kind` is RunFile, or what stands on it. With `live` off, only a finished run file is opened, whatever is being
    written beside it. Raises RunError if there is none, or if it is truncated, of a newer schema, or no run at all.
    """
    path = Path(path)
    if path.name.endswith(".live") and path.is_dir():
        path = path.with_name(path.name.removesuffix(".live"))
    folder = live_folder(path)
    if path.is_dir():
        raise RunError(f"{path}: is a folder; expected a run file")
    if not live:
        if not path.exists() and (folder / "run.json").is_file():
            raise RunError(f"{path}: is in progress; expected a finished run")
        return kind(path, read_metadata(path), RunState("finished", version=_stamp(path)), (path,))
    for _ in range(20):  # a writer may finish between two looks at the disk: look again
        unfinished = _newer_journal(path, folder)
        if not unfinished and path.exists():
            return kind(path, read_metadata(path), RunState("finished", version=_stamp(path)), (path,))
        if unfinished and (run := _open_live(path, folder, kind)):
            return run
        if not path.exists() and not folder.exists():
            break
        time.sleep(0.05)
    raise RunError(f"{path}: there is no such run")


def state_version(path: str | Path) -> tuple[Any, ...]:
    """Return something that changes whenever the run at `path` has something new, for a few file-system calls."""
    path = Path(path)
    folder = live_folder(path)
    if _newer_journal(path, folder):
        return _live_version(folder)
    return _stamp(path)


def _newer_journal(path: Path, folder: Path) -> bool:
    """Whether a journal is there that is not just the remains of the finished run beside it."""
    try:
        begun = (folder / "run.json").stat().st_mtime
    except OSError:
        return False
    try:
        return begun > path.stat().st_mtime
    except OSError:
        return True


def _open_live(path: Path, folder: Path, kind: type[R]) -> R | None:
    try:
        content = (folder / "run.json").read_bytes()
        parts = sorted(parts_of(folder))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RunError(f"{folder}: is a journal that cannot be read: {error.strerror or error}") from error
    metadata = check_schema(folder, unpacked(content, folder / "run.json"))
    writer = read_writer(folder)
    state = RunState(writer_state(writer), _progress(folder), writer, _live_version(folder))
    return kind(path, metadata, state, tuple(parts))


def _progress(folder: Path) -> Progress | None:
    """Return how far a run is, None where that is not said as xlbias says it."""
    try:
        found = Progress(**json.loads((folder / "progress.json").read_text("utf-8")))
        whole = (found.done, found.done if found.total is None else found.total)
        sound = all(isinstance(n, int) and 0 <= n < 2**63 for n in whole) and isinstance(found.at, (int, float))
        sound = sound and all(
            n is None or (isinstance(n, (int, float)) and 0 <= n < 1e12) for n in (found.share, found.left)
        )
        return found if sound and isinstance(found.phase, str) and isinstance(found.unit, str) else None
    except (OSError, ValueError, TypeError, RecursionError):
        return None


def _stamp(file: Path) -> tuple[Any, ...]:
    try:
        stat = file.stat()
    except OSError:
        return ()
    return (stat.st_mtime_ns, stat.st_size, stat.st_ino)


def _live_version(folder: Path) -> tuple[Any, ...]:
    watched = ("parts", "progress.json", "writer.json", "run.json")
    return ("live", writer_state(read_writer(folder)), *(_stamp(folder / name) for name in watched))
