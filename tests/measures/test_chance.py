"""Chance in closed form: equal to the mean over every order of a small pool, and to simulation in a larger one."""

from itertools import permutations

import numpy as np
import pytest

from xlbias.measures.chance import harmonic, normalised_rank_distance
from xlbias.measures.ragged import Rankings
from xlbias.measures.registry import measures

GRADES = [(4, (1,)), (4, (1, 1)), (5, (2, 1)), (5, (1, 1, 1)), (6, (3, 1)), (3, (1, 1, 1)), (1, (1,))]
NAMES = [name for name, measure in measures("quality").items() if measure.chance is not None]


def value(measure, ranks, relevance):
    order = np.argsort(ranks)
    return measure.compute(Rankings(np.array(ranks)[order], np.array(relevance)[order], np.array([len(ranks)])))[0]


def test_every_measure_of_quality_says_what_chance_gives():
    assert set(NAMES) == set(measures("quality"))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("n", "grades"), GRADES)
def test_it_is_the_mean_over_every_order(name, n, grades):
    measure = measures("quality")[name]
    every = [value(measure, ranks, grades) for ranks in permutations(range(1, n + 1), len(grades))]
    assert measure.chance(n, grades) == pytest.approx(np.mean(every), abs=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_what_random_orders_give(name):
    measure, n, grades = measures("quality")[name], 300, (2, 1, 1)
    rng = np.random.default_rng(0)
    drawn = [value(measure, rng.permutation(n)[:3] + 1, grades) for _ in range(4000)]
    error = np.std(drawn) / np.sqrt(len(drawn))
    assert abs(measure.chance(n, grades) - np.mean(drawn)) < 4 * error


def test_a_harmonic_number_of_many_is_its_sum():
    for n in (1, 2, 999, 1000, 50_000):
        assert harmonic(n) == pytest.approx(sum(1 / k for k in range(1, n + 1)), rel=1e-13)


@pytest.mark.parametrize(("n", "answers"), [(6, 2), (6, 3), (7, 4)])
def test_the_rank_distance_of_random_orders_is_the_same_in_any_pool(n, answers):
    every = [(max(r) - min(r) - answers + 1) / (n - answers) for r in permutations(range(n), answers)]
    assert normalised_rank_distance(answers) == pytest.approx(np.mean(every))
