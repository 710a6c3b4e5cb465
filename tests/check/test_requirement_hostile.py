"""Requirements from anywhere: only UsageError comes out, in one safe sentence, and nothing is ever run as code."""

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xlbias.check.requirement import Requirement, parse
from xlbias.errors import UsageError
from xlbias.text import clean


class Numbers:
    """A few fields that random requirements may hit."""

    def names(self):
        return ["map", "a"]

    def lookup(self, name, languages):
        return [{(): 1.5}, {("de",): 1.0, ("th",): None}, {("de", "th"): 0.5, ("de", "multilingual"): 2.0}][languages]

    def counted(self, name, key):
        return ()


def refused(text):
    with pytest.raises(UsageError) as error:
        parse(text)
    message = str(error.value)
    assert clean(message) == message
    return message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("__import__('os').system('x') == 0", "column 1: unexpected '_'"),
        ("a.__class__ == 0", "column 2: a dot in a name is followed by a letter"),
        ("a.b.__class__ == 0", "column 4: a dot in a name"),
        ("open('x') == 0", 'column 6: unexpected "\'": nothing needs quotes'),
        ("x = 1", "column 3: unexpected '=': write ==, <= or >="),
        ("x => 1", "column 3: unexpected '='"),
        ("x := 1", "column 3: unexpected ':'"),
        ('f"{x}" == 1', "column 2: unexpected '\"': nothing needs quotes"),
        ("lambda: 1", "column 7: unexpected ':'"),
        ("[x for x in y] == 1", "column 1: expected a number, a field or '(', found '['"),
        ("{} == 1", "column 1: unexpected '{'"),
        ("exec(x) == 1", "column 1: no function 'exec': choose from min, max, mean, abs, count"),
        ("maxx(x) == 1", "no function 'maxx' (did you mean max?): choose from"),
        ("x.y(1) == 1", "no function 'x.y'"),
        ("x; y", "unexpected ';'"),
        ("x ** 2 == 1", "column 4: expected a number, a field or '(', found '*'"),
        ("x >= 1 && y >= 1", "unexpected '&': write and"),
        ("!x", "unexpected '!': write not"),
        ("x ≥ 1", "unexpected '≥': write >="),
        ("x % 2 == 1", "column 3: unexpected '%': a percent sign directly follows a number"),
        ("5%% == x", "column 1: '5%%' is not a number"),
        ("1.2.3 == x", "column 1: '1.2.' is not a number"),
        ("2x == x", "column 1: '2x' is not a number"),
        ("1,190 == x", "column 2: expected a comparison, and, or, or the end, found ','"),
        ("1e999 == x", "column 1: the number is too large"),
        ("٣ == x", "column 1: unexpected '٣'"),
    ],
)
def test_what_is_not_of_the_language_is_refused_in_a_plain_sentence(text, message):
    assert message in refused(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the requirement is empty"),
        ("   ", "the requirement is empty"),
        ("map", "column 1: 'map' is a number, expected a comparison such as 'map >= 0.1'"),
        ("map and x > 1", "column 1: 'map' is a number"),
        ("not map", "column 5: 'map' is a number"),
        ("(x > 1) + 1 == 2", "column 2: 'x > 1' is true or false, expected a number"),
        ("(x > 1) == (y > 1)", "'x > 1' is true or false"),
        ("min(x > 1) > 1", "column 5: 'x > 1' is true or false"),
        ("x > not y", "column 5: expected a number, a field or '(', found 'not'"),
        ("x >", "column 4: expected a number, a field or '(', found the end"),
        ("x > 1 y", "column 7: expected a comparison, and, or, or the end, found 'y'"),
        ("(x > 1", "column 7: expected ')' for the '(' of column 1, found the end"),
        ("x > 1)", "column 6: expected a comparison, and, or, or the end, found ')'"),
        ("min() > 1", "column 5: expected a number"),
        ("min > 1", "column 1: min is a function: write min(...)"),
        ("abs(x, y) > 1", "column 1: abs takes one argument, not 2"),
        ("map[] > 1", "column 5: expected a language such as de, or *, found ']'"),
        ("map[th,] > 1", "column 8: expected a language"),
        ("map[th de] > 1", "column 8: expected ']' for the '[' of column 4, found 'de'"),
        ("map[a,b,c] > 1", "column 4: brackets hold one or two languages (of query and passage), not 3"),
        ("map[th > 1", "column 8: unexpected '>' between brackets"),
        ("map[[th]] > 1", "column 5: unexpected '[' between brackets"),
        ("map['th'] > 1", 'column 5: unexpected "\'" between brackets'),
    ],
)
def test_what_is_no_requirement(text, message):
    assert message in refused(text)


