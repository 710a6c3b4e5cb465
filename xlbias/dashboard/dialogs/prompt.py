"""A line to type, with what is wrong with it said at once, and hints below."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from xlbias.dashboard.dialogs.base import Dialog
from xlbias.dashboard.dialogs.input import Entry
from xlbias.text import clean


class PromptDialog(Dialog[str]):
    """Dismissed with the line that was typed, once it is right.

    Args:
        title: our own words.
        value: what stands there at first.
        check: returns what is wrong with a line, or None.
        hints: lines below it, our own words.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "accept", show=False, id="prompt.accept", priority=True),
        Binding("ctrl+u", "empty", show=False, id="prompt.empty", priority=True),
    ]

    DEFAULT_CSS = """
    PromptDialog {
        align: center bottom;
        background: transparent;
        & > .panel { width: 100%; margin-bottom: 1; }
        #wrong { color: $text-error; display: none; }
        #hints { color: $quiet; }
    }
    """

    def __init__(
        self,
        title: str,
        value: str = "",
        check: Callable[[str], str | None] = lambda _: None,
        hints: Sequence[str] = (),
    ) -> None:
        super().__init__()
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
        self._say(self._check(event.value.strip()))

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
