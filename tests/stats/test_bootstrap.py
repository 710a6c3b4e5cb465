"""Intervals against a literal loop, scipy.stats.bootstrap, and Student's interval; how often they hold the truth."""

import numpy as np
import pytest
from scipy import stats
from support import bca_by_the_book

from xlbias.stats.bootstrap import FEWEST_UNITS, bootstrap_intervals
from xlbias.stats.friedman import Concordance, Concordances

REPLICATES = 400


def sparse_matrix(n_ids=40, n_columns=12, seed=0):
    """Values in which every column lacks other ids, down to 10 ids in the last but one and 9 in the last."""
    rng = np.random.default_rng(seed)
    values = rng.random((n_ids, n_columns))
    for column, share in enumerate(np.linspace(0, 0.6, n_columns - 2)):
        values[rng.random(n_ids) < share, column] = np.nan
    values[10:, -2] = np.nan
    values[9:, -1] = np.nan
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


def left_out_one_by_one(values, number):
    return np.array([number(np.delete(values, i, axis=0)) for i in range(len(values))])


def test_uneven_columns_equal_a_loop_over_the_same_draws():
    values = sparse_matrix()
    means = replicate_means_one_by_one(values)
    intervals = bootstrap_intervals(values, replicates=REPLICATES)
    for column in range(values.shape[1] - 1):
        own = values[:, column]
        expected = bca_by_the_book(
            means[:, column], np.nanmean(own), left_out_one_by_one(own, np.nanmean), (~np.isnan(own)).sum()
        )
        ends = (intervals.low[column], intervals.high[column])
        assert ends == pytest.approx(expected, rel=1e-9)


def test_derived_quantities_equal_the_same_loop():
    values = sparse_matrix()[:, :4]
    means = replicate_means_one_by_one(values)

    def macro_and_product(columns):
        return np.stack([columns.mean(axis=1), columns[:, 0] * columns[:, 1]], axis=1)

    intervals = bootstrap_intervals(values, derive=macro_and_product, replicates=REPLICATES, confidence=0.9)
    for i in range(2):
        number = lambda rows: macro_and_product(np.nanmean(rows, axis=0)[None])[0, i]  # noqa: E731, B023
        expected = bca_by_the_book(
            macro_and_product(means)[:, i], number(values), left_out_one_by_one(values, number), len(values), 0.9
        )
        assert (intervals.low[4 + i], intervals.high[4 + i]) == pytest.approx(expected, rel=1e-9)


def test_agrees_with_scipy_up_to_the_noise_of_sampling_and_the_width_of_t():
    values = np.random.default_rng(1).exponential(size=(2000, 1))
    theirs = stats.bootstrap(
        (values[:, 0],), np.mean, n_resamples=10_000, method="BCa", rng=np.random.default_rng(5)
    ).confidence_interval
    ours = bootstrap_intervals(values)
    noise = 0.04 * (theirs.high - theirs.low)  # 4 Monte Carlo errors of the difference of two such percentiles
    assert ours.low[0] == pytest.approx(theirs.low, abs=noise)
    assert ours.high[0] == pytest.approx(theirs.high, abs=noise)


def test_for_symmetric_values_it_is_students_interval():
    values = np.random.default_rng(2).standard_normal((1190, 50))
    ours = bootstrap_intervals(values)
    error = values.std(axis=0, ddof=1) / np.sqrt(1190)
    noise = 6 * 0.0267 * error.max()  # sqrt(0.025 * 0.975 / 10,000) / density(1.96), and as much from the bias
    width = stats.t.ppf(0.975, 1189)
    np.testing.assert_allclose(ours.low, values.mean(axis=0) - width * error, rtol=0, atol=noise)
    np.testing.assert_allclose(ours.high, values.mean(axis=0) + width * error, rtol=0, atol=noise)


@pytest.mark.parametrize(("n", "at_least"), [(10, 0.895), (20, 0.93), (50, 0.94)])
def test_few_skewed_values_have_intervals_that_hold_the_truth(n, at_least):
    """AP of hard questions, 1 / rank. Plain percentiles hold it in .86, .91 and .94 of the samples."""

    def hard(rng, shape):
        return 1 / np.ceil(np.exp(np.abs(rng.normal(3, 2, shape))))

    truth = hard(np.random.default_rng(0), 2_000_000).mean()
    held = bootstrap_intervals(hard(np.random.default_rng(1), (n, 1500)), replicates=1999)
    share = ((held.low <= truth) & (truth <= held.high)).mean()
    assert at_least <= share <= 0.985


def test_documents_are_drawn_whole():
    """40 documents of 1 to 9 ids that share a level: by id the interval would be far too short."""
    rng = np.random.default_rng(8)
    clusters = np.repeat(np.arange(40), rng.integers(1, 10, 40))
    values = rng.standard_normal(40)[clusters, None] + 0.1 * rng.standard_normal((len(clusters), 3))
    values[rng.random(values.shape) < 0.2] = np.nan
    ours = bootstrap_intervals(values, clusters=clusters, replicates=REPLICATES)
    drawn = np.random.default_rng(0).integers(0, 40, (REPLICATES, 40))
    for column in range(3):
        own = values[:, column]
        means = np.array([np.nanmean(np.concatenate([own[clusters == c] for c in one])) for one in drawn])
        left_out = np.array([np.nanmean(own[clusters != c]) for c in range(40)])
        n = len(set(clusters[~np.isnan(own)]))
        expected = bca_by_the_book(means, np.nanmean(own), left_out, n)
        assert (ours.low[column], ours.high[column]) == pytest.approx(expected, rel=1e-9)
    by_id = bootstrap_intervals(values, replicates=REPLICATES)
    assert ((ours.high - ours.low) > 1.8 * (by_id.high - by_id.low)).all()
    alone = bootstrap_intervals(values, clusters=np.arange(len(values)), replicates=REPLICATES)
    assert alone.low == pytest.approx(by_id.low) and alone.high == pytest.approx(by_id.high)
    with pytest.raises(ValueError, match="a cluster for each"):
        bootstrap_intervals(values, clusters=clusters[:-1])


