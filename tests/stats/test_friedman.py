"""Friedman's test and Kendall's W against scipy.stats.friedmanchisquare."""

from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from xlbias.stats.bootstrap import bootstrap_intervals
from xlbias.stats.friedman import Concordance, Concordances, average_ranks, friedman


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
    assert (ours.n, ours.degrees) == (60, k - 1)


def test_one_language_order_in_every_query_is_one_and_opposite_orders_are_zero():
    order = np.array([3.0, 1.0, 4.0, 2.0])
    assert friedman(np.tile(order, (5, 1)) * 100).w == pytest.approx(1)
    assert friedman(np.stack([order, 5 - order])).w == pytest.approx(0, abs=1e-15)


def test_two_languages_by_hand():
    ours = friedman(np.array([[1.0, 2.0], [1.0, 2.0], [2.0, 1.0]]))
    assert ours.chi2 == pytest.approx(1 / 3)  # (2 - 1)^2 / 3, as the sign test
    assert ours.p == pytest.approx(stats.chi2.sf(1 / 3, 1))


def test_undefined():
    one_each = np.where(np.eye(3) > 0, 1.0, np.nan)
    for values in (np.empty((0, 3)), np.ones((4, 1)), np.empty((4, 0)), one_each):
        ours = friedman(values)
        assert np.isnan([ours.chi2, ours.p, ours.w]).all()
        assert (ours.n, ours.degrees) == (0, 0)


def test_where_every_block_is_one_tie_nothing_is_preferred():
    ours = friedman(np.ones((4, 3)))
    assert (ours.chi2, ours.p, ours.w) == (0, 1, 0)


def test_one_block_is_defined():
    assert friedman(np.array([[5.0, 2.0, 9.0]])).w == pytest.approx(1)


ASSEMBLY = """
3.2 4.1 3.8 4.2
3.1 3.9 3.4 4.0
4.3 3.5 4.6 4.8
3.5 3.6 3.9 4.0
3.6 4.2 3.7 3.9
4.5 4.7 3.7 -
- 4.2 3.4 -
4.3 4.6 4.4 4.9
3.5 - 3.7 3.9
"""
"""Times of four methods of assembly: the example of the R package Skillings.Mack, SM = 15.493 of 3 degrees."""


def test_the_published_example_of_incomplete_blocks():
    values = np.array([[float(one.replace("-", "nan")) for one in line.split()] for line in ASSEMBLY.split("\n")[1:-1]])
    ours = friedman(values)
    assert ours.chi2 == pytest.approx(15.493, abs=5e-4)
    assert (ours.degrees, ours.n) == (3, 9)
    assert ours.p == pytest.approx(stats.chi2.sf(ours.chi2, 3))
    assert ours.w == pytest.approx(ours.chi2 / (7 * 3 + 2 + 1 - 1))  # seven blocks of 4, two of 3, one of 2


def by_permutations(values: np.ndarray) -> tuple[float, float]:
    """Skillings and Mack's χ² and the greatest there can be, the covariance from every order of every block."""
    k = values.shape[1]
    total, covariance, most = np.zeros(k), np.zeros((k, k)), 0
    for block in values:
        there = np.flatnonzero(~np.isnan(block))
        size = len(there)
        if size < 2:
            continue
        scores = np.sqrt(12 / (size + 1)) * (stats.rankdata(block[there]) - (size + 1) / 2)
        orders = np.array(list(permutations(scores)))
        total[there] += scores
        covariance[np.ix_(there, there)] += orders.T @ orders / len(orders)
        most += size - 1
    return float(total @ np.linalg.pinv(covariance) @ total), most


@pytest.mark.parametrize("decimals", [None, 0])
@pytest.mark.parametrize("missing", [0.0, 0.2, 0.6])
def test_equals_the_test_by_every_permutation(decimals, missing):
    rng = np.random.default_rng(7)
    values = rng.standard_normal((25, 5)) + 0.3 * np.arange(5)
    values = values if decimals is None else np.round(values, decimals)
    values[rng.random(values.shape) < missing] = np.nan
    chi2, most = by_permutations(values)
    ours = friedman(values)
    assert (ours.chi2, ours.w) == pytest.approx((chi2, chi2 / most), rel=1e-10)


def test_treatments_that_no_block_connects_take_a_degree_of_freedom():
    nan = np.nan
    values = np.array([[1.0, 2.0, nan, nan]] * 6 + [[nan, nan, 2.0, 1.0]] * 4)
    ours = friedman(values)
    assert (ours.degrees, ours.w) == (2, pytest.approx(1))
    assert ours.chi2 == pytest.approx(6 + 4)  # two sign tests


