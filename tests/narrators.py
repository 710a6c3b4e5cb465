"""Narrators for tests: one remembers what is said, others do something when so many units of work are done."""

from __future__ import annotations

import os
import signal

from xlbias.narration import Silent
from xlbias.progress import Report


class Listening(Silent):
    """Remembers what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)


class Counting(Silent):
    """Calls `advance` with the units that are done, as they are."""

    _seen: dict[str, int] | None = None

    def tell(self, report: Report) -> None:
        seen = self._seen = self._seen if self._seen is not None else {}
        more = report.done - seen.get(report.phase, 0)
        seen[report.phase] = report.done
        if more > 0 and report.total:
            self.advance(more)

    def advance(self, units: int) -> None:
        """Take in that so many more units are done."""


class Signalling(Counting):
    """Sends a signal to this very process after some steps."""

    def __init__(self, number: signal.Signals, after: int) -> None:
        self.number, self.left = number, after

    def advance(self, units: int = 1) -> None:
        self.left -= units
        if self.left == 0:
            os.kill(os.getpid(), self.number)
