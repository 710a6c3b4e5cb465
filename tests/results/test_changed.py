"""A stored summary is believed as long as the rankings are those that it was made from."""

import json

import polars as pl
import pytest
from support import make_task, make_vectors

from xlbias.evaluation import evaluate
from xlbias.measures.registry import measures
from xlbias.report.documents.audit_json import report
from xlbias.results import wide as views
from xlbias.results.binding import BOUND, COLUMN, digest_of
from xlbias.results.caveats import caveats
from xlbias.results.run import Run, open_run
from xlbias.runs import run_file

pytestmark = pytest.mark.integration

RANKING = pl.col("record") == "ranking"
WHO = ["model", "task"]
OF_RANKINGS = pl.col("measure").is_in([*measures("quality"), *measures("bias")])


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    task = make_task(12)
    return evaluate([make_vectors(task, i) for i in range(2)], task, tmp_path_factory.mktemp("run") / "run.parquet")


def written_by_another_tool(run: Run, path, frame: pl.DataFrame, schema: int = 2) -> Run:
    frame.write_parquet(path, metadata={"xlbias": json.dumps({**run.metadata, "schema": schema})})
    return open_run(path)


def test_written_again_as_it_was_it_is_believed(run, tmp_path):
    frame = pl.read_parquet(run.path)
    again = written_by_another_tool(run, tmp_path / "again.parquet", frame)
    assert again.changed == run.changed == ()
    assert again.summary.equals(run.summary) and again.summary["low"].is_not_null().any()
    assert [one.kind for one in caveats(again)] == [one.kind for one in caveats(run)]


CHANGES = {
    "half of the rows removed": lambda frame: frame.filter(~RANKING | (pl.int_range(pl.len()) % 2 == 0)),
    "every ap replaced": lambda frame: frame.with_columns(pl.when(RANKING).then(0.5).otherwise("ap").alias("ap")),
    "ranks replaced": lambda frame: frame.with_columns(
        pl.col("relevants").list.eval(pl.element().struct.with_fields(rank=pl.field("rank") + 1))
    ),
    "lists cut": lambda frame: frame.with_columns(pl.col("top").list.head(3)),
    "digests removed": lambda frame: frame.drop(COLUMN),
    "rows put in another order": lambda frame: pl.concat([frame.filter(~RANKING), frame.filter(RANKING).reverse()]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_where_rankings_have_changed_numbers_are_those_of_what_is_there_and_it_is_said(run, tmp_path, change):
    changed = written_by_another_tool(run, tmp_path / "run.parquet", CHANGES[change](pl.read_parquet(run.path)))
    assert sorted(changed.changed) == [("random0", "made"), ("random1", "made")]
    made_anew = views.summary_of(changed.rankings.collect(), changed.pool_sizes)
    assert (
        changed.summary.filter(OF_RANKINGS)
        .sort(WHO, maintain_order=True)
        .equals(made_anew.sort(WHO, maintain_order=True))
    )
    assert changed.summary.filter(~OF_RANKINGS).equals(run.summary.filter(~OF_RANKINGS))
    kinds = sorted((one.kind, one.model) for one in caveats(changed) if one.kind == "changed")
    assert kinds == [("changed", "random0"), ("changed", "random1")]
    assert all("changed" in result["caveats"] for result in report(changed)["results"])


def test_one_encoder_s_rankings_say_nothing_of_the_other_s(run, tmp_path):
    frame = pl.read_parquet(run.path)
    other = pl.when(RANKING & (pl.col("model") == "random1")).then(0.25).otherwise("ap")
    changed = written_by_another_tool(run, tmp_path / "run.parquet", frame.with_columns(ap=other))
    assert changed.changed == (("random1", "made"),)
    first = pl.col("model") == "random0"
    assert changed.summary.filter(first).equals(run.summary.filter(first))


def test_a_run_of_schema_1_does_not_say_and_is_believed(run, tmp_path):
    frame = pl.read_parquet(run.path).drop(COLUMN).filter(~RANKING | (pl.int_range(pl.len()) % 2 == 0))
    old = written_by_another_tool(run, tmp_path / "run.parquet", frame, schema=1)
    assert old.changed == () and old.summary.height == run.summary.height


def test_a_digest_is_of_content_and_order_however_rows_are_cut(run):
    rankings = run.rankings.filter(pl.col("model") == "random0").select(BOUND).collect()
    cut = pl.concat([rankings[:7], rankings[7:40], rankings[40:]], rechunk=False)
    assert cut.n_chunks() > 1 and digest_of(cut) == digest_of(rankings)
    assert digest_of(rankings.reverse()) != digest_of(rankings)
    for name in BOUND:
        emptied = rankings.with_columns(pl.lit(None, dtype=rankings.schema[name]).alias(name))
        if not rankings[name].is_null().all():
            assert digest_of(emptied) != digest_of(rankings), name


def test_of_an_encoder_that_has_no_summary_yet_no_other_one_s_rankings_are_read(run, tmp_path, monkeypatch):
    frame = pl.read_parquet(run.path).filter((pl.col("record") != "summary") | (pl.col("model") == "random0"))
    partly = written_by_another_tool(run, tmp_path / "run.parquet", frame)
    read: set[str] = set()

    def checking(path, record, pools):
        def sound(rows: pl.DataFrame) -> pl.DataFrame:
            if record == "ranking":
                read.update(rows["model"].unique())
            return rows

        return sound

    monkeypatch.setattr(run_file, "checking", checking)
    monkeypatch.setattr(Run, "changed", ())  # what asks for the rankings of all, but not while a run is written
    mine = partly.summary.filter(pl.col("model") == "random1")
    assert read == {"random1"}
    assert mine.select("measure", "value").rows() == (
        run.summary.filter((pl.col("model") == "random1") & OF_RANKINGS).select("measure", "value").rows()
    )
