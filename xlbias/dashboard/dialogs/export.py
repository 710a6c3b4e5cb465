"""In which format the report of a run is saved."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from xlbias.dashboard.dialogs.base import Dialog
from xlbias.dashboard.dialogs.options import Option, Options

FORMS = {
    "text": Option("t", "text", "text", "to read and to mail"),
    "markdown": Option("m", "markdown", "Markdown", "for issues and pages"),
    "latex": Option("l", "latex", "LaTeX", "booktabs tables for a paper"),
    "html": Option("h", "html", "HTML", "one page with heat maps, opens offline"),
    "csv": Option("c", "csv", "CSV", "every number in full precision, a row each"),
    "json": Option("j", "json", "JSON", "every number, for scripts"),
}
"""The formats of a report, those of `xlbias report`."""


class ExportDialog(Dialog[str]):
    """Dismissed with the format.

    Args:
        last: the format that is marked at first.
        also: what is saved beside the report, in our own words; empty for nothing.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,tab", "step(1)", show=False, id="export.down"),
        Binding("up,shift+tab", "step(-1)", show=False, id="export.up"),
        Binding("enter", "accept", show=False, id="export.accept"),
        *(Binding(o.key, f"form('{o.value}')", show=False, id=f"export.{o.value}") for o in FORMS.values()),
    ]

    DEFAULT_CSS = """
    ExportDialog .also { color: $quiet; }
    """

    def __init__(self, last: str, also: str = "") -> None:
        super().__init__()
        self.add_class("-clear")
        self._last, self._also = last, also

    def compose(self) -> ComposeResult:
        """The formats."""
        with Vertical(classes="panel") as panel:
            panel.border_title = "save the report of the run as"
            panel.border_subtitle = "a letter, or ↑↓ and Enter · Esc"
            yield Options(list(FORMS.values()), self._last)
            if self._also:
                yield Static(Content(self._also), classes="also")

    def action_step(self, step: int) -> None:
        """Mark the next format, or the one before."""
        self.query_one(Options).step(step)

    def action_form(self, form: str) -> None:
        """Save in this format."""
        self.dismiss(form)

    def action_accept(self) -> None:
        """Save in the marked format."""
        self.dismiss(self.query_one(Options).marked)

    @on(Options.Picked)
    def _clicked(self, event: Options.Picked) -> None:
        self.dismiss(event.value)
