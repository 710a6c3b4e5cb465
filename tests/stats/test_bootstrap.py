"""Percentile intervals against a literal loop, scipy.stats.bootstrap and the normal interval."""

import numpy as np
import pytest
from scipy import stats

from xlbias.stats.bootstrap import percentile_intervals
from xlbias.stats.friedman import kendall_w_of_mean_ranks

REPLICATES = 400


def sparse_matrix(n_ids=30, n_columns=12, seed=0):
    """Values in which every column lacks other ids, down to 2 ids in the last but one and 1 in the last."""
    rng = np.random.default_rng(seed)
    values = rng.random((n_ids, n_columns))
    for column, share in enumerate(np.linspace(0, 0.8, n_columns - 2)):
        values[rng.random(n_ids) < share, column] = np.nan
    values[2:, -2] = np.nan
    values[1:, -1] = np.nan
    return values


def replicate_means_one_by_one(values, seed=0):
    n_ids = len(values)
    drawn = np.random.default_rng(seed).integers(0, n_ids, (REPLICATES, n_ids))
    means = np.full((REPLICATES, values.shape[1]), np.nan)
    for replicate, ids in enumerate(drawn):
        for column in range(values.shape[1]):
            there = [values[i, column] for i in ids if not np.isnan(values[i, column])]
            if there:
                means[replicate, column] = sum(there) / len(there)
    return means


def test_uneven_columns_equal_a_loop_over_the_same_draws():
    values = sparse_matrix()
    means = replicate_means_one_by_one(values)
    assert np.isnan(means[:, -2]).any()  # replicates without either of its two ids are left out
    intervals = percentile_intervals(values, replicates=REPLICATES)
    expected = np.nanquantile(means, [0.025, 0.975], axis=0)
    np.testing.assert_allclose(intervals.low[:-1], expected[0, :-1], rtol=1e-12)
    np.testing.assert_allclose(intervals.high[:-1], expected[1, :-1], rtol=1e-12)


def test_derived_quantities_equal_the_same_loop():
    values = sparse_matrix()[:, :4]
    means = replicate_means_one_by_one(values)

    def macro_and_gap(columns):
        return np.stack([columns.mean(axis=1), columns[:, 0] - columns[:, 1]], axis=1)

    intervals = percentile_intervals(values, derive=macro_and_gap, replicates=REPLICATES, confidence=0.9)
    expected = np.quantile(np.hstack([means, macro_and_gap(means)]), [0.05, 0.95], axis=0)
    np.testing.assert_allclose(intervals.low, expected[0], rtol=1e-12)
    np.testing.assert_allclose(intervals.high, expected[1], rtol=1e-12)


def test_agrees_with_scipy_up_to_the_noise_of_sampling():
    values = np.random.default_rng(1).exponential(size=(200, 1))
    theirs = stats.bootstrap(
        (values[:, 0],), np.mean, n_resamples=10_000, method="percentile", rng=np.random.default_rng(5)
    ).confidence_interval
    ours = percentile_intervals(values)
    noise = 0.04 * (theirs.high - theirs.low)  # 4 Monte Carlo errors of the difference of two such percentiles
    assert ours.low[0] == pytest.approx(theirs.low, abs=noise)
    assert ours.high[0] == pytest.approx(theirs.high, abs=noise)


def test_for_many_ids_it_is_the_normal_interval():
    values = np.random.default_rng(2).standard_normal((1190, 50))
    ours = percentile_intervals(values)
    error = values.std(axis=0) / np.sqrt(1190)
    noise = 4 * 0.0267 * error.max()  # sqrt(0.025 * 0.975 / 10,000) / density(1.96): what one percentile is off by
    np.testing.assert_allclose(ours.low, values.mean(axis=0) - 1.959964 * error, rtol=0, atol=noise)
    np.testing.assert_allclose(ours.high, values.mean(axis=0) + 1.959964 * error, rtol=0, atol=noise)


def test_a_difference_of_correlated_columns_has_a_narrow_interval():
    rng = np.random.default_rng(3)
    difficulty = rng.standard_normal((300, 1))
    values = difficulty + 0.1 * rng.standard_normal((300, 2))
    ours = percentile_intervals(values, derive=lambda means: means[:, :1] - means[:, 1:], replicates=2000)
    assert (ours.high - ours.low)[2] == pytest.approx(
        2 * 1.96 * np.std(values[:, 0] - values[:, 1]) / np.sqrt(300), rel=0.1
    )
    assert (ours.high - ours.low)[2] < (ours.high - ours.low)[:2].min() / 5


def test_kendalls_w_from_mean_ranks_has_an_interval():
    rng = np.random.default_rng(4)
    order = np.argsort(rng.standard_normal((200, 5)) + np.arange(5), axis=1)
    ranks = np.argsort(order, axis=1) + 1.0
    w = kendall_w_of_mean_ranks(ranks.mean(axis=0))
    ours = percentile_intervals(ranks, derive=lambda means: kendall_w_of_mean_ranks(means)[:, None], replicates=2000)
    assert ours.low.shape == (6,)
    assert ours.low[5] < w < ours.high[5]
    assert ours.high[5] - ours.low[5] < 0.15


def test_same_seed_same_bits_and_another_seed_others():
    values = sparse_matrix()
    first, again = percentile_intervals(values, replicates=500), percentile_intervals(values, replicates=500)
    assert first.low.tobytes() == again.low.tobytes() and first.high.tobytes() == again.high.tobytes()
    assert percentile_intervals(values, replicates=500, seed=1).low[0] != first.low[0]


def test_a_column_has_the_same_interval_alone_as_among_many():
    values = np.random.default_rng(0).random((300, 2000))  # wide enough for several chunks
    many, alone = percentile_intervals(values, replicates=600), percentile_intervals(values[:, 7:8], replicates=600)
    assert many.low[7] == pytest.approx(alone.low[0], rel=1e-12)
    assert many.high[7] == pytest.approx(alone.high[0], rel=1e-12)


def test_fewer_than_two_ids_have_no_interval():
    values = sparse_matrix()
    ours = percentile_intervals(values, replicates=100)
    assert np.isfinite(ours.low[:-1]).all() and np.isnan(ours.low[-1]) and np.isnan(ours.high[-1])
    for few in (np.ones((1, 3)), np.full((4, 3), np.nan), np.empty((0, 3)), sparse_matrix()[:, -1:].repeat(3, axis=1)):
        ours = percentile_intervals(few, derive=lambda means: means.mean(axis=1, keepdims=True), replicates=100)
        assert ours.low.shape == (4,) and np.isnan(ours.low).all() and np.isnan(ours.high).all()


def test_equal_values_have_an_interval_of_no_width():
    ours = percentile_intervals(np.full((20, 1), 0.1), replicates=100)
    assert (ours.low[0], ours.high[0]) == pytest.approx((0.1, 0.1), rel=1e-12)


def test_no_columns_and_no_replicates():
    assert percentile_intervals(np.empty((5, 0)), replicates=10).low.shape == (0,)
    with pytest.raises(ValueError, match="replicate"):
        percentile_intervals(np.ones((5, 1)), replicates=0)
