"""Measures of bias are expectations over the orders of equal scores: against every order, one after the other."""

import math
from collections import Counter
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from measures.made import Made, Passage, Search, made, pooled, same

from xlbias.measures.bias.exposure import exposure, exposure_ratio
from xlbias.measures.bias.language_ranks import language_ranks, ranks_by_language
from xlbias.measures.bias.max_at_r import max_at_r
from xlbias.measures.bias.peer import peer
from xlbias.measures.bias.rank_distance import normalised_rank_distance, rank_distance
from xlbias.measures.bias.same_language import same_language
from xlbias.measures.bias.single_gold import gap, single_gold
from xlbias.measures.bias.tied import tied, tied_answers
from xlbias.measures.ties import drawn_places, harmonic, mean_log2_of_last, mean_precision

CLOSED = {
    "rank distance": rank_distance,
    "normalised": normalised_rank_distance,
    "Max@R": max_at_r,
    "own first": same_language,
    "single gold": single_gold,
    "gap": gap,
    "ranks by language": ranks_by_language,
    "share@1": lambda rankings: exposure(rankings, 1),
    "share@3": lambda rankings: exposure(rankings, 3),
    "ratio@4": lambda rankings: exposure_ratio(rankings, 4),
}
CASES = {
    "translations share a score": "de: DE=TH=EN de th en",
    "with others among them": "th: en DE=th=TH=de EN",
    "in two blocks": "de: DE=de=TH en EN=ZH=th zh",
    "all is one tie": "en: DE=TH=EN=de=th",
    "all is one tie of answers": "en: DE=TH=EN",
    "several answers in a language": "de: DE=DE=th=TH en TH=EN=EN",
    "groups": "de: DE1=TH2=de=TH1 th=EN1 DE2 en",
    "no answer is tied": "de: DE de=th=en TH",
    "the list ends among equal scores": "de: TH de=th=de=en=EN DE=en",
    "no answers": "de: de=th en",
    "a query language without passages": "sw: DE=TH=de th",
}


def over_all_orders(search: Search, measure, depth: int = 10) -> np.ndarray:
    """The mean of a measure over every order of equal scores."""
    return measure(Made(tuple(search.orders()), depth).pooled).mean(axis=0)


@pytest.mark.parametrize("name", CLOSED)
@pytest.mark.parametrize("case", CASES)
def test_it_is_the_mean_over_every_order(case, name):
    search = Search.parse(CASES[case])
    found = CLOSED[name](Made((search,)).pooled)[0]
    np.testing.assert_allclose(found, over_all_orders(search, CLOSED[name]), rtol=0, atol=1e-9)


@st.composite
def tied_searches(draw: st.DrawFn) -> tuple[Search, int]:
    """Small searches with few orders of equal scores, and how many passages of a list are kept."""
    languages = draw(st.lists(st.sampled_from(("de", "en", "th")), min_size=1, unique=True))
    sizes = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=4)))
    token = st.builds(Passage, st.sampled_from(languages), st.booleans(), st.just(""))
    passages = [draw(token) for _ in range(sum(sizes))]
    marked = [Passage(p.language, p.relevant, draw(st.sampled_from("12")) if p.relevant else "") for p in passages]
    grouped = draw(st.booleans())
    ranking = tuple(marked if grouped else passages)
    return Search(draw(st.sampled_from(languages)), ranking, sizes), draw(st.integers(1, sum(sizes) + 2))


@pytest.mark.integration  # every order, one by one: `make test` has the time
@settings(deadline=None, max_examples=60)
@given(tied_searches())
def test_any_search_has_the_mean_over_every_order(case):
    search, depth = case
    rankings = Made((search,), depth).pooled
    for name, measure in CLOSED.items():
        if name.startswith(("share", "ratio")) and depth < min(4, len(search.ranking)):
            continue
        expected = over_all_orders(search, measure, depth)
        np.testing.assert_allclose(measure(rankings)[0], expected, rtol=0, atol=1e-9, err_msg=name)


def test_places_of_languages_with_one_answer_each_are_exact_also_with_others_among_them():
    for text in ("de: DE=TH=EN de", "th: DE=th=TH EN=de", "en: DE TH=en=en=EN"):
        search = Search.parse(text)
        found = language_ranks(Made((search,)).pooled)[0]
        np.testing.assert_allclose(found, over_all_orders(search, language_ranks), rtol=0, atol=1e-12)


DRAWN = ["de: DE=TH=TH=de DE", "de: DE=DE=TH=TH=th", "th: DE TH=TH=DE=DE=th"]


