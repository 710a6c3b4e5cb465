"""Step-down max-T against Westfall and Young's algorithm in plain loops over all 2^n flips, and its error rates."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from xlbias.stats import max_t
from xlbias.stats.max_t import distinct, flip_tests, random_signs
from xlbias.stats.multiplicity import holm


def one_family(differences, **more):
    return flip_tests(differences, np.zeros(differences.shape[1], np.int64), **more)


def hall(values):
    """Hall's t of each column, made of textbook moments, and bounded as r is bounded by t / √(t² + df)."""
    n = len(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        t, skewness = values.mean(axis=0) / values.std(axis=0), stats.skew(values, axis=0)
        g = t + skewness * t**2 / 3 + skewness**2 * t**3 / 27 + skewness / (6 * n)
    return np.sqrt(n) * g / np.sqrt(1 + g**2)


def westfall_young(differences, signs):
    """Algorithm 4.1 by the book, on |Hall's t|, one flip after the other."""
    observed = np.abs(hall(differences))
    order = list(np.argsort(-observed, kind="stable"))
    counts = np.ones(len(order))
    for sign in signs:
        flipped, largest = np.abs(hall(differences * np.array(sign)[:, None])), -np.inf
        for place in reversed(range(len(order))):
            largest = max(largest, flipped[order[place]])
            counts[place] += largest >= observed[order[place]] - 1e-6
    adjusted = np.empty(len(order))
    adjusted[order] = np.maximum.accumulate(counts / (len(signs) + 1))
    return adjusted


def test_it_is_westfall_and_youngs_algorithm():
    rng = np.random.default_rng(1)
    differences = rng.standard_normal((10, 1)) * 0.8 + rng.standard_normal((10, 6)) + [0, 0, 0.5, 1, 1.5, 2.5]
    exact = westfall_young(differences, list(product((-1, 1), repeat=10)))
    found = one_family(differences, permutations=20_000)
    assert found.p_family == pytest.approx(exact, abs=0.012)  # 3.5 standard errors of 20,000 flips
    same = np.random.default_rng(5)
    signs = random_signs(same, 300, 10).astype(float)
    assert one_family(differences, permutations=300, seed=5).p_family == pytest.approx(
        westfall_young(differences, signs), abs=1e-12
    )


def test_p_alone_agrees_with_scipy_up_to_the_noise_of_sampling():
    one, other = np.random.default_rng(1).exponential(size=(2, 40))
    theirs = stats.permutation_test(
        (one, 1.6 * other), lambda x, y, axis: hall(np.moveaxis(x - y, axis, 0)), permutation_type="samples",
        n_resamples=10_000, vectorized=True, rng=np.random.default_rng(5),
    ).pvalue  # fmt: skip
    ours = one_family((one - 1.6 * other)[:, None]).p[0]
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
        observed = abs(hall(column[there]))
        count = sum(abs(hall(row[there] * column[there])) >= observed - 1e-6 for row in signs)
        expected.append((count + 1) / 301)
    np.testing.assert_allclose(one_family(differences, permutations=300).p, expected, rtol=0, atol=1e-15)


def test_signs_are_fair_and_independent_bits():
    signs = random_signs(np.random.default_rng(3), 4000, 130)  # 130 ids: three words, the last one cut
    assert signs.shape == (4000, 130) and set(np.unique(signs)) == {-1, 1}
    assert np.abs(signs.mean(axis=0)).max() < 4.5 / np.sqrt(4000)
    correlation = np.corrcoef(signs.T)
    assert np.abs(correlation - np.eye(130)).max() < 5.5 / np.sqrt(4000)


def test_equal_sums_count_whatever_the_order_of_rounding():
    differences = np.tile([0.1, 0.2, 0.3, -0.1, -0.2, -0.3], 20)[:, None]  # observed sum is 0 but for rounding
    assert one_family(differences).p[0] == 1
    same_size = np.full((12, 1), 0.1)
    assert one_family(same_size).p[0] == pytest.approx(2 / 2**12, abs=0.0009)  # all + or all −
    nearly = same_size + 1e-9 * np.arange(12)[:, None]  # a spread of mere rounding
    assert one_family(nearly).p[0] == pytest.approx(2 / 2**12, abs=0.0009)


def test_zeros_one_id_that_differs_and_too_few_units():
    differences = np.random.default_rng(2).standard_normal((40, 7)) + 0.3
    differences[:, 0], differences[:, 1], differences[1:, 1] = np.nan, 1.0, 0.0
    differences[9:, 2], differences[10:, 3], differences[:, 4] = np.nan, np.nan, 0.0
    found = one_family(differences, permutations=999)
    assert np.isnan(found.p[[0, 2]]).all() and np.isnan(found.p_family[[0, 2]]).all()
    assert found.p[1] == found.p[4] == found.p_family[1] == found.p_family[4] == 1.0
    assert np.isfinite(found.p[[3, 5, 6]]).all()
    tested = ~np.isnan(found.p)
    assert (found.p_family >= found.p)[tested].all()
    alone = one_family(differences[:, tested], permutations=999)  # what is not tested is in no family
    assert found.p_family[tested] == pytest.approx(alone.p_family)
    by_document = one_family(differences, clusters=np.arange(40) // 5, permutations=999)  # eight documents
    assert np.isnan(by_document.p).all()
    assert one_family(np.empty((30, 0))).p.shape == (0,)


def test_p_is_never_zero_and_the_smallest_is_one_in_b_plus_one():
    ramp = np.ones((200, 1)) + np.arange(200)[:, None] / 1e3
    assert one_family(ramp, permutations=999).p[0] == 1 / 1000


@pytest.mark.integration  # many draws: `make test` has the time
def test_same_seed_same_bits_and_the_other_columns_do_not_matter():
    differences = np.random.default_rng(4).standard_normal((300, 9000))  # wide enough for several chunks
    p = one_family(differences, permutations=500).p
    assert p.tobytes() == one_family(differences, permutations=500).p.tobytes()
    assert p[11] == one_family(differences[:, 11:12], permutations=500).p[0]
    assert (p != one_family(differences, permutations=500, seed=1).p).any()


def test_swapping_the_runs_changes_nothing():
    differences = np.random.default_rng(5).exponential(size=(50, 20)) - 0.7
    ours, other = one_family(differences), one_family(-differences)
    assert (ours.p == other.p).all() and (ours.p_family == other.p_family).all()


@pytest.mark.parametrize(("n", "at_most"), [(50, 0.065), (200, 0.065), (20, 0.12)])
def test_skewed_differences_of_mean_zero_are_rejected_less_often_than_by_the_mean(n, at_most):
    """One id in five gains, the others lose a little, and the mean is 0: 4,000 pairs of runs."""
    rng = np.random.default_rng(8)
    gains = rng.random((n, 4000)) < 0.2
    differences = np.where(gains, rng.uniform(0.2, 1.0, gains.shape), 0.0) + rng.uniform(-0.3, 0.06, gains.shape)
    p = one_family(differences, permutations=499).p
    signs = random_signs(np.random.default_rng(0), 499, n).astype(float)
    of_mean = ((np.abs(signs @ differences) >= np.abs(differences.sum(axis=0))).sum(axis=0) + 1) / 500
    assert (p <= 0.05).mean() < at_most
    assert (p <= 0.05).mean() < (of_mean <= 0.05).mean()


def test_its_floor_is_that_of_one_test_however_many_there_are_where_holm_can_find_nothing():
    """23 languages: 552 cells, all far better. Holm's smallest p is 552 / 10,001."""
    rng = np.random.default_rng(3)
    differences = 0.9 + 0.05 * rng.standard_normal((200, 552))
    found = one_family(differences)
    assert (found.p_family == found.resolution).all()
    assert found.resolution == 1 / 10_001
    assert (holm(found.p) > 0.05).all()


def test_a_column_that_stands_twice_costs_nothing_and_families_are_apart():
    rng = np.random.default_rng(4)
    differences = rng.standard_normal((60, 8)) + np.linspace(0, 0.6, 8)
    once = one_family(differences).p_family
    assert one_family(np.hstack([differences] * 5)).p_family == pytest.approx(np.tile(once, 5))
    other = rng.standard_normal((60, 300))
    both = flip_tests(np.hstack([other, differences]), np.repeat([7, 2], [300, 8]))
    assert both.p_family[300:] == pytest.approx(once)


def test_a_column_of_few_ids_does_not_overrule_the_others():
    rng = np.random.default_rng(5)
    differences = np.full((100, 2), np.nan)
    differences[:, 0] = 0.9 + rng.standard_normal(100)
    differences[:10, 1] = 1.0  # one flip in 512 has all signs equal, and Student's t is infinite
    found = one_family(differences)
    assert found.p[0] == found.resolution
    assert found.p_family[0] == pytest.approx(found.p[0], abs=2e-4)
    assert found.p_family[1] == pytest.approx(1 / 512, abs=0.0012)


@pytest.mark.parametrize("shared", [0.0, 0.7, 1.0])
def test_it_errs_in_at_most_one_matrix_of_twenty(shared):
    """600 matrices of 20 null cells and 5 that differ; cells independent, correlated, or copies of one another."""
    rng = np.random.default_rng(6)
    n_matrices, n_cells, n_ids = 600, 20, 50
    errs, finds, by_holm = 0, 0, 0
    for _ in range(n_matrices):
        of_id = rng.standard_normal((n_ids, 1))
        null = np.sqrt(shared) * of_id + np.sqrt(1 - shared) * rng.standard_normal((n_ids, n_cells))
        planted = rng.standard_normal((n_ids, 5)) + 0.55
        found = one_family(np.hstack([null, planted]), permutations=499, seed=int(rng.integers(1 << 30)))
        errs += bool((found.p_family[:n_cells] <= 0.05).any())
        finds += int((found.p_family[n_cells:] <= 0.05).sum())
        by_holm += int((holm(found.p)[n_cells:] <= 0.05).sum())
    assert 0 < errs / n_matrices <= stats.binom(n_matrices, 0.05).ppf(0.995) / n_matrices
    assert finds > by_holm


def test_wrong_input():
    with pytest.raises(ValueError, match="at least one permutation"):
        one_family(np.zeros((3, 2)), permutations=0)
    with pytest.raises(ValueError, match="infinite"):
        one_family(np.full((3, 2), np.inf))
    assert one_family(np.empty((0, 2))).p_family == pytest.approx([np.nan] * 2, nan_ok=True)


def test_whatever_is_worked_on_at_once_the_counts_are_the_same(monkeypatch):
    rng = np.random.default_rng(8)
    differences = rng.exponential(size=(30, 40)) - 0.8
    differences[rng.random(differences.shape) < 0.2] = 0
    differences[rng.random(differences.shape) < 0.1] = np.nan
    families = np.arange(40) % 3
    whole = flip_tests(differences, families, permutations=500)
    for name, size in (("_SIGNS", 30 * 70), ("_PRODUCTS", 7 * 70), ("_BLOCK", 2 * 70)):
        monkeypatch.setattr(max_t, name, size)
    parts = flip_tests(differences, families, permutations=500)
    assert np.array_equal(parts.p, whole.p) and np.array_equal(parts.p_family, whole.p_family)
    assert 0.01 < np.median(whole.p_family) < 1


@pytest.mark.parametrize("n", [10, 12])
def test_flips_of_few_ids_that_repeat_are_worked_out_once_and_count_as_often(n, monkeypatch):
    rng = np.random.default_rng(3)
    differences = rng.integers(-3, 5, (n, 30)) / 4  # many ties among flips
    differences[rng.random(differences.shape) < 0.05] = np.nan
    families = np.arange(30) % 4
    found = flip_tests(differences, families, permutations=5_000, seed=2)
    signs, times = distinct(random_signs(np.random.default_rng(2), 5_000, n))
    assert times is not None and times.sum() == 5_000
    assert len(signs) <= 2 ** (n - 1) and len({tuple(one) for one in (signs * signs[:, :1]).tolist()}) == len(signs)
    monkeypatch.setattr(max_t, "_FEW", 0)
    each = flip_tests(differences, families, permutations=5_000, seed=2)
    assert np.array_equal(found.p, each.p, equal_nan=True)
    assert np.array_equal(found.p_family, each.p_family, equal_nan=True)
    assert 0.01 < np.nanmedian(found.p_family) < 1


def test_flips_that_hardly_repeat_are_taken_as_they_are():
    signs = random_signs(np.random.default_rng(0), 1_000, 12)
    same, times = distinct(signs)
    assert times is None and same is signs