@pytest.mark.parametrize("text", ["a-b > 1", "map.cross-b > 1", "recall@10-map > 1", "map.cross-lingual-map > 1"])
def test_a_hyphen_between_letters_is_refused_because_it_could_be_a_minus(text):
    assert "could be one name or a difference: put spaces around a minus" in refused(text)


@pytest.mark.parametrize("text", ["2-map > 1", "(a)-a == 0", "a[de]-a[de] == 0", "a -a == 0", "a-1 > 0", "a-.5 > 0"])
def test_a_hyphen_that_can_only_be_a_minus(text):
    assert isinstance(parse(text), Requirement)


@pytest.mark.parametrize("hidden", ["\x1b", "\x00", "\x07", "\x9b", "\x7f", "\u202e", "\u200b", "\ud800", "\ufeff"])
def test_control_characters_are_refused_and_never_echoed(hidden):
    message = refused(f"map{hidden}[31m > 1")
    assert "column 4: a control character" in message
    assert hidden not in message


def test_a_requirement_has_a_greatest_length():
    assert parse("a > 1".ljust(2000)).expression
    assert refused("a > 1".ljust(2001)) == "a requirement has at most 2,000 characters, this one 2,001"
    assert len(refused("a" * 2000)) < 500


# Every way of nesting, with as much as fits between two levels, and how many levels it counts for.
NESTINGS = [
    ("(", ")", 1), ("-", "", 1), ("abs(", ")", 1), ("min(1,", ")", 1), ("1+2*(", ")", 1), ("1+2*max(3,", ")", 1),
    ("1*-(", ")", 2), ("0-1*abs(", "+a)", 1),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "counts"), NESTINGS)
def test_nesting_is_bounded_and_the_deepest_leaves_room_on_the_stack(before, after, counts):
    levels = 50 // counts

    def text(levels):
        return f"{before * levels}a{after * levels} != a and a == 1"

    limit = sys.getrecursionlimit()
    frame, used = sys._getframe(), 0
    while frame:
        frame, used = frame.f_back, used + 1
    try:
        sys.setrecursionlimit(used + 560)
        assert parse(text(levels)).check(Numbers()).failures
    finally:
        sys.setrecursionlimit(limit)
    assert "nested deeper than 50" in refused(text(levels + 1))


def test_nested_truths_are_bounded():
    assert parse("not " * 50 + "a > 0").check(Numbers()).passed
    assert "nested deeper than 50" in refused("not " * 51 + "a > 0")
    text = "(a > 2 or a > 0 and " * 50 + "a > 0" + ")" * 50
    assert parse(text).check(Numbers()).passed
    assert parse("not a > 2 and not (" * 25 + "a > 2" + ")" * 25).check(Numbers()).values
    assert "nested deeper than 50" in refused("(" * 51 + "a > 0" + ")" * 51)
    assert "nested deeper than 50" in refused("(" * 2000)


def test_a_long_sum_is_no_deep_nesting():
    assert parse("+".join(["1"] * 990) + " == 990").check(Numbers()).passed
    assert parse(" or ".join(["a<0"] * 280) + " or a>0").check(Numbers()).passed
    assert parse("<".join(str(i) for i in range(400))).check(Numbers()).passed


PIECES = [
    "map", "a", "baseline", ".", "a.b", "[", "]", "*", ",", "de", "th", "multilingual", "(", ")", "min(", "abs(",
    "count(", "+", "-", "*", "/", "<", "<=", "==", "!=", ">", "=", "and", "or", "not", "0", "1", "5%", ".5", "1e5",
    "1e", " ", "_", "@", "'", "a[*]", "a[*,*]", "map[*,multilingual]", "baseline.a", "cross-lingual", "\x1b", "é",
    "#", "\n",
]  # fmt: skip
GARBAGE = st.one_of(
    st.text(max_size=300),
    st.lists(st.sampled_from(PIECES), max_size=30).map("".join),
    st.lists(st.sampled_from(PIECES), max_size=30).map(" ".join),
)


@settings(deadline=None)
@given(GARBAGE)
def test_whatever_is_written_only_a_usage_error_comes_out(text):
    try:
        outcome = parse(text).check(Numbers(), Numbers())
    except UsageError as error:
        assert clean(str(error)) == str(error)
        assert len(str(error)) < 1000
    else:
        assert outcome.passed != bool(outcome.failures)
        for line in (outcome.expression, *outcome.failures, *outcome.values):
            assert clean(line) == line
