"""Every cell of a real run with planted ties against pytrec_eval; rank distance against brute force."""

import math

import numpy as np
import polars as pl
import pytest
import pytrec_eval
from support import ngram_counts

from xlbias.data.task import RetrievalTask
from xlbias.encode.precomputed import PrecomputedVectors
from xlbias.evaluation import evaluate
from xlbias.measures.ragged import Rankings
from xlbias.measures.registry import measures
from xlbias.results.run import Run
from xlbias.runs.schema import MULTILINGUAL_POOL

pytestmark = pytest.mark.integration

TREC = {
    "map": "map",
    "rr": "recip_rank",
    "recall@1": "recall_1",
    "recall@10": "recall_10",
    "recall@100": "recall_100",
    "precision@10": "P_10",
    "ndcg@10": "ndcg_cut_10",
}
REQUESTED = {"map", "recip_rank", "recall.1,10,100", "P.10", "ndcg_cut.10"}


@pytest.fixture(scope="module")
def vectors(real_task: RetrievalTask) -> PrecomputedVectors:
    return PrecomputedVectors(
        ngram_counts(real_task.queries["text"].to_list()),
        ngram_counts(real_task.passages["text"].to_list()),
        "trigrams",
    )


@pytest.fixture(scope="module")
def run(real_task: RetrievalTask, vectors: PrecomputedVectors, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return evaluate(vectors, real_task, tmp_path_factory.mktemp("run") / "run.parquet")


@pytest.fixture(scope="module")
def oracle(real_task: RetrievalTask, vectors: PrecomputedVectors) -> dict[tuple[str, str], dict[str, dict[str, float]]]:
    """pytrec_eval's values per (query language, pool) and query id, from full rankings by exact integer scores."""
    scores = vectors.queries.astype(np.int64) @ vectors.passages.astype(np.int64).T
    ids = real_task.passages["passage_id"].to_list()
    languages = real_task.passages["language"].to_numpy()
    qrels: dict[str, dict[str, int]] = {}
    for query_id, passage_id, relevance in real_task.qrels.iter_rows():
        qrels.setdefault(query_id, {})[passage_id] = relevance
    found = {}
    for ql in real_task.query_languages:
        rows = np.flatnonzero((real_task.queries["language"] == ql).to_numpy())
        for pool in [*real_task.passage_languages, MULTILINGUAL_POOL]:
            columns = np.flatnonzero((languages == pool) | (pool == MULTILINGUAL_POOL))
            members = {ids[c] for c in columns}
            run = {real_task.queries["query_id"][int(r)]: {ids[c]: float(scores[r, c]) for c in columns} for r in rows}
            judged = {q: {p: g for p, g in qrels[q].items() if p in members} for q in run}
            found[ql, pool] = pytrec_eval.RelevanceEvaluator(judged, REQUESTED).evaluate(run)
    return found


def test_the_scores_are_really_tied(real_task, vectors):
    scores = vectors.queries @ vectors.passages.T
    tied = [len(row) - len(np.unique(row)) for row in scores]
    assert np.mean(tied) > 0.3 * scores.shape[1]


def test_every_cell_equals_pytrec_eval(run, oracle):
    assert set(run.cells["setting"]) == {"monolingual", "cross-lingual", "multilingual"}
    assert run.cells.height == len(oracle) == 5 * 6
    for cell in run.cells.iter_rows(named=True):
        per_query = oracle[cell["query_language"], cell["pool"]]
        assert cell["n"] == len(per_query)
        for ours, theirs in TREC.items():
            expected = np.mean([values[theirs] for values in per_query.values()])
            assert cell[ours] == pytest.approx(expected, abs=1e-6), (cell["query_language"], cell["pool"], ours)


def test_every_query_s_average_precision_equals_pytrec_eval(run, oracle):
    rows = run.rankings.select("query_language", "pool", "query_id", "ap").collect()
    assert rows.height == sum(len(per_query) for per_query in oracle.values())
    for ql, pool, query_id, ap in rows.iter_rows():
        assert ap == pytest.approx(oracle[ql, pool][query_id]["map"], abs=1e-6)


def test_rank_distance_equals_a_brute_force_expectation_over_orders_of_equal_scores(run, real_task, vectors):
    scores = vectors.queries.astype(np.int64) @ vectors.passages.astype(np.int64).T
    place = {passage_id: j for j, passage_id in enumerate(real_task.passages["passage_id"])}
    relevant = dict(real_task.qrels.group_by("query_id").agg("passage_id").iter_rows())
    found = {
        (ql, q): d for ql, q, d in run.rank_distances.select("query_language", "query_id", "rank_distance").iter_rows()
    }
    assert len(found) == real_task.queries.height
    for row, (query_id, ql) in zip(scores, real_task.queries.select("query_id", "language").iter_rows(), strict=True):
        own = row[[place[p] for p in relevant[query_id]]]

        def last_of(score, sign, row=row, own=own):
            """Expected distance from the better (or worse) scores of the last relevant with that score."""
            size, among = int((row == score).sum()), int((own == score).sum())
            ways = [math.comb(k - 1, among - 1) for k in range(1, size + 1)]
            beyond = int((row * sign > score * sign).sum())
            return beyond + sum(k * way for k, way in enumerate(ways, 1)) / sum(ways)

        worst, best = last_of(own.min(), 1), len(row) + 1 - last_of(own.max(), -1)
        assert found[ql, query_id] == pytest.approx(worst - best, abs=1e-6)


def test_the_top_k_holds_the_best_scored_passages(run, real_task, vectors):
    scores = vectors.queries @ vectors.passages.T
    row_of = {key: r for r, key in enumerate(real_task.queries.select("query_id", "language").iter_rows())}
    ids = real_task.passages["passage_id"].to_list()
    languages = real_task.passages["language"].to_list()
    for query_id, ql, pool, top in (
        run.rankings.select("query_id", "query_language", "pool", "top").collect().iter_rows()
    ):
        row = scores[row_of[query_id, ql]]
        inside = [j for j in range(len(ids)) if pool in (MULTILINGUAL_POOL, languages[j])]
        best = sorted((float(row[j]) for j in inside), reverse=True)[:10]
        assert [entry["score"] for entry in top] == best
        assert all(row[ids.index(entry["passage_id"])] == entry["score"] for entry in top)


def test_graded_relevance_and_cut_offs_equal_pytrec_eval():
    rng = np.random.default_rng(9)
    ranks, grades, qrels, run = [], [], {}, {}
    for q in range(60):
        places = np.sort(rng.choice(np.arange(1, 200), size=rng.integers(1, 25), replace=False))
        grade = rng.integers(1, 4, len(places))
        ranks.append(places.tolist())
        grades.append(grade.tolist())
        qrels[str(q)] = {f"d{p}": int(g) for p, g in zip(places, grade, strict=True)}
        run[str(q)] = {f"d{p}": float(1000 - p) for p in range(1, 200)}
    expected = pytrec_eval.RelevanceEvaluator(qrels, REQUESTED).evaluate(run)
    for ours, theirs in TREC.items():
        values = measures("quality")[ours].compute(Rankings.of(ranks, grades))
        assert values == pytest.approx([expected[str(q)][theirs] for q in range(60)], abs=1e-6)


def test_rankings_hold_rows_also_for_queries_without_a_relevant_passage(tmp_path):
    """MLQA-like data: a query whose pool holds nothing relevant is excluded from means, and counted."""
    task = RetrievalTask(
        "uneven", "test", "by hand", "none",
        pl.DataFrame({"query_id": ["a", "b"], "language": ["en", "en"], "text": ["x", "y"]}),
        pl.DataFrame({"passage_id": ["1", "2", "3"], "language": ["en", "de", "en"], "text": ["p", "q", "r"]}),
        pl.DataFrame({"query_id": ["a", "a", "b"], "passage_id": ["1", "2", "3"], "relevance": [1, 1, 1]}),
    )  # fmt: skip
    vectors = PrecomputedVectors(np.eye(2, dtype=np.float32), np.array([[1, 0], [1, 0], [1, 1]], np.float32))
    run = evaluate(vectors, task, tmp_path / "run.parquet")
    by_pool = {row["pool"]: row for row in run.cells.iter_rows(named=True)}
    assert (by_pool["de"]["n"], by_pool["de"]["n_excluded"], by_pool["de"]["map"]) == (1, 1, 1.0)
    assert (by_pool["en"]["n"], by_pool["en"]["n_excluded"]) == (2, 0)
    bias = run.bias().row(0, named=True)
    assert (bias["n"], bias["n_excluded"]) == (1, 1)  # b has one relevant passage only
