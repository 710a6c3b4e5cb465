"""The journal of a run in progress: finished parts in a folder beside the final path, then one atomic finish.

`run.parquet.live/` holds `run.json` (the metadata), `writer.json` (who writes), `progress.json` (how far), `lock`, and
`parts/RECORD-KEY.parquet`, each written whole under another name, flushed to disk and renamed. A killed writer leaves
finished parts only; the next one goes on after them.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self
from uuid import uuid4

import polars as pl
from filelock import FileLock, Timeout

from xlbias.errors import RunError, WriteError
from xlbias.files import check_plain, write_whole
from xlbias.runs.parquet import check_schema, read_metadata, readable, write_part, write_run
from xlbias.runs.schema import RECORDS, SCHEMA_VERSION, as_record
from xlbias.runs.writer import describe_self, read_writer

Found = Literal["nothing", "unfinished", "finished"]

_KEY = re.compile(r"[a-z0-9][a-z0-9.-]*")
_PROGRESS_INTERVAL = 0.5  # seconds between two writes of progress.json


def live_folder(path: Path) -> Path:
    """The journal's folder of the run at `path`."""
    return path.with_name(path.name + ".live")


def check_free(path: Path) -> None:
    """Raise RunError if a finished run or another file is at `path`, and no journal says that one is under way."""
    check_plain(path)
    if path.exists() and not live_folder(path).exists():
        raise _taken(path)


class Journal:
    """The one writer of a run: writes parts, remembers which are there, finishes the run file.

    Use as a context manager; leaving it without `finish` keeps the parts for a later `resume`.
    """

    def __init__(self, path: Path, metadata: dict[str, Any], lock: FileLock, *, finished: bool = False) -> None:
        self.path = path
        self.folder = live_folder(path)
        self.metadata = metadata
        self.finished = finished
        """Whether the run was complete before this writer came: there is nothing left to write."""
        self._lock = lock
        self._reported = 0.0

    @classmethod
    def open(
        cls,
        path: Path,
        metadata: Mapping[str, Any],
        *,
        identity: str,
        resume: bool = False,
        overwrite: bool = False,
    ) -> Journal:
        """Begin the run at `path`, or go on with it.

        `identity` says what the run is made from (models, tasks, settings); an unfinished run is resumed only where
        it is the same. `metadata` goes into the file, with the schema version and identity added. Raises RunError if
        another process writes this run, if there is a run already and neither `resume` nor `overwrite` says what to
        do with it, or if the folder cannot be written.
        """
        folder = live_folder(path)
        if not path.parent.is_dir():
            raise RunError(f"{path.parent}: there is no such folder to write the run to")
        check_plain(path)
        existed = folder.exists()
        try:
            (folder / "parts").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(f"{folder}: cannot be written: {error.strerror or error}") from error
        lock = _lock(path, folder)
        try:
            there, kept = cls._settle(path, folder, identity, resume=resume, overwrite=overwrite)
            full = {"run_id": uuid4().hex, **metadata, **kept, "schema": SCHEMA_VERSION, "identity": identity}
            journal = cls(path, full, lock, finished=there == "finished")
            if not journal.finished:
                write_whole(folder / "run.json", _json(full))
                write_whole(folder / "writer.json", _json(describe_self()))
        except BaseException:
            lock.release()
            if not existed:
                shutil.rmtree(folder, ignore_errors=True)
            raise
        return journal

    @staticmethod
    def _settle(
        path: Path, folder: Path, identity: str, *, resume: bool, overwrite: bool
    ) -> tuple[Found, dict[str, Any]]:
        """Deal with what is there already; return what that is, and what is kept of a resumed run's metadata."""
        there = None if overwrite else _read_journal(folder)
        if there is None:  # without its metadata a part says nothing
            shutil.rmtree(folder / "parts", ignore_errors=True)
            (folder / "parts").mkdir(exist_ok=True)
        if overwrite:
            return "nothing", {}
        if there is not None:
            if not resume:
                raise RunError(
                    f"{path}: an unfinished run is there: go on with --resume, or begin anew with --overwrite"
                )
            if there.get("identity") != identity:
                raise RunError(
                    f"{path}: the unfinished run there was made from other models, tasks or settings: "
                    "name the same ones, or begin anew with --overwrite"
                )
            if path.exists() and read_metadata(path).get("run_id") == there.get("run_id"):
                return "finished", _kept(there)  # killed between the last rename and the removal of the journal
            return "unfinished", _kept(there)
        if path.exists():
            if not resume:
                raise _taken(path)
            finished = read_metadata(path)
            if finished.get("identity") != identity:
                raise RunError(
                    f"{path}: a run of other models, tasks or settings is there: replace it with --overwrite"
                )
            return "finished", _kept(finished)
        return "nothing", {}

    # -- writing ---------------------------------------------------------------------------------------------------

    def has_any(self, record: str) -> bool:
        """Whether any part of this record is finished."""
        return any(part.name.startswith(f"{record}-") for part in _parts(self.folder))

    def has(self, record: str, key: str) -> bool:
        """Whether this part is finished."""
        return self._part(record, key).exists()

    def write(self, record: str, key: str, frame: pl.DataFrame) -> None:
        """Write one part: `frame` holds columns of `record`; parts stand in the run in the order of their keys."""
        write_part(self._part(record, key), as_record(frame, record))

    def read(self, record: str, key: str, columns: list[str]) -> pl.DataFrame:
        """Return columns of a finished part."""
        return pl.read_parquet(readable(self._part(record, key)), columns=columns, glob=False)

    def forget(self, record: str, which: Callable[[str], bool]) -> None:
        """Remove the finished parts of this record whose key `which` says yes to: they will be made again."""
        for part in _parts(self.folder):
            of, _, key = part.name.removesuffix(".parquet").partition("-")
            if of == record and which(key):
                part.unlink(missing_ok=True)

    def describe(self, key: str, value: Any) -> None:
        """Set one entry of the run's metadata, now also for readers of the live run."""
        if self.metadata.get(key) != value:
            self.metadata[key] = value
            write_whole(self.folder / "run.json", _json(self.metadata))

    def progress(self, phase: str, done: int, total: int | None, unit: str, *, force: bool = False) -> None:
        """Say how far the work is, at most twice a second; for readers of the live run, never for resuming."""
        now = time.monotonic()
        if not force and now - self._reported < _PROGRESS_INTERVAL:
            return
        self._reported = now
        content = {"phase": phase, "done": done, "total": total, "unit": unit, "at": time.time()}
        with suppress(WriteError):
            write_whole(self.folder / "progress.json", _json(content), durable=False)

    def finish(self) -> Path:
        """Write the run file from the parts, put it in place, remove the journal, and return the run's path."""
        if not self.finished:
            metadata = {**self.metadata, "finished": time.time()}
            ordered = sorted(_parts(self.folder), key=lambda p: (RECORDS.index(p.name.split("-", 1)[0]), p.name))
            write_run(self.path, ordered, metadata)
            self.finished = True
        self._remove()
        self.close()
        return self.path

    def _remove(self) -> None:
        # The lock file goes last and while it is held, so that no second writer finds half a journal.
        for child in self.folder.iterdir():
            if child.name == "parts":
                shutil.rmtree(child, ignore_errors=True)
            elif child.name != "lock":
                child.unlink(missing_ok=True)
        with suppress(OSError):
            (self.folder / "lock").unlink(missing_ok=True)
            self.folder.rmdir()

    def discard(self) -> None:
        """Remove the journal and all its parts: for a run that failed before anything worth keeping was made."""
        self._remove()
        self.close()

    def close(self) -> None:
        """Let go of the run; finished parts stay."""
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _part(self, record: str, key: str) -> Path:
        if record not in RECORDS or not _KEY.fullmatch(key):
            raise ValueError(f"not the name of a part: {record!r}, {key!r}")
        return self.folder / "parts" / f"{record}-{key}.parquet"


