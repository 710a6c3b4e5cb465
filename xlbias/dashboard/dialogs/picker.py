"""A list to choose one entry from; typing narrows it down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from xlbias.dashboard.dialogs.base import Dialog
from xlbias.dashboard.dialogs.input import Entry
from xlbias.folding import folded
from xlbias.text import one_line

_MOST = 500


@dataclass(frozen=True)
class Choice:
    """An entry: what it is, its text and a remark, which both may come from data."""

    value: Any
    text: str
    remark: str = ""


class PickDialog(Dialog[Any]):
    """Dismissed with the value of the entry that was chosen.

    Args:
        title: our own words.
        choices: the entries.
        current: the value under the cursor at first.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,ctrl+k", "move('cursor_up')", show=False, id="pick.up", priority=True),
        Binding("down,ctrl+j", "move('cursor_down')", show=False, id="pick.down", priority=True),
        Binding("pageup", "move('page_up')", show=False, id="pick.page_up", priority=True),
        Binding("pagedown", "move('page_down')", show=False, id="pick.page_down", priority=True),
        Binding("enter", "choose", show=False, id="pick.choose", priority=True),
    ]

    DEFAULT_CSS = """
    PickDialog {
        OptionList { height: auto; max-height: 35vh; border: none; background: transparent; padding: 0; }
        OptionList:ansi { background: ansi_default; }
    }
    """

    def __init__(self, title: str, choices: Sequence[Choice], current: Any = None) -> None:
        super().__init__()
        self._title, self._choices, self._current = title, tuple(choices), current
        self._matching: list[Choice] = []

    def compose(self) -> ComposeResult:
        """A line to type in above the list."""
        with Vertical(classes="panel") as panel:
            panel.border_title = self._title
            panel.border_subtitle = "type to search · ↑↓ · Enter · Esc"
            yield Entry()
            yield OptionList()

    def on_mount(self) -> None:
        """Show everything at first."""
        super().on_mount()
        self.add_class("-clear")
        self.query_one(OptionList).can_focus = False
        self._list("")
        at = next((i for i, choice in enumerate(self._matching) if choice.value == self._current), 0)
        self.query_one(OptionList).highlighted = at if self._matching else None

    @on(Entry.Changed)
    def _narrow(self, event: Entry.Changed) -> None:
        self._list(event.value)

    def _list(self, typed: str) -> None:
        words = folded(typed).split()
        matching = [c for c in self._choices if all(word in folded(f"{c.text} {c.remark}") for word in words)]
        self._matching = matching[:_MOST]
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(
            Option(
                Content.assemble(one_line(c.text, 66), ("  " + one_line(c.remark, 60) if c.remark else "", "$quiet"))
            )
            for c in self._matching
        )
        options.highlighted = 0 if self._matching else None

    def action_move(self, how: str) -> None:
        """Move the cursor of the list."""
        getattr(self.query_one(OptionList), f"action_{how}")()

    def action_choose(self) -> None:
        """Close with the entry under the cursor."""
        at = self.query_one(OptionList).highlighted
        if at is not None and at < len(self._matching):
            self.dismiss(self._matching[at].value)

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._matching[event.option_index].value)
