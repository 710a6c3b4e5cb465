"""The help: the keys of the present screen and why one cannot be used now; then those of other screens."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from xlbias.dashboard.commands.keys import Key, registry
from xlbias.dashboard.dialogs.base import Dialog
from xlbias.dashboard.places import PICKER, SCREENS
from xlbias.text import cut

if TYPE_CHECKING:
    from xlbias.dashboard.parts import Dashboard

_KEYS = registry()
_CLOSING = (*_KEYS["back"].keys, *_KEYS["help"].keys, *_KEYS["quit"].keys)
_KEYS_WIDTH = 13
_WIDTH = 96
_BESIDE_TEXT = 7  # frame, padding and scroll bar


def help_text(app: Dashboard) -> Content:
    """Return the keys that belong here by section; those that cannot be used now are dimmed and say why.

    Keys of other screens follow, a line each, with the numbers of those screens.
    """
    lines: list[Content] = []
    section = ""
    cells = min(_WIDTH, app.size.width) - _BESIDE_TEXT
    for key in (key for key in registry().values() if app.place in key.where):
        if key.section != section:
            section = key.section
            lines += [Content(""), Content.styled(section, "bold $text-accent")]
        reason = key.why_not(app)
        said = key.description if reason is None else f"{key.description} – not now: {reason}"
        for i, line in enumerate(wrap(said, max(10, cells - _KEYS_WIDTH))):
            keys = (key.symbols if i == 0 else "").ljust(_KEYS_WIDTH - 1) + " "
            lines.append(
                Content.assemble((keys, "bold"), line) if reason is None else Content.styled(keys + line, "$quiet")
            )
    if elsewhere := [key for key in registry().values() if app.place not in key.where]:
        lines += [Content(""), Content.styled("Elsewhere", "bold $text-accent")]
        lines += [Content.styled(_elsewhere(key, cells), "$quiet") for key in elsewhere]
    return Content("\n").join(lines[1:])


def _elsewhere(key: Key, cells: int) -> str:
    """Return a key of other screens in a line of so many cells: what it does, and the numbers of the screens."""
    numbers = [str(i) for i, place in enumerate(SCREENS, 1) if place in key.where] or [PICKER]
    where = f"  ({'–'.join((numbers[0], numbers[-1])) if _is_range(numbers) else ' '.join(numbers)})"
    shown = f"{key.symbols}{' ' * max(1, _KEYS_WIDTH - len(key.symbols))}"
    return f"{shown}{cut(key.description, max(10, cells - len(shown) - len(where)))}{where}"


def _is_range(numbers: list[str]) -> bool:
    return len(numbers) > 2 and int(numbers[-1]) - int(numbers[0]) == len(numbers) - 1


class HelpScreen(Dialog[None], inherit_bindings=False):
    """The keys, over the screen that they apply to."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(",".join(_CLOSING), "cancel", "close", show=False, id="help.close"),
        Binding(",".join(_KEYS["move.up"].keys), "scroll('up')", show=False, id="help.up"),
        Binding(",".join(_KEYS["move.down"].keys), "scroll('down')", show=False, id="help.down"),
        Binding(",".join(_KEYS["move.page_up"].keys), "scroll('page_up')", show=False, id="help.page_up"),
        Binding(
            ",".join((*_KEYS["move.page_down"].keys, "space")), "scroll('page_down')", show=False, id="help.page_down"
        ),
        Binding(",".join((*_KEYS["move.first"].keys, "home")), "scroll('home')", show=False, id="help.home"),
        Binding(",".join((*_KEYS["move.last"].keys, "end")), "scroll('end')", show=False, id="help.end"),
    ]

    DEFAULT_CSS = """
    HelpScreen > .panel { width: 96; padding: 0 2; scrollbar-size-vertical: 1; }
    """

    def compose(self) -> ComposeResult:
        """The keys in a panel that scrolls where they do not fit."""
        with VerticalScroll(classes="panel", can_focus=False) as panel:
            panel.border_title = "keys"
            panel.border_subtitle = "↑↓ scroll · Esc close"
            yield Static()

    def on_resize(self) -> None:
        """Write the keys in lines that fit."""
        self.query_one(Static).update(help_text(cast("Dashboard", self.app)))

    def action_scroll(self, where: str) -> None:
        """Scroll the panel."""
        getattr(self.query_one(VerticalScroll), f"{'action' if where.startswith('page') else 'scroll'}_{where}")(
            **({} if where.startswith("page") else {"animate": False})
        )
