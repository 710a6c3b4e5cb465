"""The part of the application that remembers how a run was last looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from xlbias.dashboard import places
from xlbias.dashboard.commands import keys
from xlbias.dashboard.export_files import state_folder
from xlbias.dashboard.memory import remember
from xlbias.dashboard.navigation import Navigation
from xlbias.dashboard.screens.base import View
from xlbias.results.matrix import MATRIX_MEASURES

if TYPE_CHECKING:
    from pathlib import Path

    from xlbias.dashboard.app import DashboardApp
    from xlbias.measures.measure import Measure


class Remembering(Navigation):
    """The view of the last time; mixed into the application, which reads it in the beginning."""

    path: Path
    read_only: bool
    measure: Measure
    baseline: str | None
    _restored: dict[str, Any]
    _keep_theme: bool

    def keep_view(self) -> None:
        """Remember how the run is looked at, unless nothing may be written."""
        if self.snapshot is not None and not self.read_only:
            remember(state_folder(), self.path, self._view_now())

    def _view_now(self) -> dict[str, Any]:
        screens = {screen.PLACE: screen.saved() for screen in self._views()}
        return {
            "place": self.place,
            "chosen": self.chosen,
            "measure": self.measure.name,
            "baseline": self.baseline,
            "theme": self.theme if self._keep_theme else None,
            "screens": {**self._restored.get("screens", {}), **screens},
        }

    def _views(self) -> list[View]:
        installed = [screen for screen in self._installed_screens.values() if isinstance(screen, View)]
        bottom = self.screen_stack[0]
        return [*installed, *([bottom] if isinstance(bottom, View) else [])]

    def restore_view(self) -> None:
        """Look at the run as the last time, as far as it still has what was looked at."""
        assert self.snapshot is not None
        before = self._restored
        chosen = before.get("chosen")
        if isinstance(chosen, list) and tuple(chosen) in set(self.snapshot.overview.select("model", "task").rows()):
            self.chosen = (chosen[0], chosen[1])
        measure = before.get("measure")
        self.measure = MATRIX_MEASURES.get(measure, self.measure) if isinstance(measure, str) else self.measure
        baseline = before.get("baseline")
        if isinstance(baseline, str):
            self.baseline = baseline
        self._restore_query(before.get("screens"))
        place = before.get("place")
        if place in places.TITLES and keys.BY_ID[place].why_not(cast("DashboardApp", self)) is None:
            self._switch(place)

    def _restore_query(self, screens: object) -> None:
        from xlbias.dashboard.workers.query_reader import remembered_query

        saved = screens.get(places.QUERY) if isinstance(screens, dict) else None
        if isinstance(saved, dict) and self.snapshot is not None and self.chosen is not None:
            self.query_key = remembered_query(saved.get("query"), self.snapshot.run, self.chosen[1])

    def remembered(self, place: str) -> dict[str, Any]:
        """Return how a screen was looked at the last time, once: the screen takes it when it is first shown."""
        screens = self._restored.get("screens")
        found = screens.pop(place, {}) if isinstance(screens, dict) else {}
        return found if isinstance(found, dict) else {}
