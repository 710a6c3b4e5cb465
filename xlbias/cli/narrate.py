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

_INTERVAL = 5.0  # seconds between two lines
_BAR, _SO_FAR = 16, len("99 %, 119 s left")  # cells


class _Lines:
    """A plain line every few seconds, for logs and pipes."""

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
    if report.total:
        return f"{clean(report.phase)}, {report.done:,} of {report.total:,} {clean(report.unit)}"
    return clean(report.phase)


def span(seconds: float) -> str:
    """Return a span of time in words, to two digits or so: ``8 s``, ``12 min``, ``3.5 h``."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


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
        """Show how far a command is: a bar on a terminal, a line every few seconds elsewhere."""
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
