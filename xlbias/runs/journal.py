"""The journal of a run in progress: finished parts in a folder beside the final path, then one atomic finish.

`run.parquet.live/` holds `run.json` (the metadata), `writer.json` (who writes), `progress.json` (how far), `lock`, and
`parts/RECORD-KEY.parquet`, each written whole under another name, flushed to disk and renamed. A killed writer leaves
finished parts only; the next one goes on after them. `kept/` has what a part that takes long is made of, meanwhile.
"""

from __future__ import annotations

import errno
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
from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

from xlbias.errors import RunError, WriteError, unreadable
from xlbias.files import check_plain, write_whole
from xlbias.progress import Report
from xlbias.runs.checksums import verify
from xlbias.runs.parquet import (
    check_schema,
    packed,
    read_metadata,
    read_part,
    read_through,
    unpacked,
    write_part,
    write_run,
)
from xlbias.runs.schema import RECORDS, SCHEMA_VERSION, as_record
from xlbias.runs.writer import describe_self, read_writer

Found = Literal["nothing", "unfinished", "finished"]

_KEY = re.compile(r"[a-z0-9][a-z0-9.-]*")
_PART = re.compile(rf"(?:{'|'.join(RECORDS)})-{_KEY.pattern}\.parquet")
_NO_LOCKS = frozenset({errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS})
"""What a file system without locks says."""
_KEPT = "kept"
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

    def __init__(self, path: Path, metadata: dict[str, Any], lock: BaseFileLock, *, finished: bool = False) -> None:
        self.path = path
        self.folder = live_folder(path)
        self.metadata = metadata
        self.finished = finished
        """Whether the run was complete before this writer came: there is nothing left to write."""
        self.damaged: tuple[str, ...] = ()
        """Names of parts that were there but damaged: removed, to be made again."""
        self._lock = lock
        self._reported = 0.0
        self._phase = ""

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
        check_plain(path)
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise WriteError(f"{folder}: cannot be written: {error.strerror or error}") from error
        existed = (folder / "run.json").exists()
        lock = _lock(path, folder)
        try:
            (folder / "parts").mkdir(exist_ok=True)
            there, kept = cls._settle(path, folder, identity, resume=resume, overwrite=overwrite)
            full = {"run_id": uuid4().hex, **metadata, **kept, "schema": SCHEMA_VERSION, "identity": identity}
            journal = cls(path, full, lock, finished=there == "finished")
            if not journal.finished:
                journal.damaged = _without_damaged(folder)
                write_whole(folder / "run.json", packed(full))
                write_whole(folder / "writer.json", _json(describe_self()))
        except BaseException as error:
            if not existed:
                _remove(folder)
            lock.release()
            if isinstance(error, OSError):
                raise WriteError(f"{folder}: cannot be written: {error.strerror or error}") from error
            raise
        return journal

    @staticmethod
    def _settle(
        path: Path, folder: Path, identity: str, *, resume: bool, overwrite: bool
    ) -> tuple[Found, dict[str, Any]]:
        """Deal with what is there already; return what that is, and what is kept of a resumed run's metadata."""
        there = None if overwrite else _read_journal(folder)
        if there is None:  # without its metadata a part says nothing
            for name in ("parts", _KEPT):
                shutil.rmtree(folder / name, ignore_errors=True)
            (folder / "parts").mkdir(exist_ok=True)
        if overwrite:
            return "nothing", {}
        if there is not None:
            if not resume:
                raise RunError(
                    f"{path}: an unfinished run is there: continue it with --resume, or start again with --overwrite"
                )
            if there.get("identity") != identity:
                raise RunError(
                    f"{path}: the unfinished run there was made from other encoders, tasks or settings: "
                    "name the same ones, or start again with --overwrite"
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
                    f"{path}: a run of other encoders, tasks or settings is there: replace it with --overwrite"
                )
            return "finished", _kept(finished)
        return "nothing", {}

    # -- writing ---------------------------------------------------------------------------------------------------

    def has_any(self, record: str) -> bool:
        """Whether any part of this record is finished."""
        return any(part.name.startswith(f"{record}-") for part in parts_of(self.folder))

    def keys(self, record: str) -> list[str]:
        """Return the keys of the finished parts of this record, sorted."""
        names = (part.name.removesuffix(".parquet").partition("-") for part in parts_of(self.folder))
        return sorted(key for of, _, key in names if of == record)

    def has(self, record: str, key: str) -> bool:
        """Whether this part is finished."""
        return self._part(record, key).exists()

    def write(self, record: str, key: str, frame: pl.DataFrame) -> None:
        """Write one part: `frame` holds columns of `record`; parts stand in the run in the order of their keys."""
        write_part(self._part(record, key), as_record(frame, record))

    def read(self, record: str, key: str, columns: list[str]) -> pl.DataFrame:
        """Return columns of a finished part."""
        return read_part(self._part(record, key), columns)

    def forget(self, record: str, which: Callable[[str], bool]) -> None:
        """Remove the finished parts of this record whose key `which` says yes to: they will be made again."""
        for part in parts_of(self.folder):
            of, _, key = part.name.removesuffix(".parquet").partition("-")
            if of == record and which(key):
                part.unlink(missing_ok=True)

    def describe(self, key: str, value: Any) -> None:
        """Set one entry of the run's metadata, now also for readers of the live run."""
        if self.metadata.get(key) != value:
            self.metadata[key] = value
            write_whole(self.folder / "run.json", packed(self.metadata))

    def kept(self, key: str) -> Path:
        """Return the folder for what is kept while a part is made, so that it can be gone on with; it may be missing.

        `forget_kept` removes it when the part is written; a finished run has none of it.
        """
        if not _KEY.fullmatch(key):
            raise ValueError(f"not the name of a part: {key!r}")
        return self.folder / _KEPT / key

    def forget_kept(self, key: str) -> None:
        """Remove what was kept while a part was made."""
        shutil.rmtree(self.kept(key), ignore_errors=True)

    def progress(
        self,
        phase: str,
        done: int,
        total: int | None,
        unit: str,
        *,
        share: float | None = None,
        left: float | None = None,
        force: bool = False,
    ) -> None:
        """Say how far the work is, at most twice a second; for readers of the live run, never for resuming.

        `done` of `total` units are of the phase; `share` and the seconds `left` are of all the work there is. A phase
        that begins is always told.
        """
        now = time.monotonic()
        if not force and phase == self._phase and now - self._reported < _PROGRESS_INTERVAL:
            return
        self._reported, self._phase = now, phase
        content = {
            "phase": phase, "done": done, "total": total, "unit": unit, "at": time.time(), "share": share, "left": left,
        }  # fmt: skip
        with suppress(WriteError):
            write_whole(self.folder / "progress.json", _json(content), durable=False)

    def tell(self, report: Report) -> None:
        """Say how far the command is that writes this run, as `progress` does."""
        self.progress(report.phase, report.done, report.total, report.unit, share=report.share, left=report.left)

    def finish(self) -> Path:
        """Write the run file from the parts, put it in place, remove the journal, and return the run's path."""
        if not self.finished:
            metadata = {**self.metadata, "finished": time.time()}
            ordered = sorted(parts_of(self.folder), key=lambda p: (RECORDS.index(p.name.split("-", 1)[0]), p.name))
            write_run(self.path, ordered, metadata)
            self.finished = True
        _remove(self.folder)
        self.close()
        return self.path

    def discard(self) -> None:
        """Remove the journal and all its parts: for a run that failed before anything worth keeping was made."""
        _remove(self.folder)
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


