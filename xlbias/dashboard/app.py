"""The dashboard: owns the state, takes snapshots from the followers, and passes keys to what they do."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, cast

from textual.app import App
from textual.binding import BindingType
from textual.message import Message
from textual.screen import Screen

from xlbias.dashboard import keys, places
from xlbias.dashboard.comparing import Baselines
from xlbias.dashboard.copying import Copying
from xlbias.dashboard.export import state_folder
from xlbias.dashboard.live import Broken, Event, Follower, Pace, Snapshot, Waiting
from xlbias.dashboard.memory import recall, remember
from xlbias.dashboard.screens.base import View
from xlbias.dashboard.screens.notice import NoticeScreen
from xlbias.dashboard.screens.overview import OverviewScreen
from xlbias.dashboard.theme import DARK, NO_COLOUR, THEMES, quiet_colours
from xlbias.errors import UsageError
from xlbias.measures.measure import Measure
from xlbias.report.tables import MATRIX_MEASURES

Chosen = tuple[str, str]
"""Model and task."""

QueryKey = tuple[str, str, str]
"""Query id, query language and pool."""


class Arrived(Message):
    """A follower has something new."""

    def __init__(self, event: Event, *, of_base: bool) -> None:
        super().__init__()
        self.event, self.of_base = event, of_base


class Compared(Message):
    """A comparison is ready."""


def _made_when_asked_for(module: str, name: str) -> Callable[[], View]:
    """A screen is imported when it is first shown: the first one must not wait for the others."""

    def make() -> View:
        from importlib import import_module

        screen: View = getattr(import_module(f"xlbias.dashboard.screens.{module}"), name)()
        return screen

    return make


class DashboardApp(Baselines, Copying, App[None], inherit_bindings=False):
    """The application.

    Args:
        follower: of the run that is looked at; already started or not. It is stopped when the application ends.
        theme: name of the theme; by default that of the last time, or the dashboard's dark one, or one without
            colours under NO_COLOR. Raises UsageError if there is none of that name.
        base: of a second run, which differences are taken from.
        read_only: write no files.
        says: told, on leaving, what goes on without the dashboard; see `xlbias.dashboard.run`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings()]
    SCREENS: ClassVar = {
        places.MATRIX: _made_when_asked_for("matrix", "MatrixScreen"),
        places.BIAS: _made_when_asked_for("bias", "BiasScreen"),
        places.DOMAINS: _made_when_asked_for("domains", "DomainsScreen"),
        places.QUERIES: _made_when_asked_for("queries", "QueriesScreen"),
        places.QUERY: _made_when_asked_for("query", "QueryScreen"),
        places.TRAINING: _made_when_asked_for("training", "TrainingScreen"),
        places.NOTICE: NoticeScreen,
    }
    ENABLE_COMMAND_PALETTE = False  # opened by a key of the registry instead, with commands of its own
    ALLOW_SELECT = False
    TITLE = "xlbias"

    CSS = """
    Screen { background: $background; color: $foreground; }
    Screen:ansi { background: ansi_default; color: ansi_default; }
    CommandPalette SearchIcon { display: none; }
    Toast { width: auto; max-width: 90%; }
    """

    def __init__(
        self,
        follower: Follower,
        theme: str | None = None,
        *,
        base: Follower | None = None,
        read_only: bool = False,
    ) -> None:
        no_colour = "NO_COLOR" in os.environ
        super().__init__(ansi_color=True if no_colour else None)
        for known in THEMES:
            self.register_theme(known)
        if theme is not None and theme not in self.available_themes:
            raise UsageError(f"there is no theme {theme!r}: choose one of {', '.join(sorted(self.available_themes))}")
        self.follower = follower
        self.base_follower = base
        self.path: Path = follower.path
        self.read_only = read_only
        self.snapshot: Snapshot | None = None
        """What is shown."""
        self.newest: Snapshot | None = None
        """What has been read last; another than what is shown while paused."""
        self.base: Snapshot | None = None
        """The second run, which differences are taken from."""
        self.event: Waiting | Broken | None = None
        """Why there is no newer snapshot, if that is so."""
        self.problem = ""
        self.paused = False
        self.following = False
        self.pace = Pace()
        self.measure: Measure = next(iter(MATRIX_MEASURES.values()))
        self.chosen: Chosen | None = None
        self.query_key: QueryKey | None = None
        """The query of the drill-down."""
        self.trail: list[str] = []
        """The screens that Escape leads back to, the present one's opener last."""
        self._restored = recall(state_folder(), self.path)
        self._keep_theme = theme is None and not no_colour
        remembered = self._restored.get("theme") if self._keep_theme else None
        fallback = remembered if remembered in self.available_themes else DARK.name
        self._theme_name = theme or (NO_COLOUR if no_colour else str(fallback))

    def get_default_screen(self) -> Screen[Any]:
        """The bottom of the stack, on which at most one other screen stands; laid out while the run is being read."""
        return OverviewScreen()

    def on_mount(self) -> None:
        """Set the theme and begin to take snapshots."""
        self.theme = self._theme_name
        if self.base_follower is not None:
            self.base_follower.attach(lambda event: self._post(event, of_base=True))
        self.follower.attach(lambda event: self._post(event, of_base=False))

    def _post(self, event: Event, *, of_base: bool) -> None:
        """Take an event from a follower's thread into the application's."""
        self.post_message(Arrived(event, of_base=of_base))

    def on_unmount(self) -> None:
        """Let the threads go, and remember how the run was looked at."""
        self.follower.stop()
        if self.base_follower is not None:
            self.base_follower.stop()
        self.comparisons.stop()

    def exit(self, *args: Any, **more: Any) -> None:
        """Leave; how the run was looked at is remembered."""
        if self.snapshot is not None and not self.read_only:
            remember(state_folder(), self.path, self._view_now())
        super().exit(*args, **more)

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
    def previous(self) -> str | None:
        """The screen that Escape leads to."""
        return self.trail[-1] if self.trail else places.PARENT.get(self.place)

    @property
    def n_waiting(self) -> int:
        """Cells that have been finished since the screen was paused."""
        if self.snapshot is None or self.newest is None:
            return 0
        return len(self.newest.cells - self.snapshot.cells)

    def on_arrived(self, message: Arrived) -> None:
        """Take in what a follower has seen; while paused only count it."""
        event = message.event
        if message.of_base:
            self._take_base(event)
            return
        if not isinstance(event, Snapshot):
            self.event = event
            gone = isinstance(event, Waiting)
            self.problem = f"{self.path.name} is gone." if gone else f"{cast(Broken, event).sentence}."
            self.settle()
            self.show()
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

    def _take_base(self, event: Event) -> None:
        if isinstance(event, Snapshot):
            self.base = event
        else:
            gone = isinstance(event, Waiting)
            said = f"{event.path.name} is not there" if gone else cast(Broken, event).sentence
            self.problem = f"No differences: {said}."
        self.show()

    def on_compared(self) -> None:
        """Show what has been computed."""
        self.show()

    def _take(self, snapshot: Snapshot) -> None:
        """Show a snapshot."""
        before, self.snapshot = self.snapshot, snapshot
        if snapshot.finished:
            self.paused = self.following = False
        pairs = snapshot.overview.select("model", "task").rows()
        if self.chosen not in pairs:
            self.chosen = pairs[0] if pairs else None
        if before is None:
            self._restore()
        self.settle()
        self.show()
        if self.following and before is not None:
            newest = snapshot.newest_since(before)
            if newest:
                self.view.follow_to(newest)

    def show(self) -> None:
        """Bring the present screen up to date."""
        if self.view.is_mounted:
            self.view.show()

    def settle(self) -> None:
        """Leave a screen that has nothing to show for one that has, unless help or palette are open above it."""
        if self.screen is not self.view:
            return
        if self.snapshot is None:
            if self.event is not None:
                self._switch(places.NOTICE)
        elif self.place == places.NOTICE or keys.BY_ID.get(self.place, keys.BY_ID[places.OVERVIEW]).why_not(self):
            self.trail.clear()
            trained_only = self.snapshot.trained and not self.snapshot.run.tasks
            self._switch(places.TRAINING if trained_only else places.OVERVIEW)

    def _switch(self, place: str) -> None:
        if place == self.place:
            return
        if place == places.OVERVIEW:
            self.pop_screen()
        elif self.place == places.OVERVIEW:
            self.push_screen(place)
        else:
            self.switch_screen(place)

    # -- the view of the last time -----------------------------------------------------------------------------------

    def _view_now(self) -> dict[str, Any]:
        screens = {screen.PLACE: screen.saved() for screen in self._views()}
        return {
            "place": self.place,
            "chosen": self.chosen,
            "measure": self.measure.name,
            "baseline": self.baseline,
            "theme": self.theme if self._keep_theme else None,
            "screens": {**self._restored.get("screens", {}), **screens},
        }

    def _views(self) -> list[View]:
        installed = [screen for screen in self._installed_screens.values() if isinstance(screen, View)]
        bottom = self.screen_stack[0]
        return [*installed, *([bottom] if isinstance(bottom, View) else [])]

    def _restore(self) -> None:
        """Look at the run as the last time, as far as it still has what was looked at."""
        assert self.snapshot is not None
        before = self._restored
        chosen = before.get("chosen")
        if isinstance(chosen, list) and tuple(chosen) in set(self.snapshot.overview.select("model", "task").rows()):
            self.chosen = (chosen[0], chosen[1])
        measure = before.get("measure")
        self.measure = MATRIX_MEASURES.get(measure, self.measure) if isinstance(measure, str) else self.measure
        baseline = before.get("baseline")
        if isinstance(baseline, str):
            self.baseline = baseline
        place = before.get("place")
        if place in places.TITLES and keys.BY_ID[place].why_not(self) is None:
            self._switch(place)

    def remembered(self, place: str) -> dict[str, Any]:
        """Return how a screen was looked at the last time, once: the screen takes it when it is first shown."""
        screens = self._restored.get("screens")
        found = screens.pop(place, {}) if isinstance(screens, dict) else {}
        return found if isinstance(found, dict) else {}

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
        """Show a screen; Escape then leads to where such a screen belongs."""
        self._choose_row()
        self.trail.clear()
        self._switch(place)

    def enter(self, place: str) -> None:
        """Show a screen that the present one leads to; Escape comes back here."""
        if place != self.place:
            self.trail.append(self.place)
            self._switch(place)

    def back(self) -> None:
        """Close the panel that is open, or show the screen that led here."""
        if self.view.panel_open:
            self.view.close_panel()
        elif self.trail:
            self._switch(self.trail.pop())
        else:
            self._switch(places.PARENT[self.place])

    def _choose_row(self) -> None:
        overview = self.view
        key = overview.table.cursor_key if isinstance(overview, OverviewScreen) else None
        if key is not None:
            self.chosen = (key[0], key[1])

    def choose(self, chosen: Chosen) -> None:
        """Look at another model and task."""
        if chosen != self.chosen:
            self.chosen = chosen
            self.show()

    def open_matrix(self, chosen: Chosen) -> None:
        """Show the matrix of a model and task; Escape comes back here."""
        self.chosen = chosen
        self.enter(places.MATRIX)
        self.show()

    def open_queries(self, filter: str) -> None:
        """Show the queries of the present model and task that a filter leaves; Escape comes back here."""
        from xlbias.dashboard.screens.queries import QueriesScreen

        screen = self.get_screen(places.QUERIES)
        assert isinstance(screen, QueriesScreen)
        screen.set_filter(filter)
        self.enter(places.QUERIES)
        self.show()

    def open_query(self, query: QueryKey) -> None:
        """Show one query of the present model and task; Escape comes back here."""
        self.query_key = query
        self.enter(places.QUERY)
        self.show()

    def walk(self, step: int) -> bool:
        """Show the next query that the filter of Queries leaves, or the one before; False where there is none."""
        from xlbias.dashboard.screens.queries import QueriesScreen

        screen = self.get_screen(places.QUERIES)
        assert isinstance(screen, QueriesScreen)
        found = screen.step(step)
        if found is None:
            return False
        self.query_key = found
        self.show()
        return True

    def go_to_cell(self, cell: tuple[str, str]) -> None:
        """Put the cursor of the matrix on a cell."""
        self.view.go_to_cell(cell)

    def move(self, where: str) -> None:
        """Move the cursor of the present screen; that ends following."""
        self.view.move(where)
        if self.following:
            self.toggle_follow()

    def step_measure(self, step: int) -> None:
        """Show the next measure in the matrix, or the one before."""
        names = list(MATRIX_MEASURES)
        self.measure = MATRIX_MEASURES[names[(names.index(self.measure.name) + step) % len(names)]]
        self.show()

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

    def pick(self) -> None:
        """Choose model and task from a list."""
        from xlbias.dashboard.dialogs.pick import Choice, PickDialog

        assert self.snapshot is not None
        pairs = self.snapshot.overview.select("model", "task").rows()
        choices = [Choice(pair, f"{pair[0]} on {pair[1]}") for pair in pairs]
        self.push_screen(PickDialog("model and task", choices, self.chosen), lambda c: self.choose(c) if c else None)

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
        if self.base_follower is not None:
            self.base_follower.reload()
        self.notify("reading the run again", timeout=2, markup=False)

    def show_help(self) -> None:
        """Show the keys."""
        from xlbias.dashboard.screens.help import HelpScreen, help_text

        self.push_screen(HelpScreen(help_text(self)))

    def show_palette(self) -> None:
        """Show the command palette."""
        from textual.command import CommandPalette

        from xlbias.dashboard.palette import Commands

        self.push_screen(CommandPalette(providers=[Commands], placeholder="command, hi→en, or theme"))