def test_a_difference_of_correlated_columns_has_a_narrow_interval():
    rng = np.random.default_rng(3)
    difficulty = rng.standard_normal((300, 1))
    values = difficulty + 0.1 * rng.standard_normal((300, 2))
    ours = bootstrap_intervals(values, derive=lambda means: means[:, :1] - means[:, 1:], replicates=2000)
    assert (ours.high - ours.low)[2] == pytest.approx(
        2 * 1.96 * np.std(values[:, 0] - values[:, 1]) / np.sqrt(300), rel=0.1
    )
    assert (ours.high - ours.low)[2] < (ours.high - ours.low)[:2].min() / 5


def test_kendalls_w_has_an_interval_and_what_it_is_made_of_has_none():
    rng = np.random.default_rng(4)
    order = np.argsort(rng.standard_normal((200, 5)) + np.arange(5), axis=1)
    ranks = np.argsort(order, axis=1) + 1.0
    each = Concordances([Concordance(ranks)], 200)
    ours = bootstrap_intervals(each.parts, derive=each.of, drawn=each.of_drawn, hidden=7, replicates=2000)
    assert ours.low.shape == (1,)  # hidden columns have none
    assert ours.low[0] < Concordance(ranks).w < ours.high[0]
    assert ours.high[0] - ours.low[0] < 0.15


def test_same_seed_same_bits_and_another_seed_others():
    values = sparse_matrix()
    first, again = bootstrap_intervals(values, replicates=500), bootstrap_intervals(values, replicates=500)
    assert first.low.tobytes() == again.low.tobytes() and first.high.tobytes() == again.high.tobytes()
    assert bootstrap_intervals(values, replicates=500, seed=1).low[0] != first.low[0]


def test_a_column_has_the_same_interval_alone_as_among_many():
    values = np.random.default_rng(0).random((300, 2000))  # wide enough for several chunks
    many, alone = bootstrap_intervals(values, replicates=600), bootstrap_intervals(values[:, 7:8], replicates=600)
    assert many.low[7] == pytest.approx(alone.low[0], rel=1e-12)
    assert many.high[7] == pytest.approx(alone.high[0], rel=1e-12)


def test_fewer_than_ten_units_have_no_interval():
    values = sparse_matrix()
    ours = bootstrap_intervals(values, replicates=100)
    assert np.isfinite(ours.low[:-1]).all() and np.isnan(ours.low[-1]) and np.isnan(ours.high[-1])
    few = FEWEST_UNITS - 1
    alone = sparse_matrix()[:, -1:].repeat(3, axis=1)
    for rows in (np.ones((few, 3)), np.full((40, 3), np.nan), np.empty((0, 3)), alone):
        ours = bootstrap_intervals(rows, derive=lambda means: means.mean(axis=1, keepdims=True), replicates=100)
        assert ours.low.shape == (4,) and np.isnan(ours.low).all() and np.isnan(ours.high).all()
    of_nine = bootstrap_intervals(values[:, :3], clusters=np.arange(40) % few, replicates=100)
    assert np.isnan(of_nine.low).all()


def test_equal_values_have_an_interval_of_no_width():
    ours = bootstrap_intervals(np.full((20, 1), 0.1), replicates=100)
    assert (ours.low[0], ours.high[0]) == pytest.approx((0.1, 0.1), rel=1e-12)


def test_no_columns_and_no_replicates():
    assert bootstrap_intervals(np.empty((5, 0)), replicates=10).low.shape == (0,)
    with pytest.raises(ValueError, match="replicate"):
        bootstrap_intervals(np.ones((5, 1)), replicates=0)


def test_equal_columns_and_whole_numbers_have_the_intervals_that_they_have_alone():
    """They are drawn once, and in float32, which no end may show; also where sums are too large for it."""
    rng = np.random.default_rng(6)
    flags, values = rng.integers(0, 2, (60, 3)).astype(np.float64), rng.random((60, 2))
    ranks = rng.integers(1, 1 << 40, (60, 2)).astype(np.float64)
    gaps = np.where(rng.random((60, 1)) < 0.3, np.nan, flags[:, :1])
    table = np.hstack([flags, values, ranks, flags[:, :1], gaps, values[:, :1], gaps])

    def spread(means):
        return np.stack([means.max(axis=1) - means.min(axis=1), means[:, 0] - means[:, 7]], axis=1)

    found = bootstrap_intervals(table, derive=spread, replicates=REPLICATES)
    for column in range(table.shape[1]):
        alone = bootstrap_intervals(table[:, [column]], replicates=REPLICATES)
        assert (found.low[column], found.high[column]) == pytest.approx((alone.low[0], alone.high[0]), rel=1e-12)
    means = replicate_means_one_by_one(table)
    of_flags = bca_by_the_book(means[:, 0], flags[:, 0].mean(), left_out_one_by_one(flags[:, 0], np.mean), len(flags))
    assert (found.low[0], found.high[0]) == pytest.approx(of_flags, rel=1e-9)
    assert (found.low[-1], found.high[-1]) == (0, 0)  # columns that are equal always differ by nothing
    hidden = bootstrap_intervals(table, derive=spread, hidden=4, replicates=REPLICATES)
    assert hidden.low == pytest.approx(np.delete(found.low, range(7, 11)), rel=1e-12)
