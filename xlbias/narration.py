"""What long pieces of work tell whoever is listening, and someone who does not listen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Counter(Protocol):
    """Told how many units of work are done."""

    def advance(self, units: int = 1) -> None:
        """Say that `units` more are done."""


class Narrator(Protocol):
    """Told what is going on; `xlbias.cli.narrate.StderrNarrator` prints it."""

    def say(self, text: str) -> None:
        """Say one line."""

    def progress(self, label: str, total: int | None, unit: str) -> AbstractContextManager[Counter]:
        """Open a piece of work of `total` units."""


class Silent:
    """A narrator, and a counter, that says nothing."""

    def say(self, text: str) -> None:
        """Say nothing."""

    def advance(self, units: int = 1) -> None:
        """Count nothing."""

    @contextmanager
    def progress(self, label: str, total: int | None, unit: str) -> Iterator[Counter]:
        """Open a piece of work that nobody watches."""
        yield self
