r"""Takes a text apart into words and what stands between them, in every script, and folds words for comparison.

Words are those of Unicode's word boundaries (UAX 29) as far as a lexicon needs them: letters and digits with all their
combining marks (which Python's ``\w`` leaves out: most vowels of Hindi, tones of Thai, harakat of Arabic), and
apostrophes and joiners between letters. Where a script puts no spaces between words (Chinese, Japanese, Thai, Lao,
Khmer, Burmese, Tibetan), each letter with its marks is a word of its own here, and words of several letters are found
by looking them up.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache

_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x0F00, 0x0FFF),  # Tibetan
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0x2FDF),  # radicals
    (0x3005, 0x3007),
    (0x3021, 0x3029),
    (0x3038, 0x30FF),  # Hiragana, Katakana
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),  # Chinese characters
    (0x4E00, 0x9FFF),
    (0xA9E0, 0xA9FF),
    (0xAA60, 0xAA7F),
    (0xF900, 0xFAFF),
    (0xFF66, 0xFF9F),  # half-width Katakana
    (0x20000, 0x3FFFF),
)
_MARKS = ((0x0300, 0x1FFFF), (0xE0100, 0xE01EF))  # no combining mark is outside of these
_BEYOND_BMP = re.compile("[\U00010000-\U0010ffff]")
_JOINERS = "'\u2019\u00ad\u200c\u200d"  # inside words, not at their ends: l'eau, soft hyphen, ZWNJ, ZWJ
_BEFORE = "\u0e40-\u0e44\u0ec0-\u0ec4"  # Thai and Lao vowels that are written before their consonant
_AFTER = "\u0e30\u0e32\u0e33\u0e45\u0eb0\u0eb2\u0eb3\uff9e\uff9f"  # letters that only follow one, as marks do
_STACKERS = "\u1039\u17d2"  # Burmese and Khmer: the next consonant is written below this one
_FOLDED_AWAY = {ord(joiner): None for joiner in "\u00ad\u200c\u200d"} | {ord("\u2019"): "'"}
_REMEMBERED = 1 << 16  # words whose folded form is kept: few words make up most of any text
TURKIC = ("az", "tr")  # languages with a dotted and a dotless i


def split_words(text: str) -> list[str]:
    """Return ``[between, word, between, ..., word, between]``: words at odd places, and joined it is `text` again."""
    return _patterns(_BEYOND_BMP.search(text) is not None)[0].split(text)


def is_unspaced(word: str) -> bool:
    """Tell whether a word of `split_words` is one letter of a script that puts no spaces between words."""
    return _patterns(word > "\uffff")[1].match(word) is not None


def fold_words(parts: Sequence[str], language: str) -> list[str]:
    """Return the words of `split_words`, each folded as its language asks for."""
    return list(map(_fold_turkic if language.partition("-")[0] in TURKIC else _fold, parts[1::2]))


def extend(phrase: str, between: str, word: str) -> str:
    """Return a folded phrase with one folded word more, and what stands between them; any whitespace is one."""
    return phrase + (" " if between.isspace() else between) + word


def fold_phrase(phrase: str, language: str) -> list[str]:
    """Return the first word of `phrase`, folded, its first two words, ... and all of it, by which it is compared.

    There are none if it does not begin and end with a word.
    """
    parts = split_words(phrase.strip())
    if len(parts) < 3 or parts[0] or parts[-1]:
        return []
    prefixes: list[str] = []
    for between, word in zip(parts[::2], fold_words(parts, language), strict=False):
        prefixes.append(extend(prefixes[-1], between, word) if prefixes else word)
    return prefixes


@lru_cache(maxsize=_REMEMBERED)
def _fold(word: str) -> str:
    """Return `word` as NFKC without case, joiners inside it, and difference between two apostrophes."""
    word = unicodedata.normalize("NFKC", word).casefold()
    return unicodedata.normalize("NFKC", word).translate(_FOLDED_AWAY)


@lru_cache(maxsize=_REMEMBERED)
def _fold_turkic(word: str) -> str:
    """The same for Turkish and Azerbaijani, where İ is the capital of i, and I that of ı."""
    return _fold(unicodedata.normalize("NFKC", word).replace("İ", "i").replace("I", "ı"))


@cache
def _patterns(beyond_bmp: bool) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return the pattern of a word, in a group, and that of a letter of a script without spaces.

    Texts without a character beyond U+FFFF, which is nearly all, have patterns of their own: `re` looks such classes up
    in a table and is twice as fast. Built at first use, as it asks for the category of each of 140,000 characters.
    """
    last = 0x10FFFF if beyond_bmp else 0xFFFF
    marks = _class(_with_category(_MARKS, "M", last))
    unspaced = _class(_with_category(_UNSPACED, "LN", last))
    spaced = rf"[^\W_{unspaced}]"
    run = rf"{spaced}+(?:[{marks}]+{spaced}*)*"
    letter = rf"[{_BEFORE}]*[{unspaced}](?:[{_STACKERS}][{unspaced}]|[{marks}{_AFTER}])*"
    return re.compile(rf"({run}(?:[{_JOINERS}]{run})*|{letter})"), re.compile(f"[{unspaced}]")


def _with_category(blocks: Iterable[tuple[int, int]], major: str, last: int) -> list[int]:
    """Return the characters of some blocks, up to `last`, whose general category begins with a letter of `major`."""
    return [
        code
        for start, end in blocks
        for code in range(start, min(end, last) + 1)
        if unicodedata.category(chr(code))[0] in major
    ]


def _class(codes: list[int]) -> str:
    """Return the inside of a regular expression's ``[...]`` for ascending character codes."""
    ranges: list[list[int]] = []
    for code in codes:
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)
