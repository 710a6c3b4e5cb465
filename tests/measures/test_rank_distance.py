"""Rank distance: parallel groups, exclusions, the normalised form."""

import numpy as np
import pytest
from measures.made import Search, made, nothing, on_all_rankings, placed, pooled, same

from xlbias.measures import pooled as module
from xlbias.measures.bias.rank_distance import normalised_rank_distance, rank_distance


def both(rankings):
    """Rank distance and its normalised form of one search."""
    (distance,), (normalised,) = rank_distance(rankings), normalised_rank_distance(rankings)
    return distance, normalised


def test_distance_is_the_span_of_the_translations_ranks():
    assert both(placed({4: "DE", 9: "EN", 2: "TH"}, size=100)) == (7, pytest.approx((7 - 2) / (100 - 3)))


def test_relevants_that_stand_together_have_the_least_distance_and_normalised_zero():
    assert both(placed({5: "DE", 6: "EN", 7: "TH"}, size=100)) == (2, 0.0)


def test_both_ends_of_the_pool_are_normalised_to_one():
    assert both(placed({1: "DE", 100: "EN"}, size=100)) == (99, 1.0)


def test_a_pool_of_nothing_but_relevants_has_no_normalised_distance():
    distance, normalised = both(pooled("de: DE EN"))
    assert distance == 1
    assert np.isnan(normalised)


@pytest.mark.parametrize("search", ["de: de en DE en", "de: de en de en"])
def test_one_relevant_or_none_is_undefined_not_zero(search):
    assert np.isnan(both(pooled(search))).all()


def test_several_relevants_in_a_language_need_their_translations_to_be_known():
    assert np.isnan(both(placed({1: "DE", 2: "DE", 50: "EN"}, size=100))).all()
    known = placed({1: "DE1", 11: "EN1", 20: "DE2", 50: "EN2"}, size=100)
    assert both(known) == (pytest.approx((10 + 30) / 2), pytest.approx(((10 - 1) / 98 + (30 - 1) / 98) / 2))


def test_a_group_with_two_passages_in_one_language_is_left_out():
    assert both(placed({1: "DE1", 2: "DE1", 50: "EN1", 60: "DE2", 63: "EN2"}, size=100))[0] == 3


def test_only_known_translations_make_a_group():
    assert both(placed({1: "DE1", 40: "EN2", 44: "TH2"}, size=100))[0] == 4


def test_the_same_group_number_in_two_rankings_is_two_groups():
    assert rank_distance(pooled("de: DE1 EN1 de en", "th: DE1 de en EN1")).tolist() == [1, 3]


def test_no_rankings():
    assert rank_distance(nothing()).shape == normalised_rank_distance(nothing()).shape == (0,)


def groups_of(search: Search):
    """The ranks of each parallel group, sorted: two passages at least, no two in one language."""
    for name in {passage.group for _, passage in search.relevants}:
        members = [(rank, p.language) for rank, p in search.relevants if p.group == name]
        ranks, languages = zip(*members, strict=True)
        if len(ranks) > 1 and len(set(languages)) == len(languages):
            yield sorted(ranks)


def mean(values):
    return sum(values) / len(values) if values else None


@on_all_rankings
def test_agrees_with_sorted_lists(case):
    distances, normalised = [], []
    for search in case.searches:
        groups, size = list(groups_of(search)), len(search.ranking)
        distances.append(mean([ranks[-1] - ranks[0] for ranks in groups]))
        normalised.append(
            mean(
                [
                    (ranks[-1] - ranks[0] - (len(ranks) - 1)) / (size - len(ranks))
                    for ranks in groups
                    if size > len(ranks)
                ]
            )
        )
    assert same(rank_distance(case.pooled), distances)
    assert same(normalised_rank_distance(case.pooled), normalised)


def test_a_pool_of_thousands_that_a_top_list_would_cut_off():
    rng = np.random.default_rng(0)
    tokens = np.array(["de", "en", "th"] * 1000)
    rng.shuffle(tokens)
    first = {language: int(np.flatnonzero(tokens == language)[-1]) for language in ("de", "en", "th")}
    for language, at in first.items():
        tokens[at] = language.upper()
    (found,) = rank_distance(made("de: " + " ".join(tokens)).pooled)
    assert found == max(first.values()) - min(first.values())


def test_rankings_of_many_orders_at_a_time_are_those_of_one_after_the_other(monkeypatch):
    searches = ["de: DE=en=TH1 de EN1=th", "th: DE=EN=th de=TH=en", "en: DE1=EN1 TH=de=th en", "de: DE EN=th de en TH"]
    rankings = pooled(*searches)
    alone = []
    rankings.over_orders(lambda order: alone.append(rank_distance(order)) or alone[-1])
    for together in (1, 40, 1 << 20):
        monkeypatch.setattr(module, "_PAIRS", together)
        found = np.concatenate(list(rankings.in_orders(rank_distance)))
        assert len(np.unique(found[:, 1])) > 1  # an order is open
        assert np.array_equal(found, np.stack(alone), equal_nan=True)
