"""Encoders whose scores say nothing: vectors that all but coincide, and vectors of zeros."""

import numpy as np
import polars as pl
import pytest
from support import LANGUAGES, make_task

from xlbias.encode.precomputed import PrecomputedVectors
from xlbias.evaluation import evaluate
from xlbias.measures.alignment.parallel import ParallelVectors
from xlbias.results.caveats import caveats

pytestmark = pytest.mark.integration

N = 12


@pytest.fixture(scope="module")
def task():
    return make_task(N)


def near(task, spread: float, **settings) -> PrecomputedVectors:
    """Each text close to one and the same vector, its translations closest."""
    rng = np.random.default_rng(0)
    of_id = {one: rng.standard_normal(16) for one in task.queries["query_id"].unique().sort()}

    def vectors(ids: list[str]) -> np.ndarray:
        return np.array([np.eye(16)[0] + spread * of_id[one] for one in ids], dtype=np.float32)

    passages = [one.split("-", 1)[1] for one in task.passages["passage_id"]]
    settings = {"similarity": "cosine", **settings}
    return PrecomputedVectors(vectors(task.queries["query_id"].to_list()), vectors(passages), **settings)


def kinds(run) -> set[str]:
    return {one.kind for one in caveats(run)}


def test_vectors_that_all_but_coincide_are_told(task):
    """Every answer is the nearest, and float32 does not know it."""
    run = evaluate(near(task, 1e-5), task)
    quality = run.summary.filter(pl.col("measure") == "map", pl.col("query_language").is_null())
    assert quality.filter(setting="multilingual")["value"].item() < 0.5
    sides = [one for one in caveats(run) if one.kind == "collapsed"]
    assert [one.sentence.split()[4] for one in sides] == ["passages", "queries"]
    assert all(0 <= one.value < 1e-8 and one.n == N * len(LANGUAGES) for one in sides)


def test_equal_vectors_are_told_without_a_sign(task):
    run = evaluate(near(task, 0.0), task)
    sides = [one for one in caveats(run) if one.kind == "collapsed"]
    assert [one.value for one in sides] == [0.0, 0.0]
    assert all("is 0 on average" in one.sentence for one in sides)


def test_close_vectors_that_float32_tells_apart_are_not(task):
    run = evaluate(near(task, 1e-2), task)
    assert "collapsed" not in kinds(run)
    overall = run.summary.filter(pl.col("measure") == "map", pl.col("query_language").is_null())
    assert overall.filter(setting="multilingual")["value"].item() == 1


@pytest.mark.parametrize("similarity", ["euclidean", "dot"])
def test_distances_are_taken_where_nothing_is_lost_and_lengths_tell_products_apart(task, similarity):
    assert "collapsed" not in kinds(evaluate(near(task, 1e-5, similarity=similarity), task))


def test_vectors_of_zeros_are_counted_wherever_they_are_missing(task):
    made = near(task, 1.0)
    queries, passages = made.queries.copy(), made.passages.copy()
    gone = {"q0000": ("ar", "de"), "q0003": ("de",)}
    for one, languages in gone.items():
        for language in languages:
            passages[task.passages["passage_id"].to_list().index(f"{language}-{one}")] = 0
    run = evaluate(PrecomputedVectors(queries, passages), task)
    columns = "measure", "query_language", "passage_language", "n", "n_excluded"
    excluded = {row[:3]: row[3:] for row in run.summary.select(columns).iter_rows()}
    assert excluded["passages.alignment", "ar", "de"] == (N - 2, 2)
    assert excluded["passages.parallel_accuracy", "th", "ar"] == (N - 1, 1)
    assert excluded["passages.cka", "th", "zh"] == (N, 0)
    assert excluded["passages.uniformity", "de", None] == (N - 2, 2)
    assert excluded["passages.uniformity", None, None] == (N * len(LANGUAGES) - 3, 3)
    assert excluded["passages.alignment", None, None] == (N, 2)
    assert run.summary.filter(pl.col("measure") == "queries.alignment")["n_excluded"].sum() == 0
    (caveat,) = (one for one in caveats(run) if one.kind == "zero")
    assert (caveat.n, caveat.of) == (3, N * len(LANGUAGES))
    assert caveat.sentence.startswith("3 of 84 passages have a vector of zeros")


def test_ids_that_lack_a_text_are_not_excluded_for_a_vector_of_zeros():
    vectors = np.array([[1, 0], [0, 0], [0, 1], [1, 1], [0, 0]], dtype=np.float32)
    parallel = ParallelVectors.of(["a", "a", "b", "b", "c"], ["de", "en", "de", "en", "en"], vectors)
    assert parallel.n_excluded("de", "en") == 1  # c is in English only
    assert (parallel.n_excluded("de"), parallel.n_excluded("en"), parallel.n_excluded()) == (0, 2, 2)
