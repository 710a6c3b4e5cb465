"""What long pieces of work tell whoever is listening, and someone who does not listen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from xlbias.progress import Report

Tell = Callable[[Report], None]


class Narrator(Protocol):
    """Told what is going on; `xlbias.cli.narrate.StderrNarrator` prints it."""

    def say(self, text: str) -> None:
        """Say one line."""

    def watch(self) -> AbstractContextManager[Tell]:
        """Open the progress of a command: what it gives is told how far the whole command is."""


class Silent:
    """A narrator that says nothing."""

    def say(self, text: str) -> None:
        """Say nothing."""

    def tell(self, report: Report) -> None:
        """Tell nobody."""

    @contextmanager
    def watch(self) -> Iterator[Tell]:
        """Open the progress of a command; `tell` is told of it."""
        yield self.tell


class Telling(Silent):
    """The narrator of a command that is one step of a larger one, which is told of its progress and of its lines."""

    def __init__(self, tell: Tell, say: Callable[[str], None] = lambda _: None) -> None:
        self._tell, self._say = tell, say

    def say(self, text: str) -> None:
        """Say one line, if the larger command wants to hear it."""
        self._say(text)

    def tell(self, report: Report) -> None:
        """Tell the larger command how far it is."""
        self._tell(report)
