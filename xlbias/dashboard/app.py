"""The dashboard: owns the state, takes snapshots from the follower, and passes keys to what they do."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar, cast

from textual.app import App
from textual.binding import BindingType
from textual.message import Message
from textual.screen import Screen

from xlbias.dashboard import keys
from xlbias.dashboard.export import CLIPBOARD_LIMIT, save, state_folder, without_fonts
from xlbias.dashboard.live import Broken, Event, Follower, Pace, Snapshot, Waiting
from xlbias.dashboard.screens.base import View
from xlbias.dashboard.screens.notice import NoticeScreen
from xlbias.dashboard.screens.overview import OverviewScreen
from xlbias.dashboard.theme import DARK, NO_COLOUR, THEMES, quiet_colours
from xlbias.errors import UsageError
from xlbias.measures.measure import Measure
from xlbias.report.tables import MATRIX_MEASURES
from xlbias.text import clean

Chosen = tuple[str, str]
"""Model and task."""


class Arrived(Message):
    """The follower has something new."""

    def __init__(self, event: Event) -> None:
        super().__init__()
        self.event = event


def _matrix_screen() -> View:
    """Made when first asked for: its language data would delay the first screen."""
    from xlbias.dashboard.screens.matrix import MatrixScreen

    return MatrixScreen()


class DashboardApp(App[None], inherit_bindings=False):
    """The application.

    Args:
        follower: already started or not; it is stopped when the application ends.
        theme: name of the theme; by default the dashboard's dark one, or one without colours under NO_COLOR. Raises
            UsageError if there is none of that name.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings()]
    SCREENS: ClassVar = {keys.MATRIX: _matrix_screen, keys.NOTICE: NoticeScreen}
    ENABLE_COMMAND_PALETTE = False  # opened by a key of the registry instead, with commands of its own
    ALLOW_SELECT = False
    TITLE = "xlbias"

    CSS = """
    Screen { background: $background; color: $foreground; }
    Screen:ansi { background: ansi_default; color: ansi_default; }
    CommandPalette SearchIcon { display: none; }
    Toast { width: auto; max-width: 90%; }
    """

    def __init__(self, follower: Follower, theme: str | None = None) -> None:
        no_colour = "NO_COLOR" in os.environ
        super().__init__(ansi_color=True if no_colour else None)
        for known in THEMES:
            self.register_theme(known)
        if theme is not None and theme not in self.available_themes:
            raise UsageError(f"there is no theme {theme!r}: choose one of {', '.join(sorted(self.available_themes))}")
        self.follower = follower
        self.path: Path = follower.path
        self.snapshot: Snapshot | None = None
        """What is shown."""
        self.newest: Snapshot | None = None
        """What has been read last; another than what is shown while paused."""
        self.event: Waiting | Broken | None = None
        """Why there is no newer snapshot, if that is so."""
        self.problem = ""
        self.paused = False
        self.following = False
        self.pace = Pace()
        self.measure: Measure = next(iter(MATRIX_MEASURES.values()))
        self.chosen: Chosen | None = None
        self._theme_name = theme or (NO_COLOUR if no_colour else DARK.name)

    def get_default_screen(self) -> Screen[Any]:
        """The bottom of the stack, on which at most one other screen stands; laid out while the run is being read."""
        return OverviewScreen()

    def on_mount(self) -> None:
        """Set the theme and begin to take snapshots."""
        self.theme = self._theme_name
        self.follower.attach(self._post)

    def _post(self, event: Event) -> None:
        """Take an event from the follower's thread into the application's."""
        self.post_message(Arrived(event))

    def on_unmount(self) -> None:
        """Let the follower go."""
        self.follower.stop()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Colours of our own, mixed from those of the present theme."""
        return quiet_colours(self.current_theme)

    # -- state -----------------------------------------------------------------------------------------------------

    @property
    def view(self) -> View:
        """The present screen below any help or palette; there is always one, the overview at the bottom."""
        return next(screen for screen in reversed(self.screen_stack) if isinstance(screen, View))

    @property
    def place(self) -> str:
        """Which screen that is."""
        return self.view.PLACE

    @property
    def n_waiting(self) -> int:
        """Cells that have been finished since the screen was paused."""
        if self.snapshot is None or self.newest is None:
            return 0
        return len(self.newest.cells - self.snapshot.cells)

    def on_arrived(self, message: Arrived) -> None:
        """Take in what the follower has seen; while paused only count it."""
        event = message.event
        if not isinstance(event, Snapshot):
            self.event = event
            gone = isinstance(event, Waiting)
            self.problem = f"{self.path.name} is gone." if gone else f"{cast(Broken, event).sentence}."
            self.settle()
            self._show()
            return
        was_finished = self.newest is None or self.newest.finished
        self.event, self.problem, self.newest = None, "", event
        if event.state.progress is not None:
            self.pace = self.pace.after(event.state.progress)
        if event.finished and not was_finished:
            self.notify("The run has finished.", markup=False)
        if self.paused and self.snapshot is not None and not event.finished:
            self.view.tell()
            return
        self._take(event)

    def _take(self, snapshot: Snapshot) -> None:
        """Show a snapshot."""
        before, self.snapshot = self.snapshot, snapshot
        if snapshot.finished:
            self.paused = self.following = False
        pairs = snapshot.overview.select("model", "task").rows()
        if self.chosen not in pairs:
            self.chosen = pairs[0] if pairs else None
        self.settle()
        self._show()
        if self.following and before is not None:
            newest = snapshot.newest_since(before)
            if newest:
                self.view.follow_to(newest)

    def _show(self) -> None:
        if self.view.is_mounted:
            self.view.show()

    def settle(self) -> None:
        """Leave a screen that has nothing to show for one that has, unless help or palette are open above it."""
        if self.screen is not self.view:
            return
        if self.snapshot is None:
            if self.event is not None:
                self._switch(keys.NOTICE)
        elif self.place == keys.NOTICE or (self.place == keys.MATRIX and self.chosen is None):
            self._switch(keys.OVERVIEW)

    def _switch(self, place: str) -> None:
        if place == self.place:
            return
        if place == keys.OVERVIEW:
            self.pop_screen()
        elif self.place == keys.OVERVIEW:
            self.push_screen(place)
        else:
            self.switch_screen(place)

    # -- what keys do ------------------------------------------------------------------------------------------------

    def action_key(self, key_id: str) -> None:
        """Run a key of the registry, or say why it cannot be used here and now."""
        self.press(key_id)

    def press(self, key_id: str) -> None:
        """Run a key of the registry, or say why it cannot be used here and now."""
        key = keys.BY_ID[key_id]
        reason = key.why_not(self)
        if reason is None:
            key.action(self)
        else:
            self.notify(f"{key.first}: {reason}", severity="warning", timeout=3, markup=False)

    def go(self, place: str) -> None:
        """Show a screen."""
        if place == keys.MATRIX and self.place == keys.OVERVIEW:
            self._choose_row()
        self._switch(place)

    def back(self) -> None:
        """Close the panel that is open, or show the screen above the present one."""
        if self.view.panel_open:
            self.view.close_panel()
        else:
            self._switch(keys.PARENT[self.place])

    def open_row(self) -> None:
        """Show the matrix of the row under the cursor."""
        self.go(keys.MATRIX)

    def _choose_row(self) -> None:
        overview = self.view
        key = overview.table.cursor_key if isinstance(overview, OverviewScreen) else None
        if key is not None:
            self.chosen = (key[0], key[1])

    def choose(self, chosen: Chosen) -> None:
        """Show another model and task in the matrix."""
        if chosen != self.chosen:
            self.chosen = chosen
            self._show()

    def go_to_matrix(self, chosen: Chosen) -> None:
        """Show the matrix of a model and task."""
        self.chosen = chosen
        self._switch(keys.MATRIX)
        self._show()

    def go_to_cell(self, cell: tuple[str, str]) -> None:
        """Put the cursor of the matrix on a cell."""
        self.view.go_to_cell(cell)

    def move(self, where: str) -> None:
        """Move the cursor of the present screen; that ends following."""
        self.view.move(where)
        if self.following:
            self.toggle_follow()

    def step_measure(self, step: int) -> None:
        """Show the next measure, or the one before."""
        names = list(MATRIX_MEASURES)
        self.measure = MATRIX_MEASURES[names[(names.index(self.measure.name) + step) % len(names)]]
        self._show()

    def step_task(self) -> None:
        """Show the same model on the next task."""
        if self.snapshot and self.chosen:
            names = [task["name"] for task in self.snapshot.run.tasks]
            self.choose((self.chosen[0], names[(names.index(self.chosen[1]) + 1) % len(names)]))

    def step_model(self) -> None:
        """Show the next model on the same task."""
        if self.snapshot and self.chosen:
            names = [model["name"] for model in self.snapshot.run.models]
            self.choose((names[(names.index(self.chosen[0]) + 1) % len(names)], self.chosen[1]))

    def toggle_range(self) -> None:
        """Spread the colours over the values shown, or over 0 to 1."""
        self.view.toggle_range()

    def toggle_details(self) -> None:
        """Show or hide provenance."""
        self.view.toggle_details()

    def toggle_pause(self) -> None:
        """Hold the screen still, or show what has come since."""
        self.paused = not self.paused
        if not self.paused and self.newest is not None:
            self._take(self.newest)
        else:
            self.view.tell()

    def toggle_follow(self) -> None:
        """Keep the cursor on what was finished last, or leave it alone."""
        self.following = not self.following
        self.view.tell()

    def reload(self) -> None:
        """Read the run anew."""
        self.follower.reload()
        self.notify("reading the run again", timeout=2, markup=False)

    def copy_all(self) -> None:
        """Copy what the screen shows."""
        self._copy(row_only=False)

    def copy_row(self) -> None:
        """Copy the row under the cursor."""
        self._copy(row_only=True)

    def _copy(self, *, row_only: bool) -> None:
        text, name = self.view.copied(row_only=row_only)
        said = ""
        if len(text.encode()) <= CLIPBOARD_LIMIT:
            self.copy_to_clipboard(text)
            said = "copied, if the terminal allows it; "
        self._keep(name, "tsv", text, said)

    def save_picture(self) -> None:
        """Save the screen as SVG."""
        self._keep(f"xlbias-{self.place}", "svg", without_fonts(self.export_screenshot(title="xlbias")), "")

    def _keep(self, name: str, suffix: str, content: str, said: str) -> None:
        try:
            path = save(state_folder(), name, suffix, content)
        except OSError as error:
            self.notify(clean(f"{said}no file could be written: {error}"), severity="error", markup=False)
            return
        self.notify(clean(f"{said}in {path}"), markup=False, timeout=6)

    def show_help(self) -> None:
        """Show the keys."""
        from xlbias.dashboard.screens.help import HelpScreen, help_text

        self.push_screen(HelpScreen(help_text(self)))

    def show_palette(self) -> None:
        """Show the command palette."""
        from textual.command import CommandPalette

        from xlbias.dashboard.palette import Commands

        self.push_screen(CommandPalette(providers=[Commands], placeholder="command, hi→en, or theme"))
