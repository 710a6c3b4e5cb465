"""Why a key does nothing here and now: each function returns a sentence, or None where the key works."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlbias.dashboard.places import PICKER

if TYPE_CHECKING:
    from xlbias.dashboard.parts import Dashboard


NO_RUN_OPEN = "no run is open: open one with Enter"


def never(_: Dashboard) -> str | None:
    """Works always."""
    return None


def no_run(app: Dashboard) -> str | None:
    """There is no run."""
    if app.place == PICKER:
        return NO_RUN_OPEN
    return None if app.state.snapshot else "there is no run to show yet"


def no_row(app: Dashboard) -> str | None:
    """The picker has no run in its list."""
    return app.view.why_no_row()


def no_picker(app: Dashboard) -> str | None:
    """The picker is seen already, or the dashboard shows the run of a process that it was started with."""
    if app.place == PICKER:
        return "this is the picker"
    return f"this dashboard watches {app.state.process.name}" if app.state.process is not None else None


def nothing_chosen(app: Dashboard) -> str | None:
    """No encoder has been evaluated on a task."""
    if app.state.snapshot is None:
        return no_run(app)
    return None if app.state.snapshot.overview.height else "the run has no encoder evaluated on a task yet"


def no_training(app: Dashboard) -> str | None:
    """The run holds no training."""
    if app.state.snapshot is None:
        return no_run(app)
    return None if app.state.snapshot.trained else "the run has no training; create one with `xlbias train`"


def no_query(app: Dashboard) -> str | None:
    """No query has been opened."""
    if app.state.query_key is not None:
        return nothing_chosen(app)
    return nothing_chosen(app) or "no query is open: choose one on Queries (5) with Enter"


def no_translation(app: Dashboard) -> str | None:
    """No query is open, or its passages are in one language only."""
    snapshot, chosen = app.state.snapshot, app.state.chosen
    if (nothing := no_query(app)) or snapshot is None or chosen is None:
        return nothing
    about = snapshot.run.task(chosen[1])
    several = about is not None and len(about.pool_sizes) > 1
    return None if several else "the passages of this task are in one language"


def not_live(app: Dashboard) -> str | None:
    """The run is finished."""
    if app.state.snapshot and app.state.snapshot.finished:
        return "the run is finished"
    return no_run(app)


def not_back(app: Dashboard) -> str | None:
    """There is nothing to go back to."""
    leads = app.navigation.previous is not None or app.view.panel_open or (app.picked and app.place != PICKER)
    return None if leads else "this is the first screen"


def one_task(app: Dashboard) -> str | None:
    """There is no other task."""
    return None if app.state.snapshot and len(app.state.snapshot.run.tasks) > 1 else "the run has only one task"


def one_encoder(app: Dashboard) -> str | None:
    """There is no other encoder."""
    return None if app.state.snapshot and len(app.state.snapshot.run.models) > 1 else "the run has only one encoder"


def no_other(app: Dashboard) -> str | None:
    """There is nothing to compare with."""
    nothing = nothing_chosen(app)
    if nothing or app.state.base is not None or one_encoder(app) is None:
        return nothing
    return "the run has only one encoder; compare two runs with `xlbias dashboard BASE NEW`"


def no_baseline(app: Dashboard) -> str | None:
    """No baseline is chosen, or what is shown is the baseline itself."""
    return no_other(app) or (None if app.baseline.against else "choose a baseline first (b)")


def no_full_range(app: Dashboard) -> str | None:
    """The measure has no upper end."""
    return app.view.why_no_range()


def read_only(app: Dashboard) -> str | None:
    """No files may be written."""
    return "this dashboard is read-only" if app.state.read_only else None


def nothing_to_copy(app: Dashboard) -> str | None:
    """There is nothing to copy. Where no files may be written, the clipboard is left."""
    return no_run(app) or app.view.why_no_copy()
