"""Reports and comparisons as texts, and new files named after what they hold and the time."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

from xlbias.files import write_new

if TYPE_CHECKING:
    from xlbias.dashboard.workers.comparisons import Against
    from xlbias.results.run import Run

CLIPBOARD_LIMIT = 74_000
"""Bytes of text that terminals take by OSC 52, which allows about 100,000 of base64."""

SUFFIXES = {"tsv": "tsv", "markdown": "md", "latex": "tex", "text": "txt", "html": "html", "csv": "csv", "json": "json"}
"""How the names of files end, by format."""


def save(folder: Path, name: str, suffix: str, content: str) -> Path:
    """Write a new file named after `name` and the time, and return its path. Raises OSError, and leaves no part."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:80] or "xlbias"
    stamp = time.strftime("%Y%m%d-%H%M%S")
    for number in range(1, 1000):
        path = folder / f"{stem}-{stamp}{f'-{number}' if number > 1 else ''}.{suffix}"
        try:
            write_new(path, content.encode("utf-8", "replace"))
        except FileExistsError:
            continue
        return path
    raise OSError(f"{folder}: too many files with this time stamp")


def why_not(error: OSError, folder: Path) -> str:
    """Return in a sentence why a file could not be written."""
    return f"cannot write into {folder}: {(error.strerror or str(error)).lower()}"


def report_of(run: Run, form: str) -> str:
    """Return the report of a run, as `xlbias report --format` writes it.

    A run that has been finished since it was opened is opened again: its parts are in one file now.
    """
    from xlbias.report.render import render_report
    from xlbias.results.run import open_run

    try:
        return render_report([run], form, to_file=True)
    except FileNotFoundError:
        return render_report([open_run(run.path)], form, to_file=True)


def comparison_of(against: Against, run: Run, model: str, form: str) -> str:
    """Return the comparison of an encoder with its baseline on the tasks of both, as `xlbias compare` writes it.

    Raises RunError where they have no task in common.
    """
    from xlbias.errors import RunError
    from xlbias.report.render import render_comparison
    from xlbias.results.caveats import of_side
    from xlbias.results.compare import PERMUTATIONS, Side, compare

    there = {task.name for task in run.tasks}  # the baseline's are called as these, see xlbias.results.matching
    shared = [task.name for task in against.run.tasks if task.name in there]
    if not shared:
        raise RunError(f"{against.label} has no task in common with the run: there is nothing to compare")
    sides = Side(against.run, (against.model,)), Side(run, (model,))
    frames = {task: compare(*sides, task) for task in shared}
    base, new = against.model, model
    if base == new:
        base, new = (f"{model} ({side.run.path.name})" for side in sides)
    doubts = {task: (of_side(sides[0], task), of_side(sides[1], task)) for task in shared}
    return render_comparison(
        frames,
        base,
        new,
        form,
        permutations=PERMUTATIONS,
        doubts=doubts,
        to_file=True,
    )
