"""The relative drop, by hand."""

import numpy as np
import pytest

from xlbias.measures.shift import relative_drop


def test_the_share_that_is_lost():
    assert relative_drop(np.array(0.8), np.array([0.6, 0.8, 1.0])).tolist() == pytest.approx([0.25, 0.0, -0.25])


def test_where_low_is_good_a_rise_is_a_loss():
    assert relative_drop(np.array(100.0), np.array([150.0, 50.0]), "low").tolist() == [0.5, -0.5]


def test_a_negative_value_at_home_keeps_the_sign_of_a_loss():
    assert relative_drop(np.array(-2.0), np.array(-3.0)).item() == pytest.approx(0.5)


def test_nothing_to_lose_and_nothing_known_are_undefined():
    drop = relative_drop(np.array([0.0, np.nan, 1.0]), np.array([0.5, 0.5, np.nan]))
    assert np.isnan(drop).all()
