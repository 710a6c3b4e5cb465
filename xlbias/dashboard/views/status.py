"""What the dashboard says of a run in progress: pure functions from state to clean text."""

from __future__ import annotations

import time

from xlbias.dashboard.terminal.numbers import duration
from xlbias.dashboard.terminal.plot import sparkline
from xlbias.dashboard.workers.pace import Pace
from xlbias.dashboard.workers.snapshot import Snapshot
from xlbias.progress import percent
from xlbias.text import clean

_BAR = 20
_CURVE = 12  # cells of the curve of the speed


def banner(snapshot: Snapshot | None, problem: str) -> tuple[str, bool]:
    """Return the sentence that must not be missed, cleaned, and whether it is an error; empty if all is well."""
    if problem and snapshot:
        read = "" if problem.startswith("No differences") else f" The screen shows it as of {_clock(snapshot.read_at)}."
        return f"! {clean(problem)}{read}", True
    if snapshot is None or snapshot.state.status in ("finished", "running"):
        return "", False
    writer = snapshot.state.writer or {}
    if snapshot.state.status == "died":
        who = f" (process {clean(str(writer['pid']))})" if "pid" in writer else ""
        return (
            f"✖ The writer of this run{who} has died. What it finished is kept and shown; "
            "continue with the same command and --resume.",
            True,
        )
    progress = snapshot.state.progress
    sign = f" Last progress at {_clock(progress.at)}." if progress else ""
    host = clean(str(writer.get("host", "another host")))
    return f"◌ Written on {host}: this machine cannot see whether the writer still runs.{sign}", False


def progress_line(snapshot: Snapshot, pace: Pace, *, wide: bool) -> tuple[str, str]:
    """Return how far a run in progress is, and its phase's name, which comes from data; empty for a finished one.

    The share and the time left are of all the work, the counts and the rate are those of the phase. A phase that counts
    nothing has its name only.
    """
    progress = snapshot.state.progress
    if snapshot.finished or progress is None:
        return "", ""
    words = []
    if progress.whole is not None:
        full = int(progress.whole * _BAR)
        shown = f"{percent(progress.whole):3} %"
        words.append(f"{'█' * full}{'░' * (_BAR - full)} {shown}" if wide else shown.lstrip())
    left = pace.seconds_left(progress)
    if snapshot.state.status == "running" and left is not None:
        words.append(f"{duration(left)} left")
    if progress.total:
        words.append(f"{progress.done:,} of {progress.total:,} {clean(progress.unit)}")
    elif progress.done:
        words.append(f"{progress.done:,} {clean(progress.unit)}")
    if snapshot.state.status == "running" and pace.rate:
        curve = sparkline(pace.speeds, _CURVE) if wide and len(pace.speeds) > 2 else ""
        words.append(f"{curve} {_rate(pace.rate)}".strip())
    return "  ".join(words), progress.phase


def _rate(rate: float) -> str:
    """A rate a second, as a time where it is below one."""
    if rate < 0.95:
        return f"{1 / rate:.1f} s each" if rate > 0.1 else f"{duration(1 / rate)} each"
    return f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s"


def _clock(at: float) -> str:
    """Local time of day of a Unix time, with the date where it was not today."""
    moment = time.localtime(at)
    today = moment[:3] == time.localtime()[:3]
    return time.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M", moment)
