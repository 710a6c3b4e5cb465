"""Lexicons: what their sources say, what is found in a text, and one sentence for each input that is none."""

import gzip
import hashlib
import json
import re
import tracemalloc
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xlbias.data.lexicons import Lexicon, Source, load_lexicon
from xlbias.data.lexicons.words import fold_words, split_words
from xlbias.errors import TaskError

pytestmark = pytest.mark.integration

ELEVEN = ("ar", "de", "el", "en", "es", "hi", "ru", "th", "tr", "vi", "zh")
SCRIPTS = "aZß ıİΣς жЖ كَلْ कुत्ते\u094d\u200d ที่น้ำเไ 狗車ドｱﾞ한국 9²½ '’-_.,!?\n\u00a0🐶👨\u200d🍳\ufe0f𑀓𑁆𠀀"


def lexicon(*concepts: dict[str, str]) -> Lexicon:
    return Lexicon([Source("made", "0" * 64, concepts)])


def found(lexicon: Lexicon, text: str, source: str, target: str) -> list[str]:
    """What of `text` is an entry of the lexicon."""
    parts = split_words(text)
    return [
        "".join(parts[2 * first + 1 : 2 * (first + length)]) for first, length, _ in lexicon.find(parts, source, target)
    ]


@pytest.fixture(scope="session")
def cldr(shared_data):
    return load_lexicon([f"cldr:{shared_data / 'cldr-annotations'}"])


@pytest.fixture(scope="session")
def annotations(shared_data):
    """Language → emoji → annotation, as the files have it."""
    files = {path.stem: path for path in (shared_data / "cldr-annotations").glob("*.json")}
    return {
        language: json.loads(path.read_text(encoding="utf-8"))["annotations"]["annotations"]
        for language, path in files.items()
    }


# -- CLDR --------------------------------------------------------------------------------------------------------------


def only_words(name: str) -> bool:
    return all(unicodedata.category(char)[0] in "LMN" or char == " " for char in name)


def test_the_names_of_an_emoji_are_translations_of_one_another(cldr, annotations):
    assert cldr.languages == ELEVEN
    assert all(cldr.targets(source) == tuple(t for t in ELEVEN if t != source) for source in ELEVEN)
    assert cldr.translations("en", "de", "dog") == ("Hund",)
    assert cldr.translations("zh", "el", "汽车") == ("αυτοκίνητο",)
    assert cldr.translations("th", "ar", "สุนัข") == ("كلب",)
    for source, target in [("en", "zh"), ("ru", "th"), ("tr", "vi"), ("el", "de"), ("ar", "es")]:
        checked = 0
        for emoji, annotation in annotations[source].items():
            name, other = annotation["tts"][0], annotations[target][emoji]["tts"][0]
            if only_words(name) and only_words(other) and name.count(" ") < 4:
                same = name.casefold() == other.casefold()
                assert (other in cldr.translations(source, target, name)) == (not same)
                checked += 1
        assert checked > 1_000
        assert cldr.size(source, target) >= checked * 0.9


def test_a_name_with_more_than_words_is_left_out(cldr):
    assert cldr.translations("en", "de", "person: beard") == ()
    assert cldr.translations("de", "en", "Frau") == ("woman",)  # and not one who gets a massage
    assert cldr.translations("en", "hi", "brain") == ("मस्तिष्क",)  # the first of a list


@pytest.mark.parametrize("name", ["", " ", "!", "\u200d", "#️⃣", "...", "-", "(", "🐕"])
def test_a_name_without_any_word_is_left_out(folder, name):
    def of(dog, other):
        return {"annotations": {"annotations": {"🐕": {"tts": [dog]}, "x": {"tts": [other]}}}}

    path = folder({"de.json": of("Hund", name), "en.json": of("dog", "word")})
    loaded = load_lexicon([str(path)])
    assert loaded.translations("en", "de", "dog") == ("Hund",)
    assert loaded.translations("en", "de", "word") == ()


def test_single_keywords_are_the_names_again(annotations):
    for of_language in annotations.values():
        for annotation in of_language.values():
            if len(annotation["default"]) == 1:
                assert annotation["default"] == annotation["tts"]


