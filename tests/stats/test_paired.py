"""Student's t, effect size and outcomes of paired differences against scipy.stats."""

import numpy as np
import pytest
from scipy import stats

from xlbias.stats.paired import cohens_dz, outcomes, paired_t, t_interval

NAN = np.nan


def test_t_equals_scipy_by_column_also_with_missing_ids():
    rng = np.random.default_rng(0)
    one, other = rng.random((2, 40, 6))
    for column in range(1, 6):
        other[rng.random(40) < column / 7, column] = NAN
    theirs = stats.ttest_rel(one, other, nan_policy="omit")
    ours = paired_t(one - other)
    np.testing.assert_allclose(ours.t, theirs.statistic, rtol=1e-11)
    np.testing.assert_allclose(ours.p, theirs.pvalue, rtol=1e-11)
    np.testing.assert_array_equal(ours.df, theirs.df)


def test_t_of_one_id_of_none_of_zeros_and_of_equal_differences():
    differences = np.array([[1.0, NAN, 0.0, 2.0], [NAN, NAN, 0.0, 2.0], [NAN, NAN, 0.0, 2.0]])
    ours = paired_t(differences)
    np.testing.assert_array_equal(ours.t, [NAN, NAN, 0, np.inf])
    np.testing.assert_array_equal(ours.df, [NAN, NAN, 2, 2])
    np.testing.assert_array_equal(ours.p, [NAN, NAN, 1, 0])


def test_effect_size_is_mean_over_standard_deviation():
    differences = np.array([[1.0, NAN, 0.0], [2.0, 4.0, 0.0], [6.0, NAN, 0.0]])
    np.testing.assert_allclose(cohens_dz(differences), [3 / np.sqrt(7), NAN, 0])


def test_outcomes_add_up_to_n():
    counts = outcomes(np.array([[0.1, NAN], [-0.1, NAN], [0.0, NAN], [0.3, -1.0], [NAN, 0.0]]))
    assert counts.better.tolist() == [2, 0]
    assert counts.equal.tolist() == [1, 1]
    assert counts.worse.tolist() == [1, 1]


def test_interval_over_seeds_equals_scipy():
    seeds = np.array([0.61, 0.64, 0.59])
    theirs = stats.ttest_1samp(seeds, 0).confidence_interval(0.9)
    ours = t_interval(seeds, confidence=0.9)
    assert (ours.mean, ours.low, ours.high) == pytest.approx((seeds.mean(), theirs.low, theirs.high), rel=1e-12)
    assert t_interval(seeds).low == pytest.approx(seeds.mean() - 4.302653 * seeds.std(ddof=1) / np.sqrt(3), rel=1e-6)


def test_one_seed_has_a_mean_but_no_interval():
    one = t_interval(np.array([0.6]))
    assert one.mean == 0.6 and np.isnan(one.low) and np.isnan(one.high)
    assert np.isnan(t_interval(np.array([])).mean)
