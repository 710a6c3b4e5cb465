"""Code-switching: what is replaced, how often, by what, and that only seed and key decide."""

import json
import random
import unicodedata
from collections import Counter
from itertools import islice
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, chisquare

from xlbias.data.lexicons import Lexicon, Source, load_lexicon
from xlbias.data.lexicons.words import split_words
from xlbias.data.task import RetrievalTask
from xlbias.errors import TrainingError
from xlbias.samplers import SAMPLERS
from xlbias.train.sampling.batch import Batch
from xlbias.train.sampling.codeswitch import CodeSwitch
from xlbias.train.sampling.pairs import PairTexts
from xlbias.train.sampling.samplers import LanguageBatchSampler

pytestmark = pytest.mark.integration

P = 0.001  # with fixed seeds a test fails always or never; below this, something is wrong with what is drawn
DOG = {"en": "dog", "de": "Hund", "tr": "köpek", "zh": "狗狗", "th": "สุนัข", "hi": "कुत्ता", "ar": "كلب", "ru": "собака"}
INK = {
    "en": "ink",
    "de": "Tinte",
    "tr": "işaret",
    "zh": "墨水",
    "th": "หมึก",
    "hi": "स्याही",
    "ar": "حبر",
    "ru": "чернила",
}
HOT_DOG = {"en": "hot dog", "de": "heißer Hund", "zh": "热狗"}
MADE = Lexicon(
    [Source("made", "0" * 64, [DOG, INK, HOT_DOG, {"en": "dog", "de": "Köter"}, {"en": "dog", "de": "Töle"}])]
)


def into(target: str, probability: float = 1.0, lexicon: Lexicon = MADE, seed: int = 0) -> CodeSwitch:
    return CodeSwitch(lexicon, probability, "bilingual", target, seed)


@pytest.fixture(scope="session")
def cldr(shared_data: Path) -> Lexicon:
    return load_lexicon([str(shared_data / "cldr-annotations")])


@pytest.fixture(scope="session")
def texts(ntrex: RetrievalTask, mlqa: RetrievalTask) -> list[tuple[str, str]]:
    """(text, language) of real sentences, questions and paragraphs."""
    frames = [ntrex.queries, mlqa.queries, mlqa.passages]
    some = pl.concat([frame.select("text", "language").sample(4_000, seed=1) for frame in frames])
    return list(some.iter_rows())


