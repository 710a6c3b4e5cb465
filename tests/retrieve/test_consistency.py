"""Rank consistency against scipy's Spearman correlation of scores, equal ones sharing their mean rank."""

import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import rankdata, spearmanr

from xlbias.encode.vector_rows import ChangedRows, HeldRows
from xlbias.retrieve import consistency
from xlbias.retrieve import index as index_module
from xlbias.retrieve.consistency import rank_consistency, ranks_of
from xlbias.retrieve.index import PassageIndex


def case(seed: int, translations: list[int], n_passages: int = 60, values: int = 3, dimension: int = 4):
    """Integer vectors, where most scores are tied; `translations` of each id, in a shuffled order of queries."""
    rng = np.random.default_rng(seed)
    passages = rng.integers(-values, values + 1, (n_passages, dimension)).astype(np.float32)
    names = [f"q{i}" for i, count in enumerate(translations) for _ in range(count)]
    names = [names[i] for i in rng.permutation(len(names))]
    queries = rng.integers(-values, values + 1, (len(names), dimension)).astype(np.float32)
    ids = [f"p{i}" for i in rng.permutation(n_passages)]
    languages = [("th", "de", "en")[i] for i in rng.integers(0, 3, n_passages)]
    return queries, names, passages, ids, languages


def expected(queries, names, passages, ids, languages) -> list[float]:
    scores = queries @ passages.T
    found = []
    for i, name in enumerate(names):
        others = [j for j, other in enumerate(names) if other == name and j != i and np.ptp(scores[j])]
        correlations = [spearmanr(scores[i], scores[j]).statistic for j in others] if np.ptp(scores[i]) else []
        found.append(float(np.mean(correlations)) if correlations else float("nan"))
    return found


def found(queries, names, passages, ids, languages, **options) -> np.ndarray:
    return rank_consistency(PassageIndex(passages, ids, languages), queries, names, **options)


@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_mean_spearman_correlation_of_full_rankings(seed):
    made = case(seed, [1, 2, 5, 3, 1, 7, 2])
    scores = made[0] @ made[2].T
    assert all(len(np.unique(row)) < len(row) for row in scores)  # really tied
    values = found(*made)
    assert np.isnan(values).sum() == 2
    assert values == pytest.approx(expected(*made), abs=1e-12, nan_ok=True)


def test_the_same_question_in_every_language_has_one_and_the_opposite_minus_one():
    queries, _, passages, ids, languages = case(0, [4], values=40)
    one = np.repeat(queries[:1], 3, axis=0)
    assert found(one, ["a"] * 3, passages, ids, languages) == pytest.approx([1.0] * 3)
    rng = np.random.default_rng(0)
    passages = rng.standard_normal((50, 4)).astype(np.float32)  # no ties: the opposite scores give the opposite order
    opposite = np.stack([one[0], -one[0]])
    assert found(opposite, ["a"] * 2, passages, ids[:50], languages[:50]) == pytest.approx([-1.0] * 2)


def test_equal_scores_of_everything_agree_with_nothing():
    queries, names, passages, ids, languages = case(1, [3, 2])
    assert np.isnan(found(np.zeros_like(queries), names, passages, ids, languages)).all()
    queries[names.index("q0")] = 0  # one of three: the other two have each other
    values = found(queries, names, passages, ids, languages)
    assert np.isnan(values).sum() == 1
    assert values == pytest.approx(expected(queries, names, passages, ids, languages), abs=1e-12, nan_ok=True)


def test_it_does_not_depend_on_ids():
    queries, names, passages, ids, languages = case(3, [3, 4, 2])
    other = [f"{language}/{id_}" for language, id_ in zip(languages, ids, strict=True)]
    one, two = found(queries, names, passages, ids, languages), found(queries, names, passages, other, languages)
    assert one == pytest.approx(two, abs=1e-12)


def test_zeros_of_either_sign_tie():
    scores = np.array([0.0, -0.0, 1.0, -1.0, 0.0], np.float32)
    assert ranks_of(scores).tolist() == [3, 3, 1, 5, 3]


