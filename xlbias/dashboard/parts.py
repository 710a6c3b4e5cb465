"""The application as keys and screens see it: Textual's, with the parts of the dashboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import App

if TYPE_CHECKING:
    from xlbias.dashboard.baseline import Baseline
    from xlbias.dashboard.exports import Exports
    from xlbias.dashboard.live import Live
    from xlbias.dashboard.navigation import Navigation
    from xlbias.dashboard.selection import Selection
    from xlbias.dashboard.session import Session
    from xlbias.dashboard.state import SeenScreen, State


class Dashboard(App[None], inherit_bindings=False):
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
        """The present screen below any help or palette."""
        return self.navigation.view

    @property
    def place(self) -> str:
        """Which screen that is."""
        return self.navigation.place

    def show_help(self) -> None:
        """Show the keys."""
        raise NotImplementedError

    def show_palette(self) -> None:
        """Show the command palette."""
        raise NotImplementedError
