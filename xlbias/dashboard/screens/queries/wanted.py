"""Which list of queries the present choice, filter and baseline ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlbias.dashboard.workers.query_list import Wanted
from xlbias.errors import UsageError
from xlbias.results.queries.filter import Filter
from xlbias.results.queries.query_rows import check_filter, corrected_p, not_comparable

if TYPE_CHECKING:
    from xlbias.dashboard.baseline import Baseline
    from xlbias.dashboard.state import State


def wanted_of(
    state: State, baseline: Baseline, filter: Filter, by: str | None, *, descending: bool
) -> tuple[Wanted | None, str]:
    """Return what the present run, choice and baseline ask for, and what is to be said of it.

    None where a comparison has to be computed first: the screen is then shown again.
    """
    assert state.snapshot is not None and state.chosen is not None
    (model, task), run, against = state.chosen, state.snapshot.run, baseline.against
    said = no_baseline(baseline, filter) or ""
    try:
        check_filter(filter, run, state.chosen)
    except UsageError as error:
        said = str(error)
    if against is not None and not (baseline.is_on or by == "delta" or filter.about("delta")):
        against = None
    if against is not None and (reason := not_comparable(against.run.tasks, run.tasks, task)):
        said, against = said or f"no Δ: {against.label} {reason}", None
    p: tuple[tuple[str, str, float | None], ...] = ()
    if filter.about("p") and baseline.against is not None:
        found = baseline.compared(model, task, "map")
        if found is None:
            return None, said
        if isinstance(found, str):
            said = found
        else:
            p = corrected_p(found)
    return Wanted(run, model, task, filter, against, p, by, descending), said


def no_baseline(baseline: Baseline, filter: Filter) -> str | None:
    """Why a filter cannot be answered without a baseline, None where it can."""
    if filter.about("delta", "p") and baseline.against is None:
        return f"{'Δ' if filter.about('delta') else 'p'} needs a baseline: press b to choose one"
    return None
