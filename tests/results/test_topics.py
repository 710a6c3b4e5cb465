"""Topics inside a task: the numbers of a topic are those of its queries in the pools of the whole task."""

import numpy as np
import polars as pl
import pytest
from support import make_task, make_vectors

from xlbias.errors import RunError
from xlbias.evaluation import evaluate
from xlbias.results.topics import by_topic, topics

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    task = make_task(30)
    number = pl.col("passage_id").str.tail(4).cast(pl.Int64)
    topic = pl.when(number < 10).then(pl.lit("health")).otherwise(pl.lit("travel"))
    with_topics = type(task)(
        task.name, task.domain, task.source, task.licence, task.queries,
        task.passages.with_columns(topic.alias("document")), task.qrels,
    )  # fmt: skip
    return evaluate(make_vectors(with_topics), with_topics, tmp_path_factory.mktemp("topics") / "run.parquet")


def test_a_query_has_the_topic_of_its_passages(run):
    counts = dict(topics(run, "made").group_by("topic").len().iter_rows())
    assert counts == {"health": 10, "travel": 20}


def test_a_topics_numbers_are_means_over_its_queries(run):
    found = by_topic(run, "random0", "made")
    rankings = run.rankings.filter(pl.col("setting") == "cross-lingual").collect()
    for topic, ids in (("health", range(10)), ("travel", range(10, 30))):
        own = rankings.filter(pl.col("query_id").is_in([f"q{i:04d}" for i in ids]))
        cells = own.group_by("query_language", "pool").agg(pl.col("ap").mean())
        row = found.row(
            by_predicate=(pl.col("topic") == topic)
            & (pl.col("measure") == "map")
            & (pl.col("setting") == "cross-lingual"),
            named=True,
        )
        assert row["value"] == pytest.approx(cells["ap"].mean())
        assert row["low"] < row["value"] < row["high"]
        assert row["n_ids"] == len(ids)


def test_topics_together_are_the_task(run):
    found = by_topic(run, "random0", "made", ("map",), intervals=False).filter(pl.col("setting") == "monolingual")
    whole = run.settings.filter(pl.col("setting") == "monolingual")["map"][0]
    assert np.average(found["value"], weights=found["n_ids"]) == pytest.approx(whole)


def test_a_task_without_documents_has_no_topics(tmp_path):
    task = make_task(12)
    run = evaluate(make_vectors(task), task, tmp_path / "run.parquet")
    with pytest.raises(RunError, match="name no documents"):
        topics(run, "made")
