"""The application: makes the parts, and passes keys, messages and Textual's own events to them."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.drivers.linux_driver import LinuxDriver
from textual.screen import Screen
from textual.scrollbar import ScrollBar

from xlbias.dashboard import places
from xlbias.dashboard.baseline import Baseline
from xlbias.dashboard.commands import keys
from xlbias.dashboard.exports import Exports
from xlbias.dashboard.live import Live
from xlbias.dashboard.messages import Arrived, Compared, ExitRequested, Exported, ProcessEnded, RunsListed
from xlbias.dashboard.navigation import Navigation
from xlbias.dashboard.parts import Dashboard
from xlbias.dashboard.screens.notice import NoticeScreen
from xlbias.dashboard.selection import Selection
from xlbias.dashboard.session import Session, last_theme, recent
from xlbias.dashboard.state import State
from xlbias.dashboard.terminal.driver import PromptDriver
from xlbias.dashboard.terminal.scroll_bar import QuietScrollBar
from xlbias.dashboard.terminal.theme import DARK, NO_COLOUR, THEMES, check_theme, quiet_colours
from xlbias.dashboard.workers.findings import FindingsWorker
from xlbias.dashboard.workers.follower import Follower
from xlbias.dashboard.workers.process import WatchedProcess
from xlbias.dashboard.workers.shelf import Listed, Shelf
from xlbias.folders import state_folder

if TYPE_CHECKING:
    from textual.driver import Driver

    from xlbias.dashboard.screens.picker import PickerScreen

ScrollBar.renderer = QuietScrollBar

_FIRST = places.SCREENS[places.OVERVIEW].load()
"""The first screen, imported before the terminal is touched: an empty frame would be painted in the meantime."""

_FIRST_PAINTED = 0.3  # seconds


def _import_screens() -> None:
    """Import what the first screen has not waited for, so that the next one comes at once."""
    time.sleep(_FIRST_PAINTED)
    for place in places.SCREENS.values():
        place.load()
    for module in ("dashboard.screens.help", "results.compare"):
        import_module(f"xlbias.{module}")


class DashboardApp(Dashboard, inherit_bindings=False):
    """The application: makes its parts.

    Args:
        follower: of the run that is looked at; already started or not. It is stopped when the application ends. None
            begins with the picker.
        theme: name of the theme; by default that of the last time, or the dashboard's dark one, or one without
            colours under NO_COLOR. Raises UsageError if no theme has that name.
        base: of a second run, which differences are taken from.
        read_only: write no files.
        ascii: send the terminal nothing but ASCII.
        process: that which makes the run; its end is announced.
        shelf: the runs that the picker shows; by default those below the folder of the run.
    """

    SCREENS: ClassVar = {places.NOTICE: NoticeScreen}
    NOTIFICATION_TIMEOUT = 4.0
    ENABLE_COMMAND_PALETTE = False  # opened by a key of the registry instead, with commands of its own
    ALLOW_SELECT = False
    TITLE = "xlbias"

    CSS = """
    Screen { background: $background; color: $foreground; }
    Screen:ansi { background: ansi_default; color: ansi_default; }
    Dialog, Dialog:ansi { background: $background 40%; }
    Dialog.-clear, Dialog:ansi { background: transparent; }
    CommandPalette > Vertical, CommandPalette:ansi > Vertical { margin-top: 2; background: transparent; }
    CommandPalette #--input, CommandPalette #--input.--list-visible {
        height: 2; border: none; border-top: solid $primary; background: $surface;
    }
    CommandPalette CommandInput, CommandPalette CommandInput:focus { border: none; height: 1; padding: 0 1; }
    CommandPalette CommandList, CommandPalette CommandList:focus {
        border: none; border-bottom: solid $primary; padding: 0 1; background: $surface;
        text-wrap: nowrap; text-overflow: ellipsis;
    }
    CommandPalette CommandList > .option-list--option { text-style: none; }
    CommandPalette:ansi #--input, CommandPalette:ansi CommandList { background: ansi_default; }
    CommandPalette:ansi CommandInput > .input--cursor { text-style: reverse; }
    OptionList:ansi > .option-list--option-highlighted { text-style: bold underline; }  /* Textual drops reverse */
    Toast { width: auto; max-width: 90%; padding: 0 1; margin: 0; }
    ToastRack { dock: top; align: right top; margin: 1 0 0 0; }
    """

    def __init__(
        self,
        follower: Follower | None,
        theme: str | None = None,
        *,
        base: Follower | None = None,
        read_only: bool = False,
        ascii: bool = False,
        process: WatchedProcess | None = None,
        shelf: Shelf | None = None,
    ) -> None:
        no_colour = "NO_COLOR" in os.environ
        super().__init__(ansi_color=True if no_colour else None)
        for binding in keys.bindings():
            self.bind(binding.key, binding.action, show=False)
        for known in THEMES:
            self.register_theme(known)
        if theme is not None:
            check_theme(theme)
        if ascii:
            from xlbias.dashboard.terminal.ascii import AsciiFilter

            self._filters.append(AsciiFilter())
        self.shelf = shelf
        self.picked = follower is None
        """Whether the run was chosen in the picker, where Escape then leads back to."""
        self._read_only = read_only
        self._ended: list[Baseline] = []
        """Of runs that were left: what computes differences, which must not outlive the process."""
        self.findings = FindingsWorker(lambda: self.post_message(Compared()))
        self._listed: Listed | None = None
        self._make_parts(follower, base, process)
        self._event_loop: asyncio.AbstractEventLoop | None = None
        self.ended_from_outside = False
        """Whether a signal, or the end of the terminal, has ended it."""
        self._keep_theme = theme is None and not no_colour
        last = (last_theme(state_folder()) if follower is None else self.session.theme) if self._keep_theme else None
        usual = last if last in self.available_themes else DARK.name
        self._theme_name = theme or (NO_COLOUR if no_colour else str(usual))

    def _make_parts(
        self, follower: Follower | None, base: Follower | None = None, process: WatchedProcess | None = None
    ) -> None:
        """Make all that is about one run; without a follower, none is open."""
        for name, place in places.SCREENS.items():
            if place.parent:
                self._installed_screens[name] = place.make
        path = follower.path if follower is not None else self.shelf.folder if self.shelf is not None else Path()
        base_path = base.path if base is not None else None
        self.state = State(path, base_path=base_path, read_only=self._read_only, process=process)
        self.baseline = Baseline(self.state, lambda: self.post_message(Compared()))
        self.navigation = Navigation(self, self.state, lambda place: keys.registry()[place].why_not(self))
        self.selection = Selection(self, self.state, self.baseline, self.navigation)
        self.exports = Exports(self, self.state, self.baseline, self.navigation)
        self.session = Session(self, self.state, self.baseline, self.navigation)
        self.live = Live(
            self, self.state, self.baseline, self.navigation,
            follower=follower, base_follower=base, begin=self._begin,
        )  # fmt: skip

    # -- beginning and end -------------------------------------------------------------------------------------------

    def get_default_screen(self) -> Screen[Any]:
        """The bottom of the stack, on which at most one other screen stands; laid out while the run is being read."""
        first: Screen[Any] = _FIRST() if not self.picked else self._picker()
        return first

    def _picker(self) -> PickerScreen:
        """The picker, which stays as it is while a run is looked at."""
        made = self._installed_screens.get(places.PICKER)
        if made is None:
            made = self._installed_screens[places.PICKER] = places.PICKER_PLACE.make()
        return cast("PickerScreen", made)

    def on_load(self) -> None:
        """From now on it can be told to leave; the terminal has not been touched yet."""
        self._event_loop = asyncio.get_running_loop()

    def on_mount(self) -> None:
        """Set the theme and begin to take snapshots."""
        first = self.screen_stack[0]
        first._push_result_callback(first, None)  # Textual does not for the first one, and wants it when that is left
        self.theme = self._theme_name
        self.theme_changed_signal.subscribe(self, lambda _: self.call_after_refresh(self.navigation.show))
        self.live.attach()
        if self.shelf is not None:
            self.shelf.attach(self._list)
        if self.state.process is not None:
            self.state.process.attach(lambda _: self.post_message(ProcessEnded()))

    def _begin(self) -> None:
        """The first snapshot is there."""
        self.session.restore()
        threading.Thread(target=_import_screens, name="import-screens", daemon=True).start()

    def leave(self, code: int) -> bool:
        """Leave with an exit code, called from another thread or a signal handler; return False if it has not begun."""
        if self._event_loop is None:
            return False
        self.ended_from_outside = True
        with suppress(RuntimeError):  # it has ended by itself just now
            self._event_loop.call_soon_threadsafe(self.post_message, ExitRequested(code))
        return True

    def exit(self, *args: Any, **more: Any) -> None:
        """Leave; how the run was looked at is remembered."""
        self.session.save(self.theme if self._keep_theme else None)
        super().exit(*args, **more)

    def on_unmount(self) -> None:
        """Let the threads go."""
        self.live.stop()
        if self.shelf is not None:
            self.shelf.stop()
        if self.state.process is not None:
            self.state.process.detach()
        self.findings.stop()
        for one in (self.baseline, *self._ended):
            one.comparisons.stop()

    # -- from run to run ---------------------------------------------------------------------------------------------

    def _list(self, listed: Listed) -> None:
        """Take a list from the thread that looks for runs; one that nobody has seen yet is let go."""
        self._listed = listed
        self.post_message(RunsListed())

    def on_runs_listed(self) -> None:
        """Show the newest list."""
        if self.is_running and self.picked and self._listed is not None:
            self._picker().take(self._listed)

    def open_run(self, path: Path, base: Path | None = None) -> None:
        """Leave the picker for a run, shown with its differences from `base` where that is given."""
        follower, of_base = Follower(path), Follower(base) if base is not None else None
        follower.start()
        if of_base is not None:
            of_base.start()
        assert self.shelf is not None
        self.shelf.pause()
        self._make_parts(follower, of_base)
        self.switch_screen(_FIRST())
        self.live.attach()

    def show_picker(self) -> None:
        """Leave the run for the picker; how the run was looked at is remembered."""
        self.session.save(self.theme if self._keep_theme else None)
        self.live.stop()
        self.baseline.comparisons.end()
        self.findings.give_up()
        self._ended.append(self.baseline)
        old = [
            screen
            for name, screen in self._installed_screens.items()
            if name in places.SCREENS and isinstance(screen, Screen) and screen.is_running
        ]
        if self.shelf is None:
            self.shelf = Shelf(self.state.path.absolute().parent, partial(recent, state_folder()))
            self.shelf.start()
            self.shelf.attach(self._list)
        else:
            self.shelf.resume()
        if self.navigation.place != places.OVERVIEW:
            self.pop_screen()
        self.clear_notifications()
        self.picked = True
        self._make_parts(None)
        self.switch_screen(self._picker())
        for screen in old:
            screen.remove()

    def back(self) -> None:
        """Show what led here: a screen, or the picker."""
        if self.navigation.previous is not None or self.view.panel_open:
            self.navigation.back()
        else:
            self.show_picker()

    def reload(self) -> None:
        """Read anew what is shown."""
        if self.place == places.PICKER and self.shelf is not None:
            self.shelf.resume()
            self.notify("looking for runs again", timeout=2, markup=False)
        else:
            self.live.reload()

    # -- keys and messages -------------------------------------------------------------------------------------------

    def action_key(self, key_id: str) -> None:
        """Run a key of the registry, or say why it cannot be used here and now."""
        keys.press(self, key_id)

    def on_arrived(self, message: Arrived) -> None:
        """A follower has something new."""
        if self.is_running:  # not once the screens are being taken down
            self.live.arrived(of_base=message.of_base)

    def on_process_ended(self) -> None:
        """The process that makes the run has ended."""
        if self.is_running:
            self.live.process_ended()

    def on_exit_requested(self, message: ExitRequested) -> None:
        """Leave as the user would."""
        self.exit(return_code=message.code)

    def on_compared(self) -> None:
        """Show what has been computed."""
        if self.is_running:
            self.navigation.show()

    def on_exported(self, message: Exported) -> None:
        """Texts have been made."""
        self.exports.exported(message)

    def show_help(self) -> None:
        """Show the keys."""
        from xlbias.dashboard.screens.help import HelpScreen

        self.push_screen(HelpScreen())

    def show_palette(self) -> None:
        """Show the command palette."""
        from xlbias.dashboard.commands.palette import Palette

        self.push_screen(Palette())

    # -- over Textual's own ------------------------------------------------------------------------------------------

    def get_driver_class(self) -> type[Driver]:
        """In a terminal, the driver that answers Escape sooner; in a browser, Textual's."""
        chosen = super().get_driver_class()
        return PromptDriver if chosen is LinuxDriver else chosen

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Colours of our own, mixed from those of the present theme."""
        return quiet_colours(self.current_theme)

    def on_notify(self) -> None:
        """A new toast takes the place of the one before; Textual then takes it in."""
        self.clear_notifications()
