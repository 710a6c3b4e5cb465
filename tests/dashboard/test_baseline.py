"""What differences are taken from; without a terminal."""

import threading

import pytest
from dashboard.bare import parts
from dashboard.made import LiveRun

from xlbias.dashboard.baseline import Baseline
from xlbias.dashboard.workers.snapshot import take_snapshot


@pytest.fixture
def bare(finished_run):
    _, state, baseline, _ = parts(finished_run)
    yield state, baseline
    baseline.comparisons.stop()


def other_run(tmp_path, models, tasks=("xquad-r", "mlqa")):
    run = LiveRun(tmp_path / "base.parquet", models=models, tasks=tasks).write_all()
    run.finish()
    return take_snapshot(run.path)


def test_without_a_baseline_there_are_values(bare):
    state, baseline = bare
    matrix, said = baseline.matrix("map", *state.chosen)
    assert (baseline.against, baseline.compared(*state.chosen, "map"), said) == (None, "", "")
    assert matrix is state.snapshot.matrix("map", *state.chosen)


def test_within_one_run_a_baseline_is_another_model_of_it(bare):
    _, baseline = bare
    baseline.take("hybrid")
    assert (baseline.against_for("mono").model, baseline.against_for("hybrid")) == ("hybrid", None)
    baseline.take("gone")
    assert baseline.against_for("mono") is None


@pytest.mark.parametrize(
    ("models", "taken", "expected"),
    [
        (("mono", "hybrid"), None, "mono"),  # of the same name
        (("mono", "hybrid"), "hybrid", "hybrid"),  # the one that was chosen
        (("old",), None, "old"),  # the only one
        (("old", "older"), None, None),
    ],
)
def test_of_two_runs_the_baseline_is_the_chosen_model_or_that_of_the_same_name_or_the_only_one(
    bare, tmp_path, models, taken, expected
):
    state, baseline = bare
    state.base, baseline.model = other_run(tmp_path, models), taken
    against = baseline.against_for("mono")
    assert (against and against.model) == expected
    assert against is None or against.label == f"{expected} of base.parquet"
    assert baseline.no_common_task() == ""


def test_a_second_run_of_other_tasks_is_said_to_have_none_of_these(bare, tmp_path):
    state, baseline = bare
    state.base = other_run(tmp_path, ("mono",), tasks=("elsewhere",))
    assert baseline.no_common_task() == "No differences: base.parquet has none of the tasks of this run."
    assert baseline.compared("mono", "xquad-r", "map") == "mono of base.parquet has not been evaluated on xquad-r"
    _, said = baseline.matrix("map", "mono", "xquad-r")
    assert said == "mono of base.parquet has not been evaluated on xquad-r"


def test_two_equal_models_differ_by_nothing_once_they_are_compared(bare):
    state, _ = bare
    ready = threading.Event()
    baseline = Baseline(state, ready.set)
    baseline.take("hybrid")
    values, said = baseline.matrix("map", *state.chosen)
    assert (values, said) == (state.snapshot.matrix("map", *state.chosen), "comparing …")
    assert ready.wait(60)
    matrix, said = baseline.matrix("map", *state.chosen)
    baseline.comparisons.stop()
    assert said == ""
    assert set(matrix.values) == {0.0}
    assert baseline.matrix("map", *state.chosen)[0] is matrix
