"""Leads from a finding to where its numbers are shown: the screen, the measure, and the cell under the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from xlbias.dashboard import places
from xlbias.results.matrix import MATRIX_MEASURES

if TYPE_CHECKING:
    from xlbias.dashboard.parts import Dashboard
    from xlbias.dashboard.workers.snapshot import Chosen
    from xlbias.results.findings import Destination, Finding


def lead_to(app: Dashboard, finding: Finding) -> None:
    """Show where the numbers of a finding are; say why where that screen cannot be shown."""
    state, place = app.state, finding.leads_to
    reason = app.navigation.why_not(place.screen)
    if reason is not None:
        app.notify(reason, severity="warning", timeout=3, markup=False)
        return
    chosen = chosen_by(app, finding)
    if chosen is not None:
        state.chosen = chosen
    if place.screen == places.OVERVIEW:
        if chosen is not None:
            cast("Any", app.view).go_to_row(chosen)
        return
    if place.measure in MATRIX_MEASURES:
        state.measure = MATRIX_MEASURES[place.measure]
    if finding.base is not None and finding.kind == "difference":
        app.baseline.take(finding.base.split(", ")[0])
    app.navigation.enter(place.screen)
    app.navigation.show()
    if place.screen == places.MATRIX:
        app.view.call_after_refresh(_go_to_cell, app, place)  # a new screen has its matrix by then
    elif place.screen == places.BIAS and place.measure is not None:
        app.view.call_after_refresh(cast("Any", app.view).show_measure, place.measure)


def chosen_by(app: Dashboard, finding: Finding) -> Chosen | None:
    """Return the encoder and task that a finding is about; of several seeds the first. None where it is about all."""
    snapshot = app.state.snapshot
    if snapshot is None or (finding.encoder is None and finding.task is None):
        return None
    pairs: list[Chosen] = snapshot.overview.select("model", "task").rows()
    return next((pair for pair in pairs if finding.concerns(*pair)), None)


def _go_to_cell(app: Dashboard, place: Destination) -> None:
    """Put the cursor on the cell of two languages, or on the row or column of one."""
    if app.place != places.MATRIX or (place.query_language is None and place.passage_language is None):
        return
    view = cast("Any", app.view)
    here = view.view.cursor
    if here is not None:
        view.go_to_cell((place.query_language or here[0], place.passage_language or here[1]))
