"""Searching does not care about case, marks and compatibility forms."""

import pytest

from xlbias.folding import folded


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