def test_the_layout_of_cldr_json_is_read_as_well(tmp_path, annotations):
    for language in ("de", "en-001", "zh-Hant"):
        path = tmp_path / language / "annotations.json"
        path.parent.mkdir()
        content = {"annotations": {"annotations": {"🐕": annotations[language[:2]]["🐕"]}}}
        path.write_text(json.dumps(content), encoding="utf-8")
    loaded = load_lexicon([str(tmp_path)])
    assert loaded.languages == ("de", "en-001", "zh-Hant")
    assert loaded.translations("de", "zh-Hant", "hund") == ("狗",)


def test_eleven_languages_take_little_memory(shared_data):
    tracemalloc.start()
    loaded = load_lexicon([str(shared_data / "cldr-annotations")])
    assert all(loaded.targets(language) for language in ELEVEN)  # which makes every language's index
    now, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert now < 24e6


# -- TSV ---------------------------------------------------------------------------------------------------------------

FOUR = "en\tdog\tde\tHund\nen\tdog\tfr\tchien\nEN\tdog\tdeu\tTöle\n\nen\tice cream\tzh-CN\t冰淇淋\n"


@pytest.mark.parametrize("header", ["", "source-language\tword\ttarget-language\ttranslation\n"])
def test_four_columns_say_their_languages(folder, header):
    path = folder({"some.words": header + FOUR}) / "some.words"
    loaded = load_lexicon([str(path)])
    assert loaded.languages == ("de", "en", "fr", "zh-CN")
    assert loaded.translations("en", "de", "Dog") == ("Hund", "Töle")
    assert loaded.translations("en", "zh-CN", "ICE  cream") == ("冰淇淋",)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    languages = ["de", "en", "fr", "zh-CN"]
    assert loaded.describe() == [{"name": "some.words", "entries": 4, "languages": languages, "sha256": digest}]


@pytest.mark.parametrize("name", ["en-de.tsv", "en-de.txt", "en-de.0-5000.txt", "eng-deu.txt", "en-de.txt.gz"])
@pytest.mark.parametrize("separator", ["\t", " ", "  "])
def test_two_columns_in_a_file_whose_name_says_the_languages(folder, name, separator):
    text = f"\ufeffdog{separator}Hund\r\ndog{separator}hund\r\ncat{separator}Katze\r\n".encode()
    path = folder({name: gzip.compress(text) if name.endswith(".gz") else text}) / name
    loaded = load_lexicon([str(path)])
    assert loaded.translations("en", "de", "cat") == ("Katze",)
    assert loaded.translations("en", "de", "dog") == ("Hund", "hund")
    assert loaded.translations("de", "en", "HUND") == ("dog",)


def test_pairs_are_read_both_ways_and_never_through_a_third_language(folder):
    path = folder({"en-de.tsv": "bank\tBank\nbank\tUfer\nshore\tUfer\n", "en-fr.tsv": "bank\tbanque\nbank\trive\n"})
    loaded = load_lexicon([str(path / "en-de.tsv"), str(path / "en-fr.tsv")])
    assert loaded.targets("en") == ("de", "fr")
    assert loaded.targets("de") == loaded.targets("fr") == ("en",)
    assert loaded.translations("de", "fr", "Ufer") == ()
    assert loaded.translations("de", "en", "Ufer") == ("bank", "shore")


def test_several_lexicons_are_one_and_a_pair_in_both_counts_once(folder, cldr, shared_data):
    path = folder({"de-en.tsv": "Hund\tdog\nHund\thound\n"}) / "de-en.tsv"
    both = load_lexicon([str(shared_data / "cldr-annotations"), str(path)])
    assert both.translations("de", "en", "Hund") == ("dog", "hound")
    assert both.translations("en", "de", "dog") == ("Hund",)
    assert [source["name"] for source in both.describe()] == ["cldr-annotations", "de-en.tsv"]


def test_a_translation_that_is_the_same_word_is_none():
    same = lexicon({"en": "taxi", "de": "Taxi"}, {"en": "hotel", "de": "Hotel"}, {"en": "hotel", "de": "Gasthof"})
    assert same.translations("en", "de", "taxi") == ()
    assert same.translations("en", "de", "hotel") == ("Gasthof",)
    assert lexicon({"en": "taxi", "de": "Taxi"}).targets("en") == ()


# -- errors ------------------------------------------------------------------------------------------------------------

DOG = {"annotations": {"annotations": {"🐕": {"default": ["dog"], "tts": ["dog"]}}}}


