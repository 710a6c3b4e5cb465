"""Friedman's ranks of answer languages and Kendall's W, against scipy."""

import numpy as np
import pytest
from measures.made import nothing, on_all_rankings, pooled, same
from scipy.stats import friedmanchisquare, rankdata

from xlbias.measures.bias.language_ranks import language_ranks, ranks_by_language, within_blocks
from xlbias.measures.registry import measures

kendall_w, friedman_chi2, friedman_p = (
    measures("bias")[name].compute for name in ("kendall_w", "friedman_chi2", "friedman_p")
)


def test_a_language_with_several_answers_has_their_mean_rank():
    assert same(ranks_by_language(pooled("de: DE en DE th EN")), [[2, 5, None]])


def test_places_among_the_answers_to_one_query():
    assert within_blocks(np.array([[400.0, 2.0, 17.0]])).tolist() == [[3, 1, 2]]


def test_ties_share_their_mean_place():
    assert within_blocks(np.array([[7.0, 7.0, 1.0], [5.0, 5.0, 5.0]])).tolist() == [[2.5, 2.5, 1], [2, 2, 2]]


def test_a_query_without_an_answer_in_every_language_has_no_places():
    assert same(within_blocks(np.array([[4.0, np.nan], [4.0, 2.0]])), [[None, None], [2, 1]])


def test_undefined_for_one_language():
    assert np.isnan(within_blocks(np.array([[4.0], [1.0]]))).all()
    assert np.isnan(kendall_w(np.array([[1.0]])).w)


def test_one_order_always_is_1_and_every_order_once_is_0():
    always = pooled("de: DE de EN th TH", "en: de th DE EN TH", "th: DE EN TH th de")
    assert kendall_w(language_ranks(always)).w == pytest.approx(1)
    each = pooled("de: DE EN TH", "de: EN TH DE", "de: TH DE EN")
    assert kendall_w(language_ranks(each)).w == pytest.approx(0)


@pytest.mark.parametrize(("n_blocks", "n_languages"), [(1, 3), (4, 3), (50, 11), (300, 7)])
@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_scipy_without_ties(n_blocks, n_languages, seed):
    rng = np.random.default_rng(seed)
    values = np.array([rng.permutation(13_014)[:n_languages] for _ in range(n_blocks)])
    values = values * n_languages * np.linspace(1, 2, n_languages) + np.arange(n_languages)  # some stand further down
    chi2, p = friedmanchisquare(*values.T)
    places = within_blocks(values)
    assert places.tolist() == rankdata(values, axis=1).tolist()
    assert kendall_w(places).w == pytest.approx(chi2 / (n_blocks * (n_languages - 1)))
    for test in (friedman_chi2(places), friedman_p(places)):
        assert (test.chi2, test.p, test.n) == (pytest.approx(chi2), pytest.approx(p), n_blocks)


def test_agrees_with_scipy_with_ties_too():
    values = np.random.default_rng(0).integers(1, 6, (40, 5)).astype(np.float64)
    chi2, p = friedmanchisquare(*values.T)
    places = within_blocks(values)
    assert places.tolist() == rankdata(values, axis=1).tolist()
    assert (friedman_chi2(places).chi2, friedman_p(places).p) == (pytest.approx(chi2), pytest.approx(p))
    assert kendall_w(places).w == pytest.approx(chi2 / (40 * (5 - 1)))


def test_no_rankings():
    assert language_ranks(nothing()).shape == (0, 2)


@on_all_rankings
def test_agrees_with_means_of_lists_and_scipy_ranks(case):
    found = ranks_by_language(case.pooled)
    expected = []
    for search in case.searches:
        ranks = [search.ranks_in(language) for language in case.languages]
        expected.append([sum(r) / len(r) if r else None for r in ranks])
    assert same(found, expected)
    blocks = [[None] * len(row) if None in row or len(row) < 2 else rankdata(row).tolist() for row in expected]
    assert same(language_ranks(case.pooled), blocks)
