"""Step-down max-T against Westfall and Young's algorithm in plain loops over all 2^n flips, and its error rates."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from xlbias.stats.max_t import flip_tests
from xlbias.stats.multiplicity import holm
from xlbias.stats.permutation import random_signs, sign_flip


def one_family(differences, **more):
    return flip_tests(differences, np.zeros(differences.shape[1], np.int64), **more)


def westfall_young(differences, signs):
    """Algorithm 4.1 by the book, on |t|, one flip after the other."""

    def t(values):
        return np.abs(values.mean(axis=0)) / (values.std(axis=0, ddof=1) / np.sqrt(len(values)))

    observed = t(differences)
    order = list(np.argsort(-observed, kind="stable"))
    counts = np.ones(len(order))
    for sign in signs:
        flipped, largest = t(differences * np.array(sign)[:, None]), -np.inf
        for place in reversed(range(len(order))):
            largest = max(largest, flipped[order[place]])
            counts[place] += largest >= observed[order[place]] * (1 - 1e-9)
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


def test_p_alone_is_that_of_the_sign_flip_test_with_gaps_too():
    rng = np.random.default_rng(2)
    differences = np.where(rng.random((40, 9)) < 0.3, np.nan, rng.standard_normal((40, 9)) + 0.3)
    differences[:, 3], differences[1:, 4], differences[:, 5] = np.nan, np.nan, 0.0
    differences[0, 4] = 1.0
    found = one_family(differences, permutations=999)
    assert found.p == pytest.approx(sign_flip(differences, permutations=999), nan_ok=True)
    assert np.isnan(found.p_family[3])
    assert found.p_family[4] == found.p_family[5] == 1.0
    assert (found.p_family >= found.p)[~np.isnan(found.p)].all()


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
    differences[:, 0] = 0.5 + rng.standard_normal(100)
    differences[:3, 1] = [1.0, 1.0, 1.0]  # one flip in four has all signs equal, and Student's t is infinite
    found = one_family(differences)
    assert found.p_family[0] == pytest.approx(found.p[0], abs=2e-4)
    assert found.p_family[1] > 0.2


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
