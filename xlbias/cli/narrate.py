"""Narration on stderr: what a command is doing and how far it is; plain lines where there is no terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from xlbias.narration import Tell
from xlbias.progress import Report
from xlbias.streams import drawing_stream
from xlbias.text import clean, one_line, width

if TYPE_CHECKING:
    from rich.progress import Progress

_INTERVAL = 30.0  # seconds between two lines
_BAR, _SO_FAR = 16, len("99 %, 9 min 50 s left")  # cells


class _Lines:
    """A plain line every half a minute, for logs and pipes."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def __call__(self, report: Report) -> None:
        now = time.monotonic()
        if now - self._last >= _INTERVAL:
            self._last = now
            click.echo(line_of(report), err=True)


def line_of(report: Report) -> str:
    """Return how far a command is in a line: ``63 %, 4 min left: hybrid · xquad-r: ranking, 512 of 13,090 queries``."""
    left = f", {span(report.left)} left" if report.left is not None else ""
    return f"{report.percent} %{left}: {_doing(report)}"


def _doing(report: Report) -> str:
    counted = f"{report.done:,} of {report.total:,} {report.unit}" if report.total else ""
    return clean(", ".join(filter(None, (report.phase, counted, report.note))))


def span(seconds: float) -> str:
    """Return a span of time as it is read at a glance: ``8 s``, ``3 min 20 s``, ``12 min``, ``2 h 05 min``, ``3 d``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 600:
        return f"{whole // 60} min {whole % 60 // 10 * 10:02d} s"
    if whole < 3600:
        return f"{whole // 60} min"
    hours = whole // 3600
    return f"{hours} h {whole % 3600 // 60:02d} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


class StderrNarrator:
    """Tells the user on stderr what is going on; silent with `quiet`."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self._bar: Progress | None = None

    def say(self, text: str) -> None:
        """Print one line (cleaned of control characters), above the bar where one is shown."""
        if self.quiet:
            return
        if self._bar is not None:
            self._bar.console.print(clean(text), markup=False, highlight=False, soft_wrap=True)
        else:
            click.echo(clean(text), err=True)

    @contextmanager
    def watch(self) -> Iterator[Tell]:
        """Show how far a command is: a bar on a terminal, a line every half a minute elsewhere."""
        if self.quiet:
            yield lambda _: None
        elif not sys.stderr.isatty():
            yield _Lines()
        else:
            from rich.console import Console
            from rich.progress import BarColumn, TextColumn
            from rich.progress import Progress as RichProgress

            columns = (
                BarColumn(bar_width=_BAR),
                TextColumn("{task.fields[so_far]}", markup=False),
                TextColumn("{task.description}", markup=False),
            )
            with RichProgress(*columns, console=Console(file=drawing_stream()), transient=True) as bar:
                task = bar.add_task("", total=1.0, so_far="")

                def tell(report: Report) -> None:
                    left = f", {span(report.left)} left" if report.left is not None else ""
                    so_far = f"{report.percent} %{left}"
                    room = bar.console.width - _BAR - max(_SO_FAR, len(so_far)) - 3
                    doing = _doing(report)
                    if width(doing) > room:  # encoder and task go first, what is done with them stays
                        doing = one_line(doing.rpartition(": ")[2], max(room, 10))
                    bar.update(task, completed=report.share, description=doing, so_far=f"{so_far:<{_SO_FAR}}")

                self._bar = bar
                try:
                    yield tell
                finally:
                    self._bar = None
