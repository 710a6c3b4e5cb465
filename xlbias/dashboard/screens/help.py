"""The help: every key of the registry, what it does, and why it cannot be used now."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from xlbias.dashboard.keys import BY_ID, KEYS
from xlbias.dashboard.screens.base import SETTLING

if TYPE_CHECKING:
    from xlbias.dashboard.app import DashboardApp

_CLOSING = (*BY_ID["back"].keys, *BY_ID["help"].keys, *BY_ID["quit"].keys)
_KEYS_WIDTH = 13


def help_text(app: DashboardApp) -> Content:
    """Return all keys by section; those that cannot be used here and now are dimmed and say why."""
    lines: list[Content] = []
    section = ""
    for key in KEYS:
        if key.section != section:
            section = key.section
            lines += [Content(""), Content.styled(section, "bold $text-accent")]
        reason = key.why_not(app)
        pad = " " * max(1, _KEYS_WIDTH - len(key.shown))
        if reason is None:
            lines.append(Content.assemble((f"{key.shown}{pad}", "bold"), key.description))
        else:
            lines.append(Content.styled(f"{key.shown}{pad}{key.description} – not now: {reason}", "$quiet"))
    return Content("\n").join(lines[1:])


class HelpScreen(ModalScreen[None], inherit_bindings=False):
    """The keys, over the screen that they apply to."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(",".join(_CLOSING), "close", "close", show=False, id="help.close"),
        Binding(",".join(BY_ID["move.up"].keys), "scroll('up')", show=False, id="help.up"),
        Binding(",".join(BY_ID["move.down"].keys), "scroll('down')", show=False, id="help.down"),
        Binding(",".join(BY_ID["move.page_up"].keys), "scroll('page_up')", show=False, id="help.page_up"),
        Binding(
            ",".join((*BY_ID["move.page_down"].keys, "space")), "scroll('page_down')", show=False, id="help.page_down"
        ),
        Binding(",".join((*BY_ID["move.first"].keys, "home")), "scroll('home')", show=False, id="help.home"),
        Binding(",".join((*BY_ID["move.last"].keys, "end")), "scroll('end')", show=False, id="help.end"),
    ]

    DEFAULT_CSS = """
    HelpScreen {
        align: center middle;
        background: $background 60%;
        & > VerticalScroll {
            width: 96;
            max-width: 100%;
            height: auto;
            max-height: 100%;
            padding: 0 2;
            border: round $primary;
            border-title-color: $text-accent;
            border-subtitle-color: $quiet;
            background: $surface;
            scrollbar-size-vertical: 1;
        }
        &:ansi { background: ansi_default; }
        &:ansi > VerticalScroll { background: ansi_default; }
    }
    """

    def __init__(self, text: Content) -> None:
        super().__init__()
        self._text = text

    def on_mount(self) -> None:
        """Begin with a whole frame."""
        self.app.delay_update(SETTLING)

    def compose(self) -> ComposeResult:
        """The keys in a panel that scrolls where they do not fit."""
        with VerticalScroll(can_focus=False) as panel:
            panel.border_title = "keys"
            panel.border_subtitle = "↑↓ scroll · Esc close"
            yield Static(self._text)

    def action_close(self) -> None:
        """Back to the screen."""
        self.dismiss()

    def action_scroll(self, where: str) -> None:
        """Scroll the panel."""
        getattr(self.query_one(VerticalScroll), f"{'action' if where.startswith('page') else 'scroll'}_{where}")(
            **({} if where.startswith("page") else {"animate": False})
        )
