"""Do the tests err as often as they say? Simulated pairs of runs whose truth is known, seeds fixed.

A column is one simulated pair of runs, so one call tests them all. Rates are held against 99 % binomial intervals.
"""

import numpy as np
import pytest
from scipy import stats

from xlbias.stats.bootstrap import bootstrap_intervals
from xlbias.stats.max_t import flip_tests
from xlbias.stats.multiplicity import benjamini_hochberg, holm
from xlbias.stats.paired import paired_t

pytestmark = pytest.mark.integration  # thousands of studies: `make test` has the time

N_PAIRS, N_IDS, N_LANGUAGES = 2000, 50, 11
WITHIN_99 = stats.binom(N_PAIRS, 0.05).ppf([0.005, 0.995]) / N_PAIRS  # 0.0375 to 0.063


def average_precisions(rng, shift=0.0):
    """AP of two runs: an id is hard or easy in all languages, and each run has ids of its own that it does well.

    Returns the per-query difference [n_ids, n_languages, n_pairs]; `shift` raises the first run, on the logit scale.
    """
    difficulty = 1.5 * rng.standard_normal((N_IDS, 1, N_PAIRS))

    def run(shift):
        by_id = rng.standard_normal((N_IDS, 1, N_PAIRS))
        by_query = 0.5 * rng.standard_normal((N_IDS, N_LANGUAGES, N_PAIRS))
        return 1 / (1 + np.exp(-(difficulty + by_id + by_query + shift)))

    return run(shift) - run(0.0)


@pytest.fixture(scope="module")
def null():
    return average_precisions(np.random.default_rng(20_240_810))


def flips(differences, permutations):
    """p of each column alone."""
    return flip_tests(differences, np.arange(differences.shape[1]), permutations=permutations).p


def rate(p):
    return (p <= 0.05).mean()


def test_clustered_tests_reject_a_true_null_hypothesis_in_one_of_twenty(null):
    by_id = null.mean(axis=1)
    assert WITHIN_99[0] <= rate(flips(by_id, permutations=999)) <= WITHIN_99[1]
    assert WITHIN_99[0] <= rate(paired_t(by_id).p) <= WITHIN_99[1]


def test_clustered_test_holds_its_level_with_translations_missing(null):
    missing = np.random.default_rng(1).random(null.shape) < 0.6
    missing[:20] = True  # ids without any translation
    some = np.where(missing, np.nan, null)
    with np.errstate(invalid="ignore"):
        by_id = np.nansum(some, axis=1) / np.count_nonzero(~missing, axis=1)
    assert np.isnan(by_id).any()
    assert WITHIN_99[0] <= rate(flips(by_id, permutations=999)) <= WITHIN_99[1]


def test_taking_translations_for_independent_rejects_ten_times_too_often(null):
    as_if_independent = null.reshape(-1, N_PAIRS)
    assert rate(flips(as_if_independent, permutations=999)) > 0.4
    assert rate(paired_t(as_if_independent).p) > 0.4


def test_a_planted_difference_is_found_and_half_of_it_less_often():
    rng = np.random.default_rng(3)
    whole = flips(average_precisions(rng, shift=1.0).mean(axis=1), permutations=999)
    half = flips(average_precisions(rng, shift=0.5).mean(axis=1), permutations=999)
    assert rate(whole) > 0.9
    assert np.median(whole) < 0.005
    assert 0.3 < rate(half) < 0.85


def test_intervals_hold_the_true_mean_in_95_of_100_also_with_gaps():
    """2,000 samples of 100 ids."""
    rng = np.random.default_rng(4)
    values = rng.standard_normal((100, N_PAIRS)) + rng.exponential(size=(100, N_PAIRS))  # true mean 1, skewed
    gaps = rng.random(values.shape) < 0.2
    for sample in (values, np.where(gaps, np.nan, values)):
        intervals = bootstrap_intervals(sample, replicates=999)
        assert ((intervals.low <= 1) & (intervals.high >= 1)).mean() == pytest.approx(0.945, abs=0.015)


def test_intervals_of_a_macro_average_hold_the_truth_as_cells_share_their_ids():
    rng = np.random.default_rng(5)
    held = []
    for seed in range(300):
        cells = rng.standard_normal((60, 1)) + 0.5 * rng.standard_normal((60, 11))
        intervals = bootstrap_intervals(
            cells, derive=lambda means: means.mean(axis=1, keepdims=True), replicates=499, seed=seed
        )
        held.append(intervals.low[-1] <= 0 <= intervals.high[-1])
    assert np.mean(held) == pytest.approx(0.94, abs=0.04)


@pytest.mark.parametrize("shared", [0.0, 0.7])
def test_holm_errs_in_at_most_one_matrix_of_twenty(shared):
    """600 matrices of 20 null cells, independent or sharing their ids; uncorrected, most matrices show an error."""
    rng = np.random.default_rng(6)
    n_matrices, n_cells = 600, 20
    of_id = rng.standard_normal((N_IDS, n_matrices, 1))
    of_cell = rng.standard_normal((N_IDS, n_matrices, n_cells))
    cells = np.sqrt(shared) * of_id + np.sqrt(1 - shared) * of_cell
    p = flips(cells.reshape(N_IDS, -1), permutations=1999).reshape(n_matrices, n_cells)
    errs = np.array([(holm(row) <= 0.05).any() for row in p])
    assert 0 < errs.mean() <= stats.binom(n_matrices, 0.05).ppf(0.995) / n_matrices
    assert (p <= 0.05).any(axis=1).mean() > (0.5 if shared == 0 else 0.25)


def test_benjamini_hochberg_keeps_the_false_discovery_rate():
    """600 matrices, 10 of 20 cells differ: of the cells marked at 0.05, half of 5 % are false on average."""
    rng = np.random.default_rng(7)
    n_matrices, n_cells = 600, 20
    differs = np.arange(n_cells) < 10
    cells = rng.standard_normal((N_IDS, n_matrices, n_cells)) + 0.45 * differs
    p = flips(cells.reshape(N_IDS, -1), permutations=1999).reshape(n_matrices, n_cells)
    marked = np.array([benjamini_hochberg(row) <= 0.05 for row in p])
    false_share = (marked & ~differs).sum(axis=1) / np.maximum(marked.sum(axis=1), 1)
    assert false_share.mean() == pytest.approx(0.025, abs=0.012)  # 4 standard errors
    assert marked[:, differs].mean() > 0.7
    by_holm = np.array([holm(row) <= 0.05 for row in p])
    assert by_holm[:, differs].mean() < marked[:, differs].mean()
