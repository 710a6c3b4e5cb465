"""A row of the table of benchmarks, and how time and memory are taken for it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
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


@contextmanager
def one_thread() -> Iterator[None]:
    """Have products and kernels done by one thread in the block: on a busy machine several wait for one another.

    They wait with a loop, which is counted as work.
    """
    import torch
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before)


class Memory:
    """The memory of this process in a block, looked at while it runs; 0 where the system does not tell.

    Attributes:
        beyond: at most, of what is no page of a file, beyond what was there before, in MB.
        peak: at most, everything counted, in MB.
    """

    beyond = peak = 0.0

    def __enter__(self) -> Memory:
        if os.access("/proc/self/clear_refs", os.W_OK):
            Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        self._before = self._most = resident("RssAnon")
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def _look(self) -> None:
        while not self._ended.wait(0.1):
            self._most = max(self._most, resident("RssAnon"))

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self.beyond = max(self._most, resident("RssAnon")) - self._before
        self.peak = resident("VmHWM")


def here(arguments: Sequence[str]) -> Spent:
    """Return what `xlbias` with these arguments takes in this process. Raises SystemExit where it fails."""
    from xlbias.cli import run

    def do() -> None:
        with redirect_stdout(io.StringIO()):
            code = run(list(arguments))
        if code:
            raise SystemExit(f"xlbias {' '.join(arguments)}: exit code {code}")

    with Memory() as memory:
        taken = spent(do)
    return Spent(taken.wall, taken.processor, memory.peak)


def command(arguments: Sequence[str], folder: Path, *, launcher: Sequence[str] = (), **environment: str) -> Spent:
    """Return what `xlbias` with these arguments takes, from its start to its end. Raises SystemExit where it fails.

    `launcher` are arguments of Python before it, of a program that starts several of it: what they take is counted.
    """
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent), "XDG_STATE_HOME": str(folder), **environment}
    wall, peak = time.perf_counter(), 0.0
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(
            [sys.executable, *launcher, "-m", "xlbias", *arguments],
            cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=said,
        )  # fmt: skip
        while True:
            peak = max(peak, resident("VmHWM", child.pid))
            pid, status, used = os.wait4(child.pid, os.WNOHANG)
            if pid:
                break
            time.sleep(0.005)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            said.seek(0)
            raise SystemExit(f"xlbias {' '.join(arguments)}: {said.read().decode(errors='replace')[-2000:]}")
    return Spent(time.perf_counter() - wall, used.ru_utime + used.ru_stime, peak)


def resident(name: str, pid: int | str = "self") -> float:
    """Return a size of a process, such as VmHWM, the most it has held, in MB; 0 where that is not known.

    The `ru_maxrss` of a child begins with what its parent held.
    """
    try:
        found = Path(f"/proc/{pid}/status").read_text("ascii").partition(f"{name}:")[2].split()
    except OSError:
        return 0.0
    return int(found[0]) / 1024 if found else 0.0


def unmeasured(what: str, goal: str, why: str) -> Row:
    """Return a row that says why there is no figure."""
    return Row(what, goal, f"not measured: {why}")
