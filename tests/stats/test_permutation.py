"""The sign-flip test against all 2^n sign patterns, scipy.stats.permutation_test and a literal loop."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from xlbias.stats.permutation import random_signs, sign_flip


def test_sampled_p_is_that_of_all_1024_sign_patterns():
    differences = np.random.default_rng(0).standard_normal((10, 6)) + 0.4 * np.arange(6)
    patterns = np.array(list(product((-1.0, 1.0), repeat=10)))
    exact = (np.abs(patterns @ differences) >= np.abs(differences.sum(axis=0)) - 1e-9).mean(axis=0)
    noise = 3.5 * np.sqrt(exact * (1 - exact) / 10_000) + 1e-4
    assert (np.abs(sign_flip(differences) - exact) < noise).all()


def test_agrees_with_scipy_up_to_the_noise_of_sampling():
    one, other = np.random.default_rng(1).random((2, 40))
    other = 0.5 * other + 0.5 * one - 0.03
    theirs = stats.permutation_test(
        (one, other), lambda x, y: np.mean(x - y), permutation_type="samples", n_resamples=10_000,
        rng=np.random.default_rng(5),
    ).pvalue  # fmt: skip
    ours = sign_flip((one - other)[:, None])[0]
    assert 0.02 < theirs < 0.98
    assert ours == pytest.approx(theirs, abs=3.5 * np.sqrt(2 * theirs * (1 - theirs) / 10_000))


def test_uneven_columns_equal_a_loop_over_the_same_signs():
    rng = np.random.default_rng(2)
    differences = rng.integers(-3, 5, (70, 8)).astype(float)  # whole numbers: many sums tie exactly
    for column in range(8):
        differences[rng.random(70) < column / 9, column] = np.nan
    signs = random_signs(np.random.default_rng(0), 300, 70)
    expected = []
    for column in differences.T:
        there = ~np.isnan(column)
        observed = abs(column[there].mean())
        count = sum(abs((row[there] * column[there]).mean()) >= observed - 1e-12 for row in signs)
        expected.append((count + 1) / 301)
    np.testing.assert_allclose(sign_flip(differences, permutations=300), expected, rtol=0, atol=1e-15)


def test_signs_are_fair_and_independent_bits():
    signs = random_signs(np.random.default_rng(3), 4000, 130)  # 130 ids: three words, the last one cut
    assert signs.shape == (4000, 130) and set(np.unique(signs)) == {-1, 1}
    assert np.abs(signs.mean(axis=0)).max() < 4.5 / np.sqrt(4000)
    correlation = np.corrcoef(signs.T)
    assert np.abs(correlation - np.eye(130)).max() < 5.5 / np.sqrt(4000)


def test_equal_sums_count_whatever_the_order_of_rounding():
    differences = np.tile([0.1, 0.2, 0.3, -0.1, -0.2, -0.3], 20)[:, None]  # observed sum is 0 but for rounding
    assert sign_flip(differences)[0] == 1
    same_size = np.full((12, 1), 0.1)
    assert sign_flip(same_size)[0] == pytest.approx(2 / 2**12, abs=0.0009)  # all + or all −


def test_zeros_one_id_and_none():
    nan = np.nan
    differences = np.array([[0.0, 0.7, nan, 0.0], [0.0, nan, nan, 0.0], [0.0, nan, nan, nan]])
    p = sign_flip(differences, permutations=200)
    assert p[0] == p[1] == p[3] == 1
    assert np.isnan(p[2])
    assert np.isnan(sign_flip(np.empty((0, 2)))).all()
    assert sign_flip(np.empty((3, 0))).shape == (0,)


def test_p_is_never_zero_and_the_smallest_is_one_in_b_plus_one():
    assert sign_flip(np.ones((200, 1)) + np.arange(200)[:, None] / 1e3, permutations=999)[0] == 1 / 1000


def test_same_seed_same_bits_and_the_other_columns_do_not_matter():
    differences = np.random.default_rng(4).standard_normal((300, 9000))  # wide enough for several chunks
    p = sign_flip(differences, permutations=500)
    assert p.tobytes() == sign_flip(differences, permutations=500).tobytes()
    assert p[11] == sign_flip(differences[:, 11:12], permutations=500)[0]
    assert (p != sign_flip(differences, permutations=500, seed=1)).any()


def test_swapping_the_runs_changes_nothing():
    differences = np.random.default_rng(5).standard_normal((50, 20)) + 0.2
    assert (sign_flip(differences) == sign_flip(-differences)).all()


def test_no_permutations_is_an_error():
    with pytest.raises(ValueError, match="permutation"):
        sign_flip(np.ones((3, 1)), permutations=0)
