"""What a run says of itself before any of its rankings is read: for lists of runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import polars as pl

from xlbias.errors import NotARunError, RunError, reason_of
from xlbias.runs.journal import live_folder
from xlbias.runs.run_file import Progress, RunFile, RunState, open_run_file, state_version


@dataclass(frozen=True)
class Head:
    """The head of a run, or why it has none.

    Attributes:
        path: of the run file, also while it is in progress.
        status: as of `xlbias.runs.run_file.RunState`, or ``broken``.
        encoders: their names, as far as they are known.
        tasks: their names.
        data: the fingerprints of the tasks: runs that share one can be compared.
        size: bytes on disk.
        changed: Unix time of the last change.
        progress: how far a run in progress is.
        trained: whether it is that of a training, without tasks.
        facts: when and by which version it was made.
        sentence: why it is broken, else empty.
    """

    path: Path
    status: Literal["finished", "running", "died", "elsewhere", "broken"]
    encoders: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    size: int = 0
    changed: float = 0.0
    progress: Progress | None = None
    trained: bool = False
    facts: dict[str, Any] = field(default_factory=dict, compare=False)
    sentence: str = ""
    data: frozenset[str] = frozenset()

    @property
    def live(self) -> bool:
        """Whether something may still be written."""
        return self.status in ("running", "elsewhere")


def read_head(path: Path) -> Head | None:
    """Return the head of the run at `path`; None where there is nothing, or a sound Parquet file that is no run.

    Never raises for what a file holds.
    """
    try:
        run = open_run_file(path, RunFile)
    except NotARunError:
        return None
    except RunError as error:
        return _broken(path, str(error))
    except (Exception, pl.exceptions.PanicException) as error:  # whatever a damaged file does to its readers
        return _broken(path, f"{path}: cannot be read: {reason_of(error)}")
    size, changed = _measured(run)
    return Head(
        path, run.state.status, tuple(model.name for model in run.models), tuple(task.name for task in run.tasks),
        size, changed, run.state.progress, not run.tasks and bool(run.models),
        {name: run.metadata.get(name) for name in ("created", "xlbias", "device")},
        data=frozenset(task.fingerprint for task in run.tasks if task.fingerprint is not None),
    )  # fmt: skip


def version_of(path: Path) -> tuple[Any, ...]:
    """Return something that changes whenever the head may have changed."""
    return state_version(path)


def _broken(path: Path, sentence: str) -> Head | None:
    size, changed = _measured(RunFile(path, {}, RunState("died"), (path,)))
    if not size and not (live_folder(path) / "run.json").exists():
        return None if not path.exists() else Head(path, "broken", sentence=sentence, changed=changed)
    return Head(path, "broken", size=size, changed=changed, sentence=sentence)


def _measured(run: RunFile) -> tuple[int, float]:
    """Return the bytes of a run and when it was last written."""
    size, changed = 0, run.state.progress.at if run.state.progress else 0.0
    for file in run.files:
        try:
            stat = file.stat()
        except OSError:  # its writer has just finished
            continue
        size, changed = size + stat.st_size, max(changed, stat.st_mtime)
    return size, changed
