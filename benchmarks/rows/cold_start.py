"""How soon commands answer, each as a process of its own, from nothing."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from row import Row, Spent, command

TASK = "builtin:calendar"


def rows(tiny: bool) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        yield _row("xlbias --help", "≤ .25 s", command(["--help"], folder), 0.25)
        if tiny:
            return
        evaluate = ["evaluate", "static-small", "--task", TASK, "--out", "run.parquet"]
        kept = {name: str(folder / name) for name in ("XLBIAS_CACHE", "NUMBA_CACHE_DIR")}  # neither vectors nor kernels
        taken = command(evaluate, folder, **kept)
        yield _row(f"xlbias evaluate static-small --task {TASK}, nothing cached", "≤ 10 s", taken, 10.0)
        taken = command([*evaluate, "--overwrite"], folder, **kept)
        yield Row("the same once more, all cached", "", _figure(taken))
        yield _row("xlbias report of that run", "≤ 1 s", command(["report", "run.parquet"], folder), 1.0)
        if sys.platform == "linux":
            yield _dashboard(folder / "run.parquet", str(folder))


def _row(what: str, goal: str, taken: Spent, seconds: float) -> Row:
    return Row(what, f"{goal} of processors", _figure(taken), taken.processor <= seconds)


def _figure(taken: Spent) -> str:
    return f"{taken.wall:.2f} s, {taken.processor:.2f} s of processors, {taken.peak:,.0f} MB"


def _dashboard(run: Path, state: str) -> Row:
    import dashboard

    terminal = dashboard.Terminal(run, state)
    _, wall, _ = terminal.until(lambda text: "static-small" in text)
    peak, processor = terminal.peak, terminal.processor
    terminal.end()
    figure = f"{wall:.2f} s, {processor:.2f} s of processors, {peak:,.0f} MB"
    return Row("xlbias dashboard of that run, first screen", "≤ 1 s of processors", figure, processor <= 1.0)
