"""Single-gold AP: the relevants of the other languages are really taken out of the list."""

import numpy as np
import pytest
from measures.made import nothing, on_all_rankings, pooled, same

from xlbias.measures.bias.single_gold import gap, single_gold


def average_precision_of(flags):
    """AP of a list of relevant or not, read from the top; None where nothing is relevant."""
    precisions = [sum(flags[: rank + 1]) / (rank + 1) for rank, relevant in enumerate(flags) if relevant]
    return sum(precisions) / len(precisions) if precisions else None


def kept(search, language):
    """The ranking without the relevants of other languages, as relevant or not."""
    return [p.relevant for p in search.ranking if p.language == language or not p.relevant]


def own_minus_other(search, languages):
    values = {language: average_precision_of(kept(search, language)) for language in languages}
    own = values.pop(search.query_language, None)
    others = [value for value in values.values() if value is not None]
    return own - sum(others) / len(others) if own is not None and others else None


def test_relevants_of_other_languages_that_stand_before_let_a_passage_move_up():
    found = single_gold(pooled("de: DE en EN TH de"))  # without DE and TH: en EN de; without DE and EN: en TH de
    assert found == pytest.approx(np.array([[1, 1 / 2, 1 / 2]]))


def test_passages_that_are_not_relevant_stay_whatever_their_language():
    assert single_gold(pooled("th: de en th DE EN TH")) == pytest.approx(np.full((1, 3), 1 / 4))


def test_several_relevants_in_a_language_are_averaged():
    assert single_gold(pooled("de: DE TH de DE TH")) == pytest.approx(np.array([[(1 + 2 / 3) / 2, (1 + 2 / 3) / 2]]))


def test_a_language_without_an_answer_is_undefined_never_zero():
    assert same(single_gold(pooled("de: en DE th th")), [[1 / 2, None, None]])


def test_an_encoder_that_answers_in_the_language_of_the_question_has_a_gap():
    found = gap(pooled("de: DE de th TH", "th: TH th de DE"))
    assert found == pytest.approx([1 - 1 / 3, 1 - 1 / 3])


def test_no_gap_without_an_answer_in_the_own_and_in_another_language():
    assert np.isnan(gap(pooled("sw: DE TH de", "de: DE th de", "th: DE th de", "th: de th de"))).all()


def test_no_rankings():
    assert single_gold(nothing()).shape == (0, 2)
    assert gap(nothing()).shape == (0,)


@on_all_rankings
def test_agrees_with_removing_the_passages_from_the_list(case):
    expected = [[average_precision_of(kept(s, language)) for language in case.languages] for s in case.searches]
    assert same(single_gold(case.pooled), expected)
    assert same(gap(case.pooled), [own_minus_other(search, case.languages) for search in case.searches])
