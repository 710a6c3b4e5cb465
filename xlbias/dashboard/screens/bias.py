"""The third screen: which languages are preferred, and how strongly.

Five panels, each a question of its own: rank distance, exposure, single gold, places of languages, all numbers. Tab
and Shift-Tab step through the panels. m and M step through the views of a panel (distance in ranks, normalised, median
and so on), and after its last one go on to the next panel.
"""

from __future__ import annotations

from typing import Any, ClassVar

import polars as pl

from xlbias.dashboard import places
from xlbias.dashboard.screens.panels import PanelScreen
from xlbias.dashboard.views.bias import Differences, bias_sheet
from xlbias.dashboard.views.bias_panels import PANELS, VIEWS, BiasView, compared_measures
from xlbias.dashboard.views.caveats import of_pair
from xlbias.dashboard.views.sheet import Sheet
from xlbias.dashboard.widgets.heatmap.order import NAMES, OF_LANGUAGES
from xlbias.dashboard.widgets.text.line import Part
from xlbias.dashboard.workers.comparisons import COMPARING
from xlbias.measures.registry import measures
from xlbias.results.compare import Side

_OF_PANEL = {panel: [view for view in VIEWS if view.panel == panel] for panel in PANELS}


class BiasScreen(PanelScreen):
    """Panels of bias of the chosen encoder on the chosen task, or of its differences from the baseline."""

    PLACE = places.BIAS
    PANELS: ClassVar = PANELS

    def __init__(self) -> None:
        super().__init__()
        self.views: dict[str, BiasView] = {panel: views[0] for panel, views in _OF_PANEL.items()}
        """The view that each panel shows."""

    def sorts(self, panel: str) -> tuple[str, ...]:
        """Orders of languages; the table of all numbers stays as it is listed."""
        return (NAMES, *OF_LANGUAGES) if panel == "numbers" else OF_LANGUAGES

    def named(self, panel: str) -> str:
        """The measure of the panel's view, and which of how many it is."""
        view, views = self.views[panel], _OF_PANEL[panel]
        label = (
            ""
            if view.shape == "numbers"
            else f"{_SHORT_LABELS.get(view.name) or measures('bias')[view.measure].label} "
        )
        return f"{'Δ ' if self._shows_differences(panel) else ''}{label}{views.index(view) + 1}/{len(views)}"

    def which(self) -> tuple[list[Part], str]:
        """Encoder and task, and what differences are taken from."""
        app = self.dashboard
        assert app.state.snapshot is not None and app.state.chosen is not None
        model, task = app.state.chosen
        against = app.baseline.against if self._shows_differences(self.panel) else None
        return [], f"{model} minus {against.label} on {task}" if against else f"{model} on {task}"

    def caveats(self) -> list[str]:
        """Those of the encoder on the task; of differences those of both sides."""
        state, against = self.dashboard.state, self.dashboard.baseline.against
        assert state.snapshot is not None and state.chosen is not None
        differs = any(self._shows_differences(panel) for panel in self.visible_panels)
        base = Side(against.run, (against.model,)) if differs and against is not None else None
        return of_pair(state.snapshot, *state.chosen, base)

    # -- numbers -----------------------------------------------------------------------------------------------------

    @property
    def _differs(self) -> bool:
        return self.dashboard.baseline.is_on and self.dashboard.baseline.against is not None

    def _shows_differences(self, panel: str) -> bool:
        """Whether a panel shows differences already: while they are computed it shows values, and says so."""
        return self._differs and self._differences(self.views[panel])[0] is not None

    def sheet(self, panel: str) -> Sheet | None:
        """The view of a panel, kept for as long as snapshot and comparisons are the same."""
        app, view = self.dashboard, self.views[panel]
        assert app.state.snapshot is not None and app.state.chosen is not None
        model, task = app.state.chosen
        differences, remark = self._differences(view) if self._differs else (None, "")
        cache, key = app.state.snapshot.cache, ("bias", view.name, model, task)
        known, sheet = cache.get(key, (None, None))
        if sheet is None or known != (differences, remark):
            entry = next(e for e in app.state.snapshot.run.tasks if e.name == task)
            sheet = bias_sheet(view, model, entry, app.state.snapshot.run.numbers.of(model, task), differences, remark)
            cache[key] = ((differences, remark), sheet)
        return sheet  # type: ignore[no-any-return]

    def _differences(self, view: BiasView) -> tuple[Differences | None, str]:
        """Return the differences that a view shows, as far as they are computed, and what is to be said of that."""
        app = self.dashboard
        assert app.state.snapshot is not None and app.state.chosen is not None and app.baseline.against is not None
        names = compared_measures(view)
        if not names:
            return None, "values, not differences: this measure is not a mean over query ids"
        found = [app.baseline.compared(*app.state.chosen, name, urgent=len(names) == 1) for name in names]
        frames = [one for one in found if isinstance(one, pl.DataFrame)]
        sentence = next((one for one in found if isinstance(one, str) and one), "")
        missing = sum(one is None for one in found)
        if sentence and not frames:
            return None, f"values, not differences: {sentence}"
        if not frames:
            return None, f"{COMPARING} (values so far)"
        key = ("bias differences", tuple(map(id, frames)))
        if key not in app.state.snapshot.cache:
            # The frames are kept beside what is made of them, so that no other frame can take their place in memory.
            app.state.snapshot.cache[key] = (Differences.of(frames, app.baseline.against.label), frames)
        differences: Differences = app.state.snapshot.cache[key][0]
        return differences, f"{COMPARING} {len(frames)} of {len(names)} measures" if missing else ""

    # -- keys --------------------------------------------------------------------------------------------------------

    def step_measure(self, step: int) -> None:
        """Show the next view of the panel, or the one before; at its end, go on to the next panel."""
        at = VIEWS.index(self.views[self.panel]) + step
        view = VIEWS[at % len(VIEWS)]
        self.panel = view.panel
        self.views[view.panel] = view
        self.show()

    def show_measure(self, name: str) -> None:
        """Show the panel and the view of a measure, where one has it."""
        view = next((view for view in VIEWS if view.measure == name), None)
        if view is not None:
            self.panel = view.panel
            self.views[view.panel] = view
            self.show()

    def open(self) -> None:
        """Show the queries behind the row: those in its language, in the pool of all languages."""
        cursor, view = self.view.cursor, self.views[self.panel]
        if cursor is None or view.shape == "numbers":
            self.dashboard.notify(
                "this number covers all languages: open queries from another panel", timeout=3, markup=False
            )
        elif view.shape == "answered":
            self.dashboard.navigation.open_queries("d:multi")
        else:
            self.dashboard.navigation.open_queries(f"q:{cursor[0]} d:multi")

    def saved(self) -> dict[str, Any]:
        """Panels, and the view of each."""
        found = super().saved()
        return {**found, "shown": {panel: view.name for panel, view in self.views.items()}} if found else {}

    def restore(self, saved: dict[str, Any]) -> None:
        """Look at the panels as they were saved."""
        shown = saved.get("shown")
        for view in VIEWS:
            if isinstance(shown, dict) and shown.get(view.panel) == view.name:
                self.views[view.panel] = view
        super().restore(saved)


_SHORT_LABELS = {
    "exposure@10.excess": "share@10 − pool",
    "language_rank.all": "mean rank",
    "language_rank": "mean rank by query language",
}
