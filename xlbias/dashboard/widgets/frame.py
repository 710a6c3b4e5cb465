"""What stands around every screen: the header with the run's state, banners, and the footer with its keys."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from xlbias.dashboard.commands import keys
from xlbias.dashboard.places import PICKER, PICKER_PLACE, SCREENS
from xlbias.dashboard.widgets.text.line import Line, Part
from xlbias.folders import from_here
from xlbias.progress import percent

if TYPE_CHECKING:
    from xlbias.dashboard.parts import Dashboard
    from xlbias.dashboard.state import State

_ALL_TITLES = 108  # cells from which all screens are named; below it, only the present one

STATUS_PARTS = {
    "finished": ("■ finished", "$text-success"),
    "running": ("● running", "$text-primary"),
    "died": ("✖ writer died", "bold $text-error"),
    "elsewhere": ("◌ written elsewhere", "$text-warning"),
}


class Header(Line):
    """Name, screens, state of the run, and last its path."""

    DEFAULT_CSS = """
    Header { dock: top; background: $panel; }
    Header:ansi { background: ansi_default; }
    """

    def tell(self, app: Dashboard) -> None:
        """Say where the run stands now."""
        parts = [Part(" xlbias ", "bold $text-accent")]
        if app.place == PICKER:
            title = Part(f" {PICKER_PLACE.title} ", "bold reverse")
            folder = from_here(app.state.path)
            below = folder if folder != Path() else "this folder"
            self.set([*parts, title], f"  below {below}, and recent ones", "$quiet")
            return
        wide = app.size.width >= _ALL_TITLES
        for number, (name, place) in enumerate(SCREENS.items(), 1):
            here = name == app.place
            usable = keys.registry()[name].why_not(app) is None
            text = f" {number} {place.title} " if here or wide else f" {number} "
            parts.append(Part(text, "bold reverse" if here else "$quiet" if usable else "$faint", key=name))
        parts.append(Part("  "))
        parts += state_parts(app.state)
        state = app.state
        base = f" against {state.base_path.name}" if state.base_path else ""
        folder = from_here(state.path).parent
        self.set(parts, f"{state.path.name}{base}{f'  {folder}' if folder != Path() else ''}", "$quiet")


def state_parts(state: State) -> list[Part]:
    """The state of the run in a few words; a mark and a word carry it without colour, too."""
    parts = []
    if state.paused:
        waiting = f" · {state.n_waiting} new" if state.n_waiting else ""
        parts.append(Part(f"‖ paused{waiting}  ", "bold $text-warning", key="pause"))
    newest = state.newest
    if newest is not None:
        text, style = STATUS_PARTS[newest.state.status]
        progress = newest.state.progress
        if newest.state.status == "running" and progress and progress.whole is not None:
            text += f" {percent(progress.whole)} %"
        if newest.cells and newest.state.status != "finished":
            text += " · partial"
        parts.append(Part(f"{text}  ", style))
    if state.following:
        parts.append(Part("⇢ follow  ", "$text-primary", key="follow"))
    return parts


class Footer(Line):
    """The keys that can be used here and now, as many as there is room for; help and quit always."""

    DEFAULT_CSS = """
    Footer { dock: bottom; background: $panel; }
    Footer:ansi { background: ansi_default; }
    """

    def tell(self, app: Dashboard) -> None:
        """Choose keys for the present screen and width."""
        room = self.size.width - 1
        chosen: list[keys.Key] = []
        for key in keys.for_footer(app):
            length = len(key.first) + len(key.label) + 3
            if length <= room:
                chosen.append(key)
                room -= length
        parts = [Part(" ")]
        for key in sorted(chosen, key=[*keys.registry().values()].index):
            parts += [Part(key.first, "bold $text-accent", key.id), Part(f" {key.label}  ", "$quiet", key.id)]
        self.set(parts)


class Banner(Static):
    """A sentence that must not be missed, above the screen; not there when there is nothing to say."""

    DEFAULT_CSS = """
    Banner {
        height: auto;
        max-height: 4;
        padding: 0 1;
        display: none;
        background: $warning-muted;
        color: $text-warning;
        text-style: bold;
        &.-error { background: $error-muted; color: $text-error; }
        &:ansi { background: ansi_default; color: ansi_yellow; text-style: bold reverse; }
        &.-error:ansi { color: ansi_red; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.sentence = ""

    def say(self, sentence: str, *, error: bool = False) -> None:
        """Show a cleaned sentence, or nothing where it is empty."""
        if sentence != self.sentence:
            self.sentence = sentence
            self.set_class(error, "-error")
            self.display = bool(sentence)
            self.update(Content(sentence))
