"""Exposure: the languages of the first k passages, counted."""

import numpy as np
import pytest
from measures.made import nothing, on_all_rankings, pooled, same

from xlbias.measures.bias.exposure import exposure, exposure_ratio


def test_share_of_the_top_by_passage_language():
    found = exposure(pooled("de: de th de en th th", "th: th th th de de en"), k=4)
    assert found.tolist() == [[2 / 4, 1 / 4, 1 / 4], [1 / 4, 0, 3 / 4]]


def test_the_ratio_is_one_for_every_language_where_the_top_is_as_the_pool():
    found = exposure_ratio(pooled("de: de de th de de th"), k=3)
    assert found == pytest.approx(np.ones((1, 2)))


def test_a_small_language_in_the_top_has_a_ratio_above_one():
    assert exposure_ratio(pooled("de: th de de de"), k=2) == pytest.approx(np.array([[(1 / 2) / (3 / 4), 2]]))


def test_in_a_pool_smaller_than_k_shares_are_of_the_pool():
    assert exposure(pooled("de: de de th"), k=10) == pytest.approx(np.array([[2 / 3, 1 / 3]]))


def test_undefined_where_fewer_than_k_were_kept():
    assert np.isnan(exposure(pooled("de: de de th th", depth=2), k=3)).all()
    assert np.isnan(exposure_ratio(pooled("de: de de th th", depth=2), k=3)).all()
    assert exposure(pooled("de: de de th th", depth=2), k=2).tolist() == [[1, 0]]


def test_one_ranking_with_a_short_list_does_not_take_the_others_along():
    rankings = pooled("de: de de th th", "th: th th de de")
    rankings.top[1, 2:] = -1
    assert same(exposure(rankings, k=3), [[2 / 3, 1 / 3], [None, None]])


def test_no_rankings():
    assert exposure(nothing()).shape == exposure_ratio(nothing()).shape == (0, 2)


@on_all_rankings
def test_agrees_with_counting(case):
    for k in (1, 3, 10):
        shares, ratios = [], []
        for search in case.searches:
            wanted = min(k, len(search.ranking))
            top = [passage.language for passage in search.ranking[:wanted]]
            share = {language: top.count(language) / wanted for language in case.languages}
            ratio = {language: share[language] / case.pool[language] * len(search.ranking) for language in share}
            shares.append([share[language] if case.depth >= wanted else None for language in case.languages])
            ratios.append([ratio[language] if case.depth >= wanted else None for language in case.languages])
        assert same(exposure(case.pooled, k), shares)
        assert same(exposure_ratio(case.pooled, k), ratios)