@pytest.mark.parametrize("text", DRAWN)
@pytest.mark.parametrize("measure", [peer, language_ranks])
def test_where_there_is_no_closed_form_a_mean_over_drawn_orders_is_near(text, measure):
    search = Search.parse(text)
    orders = measure(Made(tuple(search.orders())).pooled)
    error = orders.std(axis=0) / math.sqrt(1_000)
    found = measure(Made((search,)).pooled)[0]
    assert (np.abs(found - orders.mean(axis=0)) <= 5 * error + 1e-12).all()
    assert (np.asarray(error) > 0).any()


def test_drawn_numbers_are_the_same_every_time_and_whatever_order_the_rankings_come_in():
    case = made("de: DE=DE=TH=TH=th th", "th: TH DE=TH=DE=th=th")
    first, second = (peer(Made(case.searches[i : i + 1]).pooled)[0] for i in (0, 1))
    rankings = case.pooled
    assert peer(rankings).tolist() == peer(rankings).tolist()
    turned = Made(case.searches[::-1]).pooled
    turned.key[:] = [1, 0]
    assert peer(turned)[::-1].tolist() == peer(rankings).tolist()
    assert np.abs(peer(rankings) - [first, second]).max() < 0.1


def test_ties_that_were_not_counted_leave_the_ranks_as_they_are():
    known, unknown = pooled("de: DE=TH=EN de th=en"), pooled("de: DE=TH=EN de th=en")
    for name in ("tied_before", "tied_after", "tied_with_last"):
        getattr(unknown, name)[:] = -1
    plain = pooled("de: DE TH EN de th en")
    for name, measure in {**CLOSED, "places": language_ranks}.items():
        assert same(measure(unknown), measure(plain).tolist()), name
    assert not same(rank_distance(known), [2]) or same_language(known)[0] != 1
    assert same(tied(known), [1]) and same(tied(unknown), [None])


def test_shares_of_tied_answers():
    rankings = pooled("de: DE=TH EN=en DE", "de: DE=DE=th en EN", "de: de=th de en en")
    assert same(tied(rankings), [3 / 4, 2 / 3, None])
    assert same(tied_answers(rankings), [2 / 4, 0, None])


# -- the formulas ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "among", "before"), [(1, 1, 0), (2, 1, 3), (4, 2, 0), (6, 6, 5), (7, 3, 40)])
def test_order_statistics_against_every_subset(size, among, before):
    subsets = list(combinations(range(1, size + 1), among))
    logs = [math.log2(before + subset[-1]) for subset in subsets]
    one = np.array([size]), np.array([among])
    assert mean_log2_of_last(np.array([before]), *one) == pytest.approx([math.fsum(logs) / len(logs)], abs=1e-12)
    for found in (0, 2):
        precisions = [
            (found + i) / Fraction(before + found + place)
            for subset in subsets for i, place in enumerate(subset, 1)
        ]  # fmt: skip
        expected = float(sum(precisions) / len(precisions))
        ours = mean_precision(np.array([before + found]), one[0], np.array([found]), one[1])
        assert ours == pytest.approx([expected], abs=1e-12)


def test_harmonic_numbers():
    n = [0, 1, 2, 10, 4_095, 4_096, 100_000]
    expected = [math.fsum(1 / k for k in range(1, i + 1)) for i in n]
    assert harmonic(np.array(n)) == pytest.approx(expected, abs=1e-13)


def test_drawn_places_are_distinct_and_every_choice_is_as_likely():
    n, owner, size = 6_000, np.repeat(np.arange(6_000), 2), np.full(12_000, 4)
    places = drawn_places(owner, size, np.random.default_rng(0)).reshape(n, 2)
    counts = Counter(map(tuple, places.tolist()))
    assert len(counts) == 4 * 3 and all(a != b for a, b in counts)
    expected = n / 12
    assert sum((count - expected) ** 2 / expected for count in counts.values()) < 31.3  # χ² of 11 degrees, p = .001


# -- the constant encoder ----------------------------------------------------------------------------------------------


def test_a_constant_encoder_has_the_rank_distance_of_a_random_order_and_prefers_no_language():
    languages, size = ("de", "en", "th", "zh"), 60
    answers = [language.upper() for language in languages]
    rest = [language for language in languages for _ in range(size // 4 - 1)]
    for ranking in (answers + rest, rest[:20] + answers + rest[20:], rest + answers[::-1]):
        rankings = pooled(*(f"{language}: {'='.join(ranking)}" for language in languages))
        assert same(rank_distance(rankings), [3 * (size + 1) / 5] * 4)
        assert same(same_language(rankings), [1 / 4] * 4)
        assert same(language_ranks(rankings), [[2.5] * 4] * 4)
        assert same(exposure(rankings), [[1 / 4] * 4] * 4)
        assert np.ptp(single_gold(rankings)) < 1e-12 and abs(gap(rankings)).max() < 1e-12
