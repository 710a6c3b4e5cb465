"""Text from data becomes inert: nothing that a terminal obeys, hides or turns round is left."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlbias.text import HIDDEN, brief, clean, cut, drop_surrogates, one_line, width

HOSTILE = {
    "OSC 52 writes the clipboard": "\x1b]52;c;ZXZpbA==\x07",
    "OSC 0 sets the title": "\x1b]0;owned\x1b\\",
    "CSI clears the screen": "\x1b[2J\x1b[31m",
    "C1 CSI": "\x9b31mred",
    "C1 OSC": "\x9d52;c;ZXZpbA==\x9c",
    "bidi override": "abc\u202edcba\u202c",
    "bidi isolate": "\u2066x\u2069\u061c\u200e\u200f",
    "NUL": "a\x00b",
    "line separators": "a\u2028b\u2029c\x85d",
    "tag characters": "a\U000e0041\U000e007f",
}
FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_is_made_visible_and_inert(text):
    cleaned = clean(text)
    assert not FORBIDDEN.search(cleaned)
    assert cleaned != text


@given(st.text(alphabet=st.characters(codec=None)))
def test_in_brief_every_mark_takes_one_cell_and_nothing_gets_through(text):
    short = brief(text)
    assert not FORBIDDEN.search(short)
    assert not any(unicodedata.category(char) in ("Cc", "Cs") for char in short)
    marks = re.findall(r"⟨U\+[0-9A-F]{4,6}⟩", clean(text))
    written = re.findall(r"⟨U\+[0-9A-F]{4,6}⟩", text)
    assert len(short) == len(clean(text)) - sum(len(mark) - 1 for mark in marks) + sum(len(m) - 1 for m in written)
    assert short.count(HIDDEN) == len(marks) - len(written) + text.count(HIDDEN)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_in_brief_something_is_seen_where_something_was(text):
    assert not FORBIDDEN.search(brief(text))
    assert brief("\u202eab\ufeff\x1b\u200f\t\x9b") == "␦ab␦␛␦ ␦"
    assert width(HIDDEN) == 1
    assert brief(brief(text)) == brief(text)


@given(st.text(alphabet=st.characters(codec=None)))
def test_whatever_comes_in_nothing_that_a_terminal_obeys_comes_out(text):
    cleaned = clean(text)
    assert not FORBIDDEN.search(cleaned)
    assert not any(unicodedata.category(char) in ("Cc", "Cs") for char in cleaned)
    cleaned.encode("utf-8")
    assert clean(cleaned) == cleaned


def test_what_was_there_can_be_seen():
    assert clean("\x1b[31m") == "␛[31m"
    assert clean("a\x00b\x7f") == "a␀b␡"
    assert clean("\u202e") == "⟨U+202E⟩"
    assert clean("a\ud800") == "a\ufffd"


def test_joiners_stay_for_indic_scripts_persian_and_emoji():
    for text in ("क्‍ष", "می‌خواهم", "👩‍💻"):
        assert clean(text) == text


def test_line_breaks_become_spaces_unless_they_are_asked_for():
    assert clean("a\r\n\tb") == "a b"
    assert clean("a\r\nb\rc", keep_newlines=True) == "a\nb\nc"


@given(st.text(max_size=60), st.integers(min_value=0, max_value=30))
def test_a_cut_text_fits(text, cells):
    shortened = cut(clean(text), cells)
    assert width(shortened) <= cells


def test_a_text_is_cut_between_graphemes():
    assert cut("नमस्ते दुनिया", 5).endswith("…")
    assert cut("👩‍💻👩‍💻👩‍💻", 3) == "👩‍💻…"
    assert cut("日本語", 6) == "日本語"
    assert cut("日本語", 5) == "日本…"
    assert cut("日本語", 4) == "日…"


def test_a_megabyte_without_a_space_costs_nothing():
    import time

    started = time.process_time()
    assert one_line("x" * 1_000_000, 40) == "x" * 39 + "…"
    assert one_line("\u0301" * 1_000_000, 40).endswith("…")
    assert time.process_time() - started < 0.5


def test_lone_surrogates_are_replaced_and_pairs_joined():
    assert drop_surrogates("a\ud800b") == "a\ufffdb"
    assert drop_surrogates("\ud83d\ude00") == "😀"
    assert drop_surrogates("plain ü") == "plain ü"
