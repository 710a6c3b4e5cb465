"""A row of the table of benchmarks, and how time and memory are taken for it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One figure.

    Attributes:
        what: that was measured.
        goal: in words; empty where there is none.
        figure: what came out, with its unit.
        met: whether the figure meets the goal; None where it is not measured, or there is no goal.
        load: processes that wanted a processor, the mean of the last minute, when it was measured.
    """

    what: str
    goal: str
    figure: str
    met: bool | None = None
    load: float = field(default_factory=lambda: os.getloadavg()[0])

    def __str__(self) -> str:
        sign = {True: "", False: " ✖", None: ""}[self.met]
        return f"| {self.what}{sign} | {self.goal} | {self.figure} | {self.load:.1f} |"


HEAD = "| what | goal | figure | load |\n|---|---|---:|---:|"


@dataclass(frozen=True)
class Spent:
    """What something took: seconds on the clock, seconds of processors, and the greatest memory, in MB."""

    wall: float
    processor: float
    peak: float = 0.0


def spent(do: Callable[[], object]) -> Spent:
    """Return what a call takes in this process, all of its threads counted."""
    wall, processor = time.perf_counter(), time.process_time()
    do()
    return Spent(time.perf_counter() - wall, time.process_time() - processor)


def best(do: Callable[[], object], rounds: int) -> Spent:
    """Return the round that took the fewest seconds of processors."""
    return min((spent(do) for _ in range(rounds)), key=lambda one: one.processor)


def command(arguments: Sequence[str], folder: Path, **environment: str) -> Spent:
    """Return what `xlbias` with these arguments takes, from its start to its end. Raises SystemExit where it fails."""
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent), "XDG_STATE_HOME": str(folder), **environment}
    wall, peak = time.perf_counter(), 0.0
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(
            [sys.executable, "-m", "xlbias", *arguments], cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=said
        )
        while True:
            peak = max(peak, _peak(child.pid))
            pid, status, used = os.wait4(child.pid, os.WNOHANG)
            if pid:
                break
            time.sleep(0.005)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            said.seek(0)
            raise SystemExit(f"xlbias {' '.join(arguments)}: {said.read().decode(errors='replace')[-2000:]}")
    return Spent(time.perf_counter() - wall, used.ru_utime + used.ru_stime, peak)


def _peak(pid: int) -> float:
    """Return the most memory that a running process has held, in MB; 0 where that is not known.

    The `ru_maxrss` of a child begins with what its parent held.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text("ascii")
    except OSError:
        return 0.0
    found = status.partition("VmHWM:")[2].split()
    return int(found[0]) / 1024 if found else 0.0


def unmeasured(what: str, goal: str, why: str) -> Row:
    """Return a row that says why there is no figure."""
    return Row(what, goal, f"not measured: {why}")
