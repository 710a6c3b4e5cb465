"""What followers and processes hand over goes into the state; without a terminal."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from dashboard.bare import parts
from dashboard.made import LiveRun

from xlbias.dashboard.live import Live
from xlbias.dashboard.messages import Arrived
from xlbias.dashboard.places import NOTICE, OVERVIEW
from xlbias.dashboard.workers.snapshot import Broken, Waiting, take_snapshot


@pytest.fixture
def bare(finished_run):
    app, state, baseline, navigation = parts(finished_run)
    state.snapshot = state.newest = state.chosen = None
    app.begun = []
    follower = SimpleNamespace(reload=lambda: app.asked.append(("reload",)), heed_all=lambda: None)
    live = Live(app, state, baseline, navigation, follower=follower, base_follower=None,
                begin=lambda: app.begun.append(state.chosen))  # fmt: skip
    return app, state, live


def hand_over(app, live, event, *, of_base=False):
    """As a follower does, and the application then."""
    live.post(event, of_base=of_base)
    ((message,),) = app.said("post_message")
    assert isinstance(message, Arrived)
    app.asked.clear()
    live.arrived(of_base=message.of_base)


def test_the_first_snapshot_is_shown_with_its_first_model_and_task(bare, finished_run):
    app, state, live = bare
    snapshot = take_snapshot(finished_run)
    hand_over(app, live, snapshot)
    assert (state.snapshot, state.newest, state.chosen) == (snapshot, snapshot, ("mono", "xquad-r"))
    assert app.begun == [("mono", "xquad-r")]
    assert (OVERVIEW, "show") in app.asked
    hand_over(app, live, take_snapshot(finished_run))
    assert len(app.begun) == 1


def test_of_two_snapshots_that_nobody_has_seen_only_the_last_is_taken_in(bare, finished_run):
    _, state, live = bare
    first, last = take_snapshot(finished_run), take_snapshot(finished_run)
    live.post(first, of_base=False)
    live.post(last, of_base=False)
    live.arrived(of_base=False)
    assert state.snapshot is last
    assert not live.waits
    live.arrived(of_base=False)  # the second message finds nothing
    assert state.snapshot is last


def test_a_paused_screen_counts_what_comes_and_shows_it_afterwards(bare, live_run):
    app, state, live = bare
    run = live_run()
    run.write("ar")
    hand_over(app, live, before := take_snapshot(run.path))
    live.toggle_pause()
    run.write("de")
    hand_over(app, live, after := take_snapshot(run.path))
    assert (state.snapshot, state.newest, state.n_waiting) == (before, after, 5)
    assert (OVERVIEW, "show") not in app.asked
    live.toggle_pause()
    assert (state.snapshot, state.n_waiting) == (after, 0)


def test_a_finished_run_is_neither_paused_nor_followed(bare, live_run):
    app, state, live = bare
    run = live_run()
    run.write("ar")
    hand_over(app, live, take_snapshot(run.path))
    live.toggle_pause()
    live.toggle_follow()
    hand_over(app, live, take_snapshot(run.finish()))
    assert (state.paused, state.following, state.snapshot.finished) == (False, False, True)
    assert app.said("notify") == [["The run has finished."]]


def test_to_follow_puts_the_cursor_on_what_was_finished_last_until_it_is_moved(bare, live_run):
    app, state, live = bare
    run = live_run()
    run.write("ar")
    hand_over(app, live, take_snapshot(run.path))
    live.toggle_follow()
    run.write("de")
    hand_over(app, live, take_snapshot(run.path))
    assert (OVERVIEW, "follow_to", ("mono", "xquad-r", "de", "th")) in app.asked
    live.move("down")
    assert not state.following


def test_a_run_that_is_waited_for_or_broken_is_said(bare, tmp_path):
    app, state, live = bare
    hand_over(app, live, Waiting(tmp_path / "run.parquet", ()))
    assert (app.screen.PLACE, state.problem) == (NOTICE, "run.parquet is gone.")
    hand_over(app, live, Broken(tmp_path / "run.parquet", "it is truncated"))
    assert state.problem == "it is truncated."


def test_what_is_wrong_with_the_second_run_is_said_beside_the_first(bare, finished_run, tmp_path):
    app, state, live = bare
    hand_over(app, live, take_snapshot(finished_run))
    hand_over(app, live, Waiting(tmp_path / "base.parquet", ()), of_base=True)
    assert state.base_problem == "No differences: base.parquet is not there."
    other = LiveRun(tmp_path / "base.parquet", tasks=("elsewhere",)).write_all()
    hand_over(app, live, take_snapshot(other.finish()), of_base=True)
    assert state.base_problem == "No differences: base.parquet has none of the tasks of this run."


@pytest.mark.parametrize("seen", [False, True])
@pytest.mark.parametrize(("code", "leaves"), [(0, False), (2, True), (137, True)])
def test_a_process_that_fails_before_there_is_anything_to_see_ends_the_dashboard(
    bare, finished_run, code, leaves, seen
):
    app, state, live = bare
    state.process = SimpleNamespace(code=code, name="xlbias train", seen=False, trouble=lambda: "✖ it failed")
    if seen:
        hand_over(app, live, replace(take_snapshot(finished_run)))
        app.asked.clear()
    live.process_ended()
    assert bool(app.said("exit")) == (leaves and not seen)
    assert state.process.seen == (seen and code != 0)
    assert state.process_trouble == ("✖ it failed" if seen and code else "")
    assert app.said("notify") == ([["xlbias train has finished."]] if code == 0 else [])