def _taken(path: Path) -> RunError:
    return RunError(f"{path}: is there already: choose another name, or replace it with --overwrite")


def _kept(metadata: dict[str, Any]) -> dict[str, Any]:
    """Return what a resumed run keeps: which run it is, when it was begun, and what encoders its parts came from."""
    return {key: metadata[key] for key in ("run_id", "created", "models") if key in metadata}


def _lock(path: Path, folder: Path) -> FileLock:
    lock = FileLock(folder / "lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        writer = read_writer(folder) or {}
        who = f"process {writer['pid']} on {writer['host']}" if {"pid", "host"} <= writer.keys() else "another process"
        raise RunError(f"{path}: is being written by {who}; wait for it, or choose another name") from None
    except OSError as error:
        raise RunError(f"{folder}: cannot be locked: {error.strerror or error}") from error
    return lock


def _parts(folder: Path) -> list[Path]:
    return [p for p in (folder / "parts").glob("*.parquet") if not p.name.startswith(".")]


def _read_journal(folder: Path) -> dict[str, Any] | None:
    """Return the metadata of an unfinished run, or None where there is none (a writer killed before it began)."""
    file = folder / "run.json"
    try:
        metadata = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise RunError(f"{file}: is not readable JSON: remove {folder}, or begin anew with --overwrite") from error
    return check_schema(folder, metadata)


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=1).encode("utf-8", "backslashreplace")
