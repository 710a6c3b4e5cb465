"""Rank consistency: Spearman correlation between the rankings that translations of one query give, against scipy."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from measures.made import pooled
from scipy.stats import rankdata, spearmanr

from xlbias.measures.bias.rank_consistency import consistency, mean_correlation, mean_spearman


def mean_of_pairs(ranks):
    others = [[spearmanr(a, b).statistic for j, b in enumerate(ranks) if j != i] for i, a in enumerate(ranks)]
    return [float(np.mean(row)) for row in others]


def test_the_same_ranking_in_every_language_is_1_and_its_reverse_minus_1():
    ranks = np.arange(1, 8)
    assert mean_spearman(np.array([ranks, ranks, ranks])) == pytest.approx([1, 1, 1])
    assert mean_spearman(np.array([ranks, ranks[::-1]])) == pytest.approx([-1, -1])


def test_by_hand():
    found = mean_spearman(np.array([[1, 2, 3], [1, 3, 2], [3, 2, 1]]))  # pairs: 1/2, −1, −1/2
    assert found == pytest.approx([(1 / 2 - 1) / 2, (1 / 2 - 1 / 2) / 2, (-1 - 1 / 2) / 2])


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("shape", [(0, 5), (1, 5), (3, 1), (3, 0)])
def test_undefined_for_one_translation_or_one_passage(shape):
    found = mean_spearman(np.ones(shape, np.int64))
    assert found.shape == shape[:1]
    assert np.isnan(found).all()


@settings(deadline=None)
@given(st.integers(2, 5), st.integers(2, 40), st.integers(0, 2**32 - 1))
def test_agrees_with_scipy(n_translations, n_passages, seed):
    rng = np.random.default_rng(seed)
    ranks = np.array([rng.permutation(n_passages) + 1 for _ in range(n_translations)])
    assert mean_spearman(ranks) == pytest.approx(mean_of_pairs(ranks))


def test_shared_ranks_are_those_of_scipy_and_a_single_tie_agrees_with_nothing():
    scores = np.random.default_rng(0).integers(0, 4, (4, 30)).astype(float)
    ranks = rankdata(scores, axis=1)
    assert mean_spearman(ranks) == pytest.approx(mean_of_pairs(scores))
    with_constant = np.vstack([ranks, np.full((1, 30), 15.5)])
    assert mean_spearman(with_constant) == pytest.approx([*mean_of_pairs(scores), np.nan], nan_ok=True)
    assert np.isnan(mean_spearman(np.full((3, 30), 15.5))).all()


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_agrees_with_scipy_in_a_pool_the_size_of_xquad(dtype):
    rng = np.random.default_rng(0)
    ranks = np.array([rng.permutation(13_014) + 1 for _ in range(11)], dtype)
    ranks[1] = ranks[0]
    assert mean_spearman(ranks) == pytest.approx(mean_of_pairs(ranks))


def test_what_was_computed_while_ranking_is_passed_on():
    rankings = replace(pooled("de: DE th", "th: th DE"), consistency=np.array([-1.0, np.nan]))
    assert np.array_equal(consistency(rankings), [-1, np.nan], equal_nan=True)


def test_products_of_several_queries_give_what_those_of_each_give():
    rng = np.random.default_rng(0)
    rankings = rng.permuted(np.tile(np.arange(9.0) - 4, (5, 3, 1)), axis=2)
    rankings[1, 0] = rankings[2] = 0  # one tie
    products = rankings @ rankings.transpose(0, 2, 1)
    found = mean_correlation(products)
    assert np.array_equal(found, np.stack([mean_correlation(one) for one in products]), equal_nan=True)
    assert np.isnan(found).sum() == 4
