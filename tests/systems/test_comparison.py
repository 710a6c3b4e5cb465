"""Comparisons with censored ranks: tested only where bounds decide, at the end that is nearest to 0."""

import numpy as np
import polars as pl
import pytest
from support import make_task, make_vectors

import xlbias
from xlbias.results.compare import Side, compare
from xlbias.runs.schema import MULTILINGUAL_POOL
from xlbias.stats.max_t import flip_tests


@pytest.fixture(scope="module")
def task():
    return make_task(14).select_languages(["de", "en", "th"])


@pytest.fixture(scope="module")
def dense(task):
    return xlbias.evaluate(make_vectors(task), task)


def imported(task, tmp_path, depth, find):
    """A system that ranks the first relevant passages at the top where `find`, else none; the rest is as it comes."""
    file = tmp_path / "made.trec"
    passages = task.passages["passage_id"].to_list()
    lines = []
    for query_id, language, _ in task.queries.iter_rows():
        own = [one for one in passages if one.endswith(query_id)]
        rest = [one for one in passages if one not in own]
        for rank, one in enumerate([*own, *rest][:depth] if find else rest[:depth], 1):
            lines.append(f"{language}/{query_id} Q0 {one} {rank} {100 - rank} made\n")
    file.write_text("".join(lines))
    return xlbias.import_run(file, task, tmp_path / f"made{depth}{find}.parquet")


def row(frame, measure, setting="multilingual"):
    return frame.filter(
        (pl.col("measure") == measure) & (pl.col("setting") == setting) & pl.col("query_language").is_null()
    ).row(0, named=True)


def test_a_difference_whose_bounds_have_one_sign_is_tested_at_the_nearer_end(task, dense, tmp_path):
    better = imported(task, tmp_path, 2, find=True)  # two of three answers are found, the third may stand anywhere
    frame = dense.compare(better)
    found = row(frame, "map")
    assert (found["new"], found["difference"], found["low"], found["effect_size"]) == (None, None, None, None)
    of_new = row(better.summary, "map")
    assert (found["new_least"], found["new_most"]) == (of_new["least"], of_new["most"])
    assert found["base"] == pytest.approx(row(dense.summary, "map")["value"])
    assert found["least"] == pytest.approx(of_new["least"] - found["base"])
    assert found["most"] == pytest.approx(of_new["most"] - found["base"])
    assert found["least"] > 0 and found["p_corrected"] < 0.05
    by_id = dense.rankings.filter(pl.col("pool") == MULTILINGUAL_POOL).group_by("query_id").agg(pl.col("ap").mean())
    n = task.passages.height
    worst = (1 + 1 + 3 / n) / 3
    differences = worst - by_id.collect().sort("query_id")["ap"].to_numpy()
    assert found["p"] == pytest.approx(flip_tests(differences[:, None], np.zeros(1, np.int64)).p[0])


def test_a_difference_that_the_bounds_do_not_decide_is_not_tested(task, dense, tmp_path):
    unknown = imported(task, tmp_path, 1, find=False)  # nothing relevant is found: it may be as good or as bad as any
    frame = compare(Side(unknown, ("made",)), Side(dense, ("random0",)), task.name)
    for measure in ("map", "single_gold.gap", "rank_distance"):
        found = row(frame, measure)
        assert found["difference"] is None and found["p"] is None and found["p_corrected"] is None
        assert found["least"] < 0 < found["most"]
    whole = row(frame, "recall@1")  # the first place is known
    assert whole["difference"] is not None and whole["least"] is None


def test_two_exact_runs_are_compared_as_ever(task, dense, tmp_path):
    whole = imported(task, tmp_path, task.passages.height, find=True)
    frame = dense.compare(whole)
    assert frame["least"].null_count() == frame.height
    assert row(frame, "map")["difference"] == pytest.approx(1 - row(dense.summary, "map")["value"])
