"""What all screens of the dashboard have in common: frame, place, and being told of a new snapshot."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.app import ComposeResult
from textual.message import Message
from textual.screen import Screen

from xlbias.dashboard.commands import keys
from xlbias.dashboard.terminal.settling import SETTLING
from xlbias.dashboard.views.status import banner
from xlbias.dashboard.widgets.frame import Banner, Footer, Header

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.timer import Timer

    from xlbias.dashboard.parts import Dashboard
    from xlbias.dashboard.state import Scope
    from xlbias.dashboard.workers.snapshot import Cell, Chosen
    from xlbias.report.document import MatrixBlock, Table

_AHEAD = 0.3  # seconds for which a screen has been seen before the next one is made ready


class View(Screen[None], inherit_bindings=False):
    """A screen between header and footer.

    `show` is called whenever the run, the choice of what to show, or the size has changed while the screen is seen.
    """

    PLACE: ClassVar[str]

    @property
    def dashboard(self) -> Dashboard:
        """The application with its parts."""
        return cast("Dashboard", self.app)

    def compose(self) -> ComposeResult:
        """Frame and content."""
        self._classify()
        yield Header()
        yield Banner()
        yield from self.content()
        yield Footer()

    def on_mount(self) -> None:
        """Begin with a whole frame, unless it is the first one, which cannot come too early and is nearly empty.

        What is mounted without being seen finds its layout already now.
        """
        if self.app.is_running and self.dashboard.view is not self:
            self.call_later(self._lay_out_ahead)
        elif self.dashboard.state.snapshot is not None:
            self.app.delay_update(SETTLING)

    async def _on_message(self, message: Message) -> None:
        """Work off a message, but none of our own while the screens are taken down: parts that it is for are gone."""
        if self.app.is_running or not type(message).__module__.startswith("xlbias."):
            await super()._on_message(message)

    def _lay_out_ahead(self) -> None:
        if self.app.is_running and self.dashboard.view is not self:
            self.show()
            self._refresh_layout(self.app.size)

    @property
    def is_mounted(self) -> bool:
        """Whether its frame is there: on the way out a screen is composed of nothing, and parts go one by one."""
        return super().is_mounted and any(isinstance(part, Footer) for part in self.children)

    def make_ready(self, place: str, turn: int = 1) -> None:
        """Mount a screen that this one leads to, unseen, once this one has been looked at for a moment.

        One after the other, by `turn`: keys pressed in between must not wait for them all.
        """
        self.after(turn * _AHEAD, partial(self.dashboard.navigation.mount_unseen, place))

    def after(self, seconds: float, callback: Callable[[], object]) -> Timer:
        """Call back once, unless the screens are being taken down by then."""
        return self.set_timer(seconds, lambda: callback() if self.app.is_running else None)

    def press(self, key_id: str) -> None:
        """Do what a key does, or say why it cannot be used."""
        keys.press(self.dashboard, key_id)

    def content(self) -> ComposeResult:
        """What stands between header and footer."""
        raise NotImplementedError

    def show(self) -> None:
        """Show the application's present snapshot and choice."""
        self.tell()
        self.call_next(self._tell_keys)  # whether there is something to copy is known once it is shown

    def tell(self) -> None:
        """Bring the frame up to date: banner, header and, where this is what is seen, the keys in the footer."""
        app = self.dashboard
        sentence, error = app.state.process_trouble, True
        if not sentence:
            sentence, error = banner(app.state.newest, app.state.problem or app.state.base_problem)
        self.query_one(Banner).say(sentence, error=error)
        self.query_one(Header).tell(app)
        self._tell_keys()

    def _tell_keys(self) -> None:
        """Bring the footer up to date where this is what is seen: another one may have nothing in it to be asked."""
        if self.is_attached and self.app.is_running and self.dashboard.view is self:
            self.query_one(Footer).tell(self.dashboard)

    def on_screen_resume(self) -> None:
        """Catch up with what has happened while another screen was seen."""
        if self.is_mounted:
            self.dashboard.navigation.settle()
            self.show()

    def on_resize(self) -> None:
        """Choose anew what there is room for, once the parts have their sizes."""
        self._classify()
        self.call_after_refresh(self._show_again)

    def _show_again(self) -> None:
        if self.is_mounted:
            self.show()

    def _classify(self) -> None:
        """Say by classes how much room there is. Known before the first layout, so that nothing is painted twice."""
        columns, lines = self.app.size
        for name, fits in {
            "-narrow": columns < 72,
            "-wide": columns >= 120,
            "-low": lines < 22,
            "-middle": 22 <= lines < 34,
            "-high": lines >= 34,
        }.items():
            self.set_class(fits, name)

    # -- what every screen can be asked; keys that some screens list ask for more of them ----------------------------

    def move(self, where: str) -> None:
        """Move the cursor."""

    @property
    def row_chosen(self) -> Chosen | None:
        """The encoder and task under the cursor, which other screens are to show; None to leave the choice."""
        return None

    @property
    def panel_open(self) -> bool:
        """Whether a panel has taken the place of the screen's content, for Escape to close."""
        return False

    def close_panel(self) -> None:
        """Close it."""

    def follow_to(self, cell: Cell) -> None:
        """Put the cursor where this cell is shown."""

    def why_no_range(self) -> str | None:
        """Why the colours can have no other range, None where they can."""
        return "there are no colours here"

    def why_no_row(self) -> str | None:
        """Why nothing can be done with the row under the cursor, None where there is one."""
        return None

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """How much of the screen can be copied."""
        return ("all",)

    def why_no_copy(self) -> str | None:
        """Why there is nothing to copy, None where there is something."""
        return "there is nothing to copy on this screen"

    @property
    def n_all(self) -> tuple[int, int]:
        """Rows and columns of a copy of all; a table has one column of them."""
        raise NotImplementedError

    @property
    def copy_waits(self) -> bool:
        """Whether differences that are to be copied are still computed: what is seen are values, or not all."""
        return False

    def copied(self, scope: Scope) -> tuple[Table | MatrixBlock, str]:
        """Return what to copy, as a block of a report with its intervals, and a name for its file."""
        raise NotImplementedError

    # -- coming back to it -------------------------------------------------------------------------------------------

    def saved(self) -> dict[str, Any]:
        """Return how the screen is looked at, as JSON: order, filter, cursor."""
        return {}

    def restore(self, saved: dict[str, Any]) -> None:
        """Look at the screen as it was saved; what does not fit this run is left out. Called while it is shown."""
