"""The part of the application that leads from screen to screen, and from model to model."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from xlbias.dashboard import places
from xlbias.dashboard.commands import keys
from xlbias.dashboard.screens.base import View
from xlbias.dashboard.screens.overview import OverviewScreen

if TYPE_CHECKING:
    from textual.app import App

    from xlbias.dashboard.app import Chosen, DashboardApp, QueryKey
    from xlbias.dashboard.workers.snapshot import Broken, Snapshot, Waiting

    _Base = App[None]
else:
    _Base = object


class Navigation(_Base):
    """Which screen is seen, of which model and task; mixed into the application."""

    snapshot: Snapshot | None
    event: Waiting | Broken | None
    chosen: Chosen | None
    query_key: QueryKey | None
    trail: list[str]

    @property
    def view(self) -> View:
        """The present screen below any help or palette; there is always one, the overview at the bottom."""
        return next(screen for screen in reversed(self.screen_stack) if isinstance(screen, View))

    @property
    def place(self) -> str:
        """Which screen that is."""
        return self.view.PLACE

    def show(self) -> None:
        """Bring the present screen up to date."""
        if self.view.is_mounted:
            self.view.show()

    @property
    def previous(self) -> str | None:
        """The screen that Escape leads to."""
        return self.trail[-1] if self.trail else places.PARENT.get(self.place)

    def settle(self) -> None:
        """Leave a screen that has nothing to show for one that has, unless help or palette are open above it."""
        if self.screen is not self.view:
            return
        if self.snapshot is None:
            if self.event is not None:
                self._switch(places.NOTICE)
        elif self.place == places.NOTICE or keys.BY_ID.get(self.place, keys.BY_ID[places.OVERVIEW]).why_not(
            cast("DashboardApp", self)
        ):
            self.trail.clear()
            self._switch(places.TRAINING if self.snapshot.trained_only else places.OVERVIEW)

    def _switch(self, place: str) -> None:
        if place == self.place:
            return
        self.clear_notifications()  # what was said is about the screen that is left
        if place == places.OVERVIEW:
            self.pop_screen()
        elif self.place == places.OVERVIEW:
            self.push_screen(place)
        else:
            self.switch_screen(place)

    def mount_ahead(self, place: str) -> None:
        """Mount a screen without showing it: what takes longest of its first time is done before it is asked for."""
        if not self.get_screen(place).is_running:
            self._get_screen(place)

    def go(self, place: str) -> None:
        """Show a screen; Escape then leads to where such a screen belongs."""
        self._choose_row()
        self.trail.clear()
        self._switch(place)

    def enter(self, place: str) -> None:
        """Show a screen that the present one leads to; Escape comes back here."""
        if place != self.place:
            self.trail.append(self.place)
            self._switch(place)

    def back(self) -> None:
        """Close the panel that is open, or show the screen that led here."""
        if self.view.panel_open:
            self.view.close_panel()
        elif self.trail:
            self._switch(self.trail.pop())
        else:
            self._switch(places.PARENT[self.place])

    def _choose_row(self) -> None:
        overview = self.view
        key = overview.table.cursor_key if isinstance(overview, OverviewScreen) else None
        if key is not None:
            self.chosen = (key[0], key[1])

    def choose(self, chosen: Chosen) -> None:
        """Look at another model and task."""
        if chosen != self.chosen:
            self.chosen = chosen
            self.show()

    def open_matrix(self, chosen: Chosen) -> None:
        """Show the matrix of a model and task; Escape comes back here."""
        self.chosen = chosen
        self.enter(places.MATRIX)
        self.show()

    def open_queries(self, filter: str) -> None:
        """Show the queries of the present model and task that a filter leaves; Escape comes back here."""
        from xlbias.dashboard.screens.queries.screen import QueriesScreen

        screen = self.get_screen(places.QUERIES)
        assert isinstance(screen, QueriesScreen)
        screen.set_filter(filter)
        self.enter(places.QUERIES)
        self.show()

    def open_query(self, query: QueryKey) -> None:
        """Show one query of the present model and task; Escape comes back here."""
        self.query_key = query
        self.enter(places.QUERY)
        self.show()

    def walk(self, step: int) -> bool:
        """Show the next query that the filter of Queries leaves, or the one before; False where there is none."""
        from xlbias.dashboard.screens.queries.screen import QueriesScreen

        screen = self.get_screen(places.QUERIES)
        assert isinstance(screen, QueriesScreen)
        found = screen.step(step)
        if found is None:
            return False
        self.query_key = found
        self.show()
        return True

    def go_to_cell(self, cell: tuple[str, str]) -> None:
        """Put the cursor of the matrix on a cell."""
        self.view.go_to_cell(cell)

    def step_task(self) -> None:
        """Show the same model on the next task."""
        if self.snapshot and self.chosen:
            names = [task["name"] for task in self.snapshot.run.tasks]
            self.choose((self.chosen[0], names[(names.index(self.chosen[1]) + 1) % len(names)]))

    def step_model(self) -> None:
        """Show the next model on the same task."""
        if self.snapshot and self.chosen:
            names = [model["name"] for model in self.snapshot.run.models]
            self.choose((names[(names.index(self.chosen[0]) + 1) % len(names)], self.chosen[1]))

    def pick(self) -> None:
        """Choose model and task from a list."""
        from xlbias.dashboard.dialogs.picker import Choice, PickDialog

        assert self.snapshot is not None
        pairs = self.snapshot.overview.select("model", "task").rows()
        choices = [Choice(pair, f"{pair[0]} on {pair[1]}") for pair in pairs]
        self.push_screen(PickDialog("model and task", choices, self.chosen), lambda c: self.choose(c) if c else None)
