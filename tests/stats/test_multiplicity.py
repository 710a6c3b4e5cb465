"""Adjusted p-values against statsmodels and scipy.stats, and by hand."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from xlbias.stats.multiplicity import benjamini_hochberg, holm


def p_values(seed):
    p = np.random.default_rng(seed).random(132) ** 3
    p[:20] = np.round(p[:20], 1)  # ties, zeros
    return p


@pytest.mark.parametrize("seed", range(5))
def test_equal_statsmodels_and_scipy(seed):
    p = p_values(seed)
    np.testing.assert_allclose(holm(p), multipletests(p, method="holm")[1], rtol=1e-13)
    np.testing.assert_allclose(benjamini_hochberg(p), multipletests(p, method="fdr_bh")[1], rtol=1e-13)
    np.testing.assert_allclose(benjamini_hochberg(p), stats.false_discovery_control(p), rtol=1e-13)


def test_by_hand():
    p = np.array([0.04, 0.01, 0.03])
    np.testing.assert_allclose(holm(p), [0.06, 0.03, 0.06])
    np.testing.assert_allclose(benjamini_hochberg(p), [0.04, 0.03, 0.04])


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
def test_an_untested_cell_is_passed_through_and_not_counted(adjust):
    p = p_values(9)
    with_gaps = np.full(2 * len(p), np.nan)
    with_gaps[::2] = p
    np.testing.assert_array_equal(adjust(with_gaps)[::2], adjust(p))
    assert np.isnan(adjust(with_gaps)[1::2]).all()


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
def test_edges(adjust):
    assert adjust(np.array([0.03])).tolist() == [0.03]
    assert adjust(np.ones(4)).tolist() == [1] * 4
    assert adjust(np.array([])).shape == (0,)
    assert np.isnan(adjust(np.full(3, np.nan))).all()
    p = p_values(0)
    before = p.copy()
    assert (adjust(p) >= p).all() and (adjust(p) <= 1).all()
    assert (p == before).all()
    with pytest.raises(ValueError, match="n_tests"):
        adjust(np.ones((2, 2)))
