"""A line to type in that holds no control character, whatever is pasted into it."""

from __future__ import annotations

from textual import on
from textual.widgets import Input

from xlbias.text import clean


class Entry(Input):
    """One line of text."""

    DEFAULT_CSS = """
    Entry, Entry:focus { border: none; height: 1; padding: 0; background: transparent; }
    Entry:ansi { background: ansi_default; }
    Entry:ansi > .input--cursor { text-style: reverse; }
    """

    def __init__(self, value: str = "", placeholder: str = "") -> None:
        super().__init__(clean(value), placeholder=placeholder, compact=True, select_on_focus=False)
        self.cursor_blink = False  # an idle dialog sends nothing

    @on(Input.Changed)
    def _cleaned(self, event: Input.Changed) -> None:
        safe = clean(event.value)
        if safe != event.value:
            event.stop()
            self.value = safe
