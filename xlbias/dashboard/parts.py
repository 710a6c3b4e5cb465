"""The parts of the dashboard, as keys and screens see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from xlbias.dashboard.state import Application, SeenScreen, State

if TYPE_CHECKING:
    from xlbias.dashboard.baseline import Baseline
    from xlbias.dashboard.exports import Exports
    from xlbias.dashboard.live import Live
    from xlbias.dashboard.navigation import Navigation
    from xlbias.dashboard.selection import Selection
    from xlbias.dashboard.session import Session


class Dashboard(Application, Protocol):
    """The application with its parts."""

    state: State
    baseline: Baseline
    navigation: Navigation
    selection: Selection
    exports: Exports
    session: Session
    live: Live

    @property
    def view(self) -> SeenScreen:
        """The present screen."""

    @property
    def place(self) -> str:
        """Which one that is."""

    def show_help(self) -> None:
        """Show the keys."""

    def show_palette(self) -> None:
        """Show the command palette."""
