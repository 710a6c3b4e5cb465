"""Opening a run, finished or in progress, and asking it for its records."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import polars as pl

from xlbias.choices import listed, suggestion
from xlbias.errors import RunError
from xlbias.measures.registry import measures
from xlbias.results import binding
from xlbias.results import wide as views
from xlbias.results.per_query import RANKED
from xlbias.runs import earlier
from xlbias.runs.checksums import verify
from xlbias.runs.journal import live_folder, parts_of
from xlbias.runs.limits import check_rows
from xlbias.runs.parquet import check_schema, read_metadata, read_through, readable, reading, unpacked
from xlbias.runs.schema import COLUMNS, MULTILINGUAL_POOL, OF_RECORD, completed, is_whole
from xlbias.runs.validation import check_columns, checking
from xlbias.runs.writer import read_writer, writer_state

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
class Run:
    """A run, as it was when it was opened; open it again to see what has come since.

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

    def renamed(self, names: Mapping[str, str]) -> Run:
        """Return the same run with other names for some of its tasks, by the names that they have."""
        tasks = [{**task, "name": names.get(task["name"], task["name"])} for task in self.tasks]
        again = {own: names.get(name, name) for own, name in self.task_names.items()}
        return replace(self, metadata={**self.metadata, "tasks": tasks}, task_names={**names, **again})

    @property
    def models(self) -> list[dict[str, Any]]:
        """The encoders of the run, each with `name` and its card (sampler, source, seed, ... where known)."""
        return list(self.metadata.get("models", []))

    @property
    def tasks(self) -> list[dict[str, Any]]:
        """The tasks of the run, each with name, domain, source, licence, fingerprint and sizes."""
        return list(self.metadata.get("tasks", []))

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

    # -- numbers ---------------------------------------------------------------------------------------------------

    @cached_property
    def summary(self) -> pl.DataFrame:
        """Every number: ``model, task, domain`` and the columns of `xlbias.results.summary.SUMMARY_SCHEMA`.

        What a finished evaluation has stored, with intervals; for what is still being ranked, for runs of earlier
        versions, and where rankings have changed since, numbers without intervals, from the rankings there are.
        """
        stored = self._stored_summary.drop(binding.COLUMN)
        missing = self._without(stored)
        if not missing and not self.changed:
            return stored
        of_rankings = pl.col("measure").is_in([*measures("quality"), *measures("bias")])
        if self.changed:  # what no ranking says, such as the alignment of vectors, stays
            gone = stored.filter(of_rankings).join(_pairs(self.changed), on=["model", "task"], how="semi")
            stored = stored.join(gone, on=stored.columns, how="anti", nulls_equal=True, maintain_order="left")
        wanted = _pairs([*missing, *self.changed])
        rankings = self.rankings.select("model", "task", "domain", *RANKED)
        found = rankings.join(wanted.lazy(), on=["model", "task"], how="semi").collect()
        return pl.concat([stored, views.summary_of(found, self.pool_sizes)])

    def _without(self, stored: pl.DataFrame) -> list[tuple[str, str]]:
        """Return every encoder and task of the run of which there is no stored summary."""
        known = set(stored.select("model", "task").unique().iter_rows())
        return [(m["name"], t["name"]) for m in self.models for t in self.tasks if (m["name"], t["name"]) not in known]

    @cached_property
    def incomplete(self) -> frozenset[tuple[str, str]]:
        """Every encoder and task whose evaluation is not complete: what numbers it has are partial."""
        if self.state.status == "finished":
            return frozenset()
        return frozenset(self._without(self._stored_summary))

    @cached_property
    def _stored_summary(self) -> pl.DataFrame:
        return self._records("summary").collect()

    @cached_property
    def changed(self) -> tuple[tuple[str, str], ...]:
        """Model and task whose rankings are not those that their stored summary was made from.

        Runs of schema 1 do not say what theirs was made from, and are believed.
        """
        if self.metadata["schema"] < 2 or all(verify(file, ()) for file in self.files):
            return ()
        rows = self._stored_summary.group_by("model", "task", maintain_order=True)
        stored = rows.agg(pl.col(binding.COLUMN).unique()).iter_rows()
        return tuple((model, task) for model, task, digests in stored if digests != [self.digest(model, task)])

    def digest(self, model: str, task: str) -> str:
        """Return the digest of the rankings of an encoder on a task, see `xlbias.results.binding`."""
        chosen = (pl.col("model") == model) & (pl.col("task") == task)
        return binding.digest_of(self.rankings.filter(chosen).select(binding.BOUND).collect())

    @property
    def pool_sizes(self) -> dict[str, dict[str, int]]:
        """Passages by language, of each task."""
        return {task["name"]: task["pool_sizes"] for task in self.tasks}

    @cached_property
    def cells(self) -> pl.DataFrame:
        """One row per model, task, query language and pool: ``n``, ``n_excluded`` and the mean of every measure."""
        return views.cells(self.summary)

    @cached_property
    def settings(self) -> pl.DataFrame:
        """One row per model, task and setting: macro and query-weighted averages over cells, with their counts."""
        return views.settings(self.summary)

    @cached_property
    def rank_distances(self) -> pl.DataFrame:
        """Rank distance per query: ``model, task, domain, query_language, query_id, rank_distance, normalised``."""
        return views.rank_distances(self.rankings.collect(), self.pool_sizes)

    def forget(self) -> None:
        """Let go of the numbers that have been read; they are read again when they are next asked for."""
        for name in ("summary", "_stored_summary", "cells", "settings", "rank_distances"):
            self.__dict__.pop(name, None)

    def bias(self) -> pl.DataFrame:
        """Rank distance per model, task and query language: ``mean, median, normalised, n, n_excluded``."""
        return views.rank_distance_by_language(self.summary)

    def matrix(self, measure: str = "map", *, model: str | None = None, task: str | None = None) -> pl.DataFrame:
        """One measure as a matrix: a row per query language, a column per pool, the multilingual pool last.

        `model` and `task` may be left out where the run has one only. Raises RunError for a measure, model or task
        that is not there.
        """
        if measure not in views.MEASURES:
            raise RunError(f"unknown measure {measure!r}; there are {', '.join(views.MEASURES)}")
        chosen = self.cells.filter(
            (pl.col("model") == self._only("model", model)) & (pl.col("task") == self._only("task", task))
        )
        if chosen.is_empty():
            return pl.DataFrame(schema={"query_language": pl.String})
        wide = chosen.pivot("pool", index="query_language", values=measure, sort_columns=True)
        pools = [c for c in wide.columns if c not in ("query_language", MULTILINGUAL_POOL)]
        last = [MULTILINGUAL_POOL] if MULTILINGUAL_POOL in wide.columns else []
        return wide.select("query_language", *pools, *last).sort("query_language")

    def compare(
        self, other: Run, *, base: str | None = None, new: str | None = None, task: str | None = None
    ) -> pl.DataFrame:
        """Return the paired differences ``other − self``; columns as `xlbias.results.compare.COMPARISON_SCHEMA`.

        `base` is a model of this run, `new` one of `other`; they may be left out where there is one only, as may
        `task`, a task of this run that `other` must have, under whatever name. Raises RunError where one is not there,
        or where the tasks are not the same: then it says what differs.
        """
        from xlbias.results.compare import Side, compare
        from xlbias.results.matching import matched

        name, found = self._only("task", task), matched(other, self)
        if name in found.differing:
            raise RunError(found.why_not(name))
        sides = Side(self, (self._only("model", base),)), Side(found.run, (other._only("model", new),))
        return compare(*sides, name)

    def _only(self, kind: Literal["model", "task"], name: str | None) -> str:
        names = [str(entry["name"]) for entry in (self.models if kind == "model" else self.tasks)]
        if name is None and len(names) == 1:
            return names[0]
        if name is None or name not in names:
            asked = f"no {kind} {name!r}{suggestion(name, names)}" if name is not None else f"several {kind}s: name one"
            raise RunError(f"{self.path}: {asked}; there are {listed(names)}")
        return name

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


