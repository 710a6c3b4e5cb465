"""Searching does not care about case, marks and compatibility forms; copies differ in normalisation and white space."""

import sys
import unicodedata

import polars as pl
import pytest

from xlbias.folding import canonical, canonical_texts, folded


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ünïcode", "unicode"), ("STRASSE", "straße"), ("ＡＢＣ", "abc"), ("كِتَاب", "كتاب"), ("Ελλάδα", "ελλαδα"),
        ("війна", "ВІЙНА"), ("한국", "한국"), ("ﬁle", "file"),
    ],
)  # fmt: skip
def test_equal_when_folded(one, other):
    assert folded(one) == folded(other)


@pytest.mark.parametrize(("one", "other"), [("война", "воины"), ("का", "क"), ("한", "하")])
def test_different_when_folded(one, other):
    assert folded(one) != folded(other)


@pytest.mark.parametrize(
    "copy",
    ["Tiếng Việt có dấu", unicodedata.normalize("NFD", "Tiếng Việt có dấu"), "Tiếng Việt có dấu\r",
     " Tiếng\u00a0Việt  có\tdấu\n", "Tiếng\u3000Việt có\r\ndấu\u2028", "\x1cTiếng Việt\x85có dấu"],
)  # fmt: skip
def test_copies_of_a_text_are_one(copy):
    assert canonical(copy) == "Tiếng Việt có dấu"


@pytest.mark.parametrize(("one", "other"), [("É", "é"), ("e", "é"), ("a b", "ab"), ("ﬁ", "fi"), ("a.", "a"), ("", "a")])
def test_texts_that_differ_in_more_stay_apart(one, other):
    assert canonical(one) != canonical(other)


def test_a_column_is_made_canonical_as_each_text_is():
    assigned = [chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) not in {"Cn", "Cs"}]
    texts = ["", " ", *(text for c in assigned for text in (f"a{c}b", f"{c} a{c}"))]
    column = pl.DataFrame({"text": texts}).select(canonical_texts(pl.col("text")))["text"].to_list()
    assert column == [canonical(text) for text in texts]
    assert [canonical(text) for text in column] == column
