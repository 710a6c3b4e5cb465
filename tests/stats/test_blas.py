"""Threads of matrix products over units: one where there are few, and what there were afterwards."""

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from xlbias.blas import threads_for
from xlbias.stats.bootstrap import bootstrap_intervals
from xlbias.stats.max_t import flip_tests


def threads() -> set[int]:
    return {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}


@pytest.fixture(autouse=True)
def two_threads():
    with threadpool_limits(2, user_api="blas"):
        yield


@pytest.mark.parametrize(("n_units", "expected"), [(2, 1), (255, 1), (256, 2), (10_000, 2)])
def test_few_units_have_one_thread(n_units, expected):
    with threads_for(n_units):
        assert threads() == {expected}
    assert threads() == {2}


def test_intervals_of_few_ids_are_drawn_with_one_thread():
    seen = []

    def derive(means):
        seen.append(threads())
        return means[:, :1]

    values = np.random.default_rng(0).standard_normal((300, 2))
    for n in (20, 300):
        bootstrap_intervals(values[:n], drawn=derive, derive=lambda means: means[:, :1], replicates=50)
    assert seen[0] == {1}
    assert seen[-1] == {2}


def test_flips_of_few_ids_leave_threads_as_they_were():
    flip_tests(np.random.default_rng(0).standard_normal((20, 3)), np.zeros(3, np.int64), permutations=50)
    assert threads() == {2}