@pytest.mark.parametrize(
    ("files", "spec", "message"),
    [
        (
            {},
            "nothing.tsv",
            "there is no such lexicon; expected a TSV file of word pairs (such as en-de.tsv)",
        ),
        ({}, "x" * 300, ": cannot be read: File name too long"),
        ({}, "cldr:nothing", "nothing: there is no such folder; expected a folder of CLDR annotations after cldr:"),
        ({"en-de.tsv": "a\tb\n"}, "cldr:en-de.tsv", "en-de.tsv: is a file; expected a folder of CLDR annotations"),
        ({"en-de.tsv": ""}, "en-de.tsv", "en-de.tsv: the file holds no pairs of words; expected lines of source-lang"),
        ({"x.tsv": "source-language\tword\ttarget-language\ttranslation\n"}, "x.tsv", "x.tsv: the file holds no pairs"),
        ({"x.tsv": "dog\tHund\n"}, "x.tsv", "x.tsv, line 1: 2 columns; expected four (source-language, word, target"),
        ({"x.tsv": "dog\n"}, "x.tsv", "x.tsv, line 1: 1 column; expected four (source-language, word, target"),
        ({"x.tsv": "en\ta\tde\tb\nen\ta\tde\n"}, "x.tsv", "x.tsv, line 2: 3 columns; expected four as on the first"),
        ({"x.tsv": "en\ta\tde\t \n"}, "x.tsv", "x.tsv, line 1: the column 'translation' is empty; expected source-la"),
        ({"x.tsv": "en\ta\tdx\tb\n"}, "x.tsv", "x.tsv, line 1: unknown language tag 'dx': expected a BCP 47 tag"),
        ({"x.tsv": "en\ta\teng\tb\n"}, "x.tsv", "x.tsv, line 1: source and target language are both 'en'; expected"),
        ({"en-xx.tsv": "a\tb\n"}, "en-xx.tsv", "en-xx.tsv: unknown language tag 'xx'"),
        ({"en-de.txt": "a b\nice cream Eis\n"}, "en-de.txt", "en-de.txt, line 2: 3 columns; expected a word in 'en'"),
        ({"en-de.txt": "a\tb\nc\td\te\n"}, "en-de.txt", "en-de.txt, line 2: 3 columns; expected a word in 'en' and"),
        ({"en-de.txt": "a\tb\n\tHund\n"}, "en-de.txt", "en-de.txt, line 2: a column is empty; expected a word in 'en'"),
        ({"en-de.txt": b"a b\nk\xfc x\n"}, "en-de.txt", "en-de.txt, line 2: not valid UTF-8 (byte 0xfc)"),
        ({"en-de.txt.gz": b"no"}, "en-de.txt.gz", "en-de.txt.gz: not a whole gzip file"),
        ({"a.txt": "x"}, "", "corpus: no files of CLDR annotations in this folder; expected at least two, such as de."),
        ({"de.json": DOG}, "", "corpus: 1 file of CLDR annotations in this folder; expected at least two"),
        ({"de.json": DOG, "deu.json": DOG}, "", "deu.json: a second file in language 'de'"),
        (
            {"de.json": DOG, "package.json": {}},
            "",
            "package.json: 'package' is not a language; expected CLDR",
        ),
        ({"de.json": "{", "en.json": DOG}, "", "de.json: not valid JSON (Expecting property name"),
        ({"de.json": b'"\xfc"', "en.json": DOG}, "", "de.json, line 1: not valid UTF-8 (byte 0xfc)"),
        ({"de.json": [1], "en.json": DOG}, "", 'de.json: no CLDR annotations; expected {"annotations": {"annotation'),
        (
            {"de.json": {"annotations": {"annotations": {"x": 1}}}, "en.json": DOG},
            "",
            "de.json, 'x': expected an object with the fields default and tts",
        ),
        (
            {"de.json": {"annotations": {"annotations": {"x": {"tts": "y"}}}}, "en.json": DOG},
            "",
            "de.json, 'x': field 'tts' must be a list of strings",
        ),
        ({"de.json": {"annotations": {"annotations": {}}}, "en.json": DOG}, "", "corpus: no emoji has a name in two"),
    ],
)
def test_what_is_no_lexicon_is_one_sentence(folder, files, spec, message):
    path = folder(files)
    spec = f"cldr:{path / spec[5:]}" if spec.startswith("cldr:") else str(path / spec)
    with pytest.raises(TaskError) as caught:
        load_lexicon([spec])
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_lexicon_at_all_is_an_error():
    with pytest.raises(TaskError, match="no lexicon given: expected a TSV file"):
        load_lexicon([])


