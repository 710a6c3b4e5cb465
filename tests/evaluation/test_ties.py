"""Equal scores in a real corpus, and the encoder that gives everything the same one: bias is a mean over orders."""

import numpy as np
import polars as pl
import pytest
from support import make_task, ngram_counts

from xlbias.data.catalog import load_task
from xlbias.data.task import RetrievalTask
from xlbias.encode.precomputed import PrecomputedVectors
from xlbias.evaluation import evaluate
from xlbias.results.caveats import caveats
from xlbias.results.run import Run
from xlbias.runs.schema import OWN

pytestmark = pytest.mark.integration

N_ORDERS = 200


@pytest.fixture(scope="module")
def task(shared_data) -> RetrievalTask:
    """Questions of MKQA with one answer in each of four languages, many of which are the same string."""
    whole = load_task(f"parallel:{shared_data / 'mkqa' / 'parallel.jsonl'}").select_languages(["ar", "en", "tr", "zh"])
    qrels = whole.qrels.join(whole.passages.select("passage_id", "language"), on="passage_id")
    full = pl.col("language").n_unique().over("query_id") == 4, pl.len().over("query_id") == 4
    ids = qrels.filter(*full)["query_id"].unique().sort()[:40]
    qrels = whole.qrels.filter(pl.col("query_id").is_in(ids.implode()))
    return whole.changed(
        queries=whole.queries.filter(pl.col("query_id").is_in(ids.implode())),
        passages=whole.passages.join(qrels, on="passage_id", how="semi"),
        qrels=qrels,
        excluded=whole.excluded.clear(),
        negatives=whole.negatives.clear(),
    )


@pytest.fixture(scope="module")
def vectors(task) -> PrecomputedVectors:
    queries, passages = (ngram_counts(frame["text"].to_list()) for frame in (task.queries, task.passages))
    return PrecomputedVectors(queries, passages, "ngrams")


@pytest.fixture(scope="module")
def run(task, vectors, tmp_path_factory) -> Run:
    return evaluate(vectors, task, tmp_path_factory.mktemp("run") / "run.parquet")


def value(run: Run, measure: str, setting: str = "multilingual", asked: str | None = None, answer: str | None = None):
    key = {"measure": measure, "setting": setting, "query_language": asked, "passage_language": answer}
    return run.summary.filter(*(pl.col(name).eq_missing(one) for name, one in key.items()))["value"].item()


def test_measures_of_bias_are_those_of_random_orders_of_equal_scores(run, task, vectors):
    ids, rng = task.passages["passage_id"].to_list(), np.random.default_rng(0)
    languages = sorted(set(task.passages["language"]))
    of = np.array([languages.index(one) for one in task.passages["language"]])
    asked = np.array([languages.index(one) for one in task.queries["language"]])
    place = {one: j for j, one in enumerate(ids)}
    answers = {query: {} for query in task.queries["query_id"]}
    for query, passage in task.qrels.select("query_id", "passage_id").iter_rows():
        answers[query][of[place[passage]]] = place[passage]
    answer = np.array([[answers[query][k] for k in range(4)] for query in task.queries["query_id"]])
    scores = vectors.queries @ vectors.passages.T
    row = np.arange(len(scores))[:, None]
    found: dict[tuple, list[float]] = {}
    for _ in range(N_ORDERS):
        order = np.lexsort((rng.random(scores.shape), -scores), axis=1)
        rank = np.empty(order.shape, np.int64)
        rank[row, order] = np.arange(1, len(ids) + 1)
        ranks = rank[row, answer]  # [n_queries, 4]
        places = (ranks[:, :, None] > ranks[:, None, :]).sum(axis=2) + 1
        alone = ranks - (places - 1)  # the answers in other languages are taken out
        n = len(ids)
        per_query = {
            ("rank_distance", "multilingual"): np.ptp(ranks, axis=1),
            ("rank_distance.normalised", "multilingual"): (np.ptp(ranks, axis=1) - 3) / (n - 4),
            ("max@r", "multilingual"): 100 * np.log2(n / ranks.max(axis=1)) / np.log2(n / 4),
            ("same_language@1", "multilingual"): places[row[:, 0], asked] == 1,
            ("single_gold", OWN): 1 / alone[row[:, 0], asked],
            ("language_rank", OWN): places[row[:, 0], asked],
            ("exposure@10", OWN): (of[order[:, :10]] == asked[:, None]).mean(axis=1),
        }
        for key, values in per_query.items():
            found.setdefault(key, []).append(np.mean([values[asked == k].mean() for k in range(4)]))
        for k, language in enumerate(languages):
            for a, answered in enumerate(languages):
                cell = ("language_rank", "multilingual", language, answered)
                found.setdefault(cell, []).append(places[asked == k, a].mean())
    for key, values in found.items():
        error = np.std(values) / np.sqrt(N_ORDERS)
        assert abs(value(run, *key) - np.mean(values)) <= 5 * error + 1e-9, key
    assert value(run, "tied") > 0.4  # or there is nothing to see here


def test_answers_that_are_the_same_string_prefer_no_language(task, tmp_path):
    of_passage = dict(task.qrels.select("passage_id", "query_id").iter_rows())
    texts = task.queries["query_id"].to_list(), [of_passage[one] for one in task.passages["passage_id"]]
    same = PrecomputedVectors(*(ngram_counts(one) for one in texts), "same")
    run = evaluate(same, task, tmp_path / "run.parquet")
    assert value(run, "kendall_w") == 0 and value(run, "friedman_p") == 1
    assert value(run, "same_language@1") == pytest.approx(1 / 4)
    assert value(run, "single_gold.gap") == pytest.approx(0, abs=1e-12)
    assert value(run, "tied") == value(run, "tied.answers") == 1


SPELLINGS = {
    "id:language": pl.concat_str("query_id", pl.lit(":"), "language"),
    "language/id": pl.concat_str("language", pl.lit("/"), "query_id"),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_constant_encoder_is_neither_fair_nor_unfair_whatever_the_ids_are(spelling, tmp_path):
    made = make_task(10)
    passages = made.qrels.join(made.passages, on="passage_id").with_columns(new=SPELLINGS[spelling])
    names = dict(passages.select("passage_id", "new").iter_rows())
    rename = pl.col("passage_id").replace_strict(names)
    task = made.changed(
        passages=made.passages.filter(pl.col("passage_id").is_in(list(names))).with_columns(rename),
        qrels=made.qrels.with_columns(rename),
        negatives=made.negatives.clear(),
    )
    ones = [np.ones((frame.height, 4), np.float32) for frame in (task.queries, task.passages)]
    run = evaluate(PrecomputedVectors(*ones, "constant"), task, tmp_path / "run.parquet")
    n, languages = task.passages.height, task.passages["language"].n_unique()
    distance = (languages - 1) * (n + 1) / (languages + 1)
    assert value(run, "rank_distance") == pytest.approx(distance, abs=1e-9)
    assert value(run, "rank_distance.median") == pytest.approx(distance, rel=0.1)
    expected = (distance - languages + 1) / (n - languages)
    assert value(run, "rank_distance.normalised") == pytest.approx(expected, abs=1e-9)
    assert value(run, "same_language@1") == pytest.approx(1 / languages, abs=1e-12)
    assert value(run, "kendall_w") == 0 and value(run, "friedman_p") == 1
    assert value(run, "rank_consistency") is None
    assert value(run, "exposure@10.ratio", OWN) == pytest.approx(1, abs=1e-9)
    assert value(run, "tied") == 1
    assert "ties" in {one.kind for one in caveats(run)}
