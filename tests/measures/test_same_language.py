"""Same-language preference: the language of the best-ranked answer, where every language has one."""

import numpy as np
import pytest
from measures.made import nothing, on_all_rankings, pooled, same

from xlbias.measures.bias.same_language import same_language


def test_one_where_the_best_answer_is_in_the_language_of_the_question():
    assert same_language(pooled("de: en DE EN TH", "en: en DE EN TH", "th: en TH EN DE")).tolist() == [1, 0, 1]


def test_passages_that_do_not_answer_do_not_count_however_high():
    assert same_language(pooled("th: th th DE TH")).tolist() == [0]


@pytest.mark.parametrize(
    "search",
    ["de: DE en TH", "de: de en th", "sw: DE EN TH", "de: DE de"],
    ids=["a missing translation", "no answer", "a query language without passages", "one language"],
)
def test_undefined(search):
    assert np.isnan(same_language(pooled(search))).all()


def test_no_rankings():
    assert same_language(nothing()).shape == (0,)


@on_all_rankings
def test_agrees_with_reading_the_list_from_the_top(case):
    expected = []
    for search in case.searches:
        answers = [passage.language for passage in search.ranking if passage.relevant]
        defined = len(case.languages) > 1 and set(answers) == set(case.languages) >= {search.query_language}
        expected.append(float(answers[0] == search.query_language) if defined else None)
    assert same(same_language(case.pooled), expected)
