"""The curves of trainings, from a run whose numbers are known."""

import math

import polars as pl
import pytest

from xlbias.report.documents.training import curve_table
from xlbias.results.run import open_run
from xlbias.results.training import Curves, curves, in_progress, shares, steps_in_all, summary
from xlbias.runs.journal import Journal
from xlbias.runs.run_file import Progress
from xlbias.runs.run_info import Card


def logged(model, steps, **more):
    rows = [
        {
            "model": model, "step": step, "epoch": step / 10, "loss": 5.0 / step, "learning_rate": 0.01,
            "pairs_per_second": 1000.0 + step, "tokens_per_second": 1.0, "memory_bytes": 2 * 10**9 + step,
            "n_monolingual_batches": step // 4, "n_cross_lingual_batches": step - step // 4, "n_mixed_batches": 0,
            **more,
        }
        for step in steps
    ]  # fmt: skip
    return pl.DataFrame(rows)


def validated(model, step, task, mono, **more):
    return {
        "model": model, "task": task, "domain": "d", "step": step, "n_queries": 9, "loss": 2.0,
        "map_monolingual": mono, "map_cross_lingual": 0.5, "map_multilingual": 0.25, "rank_distance": 30.0 + step,
        "rank_distance_normalised": 0.1, **more,
    }  # fmt: skip


@pytest.fixture
def journal(tmp_path):
    card = {"steps": 40, "best_step": 20, "training_seconds": 12.5, "recipe": {"steps": 99}}
    models = [{"name": "a", "card": card}, {"name": "b", "card": {"recipe": {"steps": 99}, "best_step": "20"}}]
    with Journal.open(tmp_path / "t.parquet", {"models": models, "tasks": []}, identity="x") as journal:
        yield journal


def test_parts_written_out_of_order_become_curves_by_step(journal):
    journal.write("training", "2", logged("a", [30, 40]))
    journal.write("training", "1", logged("a", [10, 20]))
    journal.write("training", "3", logged("b", [7]))
    rows = [validated("a", 20, "x", 0.6), validated("a", 20, "y", 0.8), validated("a", 0, "x", 0.1)]
    journal.write("validation", "1", pl.DataFrame(rows))
    a, b = curves(open_run(journal.path))

    assert a.logged("loss") == ((10, 0.5), (20, 0.25), (30, 5 / 30), (40, 0.125))
    assert (a.step, b.step) == (40, 7)
    assert a.tasks == ["x", "y"]
    assert a.validated("map_monolingual", "x") == ((0, 0.1), (20, 0.6))
    assert a.validated("map_monolingual") == ((0, 0.1), (20, pytest.approx(0.7)))
    assert a.batches == {"monolingual": 10, "cross-lingual": 30, "mixed": 0}
    assert shares(a.batches) == {"monolingual": 0.25, "cross-lingual": 0.75, "mixed": 0.0}
    assert a.pairs_per_second == pytest.approx(40 / sum(10 / rate for rate in (1010, 1020, 1030, 1040)))
    assert (a.best_step, b.best_step, a.seconds, b.seconds) == (20, None, 12.5, None)
    assert b.tasks == []
    assert b.validated("map_monolingual") == ()


def test_the_same_curves_come_out_of_the_finished_file(journal):
    journal.write("training", "1", logged("a", [10, 20]))
    journal.write("validation", "1", pl.DataFrame([validated("a", 20, "x", 0.6)]))
    before = curves(open_run(journal.path))[0]
    journal.finish()
    after = curves(open_run(journal.path))[0]
    assert after.logged("loss") == before.logged("loss") == ((10, 0.5), (20, 0.25))
    assert after.validated("rank_distance", "x") == ((20, 50.0),)


def test_a_training_is_there_before_its_first_step(journal):
    a, b = curves(open_run(journal.path))
    assert (a.step, a.batches, a.pairs_per_second, a.last("loss")) == (None, {}, None, None)
    assert summary([a, b]).rows() == [("a", None, *[None] * 5), ("b", None, *[None] * 5)]
    assert curve_table(a).rows == curve_table(a, last=True).rows == ()