def test_a_sum_in_another_order_is_the_same_rank():
    """512/9 is one number, however it was added up."""
    ninths = [512 / 9, sum([57 / 9] * 8) + 56 / 9, 56 / 9 + sum([57 / 9] * 8)]
    tenths = [0.1 + 0.2 + 0.3, 0.3 + 0.2 + 0.1, 7.0]
    assert len(set(ninths)) > 1 and len(set(tenths)) == 3
    values = np.array([tenths, ninths, [5.0, 3 * (1 / 3) + 4, 5.0]])
    exact = np.array([[0.6, 0.6, 7.0], [57.0, 57.0, 57.0], [5.0, 5.0, 5.0]])
    np.testing.assert_array_equal(average_ranks(values)[0], stats.rankdata(exact, axis=1))
    ours, theirs = friedman(np.tile(values, (9, 1))), friedman(np.tile(exact, (9, 1)))
    assert ours.chi2 == theirs.chi2
    small = np.array([[1e-9, 2e-9, 3e-9]])  # what counts is the size of the values
    np.testing.assert_array_equal(average_ranks(small)[0], [[1, 2, 3]])


@pytest.mark.parametrize("decimals", [2, 0])
def test_w_of_drawn_blocks_is_that_of_a_test_of_them(decimals):
    values = np.round(np.random.default_rng(0).random((50, 6)) + 0.05 * np.arange(6), decimals)
    whole = Concordance(values)
    drawn = np.random.default_rng(1).integers(0, 50, (40, 50))
    w = whole.of(whole.parts[drawn].mean(axis=1))
    np.testing.assert_allclose(w, [friedman(values[one]).w for one in drawn], rtol=1e-9)


def test_w_of_drawn_incomplete_blocks_is_near_that_of_a_test_of_them():
    rng = np.random.default_rng(2)
    values = rng.random((60, 6)) + 0.1 * np.arange(6)
    values[rng.random(values.shape) < 0.3] = np.nan
    whole = Concordance(values)
    assert whole.n == 60
    drawn = rng.integers(0, 60, (200, 60))
    exact = np.array([friedman(values[one]).w for one in drawn])
    assert np.std(whole.of(whole.parts[drawn].mean(axis=1)) - exact) < exact.std() / 5


def test_w_of_drawn_blocks_lies_above_and_is_corrected():
    values = np.random.default_rng(1).random((40, 5)) + 0.1 * np.arange(5)
    whole = Concordance(values)
    assert whole.bias() == pytest.approx((1 - whole.w) / 40)
    means = whole.parts[np.random.default_rng(2).integers(0, 40, (20_000, 40))].mean(axis=1)
    assert whole.of(means).mean() == pytest.approx(whole.w + whole.bias(), rel=0.02)
    assert whole.of_drawn(means, whole.bias()).mean() == pytest.approx(whole.w, rel=0.02)


def test_w_of_drawn_clusters_is_corrected_for_their_number():
    values = np.repeat(np.random.default_rng(3).random((40, 5)) + 0.2 * np.arange(5), 3, axis=0)
    clusters = np.repeat(np.arange(40), 3)
    whole = Concordance(values)
    assert whole.bias(clusters) == pytest.approx((1 - whole.w) / 40)  # three copies are one block
    assert whole.bias() == pytest.approx((1 - whole.w) / 120)


def test_each_block_s_part_in_w_adds_up_to_it_and_is_its_derivative():
    rng = np.random.default_rng(4)
    values = np.round(rng.random((30, 5)) + 0.2 * np.arange(5), 1)
    values[rng.random(values.shape) < 0.1] = np.nan
    whole = Concordance(values)
    parts = whole.influences()
    assert parts.mean() == pytest.approx(whole.w)
    for i in (0, 7, 29):  # one block a millionth heavier
        weights = np.ones(30) + 1e-6 * (np.arange(30) == i)
        heavier = whole.of(np.average(whole.parts, axis=0, weights=weights)[None])[0]
        assert (heavier - whole.w) / 1e-6 * 30 == pytest.approx(parts[i] - whole.w, abs=1e-3)


@pytest.mark.parametrize("order", [True, False])
def test_the_interval_holds_w_and_stays_in_its_range(order):
    """Also where all agree and where nobody does."""
    rng = np.random.default_rng(5)
    for n in (10, 12, 30):
        for effect in (0.0, 0.5, 3.0):
            values = rng.random((n, 4)) + effect * np.arange(4) if order else np.round(rng.random((n, 4)))
            each = Concordances([Concordance(values)], n)
            found = bootstrap_intervals(
                each.parts, derive=each.of, drawn=each.of_drawn, hidden=each.parts.shape[1], replicates=300
            )
            assert 0 <= found.low[0] <= Concordance(values).w <= found.high[0] <= 1


def test_average_ranks_equal_scipy():
    values = np.random.default_rng(3).integers(0, 4, (20, 9))
    ranks, tied = average_ranks(values)
    np.testing.assert_array_equal(ranks, stats.rankdata(values, axis=1))
    assert (tied[0] == [np.count_nonzero(values[0] == value) for value in values[0]]).all()
