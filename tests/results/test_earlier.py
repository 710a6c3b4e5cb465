"""Runs of schema 1 open, report and compare: their names are brought to those of today, and ties are not known."""

import json

import polars as pl
import pytest
from results.uneven import integer_vectors
from support import make_task

from xlbias.check.run_fields import RunFields
from xlbias.evaluation import evaluate
from xlbias.report.documents.audit_json import report
from xlbias.results import wide as views
from xlbias.results.caveats import caveats
from xlbias.results.run import Run, open_run
from xlbias.runs.schema import COLUMNS, OTHER, OWN

pytestmark = pytest.mark.integration

TASK = make_task(9)
SIDES = {OWN: "monolingual", OTHER: "cross-lingual"}


@pytest.fixture(scope="module")
def new(tmp_path_factory) -> Run:
    return evaluate(integer_vectors(TASK), TASK, tmp_path_factory.mktemp("new") / "run.parquet")


@pytest.fixture(scope="module")
def old(new, tmp_path_factory) -> Run:
    """The same run as version 1 would have written it: its columns, names and fields."""
    frame = pl.read_parquet(new.path).drop("tied_with_last", "made_from")
    known = ("passage_id", "language", "parallel_id", "relevance", "rank", "score")
    relevants = pl.struct(pl.element().struct.field(name) for name in known)
    frame = frame.filter(~pl.col("measure").is_in(["tied", "tied.answers"]).fill_null(False)).with_columns(
        pl.col("relevants").list.eval(relevants), pl.col("setting").replace(SIDES)
    )
    path = tmp_path_factory.mktemp("old") / "run.parquet"
    frame.write_parquet(path, metadata={"xlbias": json.dumps({**new.metadata, "schema": 1})})
    return open_run(path)


def test_the_sides_of_bias_have_the_names_of_today_and_settings_theirs(old, new):
    found = old.summary.filter(pl.col("measure") == "single_gold")["setting"].unique()
    assert set(found) == {OWN, OTHER, "multilingual"}
    assert set(old.summary.filter(pl.col("measure") == "map")["setting"]) == {
        "monolingual", "cross-lingual", "multilingual",
    }  # fmt: skip
    keys = ["measure", "setting", "query_language", "passage_language"]
    rest = new.summary.filter(~pl.col("measure").is_in(["tied", "tied.answers"]))
    assert old.summary.select(keys).equals(rest.select(keys))
    fields = RunFields(old, old.models[0].name, TASK.name)
    assert set(fields.lookup("single_gold.own_language", 0)) == {()}
    assert "single_gold.monolingual" not in fields.names()
    (result,) = report(old)["results"]
    assert {OWN, OTHER} <= set(result["bias"]["exposure@10"])


def test_ties_are_null_and_ranks_are_taken_as_they_are(old):
    rows = old.rankings.collect()
    assert rows.schema["relevants"] == COLUMNS["relevants"]
    found = rows["relevants"].explode(empty_as_null=False, keep_nulls=False).struct.unnest()
    assert found["tied_before"].is_null().all() and rows["tied_with_last"].is_null().all()
    distances = {
        (row["query_language"], row["query_id"]): row["rank_distance"] for row in old.rank_distances.to_dicts()
    }
    for row in rows.filter(pl.col("pool") == "multilingual").iter_rows(named=True):
        ranks = [one["rank"] for one in row["relevants"]]
        assert distances[row["query_language"], row["query_id"]] == max(ranks) - min(ranks)
    made_anew = views.summary_of(rows, old.pool_sizes).filter(pl.col("measure") == "tied")
    assert made_anew["value"].is_null().all() and made_anew.height


def test_that_ties_were_not_counted_is_said_and_how_many_there_are_where_they_were(old, new):
    (of_old,), (of_new,) = ([one for one in caveats(run) if one.kind == "ties"] for run in (old, new))
    assert of_old.value is None and "did not count equal scores" in of_old.sentence
    share = new.summary.filter(pl.col("measure") == "tied", pl.col("query_language").is_null())["value"].item()
    assert of_new.value == share > 0.5
    assert f"{100 * share:.3g} % of answers score the same as another passage" in of_new.sentence


def test_it_compares_with_a_run_of_today(old, new):
    found = old.compare(new)
    sides = found.filter(pl.col("measure") == "single_gold", pl.col("query_language").is_null())
    assert {OWN, OTHER} <= set(sides["setting"])
    assert (found.filter(pl.col("measure") == "map")["difference"] == 0).all()
