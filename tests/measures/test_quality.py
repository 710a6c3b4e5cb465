"""Measures on hand-worked rankings and their edges."""

import numpy as np
import pytest

from xlbias.measures.quality.average_precision import average_precision
from xlbias.measures.quality.ndcg import ndcg
from xlbias.measures.quality.precision import precision
from xlbias.measures.quality.recall import recall
from xlbias.measures.quality.reciprocal_rank import reciprocal_rank
from xlbias.measures.quality.success import success
from xlbias.measures.ragged import Rankings

THREE = Rankings.of([[1, 3], [2], []])


def test_average_precision_by_hand():
    assert average_precision(THREE)[:2] == pytest.approx([(1 / 1 + 2 / 3) / 2, 1 / 2])


def test_with_a_cut_off_the_divisor_stays_the_number_of_relevants():
    assert average_precision(THREE, k=2)[:2] == pytest.approx([1 / 2, 1 / 2])


def test_a_query_without_relevants_is_undefined_never_zero():
    for values in (
        average_precision(THREE), reciprocal_rank(THREE), success(THREE, 1), recall(THREE, 1), precision(THREE, 1),
        ndcg(THREE, 10),
    ):  # fmt: skip
        assert np.isnan(values[2])
        assert np.isfinite(values[:2]).all()


def test_cut_off_measures_by_hand():
    assert reciprocal_rank(THREE)[:2] == pytest.approx([1, 1 / 2])
    assert reciprocal_rank(THREE, k=1)[:2] == pytest.approx([1, 0])
    assert success(THREE, 1)[:2] == pytest.approx([1, 0])
    assert recall(THREE, 2)[:2] == pytest.approx([1 / 2, 1])
    assert precision(THREE, 10)[:2] == pytest.approx([2 / 10, 1 / 10])
    ideal = 1 + 1 / np.log2(3)
    assert ndcg(THREE, 10)[:2] == pytest.approx([(1 + 1 / np.log2(4)) / ideal, 1 / np.log2(3)])


def test_no_rankings_at_all():
    assert average_precision(Rankings.of([])).shape == (0,)
    assert ndcg(Rankings.of([[]]), 10).shape == (1,)