def _lock(path: Path, folder: Path) -> BaseFileLock:
    """Return the lock on a run, taken. Raises RunError if another process has it, and leaves no empty folder then.

    It ends with its process. Where the file system knows no such lock, it is a file that names host and process: one of
    a process of this host that has ended is taken over; one of another host has to be removed by hand.
    """
    try:
        try:
            lock: BaseFileLock = FileLock(folder / "lock", timeout=0)
            lock.acquire()
        except OSError as error:
            if isinstance(error, Timeout) or error.errno not in _NO_LOCKS:
                raise
            (folder / "lock").unlink(missing_ok=True)
            lock = SoftFileLock(folder / "lock.held", timeout=0)
            lock.acquire()
    except Timeout:
        with suppress(OSError):
            folder.rmdir()  # if the other one has just finished
        writer = read_writer(folder) or {}
        who = f"process {writer['pid']} on {writer['host']}" if {"pid", "host"} <= writer.keys() else "another process"
        gone = f" (if that has ended, remove {folder / 'lock.held'})" if (folder / "lock.held").exists() else ""
        raise RunError(f"{path}: is being written by {who}; wait for it, or choose another name{gone}") from None
    except OSError as error:
        with suppress(OSError):
            (folder / "lock").unlink(missing_ok=True)
            folder.rmdir()
        raise WriteError(f"{folder}: cannot be locked: {error.strerror or error}") from error
    return lock


def _remove(folder: Path) -> None:
    """Remove a journal whose lock is held: that goes last, so that no second writer finds half of one."""
    with suppress(OSError):
        for child in folder.iterdir():
            if child.is_dir():
                shutil.rmtree(child, ignore_errors=True)
            elif not child.name.startswith("lock"):
                child.unlink(missing_ok=True)
        for child in folder.glob("lock*"):
            child.unlink(missing_ok=True)
        folder.rmdir()


def _without_damaged(folder: Path) -> tuple[str, ...]:
    """Remove the parts of a journal that are damaged, and return their names; what killed writers have left as well.

    The summary of an encoder is made from its other parts, and says that they are there: it goes with any of them.
    """
    for left in (folder / "parts").glob(".*"):
        left.unlink(missing_ok=True)
    damaged = []
    for part in parts_of(folder):
        try:
            if not verify(part):
                read_through(part, part.name.partition("-")[0])
        except RunError:
            damaged.append(part)
    of_encoders = {part.stem.split("-")[1] for part in damaged if not part.name.startswith(("query-", "passage-"))}
    for part in parts_of(folder):
        record, encoder = part.stem.split("-")[:2]
        if part in damaged or (record == "summary" and encoder in of_encoders):
            part.unlink(missing_ok=True)
    return tuple(sorted(part.name for part in damaged))


def parts_of(folder: Path) -> list[Path]:
    """Return the finished parts; a file of another name is none of them."""
    return [p for p in (folder / "parts").glob("*.parquet") if _PART.fullmatch(p.name)]


def _read_journal(folder: Path) -> dict[str, Any] | None:
    """Return the metadata of an unfinished run, or None where there is none (a writer killed before it began)."""
    file = folder / "run.json"
    try:
        return check_schema(folder, unpacked(file.read_bytes(), file))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RunError(unreadable(file, error)) from error
    except RunError as error:
        raise RunError(f"{error}: remove {folder}, or start again with --overwrite") from error


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=1).encode("utf-8", "backslashreplace")
