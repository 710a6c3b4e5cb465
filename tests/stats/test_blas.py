"""Threads of matrix products over units: one where there are few, and what there were afterwards."""

import numpy as np
import pytest
import scipy.special  # noqa: F401  # brings a BLAS of its own, which is there from the beginning then
from threadpoolctl import threadpool_info, threadpool_limits

from xlbias.blas import side_by_side, threads_for
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


@pytest.mark.parametrize("n", [20, 300])
def test_products_of_intervals_have_one_thread_each(n):
    seen = []

    def derive(means):
        seen.append(threads())
        return means[:, :1]

    values = np.random.default_rng(0).standard_normal((n, 2))
    bootstrap_intervals(values, drawn=derive, derive=lambda means: means[:, :1], replicates=50)
    assert seen == [{1}]
    assert threads() == {2}


def test_intervals_do_not_depend_on_the_number_of_threads():
    values = np.random.default_rng(1).random((695, 700))
    weights = np.random.default_rng(2).random((700, 8))
    found = []
    for n in (1, 2, 5):
        with threadpool_limits(n, user_api="blas"):
            found.append(bootstrap_intervals(values, derive=lambda means: means @ weights, replicates=2_000))
    for other in found[1:]:
        assert (other.low == found[0].low).all()
        assert (other.high == found[0].high).all()


def test_what_is_side_by_side_is_done_at_the_end_and_raises_what_it_raised():
    done = []
    with side_by_side() as begin:
        for number in range(20):
            begin(done.append, number)
    assert sorted(done) == list(range(20))
    with pytest.raises(ZeroDivisionError), side_by_side() as begin:
        begin(lambda: 1 // 0)
    assert threads() == {2}


def test_flips_of_few_ids_leave_threads_as_they_were():
    flip_tests(np.random.default_rng(0).standard_normal((20, 3)), np.zeros(3, np.int64), permutations=50)
    assert threads() == {2}
