"""The top k of every pool, kept over tiles and over shares, against a full sort by score and declared order."""

import numpy as np
import pytest

from xlbias.retrieve import index as index_module
from xlbias.retrieve import topk
from xlbias.retrieve.index import PassageIndex
from xlbias.retrieve.shares import merged, share_of_tiles
from xlbias.retrieve.topk import Best, top_k

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


@pytest.fixture(params=["one tile", "many tiles"])
def path(request, monkeypatch):
    if request.param == "many tiles":
        monkeypatch.setattr(index_module, "PASSAGE_TILE", 7)
        monkeypatch.setattr(topk, "PASSAGE_TILE", 7)
        monkeypatch.setattr(index_module, "QUERY_TILE", 4)
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


@pytest.mark.parametrize("n_holders", [2, 3, 9])
@pytest.mark.parametrize("values", [1, 2, 40])
def test_lists_of_shares_merge_to_those_of_the_whole(monkeypatch, n_holders, values):
    for module in (index_module, topk):
        monkeypatch.setattr(module, "PASSAGE_TILE", 7)
    queries, *passages = integers(3, values)
    whole = PassageIndex(*passages)
    found = []
    for holder in range(n_holders):
        share = PassageIndex(*passages, tiles=share_of_tiles(whole.n_tiles, holder, n_holders))
        best = Best(share, len(queries), 6)
        for one in share.scored(queries):
            best.add(one)
        found.append(best)
    for one, other in zip(merged(found).lists("all"), top_k(whole, queries, 6), strict=True):
        assert (one.rows == other.rows).all() and (one.scores == other.scores).all()
        assert one.tied is other.tied is None or (one.tied == other.tied).all()


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