@pytest.mark.parametrize("seed", range(3))
def test_ranks_of_any_floats_are_those_of_scipy(seed):
    rng = np.random.default_rng(seed)
    scores = (rng.standard_normal(400) * 10.0 ** rng.integers(-44, 38, 400)).astype(np.float32)  # subnormal ones too
    scores = np.concatenate([scores, scores[:100], -scores[:50], np.zeros(10, np.float32)])
    assert (ranks_of(scores) == rankdata(-scores)).all()
    distinct = np.unique(scores)[rng.permutation(len(np.unique(scores)))]
    assert (ranks_of(distinct) == rankdata(-distinct)).all()


def test_one_translation_only_has_none():
    assert np.isnan(found(*case(2, [1] * 6))).all()
    assert found(*case(2, [])).shape == (0,)


def test_one_passage_only_has_none():
    assert np.isnan(found(*case(3, [3, 2], n_passages=1))).all()


@pytest.mark.parametrize("rows", [1, 2, 4, 7, 100])
def test_blocks_change_nothing_and_hold_whole_ids(rows, monkeypatch):
    made = case(4, [3, 1, 4, 2, 2, 6, 1, 1])
    whole = found(*made)
    monkeypatch.setattr(consistency, "_ROWS", rows)
    done: list[int] = []
    assert found(*made, advance=done.append) == pytest.approx(whole, abs=1e-12, nan_ok=True)
    assert sum(done) == len(made[1])
    assert max(done) <= max(rows, 6)
    if rows < 100:
        assert all(a + b > rows for a, b in pairwise(done))  # as many ids as fit


def test_an_id_with_more_translations_than_a_block_has_rows():
    made = case(5, [2, consistency._ROWS + 44, 3], n_passages=20, values=9)
    queries, names, passages, _, _ = made
    rankings = rankdata(queries @ passages.T, axis=1)
    values = found(*made)
    for name in ("q0", "q1", "q2"):
        own = [i for i, other in enumerate(names) if other == name]
        matrix = np.corrcoef(rankings[own])  # Pearson of shared ranks is Spearman
        assert values[own] == pytest.approx((matrix.sum(axis=1) - 1) / (len(own) - 1), abs=1e-9)


def test_ids_that_differ_in_what_numpy_drops_are_two():
    queries, _, passages, ids, languages = case(6, [4], values=20)
    names = ["a", "a\0", "a", "a\0"]
    assert found(queries, names, passages, ids, languages) == pytest.approx(
        expected(queries, names, passages, ids, languages), abs=1e-12
    )


def read_when_asked(vectors: np.ndarray, ids: list[str]) -> PassageIndex:
    """An index of vectors that it does not hold, in its order."""
    rows = ChangedRows(HeldRows(vectors), lambda some, _: some, vectors.shape[1])
    return PassageIndex(rows, sorted(ids, reverse=True), ["en"] * len(ids))


@pytest.mark.parametrize("columns", [1, 7, 59, 60])
def test_parts_and_a_file_of_scores_change_nothing(columns, monkeypatch):
    queries, names, passages, ids, languages = case(7, [3, 1, 4, 2])
    whole = expected(queries, names, passages, ids, languages)
    monkeypatch.setattr(consistency, "_COLUMNS", columns)
    monkeypatch.setattr(index_module, "_HELD", 0)
    values = rank_consistency(read_when_asked(passages, ids), queries, names)
    assert values == pytest.approx(whole, abs=1e-12, nan_ok=True)


def test_memory_for_a_passage_does_not_depend_on_the_number_of_translations(monkeypatch):
    monkeypatch.setattr(index_module, "_HELD", 0)
    n = 60_000
    index = read_when_asked(
        np.random.default_rng(0).standard_normal((n, 2)).astype(np.float32), [f"{i:05}" for i in range(n)]
    )
    queries = np.random.default_rng(1).standard_normal((24, 2)).astype(np.float32)

    def peak(translations: int) -> float:
        tracemalloc.start()
        try:
            rank_consistency(index, queries[:translations], ["q"] * translations)
            return tracemalloc.get_traced_memory()[1] / n
        finally:
            tracemalloc.stop()

    assert peak(24) - peak(2) < 24  # bytes: a twentieth of what their ranks would be
