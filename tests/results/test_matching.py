"""The same data under another name: compared all the same, and what differs is said where it is not the same."""

from dataclasses import replace

import polars as pl
import pytest
from support import make_task, make_vectors

from xlbias.cli import run as xlbias
from xlbias.errors import RunError
from xlbias.evaluation import evaluate
from xlbias.results.matching import OTHER_DATA, matched, what_differs

pytestmark = pytest.mark.integration

TASK = make_task(60)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """One task under two names; another task under the first name, too."""
    folder = tmp_path_factory.mktemp("runs")
    other = TASK.select_languages(["de", "en", "th"]).renamed("made")
    texts = pl.when(pl.col("query_id") == "q0003").then(pl.lit("another question ") + pl.col("language"))
    other = replace(other, queries=other.queries.with_columns(texts.otherwise(pl.col("text")).alias("text")))
    return {
        "base": evaluate(make_vectors(TASK), TASK, folder / "base.parquet"),
        "renamed": evaluate(make_vectors(TASK, 1), TASK.renamed("made held out"), folder / "renamed.parquet"),
        "other": evaluate(make_vectors(other), other, folder / "other.parquet"),
    }


def test_a_task_is_matched_by_its_fingerprint_whatever_it_is_called(runs):
    found = matched(runs["renamed"], runs["base"])
    assert found.own == {"made": "made held out"}
    assert [task.name for task in found.run.tasks] == ["made"]
    assert found.run.rankings.select("task").unique().collect()["task"].to_list() == ["made"]
    assert found.run.summary["value"].equals(runs["renamed"].summary["value"])
    assert found.notes() == [
        "made is called made held out in renamed.parquet: the same queries, passages and judgements."
    ]
    assert matched(runs["base"], runs["base"]).run is runs["base"]


def test_runs_of_one_task_under_two_names_are_compared_as_under_one(runs, tmp_path):
    again = evaluate(make_vectors(TASK, 1), TASK, tmp_path / "again.parquet")
    expected = runs["base"].compare(again)
    assert runs["base"].compare(runs["renamed"]).equals(expected)
    back = runs["renamed"].compare(runs["base"])
    assert back["task"].unique().to_list() == ["made held out"]
    assert back.filter(pl.col("measure") == "map")["base"].equals(expected.filter(pl.col("measure") == "map")["new"])


def test_a_name_that_stands_for_other_data_is_refused_with_what_differs(runs):
    found = matched(runs["other"], runs["base"])
    assert (found.own, found.differing) == ({}, ("made",))
    assert [task.name for task in found.run.tasks] == [f"made{OTHER_DATA}"]
    with pytest.raises(
        RunError, match=r"the task 'made' is not the same in .*base\.parquet and .*other\.parquet: "
    ) as e:
        runs["base"].compare(runs["other"])
    assert str(e.value).partition("other.parquet: ")[2] == (
        "queries in ar, hi, ru, zh only in base.parquet; 3 of 180 queries have another text; "
        "passages in ar, hi, ru, zh only in base.parquet; 240 of 420 passages only in base.parquet"
    )


def test_of_what_looks_equal_the_judgements_differ(runs, tmp_path):
    judged = replace(TASK, qrels=TASK.qrels[:-1])
    run = evaluate(make_vectors(judged), judged, tmp_path / "judged.parquet")
    assert what_differs(runs["base"], "made", run, "made") == (
        "what is judged relevant, or which passages are translations, differs"
    )


def test_the_command_compares_by_either_name_and_says_so(runs, capsys):
    paths = [str(runs[name].path) for name in ("base", "renamed")]
    for task in ("made", "made held out"):
        assert xlbias(["compare", *paths, "-m", "map", "--permutations", "2000", "-t", task, "--format", "json"]) == 0
        out, err = capsys.readouterr()
        assert "made is called made held out in renamed.parquet" in err
        assert '"task": "made"' in out


def test_the_command_says_what_differs(runs, capsys):
    assert xlbias(["compare", str(runs["base"].path), str(runs["other"].path)]) == 2
    said = capsys.readouterr().err
    assert "queries in ar, hi, ru, zh only in base.parquet; 3 of 180 queries have another text" in said
