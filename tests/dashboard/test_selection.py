"""Which model, task, measure and baseline are chosen; without a terminal."""

import pytest
from dashboard.bare import parts

from xlbias.dashboard.places import OVERVIEW
from xlbias.dashboard.selection import Selection
from xlbias.results.matrix import MATRIX_MEASURES


@pytest.fixture
def bare(finished_run):
    app, state, baseline, navigation = parts(finished_run)
    return app, state, baseline, Selection(app, state, baseline, navigation)


def test_models_and_tasks_follow_each_other_round_the_ends(bare):
    app, state, _, selection = bare
    assert state.chosen == ("mono", "xquad-r")
    seen = []
    for step in (selection.step_encoder, selection.step_task, selection.step_encoder, selection.step_task):
        step()
        seen.append(state.chosen)
    assert seen == [("hybrid", "xquad-r"), ("hybrid", "mlqa"), ("mono", "mlqa"), ("mono", "xquad-r")]
    assert app.asked == [(OVERVIEW, "show")] * 4


def test_what_is_chosen_already_is_not_shown_again(bare):
    app, state, _, selection = bare
    selection.choose(state.chosen)
    assert app.asked == []


def test_measures_follow_each_other_round_the_ends(bare):
    _, state, _, selection = bare
    seen = []
    for _ in MATRIX_MEASURES:
        selection.step_measure(1)
        seen.append(state.measure.name)
    names = list(MATRIX_MEASURES)
    assert seen == [*names[1:], names[0]]
    selection.step_measure(-1)
    assert state.measure.name == names[-1]


def test_a_baseline_is_taken_and_given_up(bare):
    app, _, baseline, selection = bare
    selection.pick_baseline()
    (_, taken), *_ = app.dialogs
    taken(None)  # Escape changes nothing
    assert (baseline.model, baseline.is_on) == (None, True)
    taken("hybrid")
    assert (baseline.model, baseline.is_on, baseline.against.label) == ("hybrid", True, "hybrid")
    selection.toggle_difference()
    assert not baseline.is_on
    taken("")
    assert (baseline.model, baseline.is_on, baseline.against) == (None, False, None)
    assert app.said("notify") == []


def test_who_takes_the_model_itself_for_a_baseline_is_told(bare):
    app, _, baseline, selection = bare
    selection.take_baseline("mono")
    assert baseline.against is None
    assert app.said("notify") == [["this encoder is the baseline: choose another one to see differences"]]
