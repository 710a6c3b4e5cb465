"""The one registry of keys: bindings, footer, help screen and command palette are all made from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.binding import Binding

if TYPE_CHECKING:
    from xlbias.dashboard.app import DashboardApp

    Action = Callable[[DashboardApp], None]
    Reason = Callable[[DashboardApp], str | None]

OVERVIEW, MATRIX, NOTICE = "overview", "matrix", "notice"
"""The places a key may apply to; the notice is shown while there is no run to show."""

TITLES = {OVERVIEW: "Overview", MATRIX: "Matrix"}
"""Screens in the order of their numbers."""

PARENT = {MATRIX: OVERVIEW}
"""Where Escape leads."""

_BROWSING = frozenset({OVERVIEW, MATRIX})
_EVERYWHERE = frozenset({OVERVIEW, MATRIX, NOTICE})


def _never(_: DashboardApp) -> str | None:
    return None


def _no_run(app: DashboardApp) -> str | None:
    return None if app.snapshot else "there is no run to show yet"


def _no_matrix(app: DashboardApp) -> str | None:
    if app.snapshot is None:
        return _no_run(app)
    return None if app.snapshot.overview.height else "the run has no model evaluated on a task yet"


def _not_live(app: DashboardApp) -> str | None:
    if app.snapshot and app.snapshot.finished:
        return "the run is finished: nothing more comes"
    return _no_run(app)


def _not_back(app: DashboardApp) -> str | None:
    return None if app.place in PARENT or app.view.panel_open else "this is the first screen"


def _one_task(app: DashboardApp) -> str | None:
    return None if app.snapshot and len(app.snapshot.run.tasks) > 1 else "the run has one task only"


def _one_model(app: DashboardApp) -> str | None:
    return None if app.snapshot and len(app.snapshot.run.models) > 1 else "the run has one model only"


def _no_full_range(app: DashboardApp) -> str | None:
    return None if app.measure.unit_range else "ranks have no upper end that all runs share"


@dataclass(frozen=True)
class Key:
    """One thing that a key does.

    Attributes:
        id: names it in bindings and tests.
        keys: as Textual names them.
        label: one or two words, for the footer.
        description: one line, for help and palette.
        section: head in the help.
        action: what it does.
        where: the screens on which it applies.
        disabled: why it cannot be used now, None where it can.
        footer: the lower, the earlier it finds room in the footer; 0 keeps it out.
    """

    id: str
    keys: tuple[str, ...]
    label: str
    description: str
    section: str
    action: Action
    where: frozenset[str] = _EVERYWHERE
    disabled: Reason = _never
    footer: int = 0

    def why_not(self, app: DashboardApp) -> str | None:
        """Why the key does nothing here and now, None where it works."""
        if app.place not in self.where:
            if app.place == NOTICE:
                return "there is no run to show yet"
            return f"works on {' and '.join(f'{title} ({i})' for i, title in self._screens())}"
        return self.disabled(app)

    def _screens(self) -> list[tuple[int, str]]:
        return [(i, title) for i, (place, title) in enumerate(TITLES.items(), 1) if place in self.where]

    @property
    def shown(self) -> str:
        """The keys as help and footer write them."""
        return " ".join(_SHOWN.get(key, key) for key in self.keys)

    @property
    def first(self) -> str:
        """The first key as the footer writes it."""
        return _SHOWN.get(self.keys[0], self.keys[0])


_SHOWN = {
    "up": "↑", "down": "↓", "left": "←", "right": "→", "enter": "Enter", "escape": "Esc", "space": "Space",
    "pageup": "PgUp", "pagedown": "PgDn", "home": "Home", "end": "End", "question_mark": "?",
    "ctrl+p": "^p", "ctrl+c": "^c", "ctrl+q": "^q", "ctrl+d": "^d", "ctrl+u": "^u",
}  # fmt: skip


def _move(id: str, keys: tuple[str, ...], description: str, where: frozenset[str] = _BROWSING) -> Key:
    return Key(
        f"move.{id}",
        keys,
        id.replace("_", " "),
        description,
        "Move",
        lambda app: app.move(id),
        where,
        disabled=_no_run,
    )


KEYS: tuple[Key, ...] = (
    Key("overview", ("1",), "overview", "Models and tasks of the run", "Screens",
        lambda app: app.go(OVERVIEW), disabled=_no_run),
    Key("matrix", ("2",), "matrix", "Query language by pool, one measure at a time", "Screens",
        lambda app: app.go(MATRIX), disabled=_no_matrix),
    Key("open", ("enter",), "matrix", "Matrix of the model and task under the cursor", "Screens",
        lambda app: app.open_row(), frozenset({OVERVIEW}), disabled=_no_matrix, footer=1),
    Key("back", ("escape",), "back", "Back, where you left it", "Screens",
        lambda app: app.back(), disabled=_not_back, footer=1),
    _move("up", ("up", "k"), "One row up"),
    _move("down", ("down", "j"), "One row down"),
    _move("left", ("left", "h"), "One pool to the left", frozenset({MATRIX})),
    _move("right", ("right", "l"), "One pool to the right", frozenset({MATRIX})),
    _move("first", ("g",), "First row"),
    _move("last", ("G",), "Last row"),
    _move("start", ("home",), "First pool of the row; first row of a table"),
    _move("end", ("end",), "Last pool of the row; last row of a table"),
    _move("page_up", ("pageup", "ctrl+u"), "One page up"),
    _move("page_down", ("pagedown", "ctrl+d"), "One page down"),
    Key("measure", ("m",), "measure", "Next measure", "View",
        lambda app: app.step_measure(1), frozenset({MATRIX}), footer=2),
    Key("measure.previous", ("M",), "measure back", "Previous measure", "View",
        lambda app: app.step_measure(-1), frozenset({MATRIX})),
    Key("task", ("t",), "task", "Next task", "View",
        lambda app: app.step_task(), frozenset({MATRIX}), disabled=_one_task, footer=4),
    Key("model", ("T",), "model", "Next model", "View",
        lambda app: app.step_model(), frozenset({MATRIX}), disabled=_one_model, footer=4),
    Key("sort", ("s",), "sort", "Next order: columns of a table; language, mean, script in a matrix", "View",
        lambda app: app.view.cycle_sort(), _BROWSING, disabled=_no_matrix, footer=3),
    Key("sort.reverse", ("S",), "reverse", "Turn the order round", "View",
        lambda app: app.view.reverse_sort(), _BROWSING, disabled=_no_matrix),
    Key("range", ("c",), "colours", "Colour scale over the values shown, or over 0 to 1", "View",
        lambda app: app.toggle_range(), frozenset({MATRIX}), disabled=_no_full_range, footer=7),
    Key("info", ("i",), "details", "Show or hide where the numbers come from", "View",
        lambda app: app.toggle_details(), frozenset({OVERVIEW}), disabled=_no_matrix, footer=5),
    Key("pause", ("space",), "pause", "Pause the screen, and go on; the run itself goes on", "Live",
        lambda app: app.toggle_pause(), disabled=_not_live, footer=3),
    Key("follow", ("f",), "follow", "Keep the cursor on what was finished last, until you move it", "Live",
        lambda app: app.toggle_follow(), _BROWSING, disabled=_not_live, footer=6),
    Key("reload", ("r",), "reload", "Read the run again", "Live", lambda app: app.reload()),
    Key("copy", ("y",), "copy", "Copy the table or matrix as TSV, to the clipboard and a file", "Take along",
        lambda app: app.copy_all(), _BROWSING, disabled=_no_matrix, footer=6),
    Key("copy.row", ("Y",), "copy row", "Copy the row under the cursor as TSV", "Take along",
        lambda app: app.copy_row(), _BROWSING, disabled=_no_matrix),
    Key("screenshot", ("p",), "picture", "Save the screen as SVG, without external fonts", "Take along",
        lambda app: app.save_picture(), footer=8),
    Key("help", ("question_mark",), "help", "This page", "Help", lambda app: app.show_help(), footer=1),
    Key("palette", ("ctrl+p",), "palette", "Find a command, a cell (hi→en) or a theme by typing", "Help",
        lambda app: app.show_palette(), footer=9),
    Key("quit", ("q", "ctrl+c", "ctrl+q"), "quit", "Leave; a run in progress goes on", "Help",
        lambda app: app.exit(), footer=1),
)  # fmt: skip
"""Everything that a key does, in the order of the help."""

BY_ID = {key.id: key for key in KEYS}


def bindings() -> list[Binding]:
    """Textual's bindings for all keys; `DashboardApp.action_key` runs them, or says why one cannot be used."""
    return [Binding(",".join(key.keys), f"app.key('{key.id}')", key.label, show=False, id=key.id) for key in KEYS]


def for_footer(app: DashboardApp) -> list[Key]:
    """Keys for the footer of the present screen, most important first; those that cannot be used now stay out."""
    return sorted((key for key in KEYS if key.footer and key.why_not(app) is None), key=lambda key: key.footer)
