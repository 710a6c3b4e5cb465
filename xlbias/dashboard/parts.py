"""The application as keys and screens see it: Textual's, with the parts of the dashboard."""

from __future__ import annotations

from pathlib import Path
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
    from xlbias.dashboard.workers.findings import FindingsWorker
    from xlbias.dashboard.workers.shelf import Shelf


class Dashboard(App[None], inherit_bindings=False):
    """The application with its parts."""

    state: State
    baseline: Baseline
    navigation: Navigation
    selection: Selection
    exports: Exports
    session: Session
    live: Live
    findings: FindingsWorker
    shelf: Shelf | None
    picked: bool

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

    def back(self) -> None:
        """Show what led here: a screen, or the picker."""
        raise NotImplementedError

    def reload(self) -> None:
        """Read anew what is shown."""
        raise NotImplementedError

    def open_run(self, path: Path, base: Path | None = None) -> None:
        """Leave the picker for a run, shown with its differences from `base` where that is given."""
        raise NotImplementedError

    def show_picker(self) -> None:
        """Leave the run for the picker."""
        raise NotImplementedError
