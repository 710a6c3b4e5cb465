"""A short list of things to choose from, each on a letter of its own, with one of them marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget


@dataclass(frozen=True)
class Option:
    """One of them, all in our own words: its key, its value, its name and what it means."""

    key: str
    value: str
    name: str
    meaning: str = ""


class Options(Widget):
    """The list; the marked one stands behind ``▸``."""

    DEFAULT_CSS = """
    Options { height: auto; width: 1fr; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    class Picked(Message):
        """One of them was clicked."""

        def __init__(self, options: Options, value: str) -> None:
            super().__init__()
            self.options, self.value = options, value

    def __init__(self, options: Sequence[Option], marked: str, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.options = tuple(options)
        values = [option.value for option in self.options]
        self._at = values.index(marked) if marked in values else 0

    @property
    def marked(self) -> str:
        """The value of the marked one."""
        return self.options[self._at].value

    def mark(self, value: str) -> None:
        """Mark another one."""
        self._at = [option.value for option in self.options].index(value)
        self.refresh()

    def step(self, step: int) -> None:
        """Mark the next one, or the one before, round the ends."""
        self._at = (self._at + step) % len(self.options)
        self.refresh()

    def render(self) -> Content:
        """A line each, names and meanings below each other."""
        wide = max(len(option.name) for option in self.options)
        return Content("\n").join(
            Content.assemble(
                ("▸ " if i == self._at else "  ", "bold $text-accent"),
                (option.key, "bold $text-accent"),
                (f"  {option.name:{wide}}", "bold" if i == self._at else ""),
                (f"  {option.meaning}", "$quiet"),
            )
            for i, option in enumerate(self.options)
        )

    def on_click(self, event: events.Click) -> None:
        """Pick the one that was clicked."""
        if 0 <= event.y < len(self.options):
            self.post_message(self.Picked(self, self.options[event.y].value))
