"""The one registry of keys: bindings, footer, help screen and command palette are all made from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from textual.binding import Binding

from xlbias.dashboard.commands import availability as why
from xlbias.dashboard.places import BIAS, DOMAINS, MATRIX, NOTICE, OVERVIEW, QUERIES, QUERY, TITLES, TRAINING

if TYPE_CHECKING:
    from xlbias.dashboard.parts import Dashboard
    from xlbias.dashboard.state import Coloured, Detailed, Filterable, Measured, Openable, Paneled, Readable, Sortable

    Action = Callable[[Dashboard], None]
    Reason = Callable[[Dashboard], str | None]

_BROWSING = frozenset(TITLES)
_EVERYWHERE = frozenset({*TITLES, NOTICE})
_GRIDS = frozenset({MATRIX, BIAS, DOMAINS})


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
    disabled: Reason = why.never
    footer: int = 0

    def why_not(self, app: Dashboard) -> str | None:
        """Why the key does nothing here and now, None where it works."""
        if app.place not in self.where:
            if app.place == NOTICE:
                return "there is no run to show yet"
            return f"works on {' and '.join(f'{title} ({i})' for i, title in self._screens())}"
        return self.disabled(app)

    def _screens(self) -> list[tuple[int, str]]:
        return [(i, title) for i, (place, title) in enumerate(TITLES.items(), 1) if place in self.where]

    @property
    def symbols(self) -> str:
        """The keys as help and footer write them."""
        return " ".join(_SYMBOLS.get(key, key) for key in self.keys)

    @property
    def first(self) -> str:
        """The first key as the footer writes it."""
        return _SYMBOLS.get(self.keys[0], self.keys[0])


_SYMBOLS = {
    "up": "↑", "down": "↓", "left": "←", "right": "→", "enter": "Enter", "escape": "Esc", "space": "Space",
    "pageup": "PgUp", "pagedown": "PgDn", "home": "Home", "end": "End", "question_mark": "?", "slash": "/",
    "tab": "Tab", "shift+tab": "⇧Tab",
    "ctrl+p": "^p", "ctrl+c": "^c", "ctrl+q": "^q", "ctrl+d": "^d", "ctrl+u": "^u",
}  # fmt: skip


def _move(id: str, keys: tuple[str, ...], description: str, where: frozenset[str] = _BROWSING) -> Key:
    label = id.replace("_", " ")
    return Key(
        f"move.{id}", keys, label, description, "Move", lambda app: app.live.move(id), where, disabled=why.no_run
    )


def _screen(place: str, description: str, disabled: Reason) -> Key:
    number = str(list(TITLES).index(place) + 1)
    return Key(place, (number,), place, description, "Screens", lambda app: app.navigation.go(place), disabled=disabled)


KEYS: tuple[Key, ...] = (
    _screen(OVERVIEW, "Models and tasks of the run", why.no_run),
    _screen(MATRIX, "Query language by pool, one measure at a time", why.nothing_chosen),
    _screen(BIAS, "Which languages are preferred, and how strongly", why.nothing_chosen),
    _screen(DOMAINS, "What a change of domain does to every encoder", why.nothing_chosen),
    _screen(QUERIES, "Single queries that a filter leaves", why.nothing_chosen),
    _screen(QUERY, "One query in all its languages", why.no_query),
    _screen(TRAINING, "Loss and validation of a training", why.no_training),
    Key("open", ("enter",), "open", "What stands behind the row or cell under the cursor", "Screens",
        lambda app: cast("Openable", app.view).open(), frozenset({OVERVIEW, MATRIX, BIAS, DOMAINS, QUERIES}),
        disabled=why.nothing_chosen, footer=1),
    Key("back", ("escape",), "back", "Back, where you left it", "Screens",
        lambda app: app.navigation.back(), disabled=why.not_back, footer=1),
    Key("panel", ("tab",), "panel", "Next panel of the screen", "Screens",
        lambda app: cast("Paneled", app.view).step_panel(1), frozenset({BIAS, DOMAINS, QUERY, TRAINING}),
        disabled=why.no_run, footer=2),
    Key("panel.previous", ("shift+tab",), "panel back", "Panel before", "Screens",
        lambda app: cast("Paneled", app.view).step_panel(-1), frozenset({BIAS, DOMAINS, QUERY, TRAINING}),
        disabled=why.no_run),
    _move("up", ("up", "k"), "One row up"),
    _move("down", ("down", "j"), "One row down"),
    _move("left", ("left", "h"), "One column to the left; on Query: the query before", _GRIDS | {QUERY}),
    _move("right", ("right", "l"), "One column to the right; on Query: the next query", _GRIDS | {QUERY}),
    _move("first", ("g",), "First row"),
    _move("last", ("G",), "Last row"),
    _move("start", ("home",), "First column of the row; first row of a table"),
    _move("end", ("end",), "Last column of the row; last row of a table"),
    _move("page_up", ("pageup", "ctrl+u"), "One page up"),
    _move("page_down", ("pagedown", "ctrl+d"), "One page down"),
    Key("filter", ("slash",), "filter", "Filter rows: text, and on Queries terms such as q:hi d:en ap<0.1", "View",
        lambda app: cast("Filterable", app.view).ask_filter(), frozenset({OVERVIEW, QUERIES}),
        disabled=why.nothing_chosen, footer=2),
    Key("filter.clear", ("x",), "clear filter", "All rows again", "View",
        lambda app: cast("Filterable", app.view).clear_filter(), frozenset({OVERVIEW, QUERIES}),
        disabled=why.nothing_chosen),
    Key("measure", ("m",), "measure", "Next measure", "View",
        lambda app: cast("Measured", app.view).step_measure(1), _GRIDS, disabled=why.nothing_chosen, footer=2),
    Key("measure.previous", ("M",), "measure back", "Previous measure", "View",
        lambda app: cast("Measured", app.view).step_measure(-1), _GRIDS, disabled=why.nothing_chosen),
    Key("task", ("t",), "task", "Next task", "View",
        lambda app: app.selection.step_task(), _BROWSING - {OVERVIEW, DOMAINS, QUERY, TRAINING},
        disabled=why.one_task, footer=5),
    Key("model", ("T",), "model", "Next model", "View",
        lambda app: app.selection.step_model(), _BROWSING - {OVERVIEW, DOMAINS, TRAINING},
        disabled=why.one_model, footer=5),
    Key("pick", ("o",), "pick", "Choose model and task from a list", "View",
        lambda app: app.selection.pick(), _BROWSING - {OVERVIEW}, disabled=why.nothing_chosen, footer=6),
    Key("baseline", ("b",), "baseline", "Choose the model that differences are taken from", "View",
        lambda app: app.selection.pick_baseline(), _BROWSING - {TRAINING}, disabled=why.no_other, footer=4),
    Key("baseline.off", ("B",), "difference", "Differences to the baseline, or values again", "View",
        lambda app: app.selection.toggle_difference(), _BROWSING - {TRAINING}, disabled=why.no_baseline),
    Key("sort", ("s",), "sort", "Next order: columns of a table; language, mean, script, family in a matrix", "View",
        lambda app: cast("Sortable", app.view).cycle_sort(), _BROWSING - {QUERY, TRAINING},
        disabled=why.nothing_chosen, footer=3),
    Key("sort.reverse", ("S",), "reverse", "Turn the order round", "View",
        lambda app: cast("Sortable", app.view).reverse_sort(), _BROWSING - {QUERY, TRAINING},
        disabled=why.nothing_chosen),
    Key("range", ("c",), "colours", "Colour scale over the values shown, or over 0 to 1", "View",
        lambda app: cast("Coloured", app.view).toggle_range(), _GRIDS, disabled=why.no_full_range, footer=8),
    Key("info", ("i",), "details", "Show or hide where the numbers come from", "View",
        lambda app: cast("Detailed", app.view).toggle_details(), frozenset({OVERVIEW}),
        disabled=why.nothing_chosen, footer=5),
    Key("text", ("v",), "text view", "Texts whole, every code point, and back", "View",
        lambda app: cast("Readable", app.view).step_text_view(), frozenset({QUERY}), disabled=why.no_query, footer=3),
    Key("pause", ("space",), "pause", "Pause the screen, and continue; the run itself continues", "Live",
        lambda app: app.live.toggle_pause(), disabled=why.not_live, footer=3),
    Key("follow", ("f",), "follow", "Keep the cursor on what was finished last, until you move it", "Live",
        lambda app: app.live.toggle_follow(), frozenset({OVERVIEW, MATRIX}), disabled=why.not_live, footer=7),
    Key("reload", ("r",), "reload", "Read the run again", "Live", lambda app: app.live.reload()),
    Key("copy", ("y",), "copy", "Copy cell, row or all as TSV, Markdown or LaTeX, to the clipboard and a file",
        "Take along", lambda app: app.exports.ask_copy(), _BROWSING, disabled=why.nothing_to_copy, footer=6),
    Key("copy.again", ("Y",), "copy again", "Copy as the last time, without asking", "Take along",
        lambda app: app.exports.copy_again(), _BROWSING, disabled=why.nothing_to_copy),
    Key("export", ("e",), "export", "Save the report of the run: text, Markdown, LaTeX, HTML, CSV or JSON",
        "Take along", lambda app: app.exports.ask_export(), _BROWSING,
        disabled=lambda app: why.read_only(app) or why.nothing_chosen(app), footer=8),
    Key("screenshot", ("p",), "picture", "Save the screen as SVG, without external fonts", "Take along",
        lambda app: app.exports.save_picture("svg"), disabled=why.read_only, footer=9),
    Key("screenshot.html", ("P",), "HTML picture", "Save the screen as one HTML file", "Take along",
        lambda app: app.exports.save_picture("html"), disabled=why.read_only),
    Key("help", ("question_mark",), "help", "This page", "Help", lambda app: app.show_help(), footer=1),
    Key("palette", ("ctrl+p",), "palette", "Find a command, a cell (hi→en), a model or a theme by typing", "Help",
        lambda app: app.show_palette(), footer=9),
    Key("quit", ("q", "ctrl+c", "ctrl+q"), "quit", "Leave; a run in progress continues", "Help",
        lambda app: app.exit(), footer=1),
)  # fmt: skip
"""Everything that a key does, in the order of the help."""

BY_ID = {key.id: key for key in KEYS}


def press(app: Dashboard, key_id: str) -> None:
    """Run a key of the registry, or say why it cannot be used here and now."""
    key = BY_ID[key_id]
    reason = key.why_not(app)
    if reason is None:
        key.action(app)
    else:
        app.notify(f"{key.first}: {reason}", severity="warning", timeout=3, markup=False)


def bindings() -> list[Binding]:
    """Textual's bindings for all keys; the application's `action_key` runs them by `press`."""
    return [Binding(",".join(key.keys), f"app.key('{key.id}')", key.label, show=False, id=key.id) for key in KEYS]


def for_footer(app: Dashboard) -> list[Key]:
    """Keys for the footer of the present screen, most important first; those that cannot be used now stay out."""
    return sorted((key for key in KEYS if key.footer and key.why_not(app) is None), key=lambda key: key.footer)
