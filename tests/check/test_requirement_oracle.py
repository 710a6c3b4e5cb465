"""Requirements against an oracle: every expression is drawn with its value, worked out by Python beside the text."""

import math
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from xlbias.check.requirement import parse

SPACE = st.sampled_from(["", " ", "  "])


class Numbers:
    """Scalar fields."""

    def __init__(self, **numbers):
        self.numbers = numbers

    def names(self):
        return list(self.numbers)

    def lookup(self, name, languages):
        return {} if languages else {(): self.numbers[name]}

    def counted(self, name, key):
        return ()


# A drawn expression is (text, how tightly its last operator binds, value or None for undefined).
SUM, PRODUCT, MINUS, ATOM = range(4)


def bracketed(drawn, least):
    """The text, in parentheses where the grammar needs them."""
    text, binds, _ = drawn
    return text if binds >= least else f"({text})"


def worked_out(left, sign, right):
    if left is None or right is None or (sign == "/" and right == 0):
        return None
    value = {"+": lambda: left + right, "-": lambda: left - right, "*": lambda: left * right, "/": lambda: left / right}
    result = value[sign]()
    return result if isinstance(result, Fraction) or math.isfinite(result) else None


@st.composite
def binary(draw, parts, signs):
    left, right, sign, space = draw(parts), draw(parts), draw(st.sampled_from(signs)), draw(SPACE)
    binds = SUM if sign in "+-" else PRODUCT
    text = f"{bracketed(left, binds)}{space}{sign}{space}{bracketed(right, binds + 1)}"
    return text, binds, worked_out(left[2], sign, right[2])


def minus(drawn):
    return f"-{bracketed(drawn, MINUS)}", MINUS, None if drawn[2] is None else -drawn[2]


def called(name, function):
    def call(arguments):
        values = [value for _, _, value in arguments]
        result = None if None in values else function(values)
        return f"{name}({', '.join(text for text, _, _ in arguments)})", ATOM, result

    return call


def expressions(leaves, signs):
    def extended(parts):
        several = st.lists(parts, min_size=1, max_size=3)
        return st.one_of(
            binary(parts, signs),
            parts.map(minus),
            several.map(called("min", min)),
            several.map(called("max", max)),
            parts.map(lambda part: called("abs", lambda values: abs(values[0]))([part])),
            parts.map(lambda part: (f"( {part[0]})", ATOM, part[2])),
        )

    return st.recursive(leaves, extended, max_leaves=12)


FLOATS = st.one_of(
    st.floats(0, 1e6, allow_subnormal=False).map(lambda value: (repr(value), ATOM, value)),
    st.integers(0, 20).map(lambda value: (str(value), ATOM, float(value))),
    st.integers(0, 200).map(lambda value: (f"{value}%", ATOM, value / 100)),
    st.just(("1e300", ATOM, 1e300)),
)
WHOLE = st.integers(0, 9).map(lambda value: (str(value), ATOM, Fraction(value)))


@settings(deadline=None)
@given(expressions(FLOATS, "+-*/"))
def test_arithmetic_is_that_of_python_floats(drawn):
    text, _, value = drawn
    fields = Numbers(expected=value)
    assert parse(f"{text} == expected").check(fields).passed == (value is not None)
    assert not parse(f"{text} != expected").check(fields).passed


@settings(deadline=None)
@given(expressions(WHOLE, "+-*"))
def test_whole_numbers_are_exact(drawn):  # 9 ** 12 is far below 2 ** 53
    text, _, value = drawn
    assert parse(f"{text} == expected").check(Numbers(expected=int(value))).passed


OPERATORS = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}


@settings(deadline=None)
@given(st.lists(st.integers(0, 3), min_size=2, max_size=5), st.data())
def test_a_chain_is_that_of_python(values, data):
    signs = [data.draw(st.sampled_from(sorted(OPERATORS))) for _ in values[1:]]
    text = str(values[0]) + "".join(f" {sign} {value}" for sign, value in zip(signs, values[1:], strict=True))
    expected = all(OPERATORS[sign](*pair) for sign, *pair in zip(signs, values, values[1:], strict=False))
    assert parse(text).check(Numbers()).passed == expected


# Kleene's logic as an order: false 0, undefined 1/2, true 1; `and` is the least, `or` the largest, `not` 1 minus it.
OR, AND, NOT = range(3)
TRUTHS = st.sampled_from([("x == 1", NOT, 1.0), ("x > 1", NOT, 0.0), ("nan < 1", NOT, 0.5), ("0 < x / 0", NOT, 0.5)])


def logic(parts):
    def joined(word, binds, function):
        def join(items):
            return f" {word} ".join(bracketed(item, binds + 1) for item in items), binds, function(v for *_, v in items)

        return st.lists(parts, min_size=2, max_size=3).map(join)

    return st.one_of(
        joined("or", OR, max),
        joined("and", AND, min),
        parts.map(lambda part: (f"not {bracketed(part, NOT)}", NOT, 1 - part[2])),
    )


@settings(deadline=None)
@given(st.recursive(TRUTHS, logic, max_leaves=12))
def test_a_requirement_passes_only_when_definitely_true(drawn):
    text, _, truth = drawn
    outcome = parse(text).check(Numbers(x=1.0, nan=math.nan))
    assert outcome.passed == (truth == 1)
    assert bool(outcome.failures) == (truth != 1)
