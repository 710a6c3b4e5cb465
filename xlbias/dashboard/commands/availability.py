"""Why a key does nothing here and now: each function returns a sentence, or None where the key works."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from xlbias.dashboard.parts import Dashboard
    from xlbias.dashboard.state import Coloured, Copyable


def never(_: Dashboard) -> str | None:
    """Works always."""
    return None


def no_run(app: Dashboard) -> str | None:
    """There is no run."""
    return None if app.state.snapshot else "there is no run to show yet"


def nothing_chosen(app: Dashboard) -> str | None:
    """There is no model evaluated on a task."""
    if app.state.snapshot is None:
        return no_run(app)
    return None if app.state.snapshot.overview.height else "the run has no model evaluated on a task yet"


def no_training(app: Dashboard) -> str | None:
    """The run holds no training."""
    if app.state.snapshot is None:
        return no_run(app)
    return None if app.state.snapshot.trained else "the run holds no training; `xlbias train` writes one"


def no_query(app: Dashboard) -> str | None:
    """No query has been opened."""
    if app.state.query_key is not None:
        return nothing_chosen(app)
    return nothing_chosen(app) or "no query is open: choose one on Queries (5) with Enter"


def not_live(app: Dashboard) -> str | None:
    """The run is finished."""
    if app.state.snapshot and app.state.snapshot.finished:
        return "the run is finished: nothing more comes"
    return no_run(app)


def not_back(app: Dashboard) -> str | None:
    """There is nothing to go back to."""
    return None if app.navigation.previous is not None or app.view.panel_open else "this is the first screen"


def one_task(app: Dashboard) -> str | None:
    """There is no other task."""
    return None if app.state.snapshot and len(app.state.snapshot.run.tasks) > 1 else "the run has one task only"


def one_model(app: Dashboard) -> str | None:
    """There is no other model."""
    return None if app.state.snapshot and len(app.state.snapshot.run.models) > 1 else "the run has one model only"


def no_other(app: Dashboard) -> str | None:
    """There is nothing to compare with."""
    nothing = nothing_chosen(app)
    if nothing or app.state.base is not None or one_model(app) is None:
        return nothing
    return "the run has one model only: `xlbias dashboard BASE NEW` compares two runs"


def no_baseline(app: Dashboard) -> str | None:
    """No baseline is chosen, or what is shown is the baseline itself."""
    return no_other(app) or (None if app.baseline.against else "no baseline is chosen: b chooses one")


def no_full_range(app: Dashboard) -> str | None:
    """The measure has no upper end."""
    return cast("Coloured", app.view).why_no_range()


def read_only(app: Dashboard) -> str | None:
    """No files may be written."""
    return "this dashboard is read-only: it writes no files" if app.state.read_only else None


def nothing_to_copy(app: Dashboard) -> str | None:
    """There is nothing to copy. Where no files may be written, the clipboard is left."""
    return no_run(app) or cast("Copyable", app.view).why_no_copy()
