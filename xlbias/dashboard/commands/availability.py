"""Why a key does nothing here and now: each function returns a sentence, or None where the key works."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xlbias.dashboard.app import DashboardApp


def never(_: DashboardApp) -> str | None:
    """Works always."""
    return None


def no_run(app: DashboardApp) -> str | None:
    """There is no run."""
    return None if app.snapshot else "there is no run to show yet"


def nothing_chosen(app: DashboardApp) -> str | None:
    """There is no model evaluated on a task."""
    if app.snapshot is None:
        return no_run(app)
    return None if app.snapshot.overview.height else "the run has no model evaluated on a task yet"


def no_training(app: DashboardApp) -> str | None:
    """The run holds no training."""
    if app.snapshot is None:
        return no_run(app)
    return None if app.snapshot.trained else "the run holds no training: that of `xlbias train` does"


def no_query(app: DashboardApp) -> str | None:
    """No query has been opened."""
    if app.query_key is not None:
        return nothing_chosen(app)
    return nothing_chosen(app) or "no query is open: choose one on Queries (5) with Enter"


def not_live(app: DashboardApp) -> str | None:
    """The run is finished."""
    if app.snapshot and app.snapshot.finished:
        return "the run is finished: nothing more comes"
    return no_run(app)


def not_back(app: DashboardApp) -> str | None:
    """There is nothing to go back to."""
    return None if app.previous is not None or app.view.panel_open else "this is the first screen"


def one_task(app: DashboardApp) -> str | None:
    """There is no other task."""
    return None if app.snapshot and len(app.snapshot.run.tasks) > 1 else "the run has one task only"


def one_model(app: DashboardApp) -> str | None:
    """There is no other model."""
    return None if app.snapshot and len(app.snapshot.run.models) > 1 else "the run has one model only"


def no_other(app: DashboardApp) -> str | None:
    """There is nothing to compare with."""
    nothing = nothing_chosen(app)
    if nothing or app.base is not None or one_model(app) is None:
        return nothing
    return "the run has one model only: `xlbias dashboard BASE NEW` compares two runs"


def no_baseline(app: DashboardApp) -> str | None:
    """No baseline is chosen, or what is shown is the baseline itself."""
    return no_other(app) or (None if app.against else "no baseline is chosen: b chooses one")


def no_full_range(app: DashboardApp) -> str | None:
    """The measure has no upper end."""
    return app.view.why_no_range()


def read_only(app: DashboardApp) -> str | None:
    """No files may be written."""
    return "this dashboard is read-only: it writes no files" if app.read_only else None


def nothing_to_copy(app: DashboardApp) -> str | None:
    """There is nothing to copy. Where no files may be written, the clipboard is left."""
    return no_run(app) or app.view.why_no_copy()
