"""From the text of a requirement to its tree, by recursive descent: one method for each step of precedence.

A level of nesting costs nine calls, so `DEEPEST` of them leave half of Python's stack to the caller; everything that
walks a tree of numbers afterwards does so without calling itself.
"""

from __future__ import annotations

import math

from xlbias.check.source import Source, short
from xlbias.check.tokens import HYPHENATED, Token, tokenize
from xlbias.check.tree import (
    ANY,
    MIRRORED,
    AllOf,
    AnyOf,
    Call,
    Chain,
    Comparison,
    Field,
    Minus,
    Number,
    Numeric,
    Truth,
    comparisons,
    negated,
)
from xlbias.choices import suggestion
from xlbias.errors import UsageError

FUNCTIONS = ("min", "max", "mean", "abs", "count")
DEEPEST = 50
_BASELINE = "baseline"
_OPERATORS = tuple(MIRRORED)


def parse_tree(source: Source) -> Truth:
    """Return the tree of a requirement; raises UsageError that says at which column it is not one."""
    return _Parser(source).requirement()


class _Parser:
    def __init__(self, source: Source) -> None:
        self._source = source
        self._tokens = tokenize(source)
        self._next = 0
        self._depth = 0

    def requirement(self) -> Truth:
        node = self._or()
        token = self._peek()
        if token.kind != "end":
            raise self._error(f"expected a comparison, and, or, or the end, found {token}")
        return self._truth(node)

    # -- true or false -------------------------------------------------------------------------------------------------

    def _or(self) -> Numeric | Truth:
        start = self._peek().start
        items = [self._and()]
        while self._accept("or"):
            items.append(self._and())
        return items[0] if len(items) == 1 else AnyOf(start, self._end, tuple(map(self._truth, items)))

    def _and(self) -> Numeric | Truth:
        start = self._peek().start
        items = [self._not()]
        while self._accept("and"):
            items.append(self._not())
        return items[0] if len(items) == 1 else AllOf(start, self._end, tuple(map(self._truth, items)))

    def _not(self) -> Numeric | Truth:
        token = self._accept("not")
        if token is None:
            return self._comparison()
        self._enter(token)
        truth = self._truth(self._not())
        self._depth -= 1
        if any(comparison.stars for comparison in comparisons(truth)):
            raise self._error(
                "'not' before a comparison of many values could mean none or not all of them:"
                " write the opposite comparison, or compare min(...) or max(...)",
                token,
            )
        return negated(truth)

    def _comparison(self) -> Numeric | Truth:
        start = self._peek().start
        left = first = self._sum()
        pairs: list[Comparison] = []
        while operator := self._accept(*_OPERATORS):
            right = self._sum()
            pairs.append(self._compared(self._numeric(left), operator, self._numeric(right)))
            left = right
        if not pairs:
            return first
        return pairs[0] if len(pairs) == 1 else AllOf(start, self._end, tuple(pairs))

    def _compared(self, left: Numeric, operator: Token, right: Numeric) -> Comparison:
        """Return the comparison with a lone number on the right: what is measured is told first."""
        self._stars(left, right)
        if isinstance(left, Number) and not isinstance(right, Number):
            return Comparison(left.start, right.end, right, MIRRORED[operator.text], left)
        return Comparison(left.start, right.end, left, operator.text, right)

    # -- numbers -------------------------------------------------------------------------------------------------------

    def _sum(self) -> Numeric | Truth:
        start = self._peek().start
        first, rest = self._product(), []
        while sign := self._accept("+", "-"):
            rest.append((sign.text, self._numeric(self._product())))
        return self._chain(start, first, rest)

    def _product(self) -> Numeric | Truth:
        start = self._peek().start
        first, rest = self._minus(), []
        while sign := self._accept("*", "/"):
            rest.append((sign.text, self._numeric(self._minus())))
        return self._chain(start, first, rest)

    def _chain(self, start: int, first: Numeric | Truth, rest: list[tuple[str, Numeric]]) -> Numeric | Truth:
        if not rest:
            return first
        number = self._numeric(first)
        stars = self._stars(number, *(part for _, part in rest))
        return Chain(start, self._end, number, tuple(rest), stars)

    def _minus(self) -> Numeric | Truth:
        sign = self._accept("-")
        if sign is None:
            return self._primary()
        self._enter(sign)
        operand = self._numeric(self._minus())
        self._depth -= 1
        if isinstance(operand, Number):
            return Number(sign.start, self._end, -operand.value)
        return Minus(sign.start, self._end, operand, operand.stars)

    def _primary(self) -> Numeric | Truth:
        token = self._peek()
        if self._accept("("):
            self._enter(token)
            node = self._or()
            self._expect(")", token)
            return node
        if token.kind == "number":
            return self._number()
        if token.kind == "name" and token.text not in ("and", "or", "not"):
            self._next += 1
            return self._call(token) if self._peek().text == "(" else self._field(token)
        raise self._error(f"expected a number, a field or '(', found {token}")

    def _number(self) -> Number:
        token = self._peek()
        self._next += 1
        value = float(token.text.removesuffix("%"))
        if not math.isfinite(value):
            raise self._error("the number is too large", token)
        return Number(token.start, token.end, value / 100 if token.text.endswith("%") else value)

    def _call(self, name: Token) -> Call:
        if name.text not in FUNCTIONS:
            known = ", ".join(FUNCTIONS)
            raise self._error(f"no function {name}{suggestion(name.text, FUNCTIONS)}: choose from {known}", name)
        opening = self._peek()
        self._next += 1
        self._enter(opening)
        arguments = [self._numeric(self._or())]
        while self._accept(","):
            arguments.append(self._numeric(self._or()))
        self._expect(")", opening)
        if name.text != "abs":
            return Call(name.start, self._end, name.text, tuple(arguments), stars=0)
        if len(arguments) > 1:
            raise self._error(f"abs takes one argument, not {len(arguments)}", name)
        return Call(name.start, self._end, name.text, tuple(arguments), arguments[0].stars)

    def _field(self, name: Token) -> Field:
        if name.text in FUNCTIONS:
            raise self._error(f"{name.text} is a function: write {name.text}(...)", name)
        first, _, rest = name.text.partition(".")
        baseline = first == _BASELINE
        if baseline and not rest:
            raise self._error("expected a field after 'baseline', such as baseline.map.multilingual", name)
        languages = self._languages()
        text = rest if baseline else name.text
        for hyphenated in HYPHENATED:
            text = text.replace(hyphenated, hyphenated.replace("-", "_"))
        return Field(name.start, self._end, text, languages, baseline)

    def _languages(self) -> tuple[str, ...]:
        opening = self._accept("[")
        if opening is None:
            return ()
        languages: list[str] = []
        while not languages or self._accept(","):
            token = self._peek()
            if token.kind != "tag" and token.text != ANY:
                raise self._error(f"expected a language such as de, or *, found {token}")
            languages.append(token.text)
            self._next += 1
        self._expect("]", opening)
        if len(languages) > 2:
            raise self._error(
                f"brackets hold one or two languages (of query and passage), not {len(languages)}", opening
            )
        return tuple(languages)

    # -- tokens and errors ---------------------------------------------------------------------------------------------

    def _peek(self) -> Token:
        return self._tokens[self._next]

    @property
    def _end(self) -> int:
        return self._tokens[self._next - 1].end

    def _accept(self, *texts: str) -> Token | None:
        token = self._peek()
        if token.text not in texts:
            return None
        self._next += 1
        return token

    def _expect(self, closing: str, opening: Token) -> None:
        if self._accept(closing) is None:
            raise self._error(
                f"expected '{closing}' for the {opening} of column {opening.start + 1}, found {self._peek()}"
            )
        if closing == ")":
            self._depth -= 1

    def _enter(self, token: Token) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._error(f"nested deeper than {DEEPEST}", token)

    def _numeric(self, node: Numeric | Truth) -> Numeric:
        if isinstance(node, Truth):
            raise self._source.error(node.start, f"{self._quoted(node)} is true or false, expected a number")
        return node

    def _truth(self, node: Numeric | Truth) -> Truth:
        if isinstance(node, Numeric):
            what = f"{self._quoted(node)} is a number, expected a comparison such as {self._quoted(node, ' >= 0.1')}"
            raise self._source.error(node.start, what)
        return node

    def _stars(self, *parts: Numeric) -> int:
        """Return over how many languages numbers vary together."""
        many = [part for part in parts if part.stars]
        for part in many:
            if part.stars != many[0].stars:
                both = f"{self._quoted(many[0])} and {self._quoted(part)}"
                raise self._source.error(part.start, f"{both} vary over one and over two languages: they do not match")
        return many[0].stars if many else 0

    def _quoted(self, node: Numeric | Truth, more: str = "") -> str:
        return f"'{short(self._source.text[node.start : node.end])}{more}'"

    def _error(self, what: str, token: Token | None = None) -> UsageError:
        return self._source.error((token or self._peek()).start, what)
