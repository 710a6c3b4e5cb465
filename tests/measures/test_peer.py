"""PEER: Kruskal and Wallis' p-value of the ranks of one query's relevants, against scipy and published values."""

import numpy as np
import pytest
from measures.made import nothing, on_all_rankings, pooled, same
from scipy.stats import kruskal

from xlbias.measures.bias.peer import peer

ELEVEN = "AR DE EL EN ES HI RU TH TR VI ZH"


@pytest.mark.parametrize(
    ("search", "p"),
    [("de: DE TH DE TH DE TH", 0.512691), ("de: DE DE DE TH TH TH", 0.049535)],
    ids=["by turns", "one language first"],
)
def test_known_values(search, p):
    assert peer(pooled(search)) == pytest.approx([p], abs=5e-7)


def test_only_the_order_of_the_relevants_matters():
    assert peer(pooled("de: th de DE th DE DE de TH de TH th TH")) == pytest.approx([0.049535], abs=5e-7)


@pytest.mark.parametrize("seed", range(3))
def test_one_relevant_in_each_of_eleven_languages_is_undefined_not_a_constant(seed):
    shuffled = np.random.default_rng(seed).permutation(ELEVEN.split())
    ranks = list(range(1, 12))
    assert kruskal(*[[rank] for rank in ranks]).pvalue == pytest.approx(0.440493, abs=5e-7)
    assert np.isnan(peer(pooled("de: " + " ".join(shuffled)))).all()


def test_undefined_where_any_language_that_answers_does_so_once():
    assert np.isnan(peer(pooled("de: DE DE TH TH EN en", "de: DE DE th TH EN en"))).all()


def test_languages_without_an_answer_are_no_group():
    (p,) = peer(pooled("de: DE EN th DE EN th"))
    assert p == pytest.approx(kruskal([1, 4], [2, 5]).pvalue)


def test_no_rankings():
    assert peer(nothing()).shape == (0,)


@on_all_rankings
def test_agrees_with_scipy(case):
    expected = []
    for search in case.searches:
        groups = [ranks for ranks in map(search.ranks_in, case.languages) if ranks]
        defined = len(groups) > 1 and min(map(len, groups)) > 1
        expected.append(kruskal(*groups).pvalue if defined else None)
    assert same(peer(case.pooled), expected)