# -- words -------------------------------------------------------------------------------------------------------------


@settings(deadline=None)  # the first call builds the patterns
@given(st.one_of(st.text(), st.text(st.sampled_from(SCRIPTS))))
def test_a_text_taken_apart_is_the_text(text):
    parts = split_words(text)
    assert "".join(parts) == text
    assert len(parts) % 2 == 1
    for word in parts[1::2]:
        assert unicodedata.category(word[0])[0] in "LN"
        assert not any(char.isspace() or char == "_" for char in word)
    for between in parts[::2]:
        assert not any(unicodedata.category(char)[0] in "LN" for char in between)


@settings(deadline=None)  # the first call builds the patterns
@given(st.text(st.sampled_from(SCRIPTS)))
def test_no_mark_is_cut_from_its_letter(text):
    parts = split_words(text)
    for left, right in pairwise(parts):
        if left and right and unicodedata.category(right[0])[0] == "M":
            assert unicodedata.category(left[-1])[0] not in "LNM"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't l’eau 'dog's'", ["Don't", "l’eau", "dog's"]),
        ("foo_bar, mother-in-law", ["foo", "bar", "mother", "in", "law"]),
        ("कुत्ते का चेहरा", ["कुत्ते", "का", "चेहरा"]),
        ("كَلْبٌ جَمِيلٌ", ["كَلْبٌ", "جَمِيلٌ"]),
        ("می\u200cخواهم", ["می\u200cخواهم"]),
        ("เด็กที่น้ำ", ["เด็", "ก", "ที่", "น้ำ"]),
        ("我的iPhone手机", ["我", "的", "iPhone", "手", "机"]),
        ("👨\u200d🍳 ❤️", []),
    ],
)
def test_words_of_many_scripts(text, words):
    assert split_words(text)[1::2] == words


@pytest.mark.parametrize(
    ("language", "a", "b", "equal"),
    [
        ("en", "DOG", "dog", True),
        ("de", "Straße", "STRASSE", True),
        ("el", "ΣΚΎΛΟΣ", "σκύλος", True),
        ("en", "ｄｏｇ", "dog", True),
        ("en", "cafe\u0301", "café", True),
        ("hi", "\u0958लम", "\u0915\u093cलम", True),
        ("th", "น้ำ", "น้ํา", True),
        ("en", "don’t", "DON'T", True),
        ("tr", "IŞIK", "ışık", True),
        ("tr", "İNEK", "inek", True),
        ("tr", "I\u0307NEK", "inek", True),
        ("tr", "INEK", "inek", False),
        ("en", "INK", "ink", True),
    ],
)
def test_words_are_compared_without_case_in_nfkc(language, a, b, equal):
    assert (fold_words(split_words(a), language) == fold_words(split_words(b), language)) == equal


# -- what is found in a text -------------------------------------------------------------------------------------------


def test_the_longest_entry_counts_and_only_where_its_words_stand_as_in_it():
    some = lexicon(
        {"en": "dog", "de": "Hund"},
        {"en": "hot dog", "de": "Hotdog"},
        {"en": "dog face", "de": "Hundegesicht"},
        {"en": "hot dog with red sauce", "de": "Wurst"},  # five words
        {"en": "hot dog with sauce", "de": "Würstchen"},
        {"en": "T-shirt", "de": "Hemd"},
    )
    assert found(some, "Hot  dog face, dog\nface", "en", "de") == ["Hot  dog", "dog\nface"]
    assert found(some, "hot, dog dogs hotdog", "en", "de") == ["dog"]
    assert found(some, "hot dog with red sauce; hot dog with sauce", "en", "de") == ["hot dog", "hot dog with sauce"]
    assert found(some, "t-SHIRT, t shirt, tshirt", "en", "de") == ["t-SHIRT"]


def test_a_longer_entry_without_a_translation_hides_no_shorter_one():
    some = lexicon({"en": "hot dog", "th": "ฮอทดอก"}, {"en": "dog", "de": "Hund"}, {"en": "hot", "de": "heiß"})
    assert found(some, "a hot dog", "en", "de") == ["hot", "dog"]
    assert found(some, "a hot dog", "en", "th") == ["hot dog"]