# -- how often, and what is drawn --------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["multilingual", "bilingual"])
@pytest.mark.parametrize("probability", [0.1, 0.5, 0.9])
def test_the_share_of_words_replaced_is_p(
    probability: float, mode: str, cldr: Lexicon, texts: list[tuple[str, str]]
) -> None:
    switch = CodeSwitch(cldr, probability, mode, "en" if mode == "bilingual" else None, seed=3)
    changed = 0
    for row, (text, language) in enumerate(texts):
        changed += switch(text, language, (0, row // 100, row % 2, row % 100)) != text
    counts = switch.counts
    assert counts.translatable > 5_000
    assert binomtest(counts.replaced, counts.translatable, probability).pvalue > P
    assert counts.translatable < counts.words == switch.counts.as_dict()["words"]
    assert 0 < changed <= counts.replaced


def test_each_word_is_replaced_independently_of_the_others() -> None:
    switch = into("ru", 0.3)
    n = 8_000
    both: Counter[tuple[bool, bool]] = Counter()
    for row in range(n):
        first, _, second = switch("dog and ink", "en", (0, 0, 0, row)).partition(" and ")
        both[first == "собака", second == "чернила"] += 1
    expected = {(a, b): n * (0.3 if a else 0.7) * (0.3 if b else 0.7) for a in (True, False) for b in (True, False)}
    assert chisquare([both[key] for key in expected], list(expected.values())).pvalue > P


def test_a_word_with_several_translations_gets_each_as_often() -> None:
    switch = into("de")
    drawn = Counter(switch("dog", "en", (0, batch, 0, row)) for batch in range(90) for row in range(100))
    assert set(drawn) == {"Hund", "Köter", "Töle"}
    assert chisquare(list(drawn.values())).pvalue > P


def test_multilingual_draws_the_language_of_each_text_uniformly() -> None:
    switch = CodeSwitch(MADE, 1.0)
    drawn = Counter(switch("ink ink", "en", (1, batch, 1, row)) for batch in range(70) for row in range(100))
    assert set(drawn) == {f"{name} {name}" for language, name in INK.items() if language != "en"}  # one for all words
    assert chisquare(list(drawn.values())).pvalue > P


def test_a_language_is_drawn_whether_or_not_the_text_holds_a_word_it_translates() -> None:
    switch = CodeSwitch(Lexicon([Source("", "", [{"en": "dog", "de": "Hund"}, {"en": "ink", "ru": "чернила"}])]), 1.0)
    drawn = Counter(switch("dog", "en", (0, 0, 0, row)) for row in range(4_000))
    assert set(drawn) == {"dog", "Hund"}
    assert chisquare(list(drawn.values())).pvalue > P


def test_no_chance_changes_nothing_and_certainty_replaces_all(cldr: Lexicon, texts: list[tuple[str, str]]) -> None:
    never, always = CodeSwitch(cldr, 0.0), CodeSwitch(cldr, 1.0)
    for row, (text, language) in enumerate(texts):
        assert never(text, language, (0, 0, 0, row)) == text
        always(text, language, (0, 0, 0, row))
    assert never.counts.replaced == 0
    assert always.counts.replaced == always.counts.translatable == never.counts.translatable
    always.counts.clear()
    assert always.counts.as_dict() == {"words": 0, "translatable": 0, "replaced": 0}


# -- only seed and key decide ------------------------------------------------------------------------------------------


def test_the_same_seed_and_key_give_the_same_text_in_any_order(cldr: Lexicon, texts: list[tuple[str, str]]) -> None:
    work = [(text, language, (2, row // 64, 0, row % 64)) for row, (text, language) in enumerate(texts[:3_000])]
    once = {item: CodeSwitch(cldr, 0.5, seed=9)(*item) for item in work[::100]}
    switch = CodeSwitch(cldr, 0.5, seed=9)
    random.Random(0).shuffle(work)
    again = {item: switch(*item) for item in work}
    assert all(again[item] == text for item, text in once.items())
    other = CodeSwitch(cldr, 0.5, seed=10)
    assert sum(other(*item) != again[item] for item in work) > 100


@pytest.mark.parametrize("place", range(4))
def test_every_part_of_the_key_matters(place: int) -> None:
    switch = CodeSwitch(MADE, 0.5)
    keys = [tuple(number if i == place else 1 for i in range(4)) for number in range(50)]
    assert len({switch("ink dog ink", "en", key) for key in keys}) > 20


def test_what_is_drawn_is_the_same_on_every_machine_and_in_every_release() -> None:
    switch = CodeSwitch(MADE, 0.5, seed=7)
    drawn = [switch("dog, ink, dog, ink", "en", (3, 14, 1, row)) for row in range(4)]
    assert drawn == ["कुत्ता, ink, dog, स्याही", "dog, حبر, كلب, ink", "كلب, ink, كلب, ink", "dog, 墨水, dog, ink"]


def test_a_higher_probability_replaces_the_same_and_more(cldr: Lexicon, texts: list[tuple[str, str]]) -> None:
    some = [(text, language) for text, language in texts if language == "vi"][:300]
    for row, (text, language) in enumerate(some):
        low, high = (into("en", p, cldr, seed=1)(text, language, (0, 0, 0, row)) for p in (0.3, 0.7))
        full = into("en", 1.0, cldr, seed=1)(text, language, (0, 0, 0, row))
        # Word by word of what does not change: what stands in `low` and not in `text` stands in `high` and `full` too.
        new = Counter(low.split()) - Counter(text.split())
        assert not new - Counter(high.split())
        assert not new - Counter(full.split())


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_processes_together_rewrite_what_one_would_with_every_sampler(
    sampler: str, ntrex: RetrievalTask, cldr: Lexicon
) -> None:
    whole = PairTexts([ntrex], CodeSwitch(cldr, 0.8, seed=2))
    plain = PairTexts([ntrex])
    parts = [PairTexts([ntrex], CodeSwitch(cldr, 0.8, seed=2)) for _ in range(2)]
    changed = 0
    for batch in islice(LanguageBatchSampler(whole, 64, seed=4, sampler=sampler), 5):
        assert isinstance(batch, Batch)
        expected = whole.__getitems__(batch)
        assert [row for rank, part in enumerate(parts) for row in part.__getitems__(batch.part(rank, 2))] == expected
        assert whole.__getitems__(batch) == expected
        changed += sum(a != b for a, b in zip(expected, plain.__getitems__(batch), strict=True))
    assert changed > 40


# -- what becomes of a text --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "source", "target", "expected"),
    [
        ("Ink? ink, INK; inks “ink”", "en", "de", "Tinte? Tinte, Tinte; inks “Tinte”"),
        ("Ink ink", "en", "ru", "Чернила чернила"),
        ("Ink ink", "en", "tr", "İşaret işaret"),
        ("İŞARET, işaret, IŞARET", "tr", "en", "Ink, ink, IŞARET"),
        ("Köpek'e KÖPEK", "tr", "en", "Köpek'e Dog"),
        ("मेरा कुत्ता, कुत्ते।", "hi", "en", "मेरा dog, कुत्ते।"),
        ("कुत्ता", "hi", "th", "สุนัข"),
        ("سريع كلب، كلبي.", "ar", "en", "سريع dog، كلبي."),
        ("\ufedb\ufee0\ufe90", "ar", "en", "dog"),  # presentation forms
        ("มีสุนัขและหมึก", "th", "en", "มีdogและink"),
        ("สุนัขหมึก", "th", "en", "dog ink"),
        ("สุนัขหมึก", "th", "zh", "狗狗墨水"),
        ("用墨水写。我的狗狗iPhone墨水A", "zh", "en", "用ink写。我的dog iPhone ink A"),
        ("热狗狗", "zh", "en", "hot dog狗"),  # the longest from the left
        ("Hot\n dog dog", "en", "zh", "热狗 狗狗"),
        ("ink 👨\u200d🍳\u00a0ink\r\n", "en", "zh", "墨水 👨\u200d🍳\u00a0墨水\r\n"),
        ("Tinte", "de", "de", "Tinte"),
        ("ink", "en-GB", "ru", "чернила"),
        ("墨水", "zh-TW", "zh", "墨水"),
        ("encre", "fr", "de", "encre"),
        ("", "en", "de", ""),
    ],
)
def test_what_a_text_becomes(text: str, source: str, target: str, expected: str) -> None:
    assert into(target)(text, source, (0, 0, 0, 0)) == expected


NOT_WORDS = st.text(st.characters(categories=["P", "S", "Z", "Cc", "Cf"], exclude_characters="'’\u00ad\u200c\u200d"))


@settings(deadline=None)  # the first call builds the patterns
@given(st.lists(st.tuples(NOT_WORDS, st.sampled_from(["dog", "Ink", "DOG", "cat", "x9", "हिन्दी"]))), NOT_WORDS)
def test_what_stands_between_words_stays_byte_for_byte(words: list[tuple[str, str]], rest: str) -> None:
    text = "".join(between + word for between, word in words) + rest
    switched = into("ru", 0.6)(text, "en", (0, 0, 0, len(text)))
    assert split_words(switched)[::2] == split_words(text)[::2]
    expected = {"dog": "собака", "ink": "чернила"}
    for before, after in zip(split_words(text)[1::2], split_words(switched)[1::2], strict=True):
        assert after == before or after.casefold() == expected[before.casefold()]


@settings(deadline=None)  # the first call builds the patterns
@given(st.text(), st.sampled_from(sorted(DOG)), st.sampled_from(sorted(DOG)))
def test_any_text_without_entries_stays_as_it_is(text: str, source: str, target: str) -> None:
    assert into(target)(text, source, (0, 0, 0, 0)) == text


def test_real_texts_keep_all_that_is_no_word(cldr: Lexicon, texts: list[tuple[str, str]]) -> None:
    def punctuation(text: str) -> list[str]:
        return [char for char in text if unicodedata.category(char)[0] in "PSC" and char not in "-'’\u200d"]

    switch = into("es", 1.0, cldr)
    for row, (text, language) in enumerate(texts):
        assert punctuation(switch(text, language, (0, 0, 0, row))) == punctuation(text)
    assert switch.counts.replaced > 5_000


# -- counts and card ---------------------------------------------------------------------------------------------------


def test_words_are_counted_as_entries_words_and_letters_of_scripts_without_spaces() -> None:
    switch = into("de")
    switch("The hot dog: a dog!", "en", (0, 0, 0, 0))
    assert switch.counts.as_dict() == {"words": 4, "translatable": 2, "replaced": 2}
    switch("我的狗狗很好", "zh", (0, 0, 0, 0))
    assert switch.counts.as_dict() == {"words": 4 + 5, "translatable": 3, "replaced": 3}
    switch("Der Hund", "de", (0, 0, 0, 0))
    assert switch.counts.as_dict() == {"words": 4 + 5 + 2, "translatable": 3, "replaced": 3}


def test_the_card_names_the_lexicons_without_their_folders(shared_data: Path) -> None:
    lexicon = load_lexicon([f"cldr:{shared_data}/./cldr-annotations/"])
    card = json.loads(json.dumps(CodeSwitch(lexicon, 0.25, "bilingual", "zh-CN").describe()))
    assert (card["probability"], card["mode"], card["target"]) == (0.25, "bilingual", "zh")
    (source,) = card["lexicons"]
    assert source["name"] == "cldr-annotations"
    assert source["entries"] > 1_900
    assert len(source["sha256"]) == 64
    assert str(shared_data) not in json.dumps(card)


# -- errors ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1.5,), "the probability of code-switching is 1.5: expected one between 0 and 1"),
        ((-0.1,), "the probability of code-switching is -0.1: expected one between 0 and 1"),
        ((float("nan"),), "the probability of code-switching is nan: expected one between 0 and 1"),
        ((0.5, "both"), "unknown mode of code-switching 'both': expected multilingual or bilingual"),
        ((0.5, "bilingual"), "bilingual code-switching needs a target language, such as 'de'"),
        ((0.5, "multilingual", "de"), "multilingual code-switching draws the target language: leave 'de' out, or use"),
        ((0.5, "bilingual", "fr"), "no lexicon translates into 'fr': choose from ar, de, en, hi, ru, th, tr, zh"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(TrainingError) as caught:
        CodeSwitch(MADE, *arguments)  # type: ignore[arg-type]
    assert message in str(caught.value)


def test_a_training_that_nothing_can_be_switched_in_is_refused() -> None:
    CodeSwitch(MADE, 0.5).check(["fr", "en"])
    into("de").check(["de", "en-GB"])
    with pytest.raises(TrainingError) as caught:
        CodeSwitch(MADE, 0.5).check(["fr", "el"])
    assert str(caught.value) == (
        "nothing to code-switch: the training texts are in fr, el, of which the lexicon translates none; it translates "
        "from ar, de, en, hi, ru, th, tr, zh"
    )
    with pytest.raises(TrainingError, match="are in de, of which the lexicon translates none into 'de'; it translates"):
        into("de").check(["de"])
