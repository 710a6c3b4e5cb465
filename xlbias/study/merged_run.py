"""The one run of a study, which grows by an encoder whenever one has been evaluated and can be read all the while."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from xlbias._version import __version__
from xlbias.data.describe import describe_task
from xlbias.data.task import RetrievalTask
from xlbias.errors import RunError
from xlbias.progress import Report
from xlbias.results.run import open_run
from xlbias.results.run_numbers import bound_summary
from xlbias.runs.journal import Journal, live_folder
from xlbias.runs.parquet import read_metadata, row_groups
from xlbias.runs.parts import write_texts
from xlbias.runs.schema import SCHEMA_VERSION
from xlbias.study.folder import StudyFolder
from xlbias.study.plan import Plan
from xlbias.versions import package_versions

_BEFORE_SUMMARY = ("ranking", "alignment", "training", "validation")
FROM_RUN = "from_run"
"""Of an encoder in the merged run's metadata: the id of the run that its results came from."""


class MergedRun:
    """Writes the merged run of a study: texts once, then the results of every encoder as they come.

    Args:
        plan: the study.
        folder: its folder.
        targets: the tasks of its targets, named as in the plan.
        overwrite: replace whatever is there.

    What an earlier, killed study has merged is kept where it still fits the plan and the runs it came from; else the
    run is put together anew, for which nothing needs to be computed. Raises RunError if another process writes the
    run, or if the file there is not of a study.
    """

    def __init__(self, plan: Plan, folder: StudyFolder, targets: Sequence[RetrievalTask], *, overwrite: bool) -> None:
        self.folder, self.targets = folder, targets
        self.names = [encoder.name for encoder in plan.encoders()]
        self.tasks = [describe_task(task) for task in targets]
        study = plan.as_dict()
        identity = _identity(study, self.tasks, self.names)
        metadata = {
            "created": time.time(),
            "xlbias": __version__,
            "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
            "versions": package_versions(),
            "top_k": plan.top_k,
            "top_of": plan.top_of,
            "approximate": False,
            "models": [],
            "tasks": self.tasks,
            "study": study,
        }
        anew = overwrite or not self._fits(identity)
        self.journal = Journal.open(folder.run, metadata, identity=identity, resume=not anew, overwrite=anew)
        if not self.journal.finished:
            write_texts(self.journal, self.targets)

    def add(self, name: str) -> None:
        """Add the results of one encoder from its run, unless they are in already.

        Raises RunError if that run is of other tasks or another encoder.
        """
        path = self.folder.run_of(name)
        metadata = read_metadata(path)
        check_tasks(path, metadata, self.tasks)
        found = [model["name"] for model in metadata["models"]]
        if found != [name]:
            raise RunError(f"{path}: holds results of {', '.join(map(repr, found))}; expected those of {name!r}")
        key = f"{self.names.index(name):05d}"
        about = {**metadata["models"][0], FROM_RUN: metadata["run_id"]}
        if self.journal.finished or (self._knows(about) and self.journal.has("summary", key)):
            return
        self.journal.describe("device", metadata.get("device"))
        others = [model for model in self.journal.metadata["models"] if model["name"] != name]
        self.journal.describe("models", sorted([*others, about], key=lambda model: self.names.index(model["name"])))
        for group, (record, frame) in enumerate(row_groups(path)):
            if record in _BEFORE_SUMMARY:
                self.journal.write(record, f"{key}-{group:05d}", frame)
        # Last and in one piece: an encoder with a summary is complete.
        self.journal.write("summary", key, bound_summary(open_run(path, live=False)))

    def progress(self, report: Report, done: int, total: int, doing: str) -> None:
        """Tell readers of the live run how many steps are done, what is being done now, and how far all of it is."""
        if not self.journal.finished:
            phase = f"study: {doing}" if doing else "study"
            self.journal.progress(phase, done, total, "steps", share=report.share, left=report.left)

    def finish(self) -> None:
        """Write the run file. All encoders must have been added."""
        self.journal.finish()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.journal.close()

    def _knows(self, about: dict[str, Any]) -> bool:
        known = {model["name"]: model.get(FROM_RUN) for model in self.journal.metadata["models"]}
        return bool(known.get(about["name"]) == about[FROM_RUN])

    def _fits(self, identity: str) -> bool:
        """Whether what is there is this study's, merged from the runs that are there now."""
        there = _metadata(self.folder.run)
        if there is None:
            return True
        if "study" not in there:
            raise RunError(f"{self.folder.run}: is not the run of a study: move it, or replace it with --overwrite")
        if there.get("identity") != identity:
            return False
        for model in there["models"]:
            path = self.folder.run_of(model["name"])
            if not path.is_file() or read_metadata(path).get("run_id") != model.get(FROM_RUN):
                return False
        return True


def check_tasks(path: Path, metadata: dict[str, Any], tasks: Sequence[dict[str, Any]]) -> None:
    """Raise RunError unless the run at `path` is of exactly these tasks, under these names, in this order."""
    there = metadata.get("tasks", [])
    if len(tasks) != len(there):
        raise RunError(f"{path}: is of {len(there)} tasks, but the plan has {len(tasks)} targets")
    for task, other in zip(tasks, there, strict=True):
        if task["fingerprint"] != other.get("fingerprint"):
            raise RunError(f"{path}: its task {other['name']!r} is not what the plan calls {task['name']!r}")
        for field in ("name", "domain"):
            if task[field] != other.get(field):
                raise RunError(
                    f"{path}: the {field} of the target {task['name']!r} is {other.get(field)!r} there, but "
                    f"{task[field]!r} in the plan"
                )


def _identity(study: dict[str, Any], tasks: Sequence[dict[str, Any]], names: Sequence[str]) -> str:
    content = [SCHEMA_VERSION, study, [(task["name"], task["fingerprint"]) for task in tasks], names]
    return hashlib.sha256(json.dumps(content).encode("utf-8", "surrogatepass")).hexdigest()


def _metadata(path: Path) -> dict[str, Any] | None:
    """Return the metadata of the run at `path`, unfinished or finished, or None where there is none."""
    if not path.exists() and not (live_folder(path) / "run.json").exists():
        return None
    return open_run(path).metadata
