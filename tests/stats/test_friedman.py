"""Friedman's test and Kendall's W against scipy.stats.friedmanchisquare."""

import numpy as np
import pytest
from scipy import stats

from xlbias.stats.friedman import average_ranks, friedman, kendall_w_of_mean_ranks


@pytest.mark.parametrize("k", [3, 7, 11])
@pytest.mark.parametrize("ties", [False, True])
def test_equals_scipy(k, ties):
    values = np.random.default_rng(k).random((60, k)) + 0.02 * np.arange(k)
    if ties:
        values = np.round(values, 1)
    theirs = stats.friedmanchisquare(*values.T)
    ours = friedman(values)
    assert (ours.chi2, ours.p) == pytest.approx((theirs.statistic, theirs.pvalue), rel=1e-11)
    assert ours.w == pytest.approx(theirs.statistic / (60 * (k - 1)), rel=1e-11)
    np.testing.assert_allclose(ours.mean_ranks, stats.rankdata(values, axis=1).mean(axis=0), rtol=1e-13)
    assert ours.n == 60


def test_one_language_order_in_every_query_is_one_and_opposite_orders_are_zero():
    order = np.array([3.0, 1.0, 4.0, 2.0])
    assert friedman(np.tile(order, (5, 1)) * 100).w == pytest.approx(1)
    assert friedman(np.stack([order, 5 - order])).w == pytest.approx(0, abs=1e-15)


def test_two_languages_by_hand():
    ours = friedman(np.array([[1.0, 2.0], [1.0, 2.0], [2.0, 1.0]]))
    assert ours.chi2 == pytest.approx(1 / 3)  # (2 - 1)^2 / 3, as the sign test
    assert ours.p == pytest.approx(stats.chi2.sf(1 / 3, 1))


def test_undefined():
    for values in (np.empty((0, 3)), np.ones((4, 1)), np.empty((4, 0))):
        ours = friedman(values)
        assert np.isnan([ours.chi2, ours.p, ours.w]).all()
    assert np.isnan(friedman(np.empty((0, 3))).mean_ranks).tolist() == [True] * 3


def test_where_every_block_is_one_tie_nothing_is_preferred():
    ours = friedman(np.ones((4, 3)))
    assert (ours.chi2, ours.p, ours.w) == (0, 1, 0)
    assert ours.mean_ranks.tolist() == [2, 2, 2]


def test_one_block_is_defined():
    assert friedman(np.array([[5.0, 2.0, 9.0]])).w == pytest.approx(1)


def test_a_missing_value_is_an_error():
    with pytest.raises(ValueError, match="complete"):
        friedman(np.array([[1.0, np.nan]]))


def test_w_of_mean_ranks_is_that_of_the_test_for_each_replicate():
    values = np.random.default_rng(0).random((3, 50, 11)) + 0.05 * np.arange(11)
    tests = [friedman(block) for block in values]
    w = kendall_w_of_mean_ranks(np.stack([test.mean_ranks for test in tests]))
    np.testing.assert_allclose(w, [test.w for test in tests], rtol=1e-12)
    assert np.isnan(kendall_w_of_mean_ranks(np.ones((4, 1)))).all()
    assert kendall_w_of_mean_ranks(np.empty((0, 3))).shape == (0,)


def test_w_of_replicates_lies_above_that_of_the_sample_as_documented():
    values = np.argsort(np.argsort(np.random.default_rng(1).random((40, 5)), axis=1), axis=1) + 1.0
    ids = np.random.default_rng(2).integers(0, 40, (20_000, 40))
    w = friedman(values).w
    assert kendall_w_of_mean_ranks(values[ids].mean(axis=1)).mean() == pytest.approx(w + (1 - w) / 40, rel=0.02)


def test_average_ranks_equal_scipy():
    values = np.random.default_rng(3).integers(0, 4, (20, 9))
    ranks, tied = average_ranks(values)
    np.testing.assert_array_equal(ranks, stats.rankdata(values, axis=1))
    assert (tied[0] == [np.count_nonzero(values[0] == value) for value in values[0]]).all()
