"""The one registry of keys: bindings, footer, help screen and command palette are all made from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from textual.binding import Binding

from xlbias.dashboard.commands import availability as why
from xlbias.dashboard.places import NOTICE, PICKER, PICKER_PLACE, SCREENS, Place

if TYPE_CHECKING:
    from xlbias.dashboard.parts import Dashboard

    Action = Callable[[Dashboard], None]
    Reason = Callable[[Dashboard], str | None]


@dataclass(frozen=True)
class Key:
    """One thing that a key does.

    Attributes:
        id: names it in bindings and tests.
        keys: as Textual names them.
        label: one or two words, for the footer.
        description: one line, for help and palette.
        section: head in the help.
        action: what it does: a function of the application, or the name of a method of the screens that list the key.
        step: what that method is given, for keys that go forward and back.
        on: where it works: on some screens, which list the part of its id before the dot, or `listed`; on all screens
            of a run; on these and the picker; on these and where a run is waited for; or on all of them.
        listed: what screens list it by, where that is not its id.
        disabled: why it cannot be used now, None where it can.
        footer: the lower, the earlier it finds room in the footer; 0 keeps it out.
        words: what else it may be called: the palette finds it by these, too.
    """

    id: str
    keys: tuple[str, ...]
    label: str
    description: str
    section: str
    action: Action | str
    step: int = 0
    on: Literal["some", "run", "lists", "opened", "all"] = "some"
    listed: str = ""
    disabled: Reason = why.never
    footer: int = 0
    words: str = ""

    @property
    def where(self) -> frozenset[str]:
        """The screens on which it works."""
        if self.on != "some":
            beside = {"run": (), "lists": (PICKER,), "opened": (NOTICE,), "all": (PICKER, NOTICE)}[self.on]
            return frozenset({*SCREENS, *beside})
        listed = self.listed or self.id.partition(".")[0]
        return frozenset(place.name for place in (*SCREENS.values(), PICKER_PLACE) if listed in place.keys)

    def why_not(self, app: Dashboard) -> str | None:
        """Why the key does nothing here and now, None where it works."""
        where = self.where
        if app.place not in where:
            if app.place == NOTICE:
                return "there is no run to show yet"
            if app.place == PICKER:
                return why.NO_RUN_OPEN
            titles = (f"{place.title} ({i})" for i, place in enumerate(SCREENS.values(), 1) if place.name in where)
            return f"works on {' and '.join(titles)}" if where != {PICKER} else "works in the picker (O)"
        if app.place == PICKER and self.on != "all":
            return why.no_row(app)
        return self.disabled(app)

    def run(self, app: Dashboard) -> None:
        """Do it."""
        if isinstance(self.action, str):
            getattr(app.view, self.action)(*([self.step] if self.step else []))
        else:
            self.action(app)

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

_MISSING: dict[str, Reason] = {
    "run": why.no_run, "evaluation": why.nothing_chosen, "query": why.no_query, "training": why.no_training,
}  # fmt: skip
"""By what a screen needs: why it is not there."""


def _move(id: str, keys: tuple[str, ...], description: str, listed: str = "") -> Key:
    return Key(
        f"move.{id}", keys, id.replace("_", " "), description, "Move", lambda app: app.live.move(id),
        on="some" if listed else "lists", listed=listed, disabled=why.no_run,
    )  # fmt: skip


def _screen(number: int, place: Place) -> Key:
    return Key(
        place.name, (str(number),), place.name, place.about, "Screens", lambda app: app.navigation.go(place.name),
        on="opened", disabled=_MISSING[place.needs], words=place.words,
    )  # fmt: skip


_KEYS: tuple[Key, ...] = (
    Key("open", ("enter",), "open", "Open the row or cell under the cursor", "Screens",
        "open", disabled=why.nothing_chosen, footer=1,
        words="enter show"),
    Key("back", ("escape",), "back", "Go back", "Screens",
        lambda app: app.back(), on="all", disabled=why.not_back, footer=1,
        words="escape return previous screen"),
    Key("picker", ("O",), "runs", "Picker: choose another run, or two to compare", "Screens",
        lambda app: app.show_picker(), on="all", disabled=why.no_picker,
        words="runs files folder another compare two"),
    Key("mark", ("space",), "mark", "Mark a run; Enter compares two that are marked", "Screens",
        "toggle_mark", footer=1,
        words="select choose compare"),
    Key("panel", ("tab",), "panel", "Next panel", "Screens",
        "step_panel", step=1, disabled=why.no_run, footer=2,
        words="focus next"),
    Key("panel.previous", ("shift+tab",), "panel back", "Previous panel", "Screens",
        "step_panel", step=-1, disabled=why.no_run),
    _move("up", ("up", "k"), "One row up"),
    _move("down", ("down", "j"), "One row down"),
    _move("left", ("left", "h"), "One column to the left; on Query: the query before", "sideways"),
    _move("right", ("right", "l"), "One column to the right; on Query: the next query", "sideways"),
    _move("first", ("g",), "First row"),
    _move("last", ("G",), "Last row"),
    _move("start", ("home",), "First column of the row; first row of a table"),
    _move("end", ("end",), "Last column of the row; last row of a table"),
    _move("page_up", ("pageup", "ctrl+u"), "One page up"),
    _move("page_down", ("pagedown", "ctrl+d"), "One page down"),
    Key("filter", ("slash",), "filter", "Filter rows by words; on Queries also by terms such as q:hi ap<0.1", "View",
        "ask_filter", disabled=why.nothing_chosen, footer=2,
        words="search find narrow"),
    Key("filter.clear", ("x",), "clear filter", "Clear the filter", "View",
        "clear_filter", disabled=why.nothing_chosen,
        words="reset all rows"),
    Key("measure", ("m",), "measure", "Next measure", "View",
        "step_measure", step=1, disabled=why.nothing_chosen, footer=2,
        words="metric map ndcg recall distance"),
    Key("measure.previous", ("M",), "measure back", "Previous measure", "View",
        "step_measure", step=-1, disabled=why.nothing_chosen),
    Key("task", ("t",), "task", "Next task", "View",
        lambda app: app.selection.step_task(), disabled=why.one_task, footer=5,
        words="dataset corpus"),
    Key("encoder", ("T",), "encoder", "Next encoder", "View",
        lambda app: app.selection.step_encoder(), disabled=why.one_encoder, footer=5,
        words="model system"),
    Key("pick", ("o",), "pick", "Choose encoder and task from a list", "View",
        lambda app: app.selection.pick(), disabled=why.nothing_chosen, footer=6,
        words="model dataset select"),
    Key("baseline", ("b",), "baseline", "Compare with another encoder, the baseline", "View",
        lambda app: app.selection.pick_baseline(), disabled=why.no_other, footer=4,
        words="compare comparison difference against versus significant"),
    Key("baseline.off", ("B",), "difference", "Show differences from the baseline, or values", "View",
        lambda app: app.selection.toggle_difference(), disabled=why.no_baseline,
        words="compare comparison delta significant"),
    Key("sort", ("s",), "sort", "Sort by the next column; a matrix by language, mean, script, family", "View",
        "cycle_sort", disabled=why.nothing_chosen, footer=3,
        words="order by"),
    Key("sort.reverse", ("S",), "reverse", "Reverse the order", "View",
        "reverse_sort", disabled=why.nothing_chosen,
        words="descending ascending turn"),
    Key("range", ("c",), "colours", "Colours over all encoders, over the values shown, or from 0 to 1", "View",
        "toggle_range", disabled=why.no_full_range, footer=8,
        words="color scale"),
    Key("info", ("i",), "details", "Show or hide where the numbers come from", "View",
        "toggle_details", disabled=why.nothing_chosen, footer=5,
        words="provenance where from model card versions"),
    Key("text", ("v",), "text view", "Show the whole text, then its code points", "View",
        "step_text_view", disabled=why.no_query, footer=3,
        words="code points unicode"),
    Key("translate", ("L",), "translate", "Read passages in another language, beside their own text", "View",
        "pick_language", disabled=why.no_translation, footer=3,
        words="english translation original"),
    Key("pause", ("space",), "pause", "Pause or continue the screen; the run goes on", "Live",
        lambda app: app.live.toggle_pause(), on="opened", disabled=why.not_live, footer=3,
        words="hold stop still"),
    Key("follow", ("f",), "follow", "Keep the cursor on the newest cell, until you move it", "Live",
        lambda app: app.live.toggle_follow(), disabled=why.not_live, footer=7,
        words="live newest"),
    Key("reload", ("r",), "reload", "Read the run, or the list of runs, again", "Live",
        lambda app: app.reload(), on="all",
        words="refresh again update"),
    Key("copy", ("y",), "copy", "Copy cell, row or all as TSV, Markdown or LaTeX, to the clipboard and a file",
        "Copy and save", lambda app: app.exports.ask_copy(), on="run", disabled=why.nothing_to_copy, footer=6,
        words="clipboard tsv markdown latex yank"),
    Key("copy.again", ("Y",), "copy again", "Copy again, in the same format", "Copy and save",
        lambda app: app.exports.copy_again(), on="run", disabled=why.nothing_to_copy),
    Key("export", ("e",), "export", "Save the report of the run: text, Markdown, LaTeX, HTML, CSV or JSON",
        "Copy and save", lambda app: app.exports.ask_export(), on="run",
        disabled=lambda app: why.read_only(app) or why.nothing_chosen(app), footer=8,
        words="save write report html latex csv json paper figure"),
    Key("screenshot", ("p",), "picture", "Save the screen as SVG, without external fonts", "Copy and save",
        lambda app: app.exports.save_picture("svg"), on="all", disabled=why.read_only, footer=9,
        words="picture image figure svg"),
    Key("screenshot.html", ("P",), "HTML picture", "Save the screen as one HTML file", "Copy and save",
        lambda app: app.exports.save_picture("html"), on="all", disabled=why.read_only,
        words="image page"),
    Key("help", ("question_mark",), "help", "This page", "Help", lambda app: app.show_help(), on="all", footer=1,
        words="keys shortcuts manual"),
    Key("palette", ("ctrl+p",), "palette", "Find a command, a cell (hi→en), an encoder or a theme by typing", "Help",
        lambda app: app.show_palette(), on="all", footer=9),
    Key("quit", ("q", "ctrl+c", "ctrl+q"), "quit", "Quit; a run in progress goes on", "Help",
        lambda app: app.exports.leave(), on="all", footer=1,
        words="exit leave close end"),
)  # fmt: skip
"""What keys do but for those of the screens, in the order of the help."""


@lru_cache(maxsize=1)
def _registry(screens: tuple[Place, ...]) -> dict[str, Key]:
    keys = (*(_screen(number, place) for number, place in enumerate(screens, 1)), *_KEYS)
    return {key.id: key for key in keys}


def registry() -> dict[str, Key]:
    """Return everything that a key does by its id, in the order of the help: a key for each screen comes first."""
    return _registry(tuple(SCREENS.values()))


def press(app: Dashboard, key_id: str) -> None:
    """Run a key of the registry, or say why it cannot be used here and now; on the way out nothing."""
    if app.return_code is not None:
        return
    key = registry()[key_id]
    reason = key.why_not(app)
    if reason is None:
        key.run(app)
    else:
        app.notify(f"{key.first}: {reason}", severity="warning", timeout=3, markup=False)


def bindings() -> list[Binding]:
    """Textual's bindings for all keys; the application's `action_key` runs them by `press`."""
    return [
        Binding(",".join(key.keys), f"app.key('{key.id}')", key.label, show=False, id=key.id)
        for key in registry().values()
        if key.where != {PICKER}  # which binds what it alone has
    ]


def for_footer(app: Dashboard) -> list[Key]:
    """Keys for the footer of the present screen, most important first; those that cannot be used now stay out."""
    found = (key for key in registry().values() if key.footer and key.why_not(app) is None)
    return sorted(found, key=lambda key: key.footer)
