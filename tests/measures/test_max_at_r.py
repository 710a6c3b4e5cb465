"""Max@R: the worst rank of a relevant passage on a logarithmic scale."""

import math

import numpy as np
import pytest
from measures.made import nothing, on_all_rankings, placed, pooled, same

from xlbias.measures.bias.max_at_r import max_at_r


def test_by_hand():
    assert max_at_r(placed({1: "DE", 2: "EN", 4: "TH", 16: "ZH"}, size=64)) == pytest.approx([100 * (6 - 4) / (6 - 2)])
    assert max_at_r(placed({8: "TH"}, size=64)) == pytest.approx([100 * (6 - 3) / 6])


@pytest.mark.parametrize("size", [40, 77, 1_000])
def test_all_relevants_first_is_exactly_100_and_one_at_the_very_end_exactly_0(size):
    for n in range(1, 40):
        assert max_at_r(placed(dict.fromkeys(range(1, n + 1), "EN"), size)).tolist() == [100]
        assert max_at_r(placed(dict.fromkeys([*range(1, n), size], "EN"), size)).tolist() == [0]


def test_undefined_without_relevants_and_where_the_pool_holds_nothing_else():
    assert np.isnan(max_at_r(pooled("de: de en", "en: DE EN"))).all()
    assert max_at_r(nothing()).shape == (0,)


@on_all_rankings
def test_agrees_with_the_formula_taken_one_ranking_at_a_time(case):
    expected = []
    for search in case.searches:
        ranks, size = [rank for rank, _ in search.relevants], len(search.ranking)
        if 0 < len(ranks) < size:
            expected.append(100 * math.log(size / max(ranks)) / math.log(size / len(ranks)))
        else:
            expected.append(None)
    assert same(max_at_r(case.pooled), expected)
