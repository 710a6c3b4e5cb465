"""The tail of the χ² distribution against scipy."""

import math

import pytest
from scipy.stats import chi2

from xlbias.stats.chi2 import chi2_tail


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 10, 11, 99])
@pytest.mark.parametrize("x", [0.01, 0.5, 3.84, 10.0, 120.0, 765.9])
def test_the_tail_is_that_of_scipy(degrees, x):
    assert chi2_tail(degrees, x) == pytest.approx(chi2.sf(x, degrees), rel=1e-10)


def test_edges():
    assert chi2_tail(3, 0.0) == 1.0
    assert chi2_tail(3, -1.0) == 1.0
    assert math.isnan(chi2_tail(3, math.nan))
    assert chi2_tail(10, 5000.0) == 0.0
