"""Tags are normalised without merging what is apart, and named by what they say."""

from string import ascii_lowercase

import langcodes
import pytest

from xlbias.errors import TaskError
from xlbias.languages import (
    _FAMILIES,
    divided_tags,
    family_of,
    language_name,
    normal_tags,
    normalise_tag,
    similar_tags,
)


@pytest.mark.parametrize(
    ("tag", "normal"),
    [("EN_us", "en-US"), ("deu", "de"), ("arb", "ar"), ("cmn", "zh"), ("twi", "tw"), ("tw", "tw"), ("aka", "ak")],
)
def test_normal_tags_are_those_of_everyday(tag, normal):
    assert normalise_tag(tag) == normal
    assert normalise_tag(normal) == normal


def test_a_corpus_keeps_a_language_apart_from_its_macro_language():
    assert normal_tags(["arb", "de"]) == {"arb": "ar", "de": "de"}
    assert normal_tags(["arb", "ar", "deu", "DE"]) == {"arb": "arb", "ar": "ar", "deu": "de", "DE": "de"}
    with pytest.raises(TaskError, match="unknown language tag 'klingonish'"):
        normal_tags(["de", "klingonish"])


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("th", "Thai"),
        ("und", "Unknown language"),
        ("mul", "Multiple languages"),
        ("tw", "Twi"),
        ("pt-BR", "Portuguese (Brazil)"),
        ("zh-Hans", "Chinese (Simplified)"),
        ("ar-Latn", "Arabic (Latin)"),
        ("es-419", "Spanish (Latin America)"),
        ("mis", "mis"),
    ],
)
def test_a_name_is_that_of_the_tag_and_no_likelier_one(tag, name):
    assert language_name(tag) == name


def test_tags_of_which_one_says_more_of_the_same_language():
    assert similar_tags(["zh-Hans", "pt-BR", "pt", "zh", "de", "z"]) == [("pt", "pt-BR"), ("zh", "zh-Hans")]
    assert similar_tags(["zh-Hans", "zh-Hant", "zhx"]) == []


def test_queries_whose_pool_has_another_tag():
    assert divided_tags(["pt", "de", "zh-Hans"], ["pt-BR", "de", "zh"]) == [("pt", "pt-BR"), ("zh-Hans", "zh")]
    assert divided_tags(["en", "en-GB"], ["en", "en-GB"]) == []
    assert divided_tags(["pt"], ["de"]) == []


def test_every_language_with_a_code_of_two_letters_has_a_family_and_one_only():
    codes = [first + second for first in ascii_lowercase for second in ascii_lowercase]
    valid = {normalise_tag(code) for code in codes if langcodes.get(code).is_valid()} - {"bh"}  # of several languages
    assert len(valid) > 180
    assert [code for code in sorted(valid) if family_of(code) == "~"] == []
    listed = " ".join(_FAMILIES.values()).split()
    assert len(listed) == len(set(listed))
    assert [family_of(tag) for tag in ("zh-Hant", "kl", "co", "tlh")] == [
        "Sino-Tibetan",
        "Eskaleut",
        "Indo-European",
        "~",
    ]
