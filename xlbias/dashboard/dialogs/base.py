"""What all dialogs have in common: a panel in the middle, closed by Escape."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from xlbias.dashboard.terminal.settling import SETTLING

Result = TypeVar("Result")


class Dialog(ModalScreen[Result | None], inherit_bindings=False):
    """A panel over the screen, which stays in sight. It is dismissed with its result, or with None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+c", "cancel", "close", show=False, id="dialog.cancel"),
    ]

    DEFAULT_CSS = """
    Dialog {
        align: center middle;
        & > .panel {
            width: 76;
            max-width: 100%;
            height: auto;
            max-height: 100%;
            padding: 0 1;
            border: round $primary;
            border-title-color: $text-accent;
            border-subtitle-color: $quiet;
            background: $surface;
        }
        &.-clear { align: center bottom; }
        &.-clear > .panel { margin-bottom: 1; }
        &:ansi > .panel { background: ansi_default; }
    }
    """

    def on_mount(self) -> None:
        """Begin with a whole frame."""
        self.app.delay_update(SETTLING)

    def action_cancel(self) -> None:
        """Close without a result."""
        self.dismiss(None)
