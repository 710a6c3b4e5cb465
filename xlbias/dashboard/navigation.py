"""Which screen is seen, and how one leads to another."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from xlbias.dashboard import places

if TYPE_CHECKING:
    from textual.app import App

    from xlbias.dashboard.state import QueryListScreen, SeenScreen, State
    from xlbias.dashboard.workers.snapshot import Chosen, QueryKey


class Navigation:
    """Leads from screen to screen. The overview lies at the bottom; at most one other screen stands on it.

    Args:
        app: holds the screens.
        state: what is looked at.
        why_not: why a screen, by its name, cannot be shown now; None where it can.
    """

    def __init__(self, app: App[Any], state: State, why_not: Callable[[str], str | None]) -> None:
        self._app, self._state, self.why_not = app, state, why_not
        self._trail: list[str] = []
        """The screens that Escape leads back to, the present one's opener last."""

    @property
    def view(self) -> SeenScreen:
        """The present screen below any help or palette; there is always one."""
        stack = reversed(self._app.screen_stack)
        return cast("SeenScreen", next(screen for screen in stack if hasattr(screen, "PLACE")))

    @property
    def place(self) -> str:
        """Which screen that is."""
        return self.view.PLACE

    @property
    def on_top(self) -> bool:
        """Whether nothing is open above it: no help, no palette, no dialog."""
        return hasattr(self._app.screen, "PLACE")

    @property
    def previous(self) -> str | None:
        """The screen that Escape leads to."""
        return self._trail[-1] if self._trail else self._parent

    @property
    def _parent(self) -> str | None:
        """Where the present screen belongs."""
        return places.SCREENS[self.place].parent or None if self.place in places.SCREENS else None

    @property
    def made(self) -> list[SeenScreen]:
        """The screens that have been made so far."""
        installed = (screen for screen in self._app._installed_screens.values() if not callable(screen))
        return [cast("SeenScreen", screen) for screen in (*installed, self._app.screen_stack[0])]

    def mount_unseen(self, place: str) -> None:
        """Mount a screen without showing it, unless it is mounted already; on the way out there are no screens.

        What takes longest of its first time is then done before it is asked for.
        """
        app = self._app
        if place in app._installed_screens and not app.get_screen(place).is_running:
            app._get_screen(place)

    def show(self) -> None:
        """Bring the present screen up to date."""
        if self.view.is_mounted:
            self.view.show()

    def tell(self) -> None:
        """Bring the present screen's frame up to date."""
        if self.view.is_mounted:
            self.view.tell()

    def settle(self) -> None:
        """Leave a screen that has nothing to show for one that has, unless help or palette are open above it."""
        if not self.on_top:
            return
        snapshot = self._state.snapshot
        if snapshot is None:
            if self._state.event is not None:
                self.switch(places.NOTICE)
        elif self.place == places.NOTICE or self.why_not(self.place):
            self._trail.clear()
            self.switch(places.TRAINING if snapshot.trained_only else places.OVERVIEW)

    def switch(self, place: str) -> None:
        """Show a screen; where Escape leads from it stays."""
        if place == self.place:
            return
        self._app.clear_notifications()  # what was said is about the screen that is left
        if place == places.OVERVIEW:
            self._app.pop_screen()
        elif self.place == places.OVERVIEW:
            self._app.push_screen(place)
        else:
            self._app.switch_screen(place)

    def go(self, place: str) -> None:
        """Show a screen; Escape then leads to where such a screen belongs."""
        if (chosen := self.view.row_chosen) is not None:
            self._state.chosen = chosen
        self._trail.clear()
        self.switch(place)

    def enter(self, place: str) -> None:
        """Show a screen that the present one leads to; Escape comes back here."""
        if place != self.place:
            self._trail.append(self.place)
            self.switch(place)

    def back(self) -> None:
        """Close the panel that is open, or show the screen that led here."""
        if self.view.panel_open:
            self.view.close_panel()
        elif self._trail:
            self.switch(self._trail.pop())
        else:
            self.switch(str(self._parent))

    @property
    def queries(self) -> QueryListScreen:
        """The list of queries, seen or not."""
        return cast("QueryListScreen", self._app.get_screen(places.QUERIES))

    def open_matrix(self, chosen: Chosen) -> None:
        """Show the matrix of an encoder and task; Escape comes back here."""
        self._state.chosen = chosen
        self.enter(places.MATRIX)
        self.show()

    def open_queries(self, filter: str) -> None:
        """Show the queries of the present encoder and task that match a filter; Escape comes back here."""
        self.queries.set_filter(filter)
        self.enter(places.QUERIES)
        self.show()

    def open_query(self, query: QueryKey) -> None:
        """Show one query of the present encoder and task; Escape comes back here."""
        self._state.query_key = query
        self.enter(places.QUERY)
        self.show()

    def step_query(self, step: int) -> bool:
        """Show the next query that the filter of Queries leaves, or the one before; False where there is none."""
        found = self.queries.step(step)
        if found is None:
            return False
        self._state.query_key = found
        self.show()
        return True
