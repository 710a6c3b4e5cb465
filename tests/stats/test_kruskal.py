"""Kruskal–Wallis p against scipy.stats.kruskal and the worked numbers of the specification."""

import numpy as np
import pytest
from scipy import stats

from xlbias.stats.kruskal import kruskal_p


def test_the_numbers_of_the_specification():
    languages = ["de", "de", "de", "en", "en", "en"]
    assert kruskal_p(np.array([1, 3, 5, 2, 4, 6]), languages) == pytest.approx(0.512691, abs=5e-7)
    assert kruskal_p(np.array([1, 2, 3, 4, 5, 6]), languages) == pytest.approx(0.049535, abs=5e-7)


def test_one_passage_per_language_is_a_constant_whatever_the_ranking():
    rng = np.random.default_rng(0)
    for _ in range(5):
        assert kruskal_p(rng.choice(13_014, 11, replace=False) + 1, np.arange(11)) == pytest.approx(0.440493, abs=5e-7)


@pytest.mark.parametrize("seed", range(6))
def test_equals_scipy_also_with_ties_and_uneven_groups(seed):
    rng = np.random.default_rng(seed)
    groups = np.concatenate([np.arange(4), rng.integers(0, 4, 30)])
    ranks = rng.integers(1, 30 if seed % 2 else 5000, 34)
    theirs = stats.kruskal(*(ranks[groups == group] for group in range(4))).pvalue
    assert kruskal_p(ranks, groups) == pytest.approx(theirs, rel=1e-11)


def test_undefined():
    assert np.isnan(kruskal_p(np.array([1, 2]), ["de", "de"]))
    assert np.isnan(kruskal_p(np.array([]), []))
    assert np.isnan(kruskal_p(np.array([4, 4, 4]), ["de", "de", "en"]))
    with pytest.raises(ValueError, match="one group per rank"):
        kruskal_p(np.array([1, 2]), ["de"])
