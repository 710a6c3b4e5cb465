"""The dashboard: owns the state, takes snapshots from the followers, and passes keys to what they do."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, cast

from textual.app import App
from textual.binding import BindingType
from textual.message import Message
from textual.screen import Screen

from xlbias.dashboard import places
from xlbias.dashboard.baseline import Baselines
from xlbias.dashboard.commands import keys
from xlbias.dashboard.export_files import state_folder
from xlbias.dashboard.exports import Copying
from xlbias.dashboard.memory import recall
from xlbias.dashboard.screens.base import View
from xlbias.dashboard.screens.notice import NoticeScreen
from xlbias.dashboard.screens.overview import OverviewScreen
from xlbias.dashboard.session import Remembering
from xlbias.dashboard.terminal.theme import DARK, NO_COLOUR, THEMES, quiet_colours
from xlbias.dashboard.workers.follower import Follower
from xlbias.dashboard.workers.pace import Pace
from xlbias.dashboard.workers.process import Work
from xlbias.dashboard.workers.snapshot import Broken, Event, Snapshot, Waiting
from xlbias.errors import UsageError
from xlbias.measures.measure import Measure
from xlbias.results.matrix import MATRIX_MEASURES

Chosen = tuple[str, str]
"""Model and task."""

QueryKey = tuple[str, str, str]
"""Query id, query language and pool."""


_FIRST_PAINTED = 0.3  # seconds


class Arrived(Message):
    """A follower has something new: it lies in its box, so that what was there before is not kept until it is seen."""

    def __init__(self, *, of_base: bool) -> None:
        super().__init__()
        self.of_base = of_base


class Ended(Message):
    """The work beside the dashboard has ended."""


class Told(Message):
    """The dashboard is told to leave, from outside."""

    def __init__(self, code: int) -> None:
        super().__init__()
        self.code = code


class Compared(Message):
    """A comparison is ready."""


def _import_screens() -> None:
    """Import what the first screen has not waited for, so that the next one comes at once."""
    time.sleep(_FIRST_PAINTED)
    for name in ("matrix", "queries.screen", "query.screen", "bias", "domains", "training", "help"):
        import_module(f"xlbias.dashboard.screens.{name}")
    import_module("xlbias.results.compare")


def _made_when_asked_for(module: str, name: str) -> Callable[[], View]:
    """A screen is imported when it is first shown: the first one must not wait for the others."""

    def make() -> View:
        screen: View = getattr(import_module(f"xlbias.dashboard.screens.{module}"), name)()
        return screen

    return make


class DashboardApp(Baselines, Copying, Remembering, App[None], inherit_bindings=False):
    """The application.

    Args:
        follower: of the run that is looked at; already started or not. It is stopped when the application ends.
        theme: name of the theme; by default that of the last time, or the dashboard's dark one, or one without
            colours under NO_COLOR. Raises UsageError if there is none of that name.
        base: of a second run, which differences are taken from.
        read_only: write no files.
        ascii: send the terminal nothing but ASCII.
        watch: work that goes on beside the dashboard and makes the run; its end is announced.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings()]
    SCREENS: ClassVar = {
        places.MATRIX: _made_when_asked_for("matrix", "MatrixScreen"),
        places.BIAS: _made_when_asked_for("bias", "BiasScreen"),
        places.DOMAINS: _made_when_asked_for("domains", "DomainsScreen"),
        places.QUERIES: _made_when_asked_for("queries.screen", "QueriesScreen"),
        places.QUERY: _made_when_asked_for("query.screen", "QueryScreen"),
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
    Toast { width: auto; max-width: 90%; padding: 0 1; margin: 0; }
    ToastRack { dock: top; align: right top; margin: 1 0 0 0; }
    """

    def __init__(
        self,
        follower: Follower,
        theme: str | None = None,
        *,
        base: Follower | None = None,
        read_only: bool = False,
        ascii: bool = False,
        watch: Work | None = None,
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
        self.watch_of_work = watch
        self.work_trouble = ""
        """How the work beside the dashboard has failed, if it has."""
        if ascii:
            from xlbias.dashboard.terminal.ascii import AsciiFilter

            self._filters.append(AsciiFilter())
        self.snapshot: Snapshot | None = None
        """What is shown."""
        self.newest: Snapshot | None = None
        """What has been read last; another than what is shown while paused."""
        self.base: Snapshot | None = None
        """The second run, which differences are taken from."""
        self._boxes: dict[bool, Event] = {}
        """The last event of each follower (of the base or not) that has not been taken in yet."""
        self.event: Waiting | Broken | None = None
        """Why there is no newer snapshot, if that is so."""
        self.problem = ""
        self.base_problem = ""
        self.ended_from_outside = False
        """Whether a signal, or the end of the terminal, has ended it."""
        self._event_loop: asyncio.AbstractEventLoop | None = None
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

    def on_load(self) -> None:
        """From now on it can be told to leave; the terminal has not been touched yet."""
        self._event_loop = asyncio.get_running_loop()

    def leave(self, code: int) -> bool:
        """Leave with an exit code, called from another thread or a signal handler; return False if it has not begun."""
        if self._event_loop is None:
            return False
        self.ended_from_outside = True
        with suppress(RuntimeError):  # it has ended by itself just now
            self._event_loop.call_soon_threadsafe(self.post_message, Told(code))
        return True

    def on_mount(self) -> None:
        """Set the theme and begin to take snapshots."""
        self.theme = self._theme_name
        if self.base_follower is not None:
            self.base_follower.attach(lambda event: self._post(event, of_base=True))
        self.follower.attach(lambda event: self._post(event, of_base=False))
        if self.watch_of_work is not None:
            self.watch_of_work.attach(self._post_end)

    def _post(self, event: Event, *, of_base: bool) -> None:
        """Take an event from a follower's thread into the application's; one that nobody has seen yet is let go.

        While keys are worked off nothing is taken in: a whole run in each message would fill the memory.
        """
        self._boxes[of_base] = event
        self.post_message(Arrived(of_base=of_base))

    def _post_end(self, _: int) -> None:
        self.post_message(Ended())

    def on_unmount(self) -> None:
        """Let the threads go, and remember how the run was looked at."""
        self.follower.stop()
        if self.watch_of_work is not None:
            self.watch_of_work.detach()
        if self.base_follower is not None:
            self.base_follower.stop()
        self.comparisons.stop()

    def exit(self, *args: Any, **more: Any) -> None:
        """Leave; how the run was looked at is remembered."""
        self.keep_view()
        super().exit(*args, **more)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Colours of our own, mixed from those of the present theme."""
        return quiet_colours(self.current_theme)

    # -- state -----------------------------------------------------------------------------------------------------

    @property
    def n_waiting(self) -> int:
        """Cells that have been finished since the screen was paused."""
        if self.snapshot is None or self.newest is None:
            return 0
        return len(self.newest.cells - self.snapshot.cells)

    def on_arrived(self, message: Arrived) -> None:
        """Take in what a follower has seen; while paused only count it."""
        event = self._boxes.pop(message.of_base, None)
        if event is None:  # taken in with the message before
            return
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
        if event.finished and not was_finished and self.watch_of_work is None:
            self.notify("The run has finished.", markup=False)
        if self.paused and self.snapshot is not None and not event.finished:
            self.view.tell()
            return
        self._take(event)

    def _take_base(self, event: Event) -> None:
        if isinstance(event, Snapshot):
            if self.base is not None and self.base.run is not event.run:
                self.base.run.forget()
            self.base, self.base_problem = event, ""
            self._look_for_common_tasks()
        else:
            gone = isinstance(event, Waiting)
            said = f"{event.path.name} is not there" if gone else cast(Broken, event).sentence
            self.base_problem = f"No differences: {said}."
        self.show()

    def _look_for_common_tasks(self) -> None:
        """Say so where the two runs can have no differences."""
        found = self.matched_base()
        if found is not None and found.run.tasks and found.to.tasks and not found.own:
            self.base_problem = f"No differences: {found.run.path.name} has none of the tasks of this run."

    def on_told(self, message: Told) -> None:
        """Leave as the user would."""
        self.exit(return_code=message.code)

    def on_ended(self) -> None:
        """Announce the end of the work beside the dashboard; leave where it failed before there was anything to see.

        Work that was killed stays on the screen as soon as its run is there: it did not fail by itself, and goes on.
        """
        work = self.watch_of_work
        assert work is not None
        if work.code == 0:
            self.follower.heed_all()
            self.notify(f"{work.name} has finished.", markup=False, timeout=8)
        elif self.newest is None or (self.newest.is_empty and (work.code or 0) <= 128):
            self.exit()
        else:
            work.shown = True
            self.work_trouble = work.trouble()
            self.show()

    def on_compared(self) -> None:
        """Show what has been computed."""
        self.show()

    def _take(self, snapshot: Snapshot) -> None:
        """Show a snapshot."""
        before, self.snapshot = self.snapshot, snapshot
        if before is not None and before.run is not snapshot.run:
            before.run.forget()  # screens that are not seen may hold on to it for long
        self._look_for_common_tasks()
        only_now = snapshot.trained_only and not (before and before.trained_only)
        if snapshot.finished:
            self.paused = self.following = False
        pairs = snapshot.overview.select("model", "task").rows()
        if self.chosen not in pairs:
            self.chosen = pairs[0] if pairs else None
        if before is None:
            self.restore_view()
            threading.Thread(target=_import_screens, name="import-screens", daemon=True).start()
        if only_now and self.place == places.OVERVIEW and self.screen is self.view:
            self._switch(places.TRAINING)
        self.settle()
        self.show()
        if self.following and before is not None:
            newest = snapshot.newest_since(before)
            if newest:
                self.view.follow_to(newest)

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
        """Read the run anew, unless what has just been read is still to be shown."""
        for follower, of_base in ((self.follower, False), (self.base_follower, True)):
            if follower is not None and of_base not in self._boxes:
                follower.reload()
        self.notify("reading the run again", timeout=2, markup=False)

    def show_help(self) -> None:
        """Show the keys."""
        from xlbias.dashboard.screens.help import HelpScreen, help_text

        self.push_screen(HelpScreen(help_text(self)))

    def show_palette(self) -> None:
        """Show the command palette."""
        from xlbias.dashboard.commands.palette import Palette

        self.push_screen(Palette())
