"""The top k of every pool, in memory and through FAISS, against a full sort by score and declared order."""

import faiss
import numpy as np
import pytest

from xlbias.retrieve import topk
from xlbias.retrieve.ranks import PassageIndex
from xlbias.retrieve.topk import top_k

POOLS = {"de": 40, "en": 3, "th": 17, "zh": 1}


def integers(seed: int, values: int, n_queries: int = 25, dimension: int = 5):
    """Vectors of small integers, so that products are exact; the fewer values, the more ties. Ids are shuffled."""
    rng = np.random.default_rng(seed)
    languages = [language for language, size in POOLS.items() for _ in range(size)]
    languages = [languages[i] for i in rng.permutation(len(languages))]
    ids = [f"p{i}" for i in rng.permutation(len(languages))]
    passages = rng.integers(0, values, (len(ids), dimension)).astype(np.float32)
    queries = rng.integers(0, values, (n_queries, dimension)).astype(np.float32)
    return queries, passages, ids, languages


def sorted_in_full(queries, passages, ids, languages, pool, k):
    """Positions and scores of the first k of a pool, for every query."""
    scores = queries @ passages.T
    inside = [j for j in range(len(ids)) if pool in (None, languages[j])]
    found = [sorted(inside, key=lambda j, row=row: (row[j], ids[j]), reverse=True)[:k] for row in scores]
    return found, [[float(row[j]) for j in chosen] for row, chosen in zip(scores, found, strict=True)]


@pytest.fixture(params=["in memory", "faiss"])
def path(request, monkeypatch):
    if request.param == "faiss":
        monkeypatch.setattr(topk, "MOST_IN_MEMORY", 0)
        monkeypatch.setattr(topk, "_in_memory", None)
    else:
        monkeypatch.setattr(topk.faiss, "knn", None)
    return request.param


def check(case, k, of="all"):
    queries, passages, ids, languages = case
    index = PassageIndex(passages, ids, languages)
    found = top_k(index, queries, k, of)
    assert [one.pool for one in found] == [*sorted(set(languages)), None]
    for one in found:
        wanted = k if one.pool is None or of == "all" else 0
        rows, scores = sorted_in_full(*case, one.pool, wanted)
        assert one.rows.tolist() == rows, one.pool
        assert one.scores.tolist() == scores, one.pool
        assert (one.rows.dtype, one.scores.dtype) == (np.int64, np.float32)


@pytest.mark.parametrize("k", [1, 2, 9, 10, 17, 40, 61, 500])
@pytest.mark.parametrize("values", [2, 4, 40])
def test_all_pools_equal_a_full_sort(path, k, values):
    check(integers(k, values), k)


@pytest.mark.parametrize("k", [1, 10, 500])
def test_of_the_multilingual_pool_only(path, k):
    check(integers(k, 3), k, "multilingual")


@pytest.mark.parametrize("k", [1, 10, 30])
def test_where_all_scores_are_equal_the_declared_order_decides(path, k):
    """More ties at the cut than were looked up beyond it: a constant scorer shows the highest ids, not any."""
    queries, passages, ids, languages = integers(0, 2)
    check((np.ones_like(queries), np.ones_like(passages), ids, languages), k)


def test_zeros_of_either_sign_are_one_score(path):
    queries, passages, ids, languages = integers(0, 2)
    passages[:] = 0.0
    passages[::3] = -0.0
    check((-np.ones_like(queries), passages, ids, languages), 10)


def test_no_queries(path):
    case = integers(0, 3, n_queries=0)
    for one in top_k(PassageIndex(*case[1:]), case[0], 5):
        assert one.rows.shape[0] == one.scores.shape[0] == 0


def test_tiles_of_queries_change_nothing(monkeypatch):
    monkeypatch.setattr(topk, "_SCORES", 7 * sum(POOLS.values()))  # seven queries at a time
    check(integers(1, 3), 10)


def test_both_paths_agree_on_real_numbers(monkeypatch):
    rng = np.random.default_rng(5)
    passages = rng.standard_normal((3000, 32)).astype(np.float32)
    queries = rng.standard_normal((40, 32)).astype(np.float32)
    index = PassageIndex(passages, [f"{i:04d}" for i in range(3000)], ["de", "en", "th"] * 1000)
    ours = top_k(index, queries, 10)
    monkeypatch.setattr(topk, "MOST_IN_MEMORY", 2999)
    for one, other in zip(ours, top_k(index, queries, 10), strict=True):
        assert (one.rows == other.rows).all()
        assert one.scores == pytest.approx(other.scores, abs=1e-5)


def test_faiss_is_what_is_thought_of_it():
    """`_unsettled` relies on descending scores."""
    rng = np.random.default_rng(0)
    scores, _ = faiss.knn(
        rng.random((5, 8), np.float32), rng.random((90, 8), np.float32), 20, metric=faiss.METRIC_INNER_PRODUCT
    )
    assert (np.diff(scores, axis=1) <= 0).all()


@pytest.mark.parametrize("k", [1, 3, 10, 61])
@pytest.mark.parametrize("values", [2, 4, 40])
def test_what_ties_with_the_last_of_the_list_is_counted_by_language(path, k, values):
    queries, passages, ids, languages = integers(k + values, values)
    index = PassageIndex(passages, ids, languages)
    found = top_k(index, queries, k)[-1]
    scores = queries @ passages.T
    for i, chosen in enumerate(found.rows):
        beyond = set(np.flatnonzero(scores[i] == scores[i, chosen[-1]])) - set(chosen)
        assert found.tied[i].tolist() == [sum(languages[j] == one for j in beyond) for one in index.languages]
