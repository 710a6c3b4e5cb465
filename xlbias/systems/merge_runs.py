"""Several runs of the same tasks as one: encoders and systems that were evaluated one by one, beside each other."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from xlbias._version import __version__
from xlbias.errors import RunError, UsageError
from xlbias.results.matching import Matched, matched
from xlbias.results.run import Run, open_run
from xlbias.results.run_numbers import bound_summary
from xlbias.runs.journal import Journal
from xlbias.runs.parquet import row_groups
from xlbias.runs.schema import RECORDS
from xlbias.versions import package_versions

TEXTS = ("query", "passage")
"""Records that all runs of a task have in common: the first run's are taken."""

SUMMARY = "summary"


def merge_runs(runs: Sequence[str | Path], out: str | Path, *, overwrite: bool = False) -> Run:
    """Return one run with the encoders of all these runs, which are of the same tasks.

    Args:
        runs: paths of at least two finished runs. Tasks are matched by what is in them and called as in the first run.
        out: path of the new run file.
        overwrite: replace what is at `out`.

    Numbers are taken over as they are; nothing is computed anew. Raises RunError where two runs have other tasks or
    an encoder of the same name, UsageError for fewer than two runs.
    """
    paths = [Path(one) for one in runs]
    if len(paths) < 2:
        raise UsageError("nothing to merge: expected at least two runs")
    opened = [open_run(path, live=False) for path in paths]
    first = opened[0]
    same = [matched(run, first) for run in opened]
    called = [_called(one, run, first) for one, run in zip(same, opened, strict=True)]
    _check_encoders(opened)
    metadata = {
        "created": time.time(),
        "xlbias": __version__,
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "versions": package_versions(),
        "top_k": min(run.metadata.get("top_k", 0) for run in opened),
        "top_of": "all" if all(run.metadata.get("top_of") == "all" for run in opened) else "multilingual",
        "approximate": any(run.metadata.get("approximate") for run in opened),
        "device": first.metadata.get("device"),
        "models": [model for run in opened for model in run.metadata["models"]],
        "tasks": first.metadata["tasks"],
    }
    identity = " ".join(str(run.metadata.get("run_id")) for run in opened)
    with Journal.open(Path(out), metadata, identity=identity, overwrite=overwrite) as journal:
        try:
            for i, (one, run, names) in enumerate(zip(same, opened, called, strict=True)):
                wanted = [record for record in RECORDS if record != SUMMARY and (i == 0 or record not in TEXTS)]
                _copy(run.path, names, wanted, f"{i:05d}", journal)
                journal.write(SUMMARY, f"{i:05d}", bound_summary(one.run))
            journal.finish()
        except BaseException:
            journal.discard()
            raise
    return open_run(out)


def _called(found: Matched[Run], run: Run, first: Run) -> dict[str, tuple[str, str]]:
    """Return what each task of a run is called in the first run: its name and domain there, by its own name."""
    if found.differing:
        raise RunError(found.why_not(found.differing[0]))
    domains = {task.name: task.domain for task in first.tasks}
    called = {own: (name, domains[name]) for name, own in found.own.items()}
    for one, other in ((first, run), (run, first)):
        known = set(found.own) if one is first else set(called)
        missing = next((task.name for task in one.tasks if task.name not in known), None)
        if missing is not None:
            raise RunError(f"{other.path}: has no task {missing!r} of {one.path}: runs of the same tasks are merged")
    return called


def _check_encoders(runs: Iterable[Run]) -> None:
    """Raise RunError where two runs have an encoder of the same name."""
    owner: dict[str, Path] = {}
    for run in runs:
        for model in run.models:
            if model.name in owner:
                raise RunError(
                    f"{run.path}: its encoder {model.name!r} is in {owner[model.name]} too: give one of them another "
                    "name where it is evaluated or imported"
                )
            owner[model.name] = run.path


def _copy(path: Path, called: Mapping[str, tuple[str, str]], wanted: Sequence[str], key: str, journal: Journal) -> None:
    """Write the rows of a run's records, row group by row group, with the first run's names of tasks."""
    names: dict[str, Any] = {own: name for own, (name, _) in called.items()}
    domains: dict[str, Any] = dict(called.values())
    for group, (record, frame) in enumerate(row_groups(path)):
        if record in wanted:
            task = pl.col("task").replace(names)
            there = frame.with_columns(task, task.replace_strict(domains, default=pl.col("domain")).alias("domain"))
            journal.write(record, f"{key}-{group:05d}", there)
