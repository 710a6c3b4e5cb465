"""Narration on stderr: what a command is doing, with a rate and an ETA; plain lines where there is no terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click

from xlbias.narration import Counter, Silent
from xlbias.streams import drawing_stream
from xlbias.text import clean


class _Lines:
    """A plain line every few seconds, for logs and pipes; the rate is that since the last line."""

    def __init__(self, label: str, total: int | None, unit: str) -> None:
        self.label, self.total, self.unit = label, total, unit
        self.done = self.last_done = 0
        self.last = time.monotonic()

    def advance(self, units: int = 1) -> None:
        self.done += units
        now = time.monotonic()
        if now - self.last >= 5.0:
            rate = (self.done - self.last_done) / (now - self.last)
            self.last, self.last_done = now, self.done
            of = f" of {self.total:,}" if self.total else ""
            eta = f", {max(0.0, (self.total - self.done) / rate):,.0f} s left" if self.total and rate else ""
            click.echo(f"{self.label}: {self.done:,}{of} {self.unit} ({_rate(rate)}{eta})", err=True)


def _rate(rate: float) -> str:
    """Return a rate with two digits at least, as a time where it is below one a second."""
    if 0 < rate < 1:
        return f"{1 / rate:.1f} s each"
    return f"{rate:.1f}/s" if rate < 10 else f"{rate:,.0f}/s"


class StderrNarrator:
    """Tells the user on stderr what is going on; silent with `quiet`."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet

    def say(self, text: str) -> None:
        """Print one line (cleaned of control characters)."""
        if not self.quiet:
            click.echo(clean(text), err=True)

    @contextmanager
    def progress(self, label: str, total: int | None, unit: str) -> Iterator[Counter]:
        """Show progress of `total` units under `label` while the block runs."""
        label = clean(label)
        if self.quiet:
            yield Silent()
        elif not sys.stderr.isatty():
            yield _Lines(label, total, unit)
        else:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as RichProgress

            columns = (
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn(unit, markup=False),
                TimeRemainingColumn(),
            )
            with RichProgress(*columns, console=Console(file=drawing_stream()), transient=True) as bar:
                task = bar.add_task(label, total=total)

                class _Bar:
                    def advance(self, units: int = 1) -> None:
                        bar.advance(task, units)

                yield _Bar()
