"""Means over ids of columns with gaps."""

import numpy as np
import pytest

from xlbias.stats.means import column_means

NAN = np.nan


def test_a_missing_id_is_left_out_and_counted_never_zero():
    means, n = column_means(np.array([[1.0, NAN, NAN], [2.0, 4.0, NAN], [6.0, 0.0, NAN]]))
    assert means[:2].tolist() == [3.0, 2.0]
    assert np.isnan(means[2])
    assert n.tolist() == [3, 2, 0]


def test_no_ids_and_no_columns():
    means, n = column_means(np.empty((0, 2)))
    assert np.isnan(means).all() and n.tolist() == [0, 0]
    assert column_means(np.empty((5, 0)))[0].shape == (0,)


def test_a_wrong_shape_and_an_infinite_value_are_errors():
    with pytest.raises(ValueError, match=r"n_ids, n_columns"):
        column_means(np.ones(3))
    with pytest.raises(ValueError, match="infinite"):
        column_means(np.array([[np.inf]]))
