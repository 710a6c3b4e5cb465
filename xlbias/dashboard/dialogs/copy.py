"""How much to copy, and in which format: two letters, ``r l`` for a row as LaTeX, or Enter for the last choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from xlbias.dashboard.dialogs.base import Dialog
from xlbias.dashboard.dialogs.options import Option, Options
from xlbias.dashboard.state import Scope

SCOPES: dict[Scope, Option] = {
    "cell": Option("c", "cell", "cell", "the one under the cursor"),
    "row": Option("r", "row", "row", "the one under the cursor"),
    "all": Option("a", "all", "all", "in the order shown, with the filter"),
}
"""How much can be copied, smallest first."""

FORMS = {
    "tsv": Option("t", "tsv", "TSV", "full precision, with intervals and n"),
    "markdown": Option("m", "markdown", "Markdown", "a pipe table with intervals and notes"),
    "latex": Option("l", "latex", "LaTeX", "a booktabs table with intervals and notes"),
}
"""The formats of a copy."""


@dataclass(frozen=True)
class Copy:
    """What is to be copied: how much, and in which format."""

    scope: Scope
    form: str

    def within(self, scopes: Sequence[Scope]) -> Copy:
        """Return the same where a screen offers no such scope: then the next larger one, or the largest."""
        order = list(SCOPES)
        larger = [scope for scope in order if scope in scopes and order.index(scope) >= order.index(self.scope)]
        return Copy(larger[0] if larger else scopes[-1], self.form)


class CopyDialog(Dialog[Copy]):
    """Dismissed with what is to be copied.

    Args:
        scopes: what the screen offers.
        last: what is marked at first.
        n_all: what there is in all, such as ``12 rows``.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,tab,j", "step(1)", show=False, id="copy.down"),
        Binding("up,shift+tab,k", "step(-1)", show=False, id="copy.up"),
        Binding("enter", "accept", show=False, id="copy.accept"),
        *(Binding(o.key, f"scope('{o.value}')", show=False, id=f"copy.{o.value}") for o in SCOPES.values()),
        *(Binding(o.key, f"form('{o.value}')", show=False, id=f"copy.{o.value}") for o in FORMS.values()),
    ]

    DEFAULT_CSS = """
    CopyDialog .title { color: $quiet; }
    """

    def __init__(self, scopes: Sequence[Scope], last: Copy, n_all: str = "") -> None:
        super().__init__()
        self.add_class("-clear")
        self._scopes = tuple(scope for scope in SCOPES if scope in scopes)
        self._last = last.within(self._scopes)
        self._n_all = n_all

    def compose(self) -> ComposeResult:
        """How much above, the formats below."""
        with Vertical(classes="panel") as panel:
            panel.border_title = "copy"
            panel.border_subtitle = "a letter each, or ↑↓ and Enter · Esc"
            yield Static(Content("how much"), classes="title")
            yield Options([self._option(scope) for scope in self._scopes], self._last.scope, id="scopes")
            yield Static(Content("as"), classes="title")
            yield Options(list(FORMS.values()), self._last.form, id="forms")

    def _option(self, scope: Scope) -> Option:
        """How much, with the count of all."""
        option = SCOPES[scope]
        counted = scope == "all" and self._n_all
        return replace(option, meaning=f"{self._n_all}, {option.meaning}") if counted else option

    @property
    def scope(self) -> Scope:
        """How much is marked."""
        marked = self.query_one("#scopes", Options).marked
        return next(scope for scope in self._scopes if scope == marked)

    def action_step(self, step: int) -> None:
        """Mark more, or less."""
        self.query_one("#scopes", Options).step(step)

    def action_scope(self, scope: str) -> None:
        """Mark how much, or say that the screen has no such thing."""
        if scope in self._scopes:
            self.query_one("#scopes", Options).mark(scope)
        else:
            self.notify(f"this screen has no {scope} to copy", severity="warning", timeout=3, markup=False)

    def action_form(self, form: str) -> None:
        """Copy what is marked, in this format."""
        self.dismiss(Copy(self.scope, form))

    def action_accept(self) -> None:
        """Copy what is marked, in the format of the last time."""
        self.dismiss(Copy(self.scope, self._last.form))

    @on(Options.Picked)
    def _clicked(self, event: Options.Picked) -> None:
        if event.options.id == "forms":
            self.action_form(event.value)
        else:
            self.action_scope(event.value)
