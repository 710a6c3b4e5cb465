"""What threads and signals tell the application: each message is handled in `xlbias.dashboard.app`."""

from __future__ import annotations

from pathlib import Path

from textual.message import Message


class Arrived(Message):
    """A follower has something new: it lies in its box, so that what was there before is not kept until it is seen."""

    def __init__(self, *, of_base: bool) -> None:
        super().__init__()
        self.of_base = of_base


class RunsListed(Message):
    """There is another list of runs, which lies in its box."""


class ProcessEnded(Message):
    """The process that the dashboard was started with has ended."""


class ExitRequested(Message):
    """The dashboard is to leave, by a signal or because its terminal is gone."""

    def __init__(self, code: int) -> None:
        super().__init__()
        self.code = code


class Compared(Message):
    """A comparison is ready, or what a run says."""


class Exported(Message):
    """Texts have been made and written, or not.

    Attributes:
        what: what they are, in our own words.
        text: to go to the clipboard; None where nothing is to.
        files: those that have been written.
        trouble: what went wrong, empty if nothing did.
    """

    def __init__(self, what: str, text: str | None, files: list[Path], trouble: str = "") -> None:
        super().__init__()
        self.what, self.text, self.files, self.trouble = what, text, files, trouble
