"""What an error says of a name that is not there."""

import pytest

from xlbias.choices import listed, suggestion


@pytest.mark.parametrize(
    ("word", "known", "said"),
    [
        ("mony", ["money", "language"], " (did you mean money?)"),
        ("MAP", ["map", "rr"], " (did you mean map?)"),
        ("mlqa-mono", ["mlqa-mono-0", "mlqa-mono-1", "x"], " (did you mean mlqa-mono-1 or mlqa-mono-0?)"),
        ("zzz", ["money"], ""), ("", ["money"], ""), ("x" * 10_000_000, ["x" * 70], ""), ("money", [], ""),
    ],
)  # fmt: skip
def test_close_names_are_suggested_and_a_word_of_any_length_is_answered_at_once(word, known, said):
    assert suggestion(word, known) == said


def test_of_many_names_some_are_listed_and_the_others_counted():
    assert listed([]) == ""
    assert listed(["a", "b"]) == "a, b"
    assert listed(str(i) for i in range(1_012)) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 1,002 more"
    assert listed("abc", most=1) == "a and 2 more"


def test_a_single_name_is_never_hidden_behind_a_count():
    assert listed("abcdefghijk") == "a, b, c, d, e, f, g, h, i, j, k"
    assert listed("ab", most=1) == "a, b"