def test_a_single_letter_of_a_script_without_spaces_counts_only_alone():
    some = lexicon({"zh": "狗", "th": "ปู", "en": "x"}, {"zh": "手机", "th": "น้ำ", "en": "y"}, {"zh": "T恤", "en": "z"})
    assert found(some, "我的狗, 狗。热狗 A狗", "zh", "en") == ["狗", "狗"]  # A is of another script
    assert found(some, "我手机T恤", "zh", "en") == ["手机", "T恤"]
    assert found(some, "NT恤", "zh", "en") == []
    assert found(some, "ปู ปูน", "th", "en") == ["ปู"]


def test_no_match_ends_within_a_thai_syllable():
    some = lexicon({"th": "มา", "en": "come"}, {"th": "รถ", "en": "car"}, {"th": "กา", "en": "crow"})
    assert found(some, "รถไฟ", "th", "en") == ["รถ"]
    assert found(some, "รถา", "th", "en") == []
    assert found(some, "เกา", "th", "en") == []


NAMES = {"arb": "ar", "deu": "de", "ell": "el", "eng": "en", "hin": "hi", "rus": "ru", "spa": "es", "tur": "tr"}


def sentences(shared_data, language):
    code = {"vi": "vie", "th": "tha", "zh": "zho-CN"} | {tag: name for name, tag in NAMES.items()}
    path = next((shared_data / "ntrex128").glob(f"newstest*.{code[language]}.txt"))
    return path.read_text(encoding="utf-8").split("\n")[:-1]


def plain(text, language):
    """Fold a whole string at once, unlike the code under test."""
    text = unicodedata.normalize("NFKC", text).replace("’", "'").replace("\u200d", "").replace("\u200c", "")
    if language == "tr":
        text = text.replace("İ", "i").replace("I", "ı")
    return unicodedata.normalize("NFKC", re.sub(r"\s+", " ", text).casefold())


def brute_force(text, names, language, spaced):
    """Try every substring that begins and ends at a word boundary, from left to right, the longest first."""

    def within(i):
        """Is there no word boundary before character i?"""
        if not 0 < i < len(text):
            return False
        a, b = text[i - 1], text[i]
        if not spaced and not (a + b).isascii():
            return False
        word = [unicodedata.category(c)[0] in "LMN" or c in "\u200c\u200d" for c in (a, b)]
        quote = "'’"
        if b in quote and i + 1 < len(text):
            return word[0] and text[i + 1].isalnum()
        if a in quote and i > 1:
            return word[1] and unicodedata.category(text[i - 2])[0] in "LMN"
        return all(word)

    boundaries = [i for i in range(len(text) + 1) if not within(i)]
    matches, start = [], 0
    while start < len(text):
        ends = [end for end in boundaries if start < end <= start + 60] if start in set(boundaries) else []
        for end in reversed(ends):
            around = text[:start][-1:] + text[end : end + 1]
            alone = spaced or end - start > 1 or not any(c.isalpha() and not c.isascii() for c in around)
            if text[end - 1].strip() and plain(text[start:end], language) in names and alone:
                matches.append(text[start:end])
                start = end
                break
        else:
            start += 1
    return matches


@pytest.mark.parametrize("language", ["ar", "de", "el", "en", "es", "hi", "ru", "tr", "vi", "zh"])
def test_what_is_found_is_what_trying_every_substring_finds(language, cldr, annotations, shared_data):
    target = "th"
    written = [annotation["tts"][0] for annotation in annotations[language].values()]
    names = {
        plain(name, language)
        for name in written + [name.split(", ")[0] for name in written]
        if cldr.translations(language, target, name)
    }
    texts = sentences(shared_data, language)[::8]
    expected = [brute_force(text, names, language, language != "zh") for text in texts]
    assert sum(map(len, expected)) > 25
    for text, matches in zip(texts, expected, strict=True):
        assert found(cldr, text, language, target) == matches


@pytest.mark.parametrize(("tag", "lexicons"), [("zh-CN", "zh"), ("zh-Hant-TW", "zh"), ("zh", "zh"), ("fr", None)])
def test_a_more_specific_tag_is_its_language(tag, lexicons):
    assert lexicon({"zh": "手机", "en": "phone"}).resolve(tag) == lexicons