def test_an_evaluation_holds_trainings_of_the_encoders_whose_curves_it_has(tmp_path):
    metadata = {"models": [{"name": "a"}, {"name": "b"}], "tasks": [{"name": "t", "n_queries": {}, "pool_sizes": {}}]}
    with Journal.open(tmp_path / "e.parquet", metadata, identity="x") as journal:
        journal.write("training", "1", logged("b", [5]))
        assert [one.model for one in curves(open_run(journal.path))] == ["b"]


def test_numbers_that_are_none_are_no_points(journal):
    frame = logged("a", [1, 2, 3, 4]).with_columns(pl.Series("loss", [1.0, math.nan, math.inf, None]))
    journal.write("training", "1", frame)
    journal.write("validation", "1", pl.DataFrame([validated("a", 1, "x", math.nan), validated("a", 1, "y", 0.5)]))
    a = curves(open_run(journal.path))[0]
    assert a.logged("loss") == ((1, 1.0),)
    assert a.validated("map_monolingual") == ((1, 0.5),)
    texts = [cell.text for row in curve_table(a).rows for cell in row]
    assert "nan" not in texts
    assert "inf" not in texts


@pytest.mark.parametrize(
    "card", [{"steps": "x", "best_step": 1.5, "training_seconds": math.inf, "recipe": {"steps": [3]}}, {}]
)
def test_a_card_may_hold_anything(card):
    training = Curves("a", pl.DataFrame(), pl.DataFrame(), Card(**card))
    assert (training.best_step, training.seconds, steps_in_all(training, None)) == (None, None, None)


def test_the_progress_of_a_grid_is_that_of_one_encoder(journal):
    a, b = curves(open_run(journal.path))
    progress = Progress("b: training", 7, 80, "steps", 0.0)
    assert not in_progress(a, progress)
    assert in_progress(b, progress)
    assert (steps_in_all(a, progress), steps_in_all(b, progress), steps_in_all(b, None)) == (40, 80, 99)


def test_the_table_has_a_row_for_each_logged_step_and_each_task_of_a_validation(journal):
    journal.write("training", "1", logged("a", [10, 20]))
    rows = [validated("a", 0, "x", 0.1), validated("a", 20, "x", 0.6), validated("a", 20, "y", 0.8)]
    journal.write("validation", "1", pl.DataFrame(rows))
    a = curves(open_run(journal.path))[0]
    table = curve_table(a)
    assert [(row[0].value, row[1].text) for row in table.rows] == [(0, "x"), (10, ""), (20, ""), (20, "x"), (20, "y")]
    assert {len(row) for row in table.rows} == {len(table.heads)}
    assert table.rows[2][table.heads.index("loss")].value == 0.25
    assert table.rows[2][table.heads.index("cross-lingual batches")].text == "15"
    assert table.rows[4][table.heads.index("mAP mono")].text == ".800"
    assert table.rows[4][table.heads.index("rank distance")].text == "50.0"
    assert [row[0].value for row in curve_table(a, last=True).rows] == [20, 20, 20]
    assert summary([a]).row(0, named=True)["mono"] == pytest.approx(0.7)


def test_the_loss_of_each_kind_of_batches_is_a_line_of_its_own_and_old_runs_have_none(tmp_path):
    about = {"models": [{"name": "a", "card": {}}, {"name": "old", "card": {}}], "tasks": []}
    with Journal.open(tmp_path / "run.parquet", about, identity="x", overwrite=True) as journal:
        mono, cross = logged("a", [2, 4], loss_monolingual=1.0), logged("a", [6], loss_cross_lingual=3.0)
        journal.write("training", "0", mono)
        journal.write("training", "1", cross)
        journal.write("training", "2", logged("old", [2, 4]))
        new, old = curves(open_run(journal.finish()))
    assert new.loss_by_kind == {"monolingual": ((2, 1.0), (4, 1.0)), "cross-lingual": ((6, 3.0),)}
    assert old.loss_by_kind == {}