def _pairs(pairs: Sequence[tuple[str, str]]) -> pl.DataFrame:
    return pl.DataFrame(pairs, schema={"model": pl.String, "task": pl.String}, orient="row")


def open_run(path: str | Path, *, live: bool = True) -> Run:
    """Open the run at `path`: a finished run file, or one in progress (its final path, or its ``.live`` folder).

    With `live` off, only a finished run file is opened, whatever is being written beside it. Raises RunError if there
    is none, or if it is truncated, of a newer schema, or no run at all.
    """
    path = Path(path)
    if path.name.endswith(".live") and path.is_dir():
        path = path.with_name(path.name.removesuffix(".live"))
    folder = live_folder(path)
    if path.is_dir():
        raise RunError(f"{path}: is a folder; expected a run file")
    if not live:
        return Run(path, read_metadata(path), RunState("finished", version=_stamp(path)), (path,))
    for _ in range(20):  # a writer may finish between two looks at the disk: look again
        unfinished = _newer_journal(path, folder)
        if not unfinished and path.exists():
            return Run(path, read_metadata(path), RunState("finished", version=_stamp(path)), (path,))
        if unfinished and (run := _open_live(path, folder)):
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


def _open_live(path: Path, folder: Path) -> Run | None:
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
    return Run(path, metadata, state, tuple(parts))


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
