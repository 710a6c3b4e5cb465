"""A line to type, with what is wrong with it said at once, and hints below."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from xlbias.dashboard.dialogs.base import Dialog
from xlbias.dashboard.dialogs.input import Entry
from xlbias.text import clean

_REST = 0.15  # seconds without a key, after which what was typed is told


class PromptDialog(Dialog[str]):
    """Dismissed with the line that was typed, once it is right.

    Args:
        title: our own words.
        value: what stands there at first.
        check: returns what is wrong with a line, or None.
        hints: lines below it, our own words.
        typed: is told of every line that is right once typing rests, so that what it leaves is seen; and of the first
            one where it is all given up.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "accept", show=False, id="prompt.accept", priority=True),
        Binding("ctrl+u", "empty", show=False, id="prompt.empty", priority=True),
    ]

    DEFAULT_CSS = """
    PromptDialog {
        & > .panel { width: 100%; }
        #wrong { color: $text-error; display: none; }
        #hints { color: $quiet; text-wrap: nowrap; text-overflow: ellipsis; }
    }
    """

    def __init__(
        self,
        title: str,
        value: str = "",
        check: Callable[[str], str | None] = lambda _: None,
        hints: Sequence[str] = (),
        typed: Callable[[str], object] | None = None,
    ) -> None:
        super().__init__()
        self.add_class("-clear")
        self._typed, self._told = typed, value
        self._resting: Timer | None = None
        self._title, self._value, self._check, self._hints = title, value, check, tuple(hints)

    def compose(self) -> ComposeResult:
        """The line, what is wrong with it, hints."""
        with Vertical(classes="panel") as panel:
            panel.border_title = self._title
            panel.border_subtitle = "Enter · ^u clears · Esc"
            yield Entry(self._value)
            yield Static(id="wrong")
            yield Static(Content("\n".join(self._hints)), id="hints")

    @on(Entry.Changed)
    def _judge(self, event: Entry.Changed) -> None:
        value = event.value.strip()
        wrong = self._check(value)
        self._say(wrong)
        if self._resting is not None:
            self._resting.stop()
            self._resting = None
        if wrong is None and self._typed is not None:
            self._resting = self.set_timer(_REST, partial(self._tell, value))

    def _tell(self, value: str) -> None:
        """Tell of a line, unless it is what was told last."""
        if self._typed is not None and value != self._told:
            self._told = value
            self._typed(value)

    def action_cancel(self) -> None:
        """Close without a result: what was there at first is there again."""
        self._tell(self._value)
        super().action_cancel()

    def _say(self, wrong: str | None) -> None:
        line = self.query_one("#wrong", Static)
        line.display = wrong is not None
        line.update(Content(clean(wrong or "")))

    def action_accept(self) -> None:
        """Close with the line, unless something is wrong with it."""
        value = self.query_one(Entry).value.strip()
        wrong = self._check(value)
        if wrong is None:
            self.dismiss(value)
        else:
            self._say(wrong)

    def action_empty(self) -> None:
        """Begin the line anew."""
        self.query_one(Entry).value = ""
