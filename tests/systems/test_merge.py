"""Several runs as one: every row of each, texts once, and the same numbers; other tasks and equal names are refused."""

from pathlib import Path

import polars as pl
import pytest
from support import make_task, make_vectors

import xlbias
from xlbias.cli import run as cli
from xlbias.encode.precomputed import PrecomputedVectors
from xlbias.errors import RunError, UsageError
from xlbias.results.run import open_run


@pytest.fixture(scope="module")
def task():
    return make_task(12).select_languages(["de", "en", "th"])


def evaluated(task, name, seed, path):
    vectors = make_vectors(task, seed=seed)
    return xlbias.evaluate(PrecomputedVectors(vectors.queries, vectors.passages, name), task, path, top_k=4)


@pytest.fixture(scope="module")
def runs(task, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    other = task.renamed("elsewhere")
    return [evaluated(task, "a", 1, folder / "a.parquet"), evaluated(other, "b", 2, folder / "b.parquet")]


def test_every_row_and_number_is_taken_over(runs, tmp_path):
    paths = [run.path for run in runs]
    merged = xlbias.merge_runs(paths, tmp_path / "both.parquet")
    assert [model.name for model in merged.models] == ["a", "b"]
    assert [one.name for one in merged.tasks] == [runs[0].tasks[0].name]
    whole = merged.rankings.collect()
    for run in runs:
        mine = run.rankings.collect()
        there = whole.filter(pl.col("model") == run.models[0].name)
        assert there.drop("task").equals(mine.drop("task"))
        summary = merged.summary.filter(pl.col("model") == run.models[0].name)
        assert summary.drop("task").equals(run.summary.drop("task"))
    assert merged.passages.collect().height == runs[0].passages.collect().height
    found = xlbias.compare(xlbias.Side(merged, ("a",)), xlbias.Side(merged, ("b",)), merged.tasks[0].name, cells=False)
    apart = xlbias.compare(
        xlbias.Side(runs[0], ("a",)), xlbias.Side(merged, ("b",)), runs[0].tasks[0].name, cells=False
    )
    assert found.equals(apart)
    again = xlbias.merge_runs(paths, tmp_path / "both.parquet", overwrite=True)
    assert again.rankings.collect().equals(whole)


def test_the_command_prints_the_report_and_says_where_the_run_is(runs, tmp_path, capfd):
    out = tmp_path / "both.parquet"
    assert cli(["merge", *(str(run.path) for run in runs), "--out", str(out)]) == 0
    printed = capfd.readouterr()
    assert "a " in printed.out and "b " in printed.out and str(out) in printed.err.replace("\n", "")


def test_what_does_not_fit_is_refused_and_nothing_is_written(runs, task, tmp_path):
    out = tmp_path / "both.parquet"
    same = evaluated(task, "a", 3, tmp_path / "same.parquet")
    with pytest.raises(RunError, match=r"its encoder 'a' is in .* too: give one of them another name"):
        xlbias.merge_runs([runs[0].path, same.path], out)
    fewer = evaluated(task.select_languages(["de", "en"]), "c", 3, tmp_path / "fewer.parquet")
    with pytest.raises(RunError, match=r"is not the same|has no task"):
        xlbias.merge_runs([runs[0].path, fewer.path], out)
    with pytest.raises(UsageError, match="at least two runs"):
        xlbias.merge_runs([runs[0].path], out)
    with pytest.raises(RunError):
        xlbias.merge_runs([runs[0].path, tmp_path / "none.parquet"], out)
    assert not out.exists() and not list(tmp_path.glob("*.live"))
    before = Path(runs[0].path).read_bytes()
    assert cli(["merge", str(runs[0].path), str(runs[1].path), "--out", str(runs[0].path), "--overwrite"]) == 2
    assert Path(runs[0].path).read_bytes() == before and open_run(runs[0].path).models[0].name == "a"
