"""The filter language of single queries, such as ``q:hi d:en ap<0.1 Δ<0 p<.05 text~война``.

A filter is a list of terms, all of which must hold; `-` before a term turns it round. What has no value (AP of a query
without a relevant passage) fulfils no term about it, and so does fulfil the term turned round.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal, get_args

from xlbias.errors import UsageError
from xlbias.runs.schema import MULTILINGUAL_POOL, SETTING_SHORT, setting_of
from xlbias.text import one_line

Name = Literal[
    "q", "d", "set", "id", "text", "passage", "any", "ap", "rr", "rank", "last", "n", "delta", "p", "task", "model"
]

_ALIASES: dict[str, Name] = {
    **{name: name for name in get_args(Name)},
    "Δ": "delta", "∆": "delta", "diff": "delta", "first": "rank", "query": "q", "pool": "d", "setting": "set",
    "encoder": "model",
}  # fmt: skip

NUMBERS: tuple[Name, ...] = ("ap", "rr", "rank", "last", "n", "delta", "p")
"""Terms that compare a number."""

MULTI = "multi"
"""What a filter calls the multilingual pool."""

_OPERATORS = {"≤": "<=", "≥": ">=", ":": "=", "~": "="}
_TERM = re.compile(r"(?P<name>[^\W\d]\w*|[Δ∆])(?P<operator><=|>=|[<>=:~≤≥])(?P<value>.*)", re.DOTALL)
_NUMBER = re.compile(r"[-+−]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")

_NOT_BARE = re.compile(r"^-|[\s<>=:~≤≥]")
_JOINS = ("or", "and")
_BLANK = re.compile(r"\s")

EXACT = 0.0005
"""`=` of a value in [0, 1] means equal as shown, to three digits."""

EXAMPLES = (
    "q:hi d:en,multi     one pair, and the multilingual pool; set:mono, set:cross",
    "ap<0.1 rank>10 n=1  numbers: ap, rr, rank (first), last, n (relevant)",
    "Δ<0 p<.05           against the baseline: AP of a query, mAP of its cell",
    'war -"of peace"     anywhere in the query\'s text, in any case; - means not',
    "passage:war any:war in a relevant passage's text; any: or the query's",
    "id:56b task:mlqa    part of an id; another task or encoder",
)
"""Lines that show what can be asked for."""


@dataclass(frozen=True)
class Term:
    """One condition.

    Attributes:
        name: what it is about.
        operator: ``< <= > >= =``; ``=`` for all but numbers.
        values: what it is compared with: alternatives, or one number as it was typed.
        negated: whether it must not hold.
    """

    name: Name
    operator: str
    values: tuple[str, ...]
    negated: bool = False

    @property
    def number(self) -> float:
        """The number that it is compared with."""
        return float(self.values[0].replace("−", "-"))

    def __str__(self) -> str:
        mark, values = "-" if self.negated else "", ",".join(self.values)
        if self.name in NUMBERS:
            return f"{mark}{'Δ' if self.name == 'delta' else self.name}{self.operator}{values}"
        if self.name == "text":
            plain = not _NOT_BARE.search(values) and values.casefold() not in _JOINS
            return mark + values if plain else f'{mark}"{values}"'
        return f'{mark}{self.name}:"{values}"' if _BLANK.search(values) else f"{mark}{self.name}:{values}"


@dataclass(frozen=True)
class Filter:
    """Terms that must all hold; its text, which `parse_filter` reads again, is what a screen shows."""

    terms: tuple[Term, ...] = ()

    def __str__(self) -> str:
        return " ".join(map(str, self.terms))

    def about(self, *names: Name) -> tuple[Term, ...]:
        """Return the terms about these."""
        return tuple(term for term in self.terms if term.name in names)

    def without(self, *names: Name) -> Filter:
        """Return the filter without the terms about these."""
        return Filter(tuple(term for term in self.terms if term.name not in names))

    def cells(
        self,
        query_languages: Collection[str],
        passage_languages: Collection[str],
        p: Callable[[str, str], float | None] = lambda *_: None,
    ) -> frozenset[tuple[str, str]]:
        """Return the cells (query language and pool) that the terms about languages, settings and p leave.

        Without any term about pools or settings it is the multilingual pool.

        Args:
            query_languages: of the task.
            passage_languages: of the task.
            p: corrected p of a cell's difference, None where there is none.
        """
        pools = [*passage_languages, MULTILINGUAL_POOL]
        if not self.about("d", "set"):
            pools = [MULTILINGUAL_POOL]
        terms = self.about("q", "d", "set", "p")
        found = [(ql, pool) for ql in query_languages for pool in pools]
        return frozenset(cell for cell in found if all(_holds(term, *cell, p) for term in terms))


def _holds(term: Term, query_language: str, pool: str, p: Callable[[str, str], float | None]) -> bool:
    """Whether a term about cells is true of one."""
    wanted = {value.casefold() for value in term.values}
    if term.name == "q":
        found = query_language.casefold() in wanted
    elif term.name == "d":
        found = (MULTI if pool == MULTILINGUAL_POOL else pool.casefold()) in wanted
    elif term.name == "set":
        found = SETTING_SHORT[setting_of(query_language, pool)] in wanted
    else:
        value = p(query_language, pool)
        found = value is not None and compares(term.operator, value, term.number)
    return found != term.negated


def compares(operator: str, value: float, with_: float) -> bool:
    """Whether `value` stands in this relation to another; ``=`` is equal to three digits."""
    if operator == "=":
        return abs(value - with_) < EXACT
    return {"<": value < with_, "<=": value <= with_, ">": value > with_, ">=": value >= with_}[operator]


def parse_filter(text: str) -> Filter:
    """Return the filter that a line says. Raises UsageError, one sentence, where it says none."""
    tokens = _tokens(text)
    for token in tokens[1:-1]:
        if token.text.casefold() in _JOINS and not token.quoted:
            raise UsageError(f'{token.text} joins no terms: all must hold; the word itself is "{token.text}"')
    return Filter(tuple(map(_term, tokens)))


@dataclass
class _Token:
    """What stands between two blanks, without its quotes."""

    text: str = ""
    negated: bool = False
    quoted: bool = False
    """Whether a quote stood first: then it is a text, whatever it looks like."""
    begun: bool = False

    def add(self, sign: str) -> None:
        """Take in a sign, in quotes or not."""
        self.text, self.begun = self.text + sign, True


def _tokens(text: str) -> list[_Token]:
    found = [_Token()]
    inside = False
    for sign in text:
        token = found[-1]
        if sign == '"':
            token.quoted |= not token.text and not inside
            token.begun, inside = True, not inside
        elif inside or not sign.isspace():
            if sign == "-" and not token.begun:
                token.negated = token.begun = True
            else:
                token.add(sign)
        elif token.begun:
            found.append(_Token())
    if inside:
        raise UsageError('a quote is open: texts with blanks are written "like this"')
    return [token for token in found if token.begun]


def _term(token: _Token) -> Term:
    match = None if token.quoted else _TERM.fullmatch(token.text)
    if match is None:
        return Term("text", "=", (_some(token.text, "-word" if token.negated else '"a word"'),), token.negated)
    name, sign, value = match["name"], match["operator"], match["value"]
    known = _ALIASES.get(name) or _ALIASES.get(name.lower())
    if known is None:
        raise UsageError(f"no term {one_line(name, 20)!r}: choose from {', '.join(get_args(Name))}")
    return _TERMS.get(known, _name)(known, _OPERATORS.get(sign, sign), value, token.negated)


def _some(value: str, example: str) -> str:
    if not value.strip():
        raise UsageError(f"something is missing: write {example}")
    return value


def _number(name: Name, operator: str, value: str, negated: bool) -> Term:
    shown = "Δ" if name == "delta" else name
    if not _NUMBER.fullmatch(value) or not math.isfinite(float(value.replace("−", "-"))):
        raise UsageError(f"{shown} is compared with a number, such as {shown}<{_SUCH_AS.get(name, '0.1')}")
    return Term(name, operator, (value,), negated)


_SUCH_AS: dict[Name, str] = {"rank": "10", "last": "10", "n": "2", "p": ".05", "delta": "0"}


def _codes(name: Name, operator: str, value: str, negated: bool) -> Term:
    example = {"q": "q:hi or q:hi,th", "d": "d:en, d:en,de or d:multi", "set": "set:mono, set:cross or set:multi"}[name]
    codes = tuple(value.split(","))
    if operator != "=" or not all(code.strip() for code in codes):
        raise UsageError(f"{name} takes codes: write {example}")
    if name == "set" and not {code.casefold() for code in codes} <= set(SETTING_SHORT.values()):
        raise UsageError(f"there is no setting {one_line(value, 20)!r}: write {example}")
    return Term(name, operator, tuple(code.strip().casefold() for code in codes), negated)


def _name(name: Name, operator: str, value: str, negated: bool) -> Term:
    if operator != "=":
        raise UsageError(f"{name} is not a number: write {name}:{'NAME' if name in ('task', 'model') else 'TEXT'}")
    if negated and name in ("task", "model"):
        raise UsageError(f"{name} chooses one, so that it cannot be negated")
    return Term(name, operator, (_some(value, f"{name}:TEXT"),), negated)


_TERMS: dict[Name, Callable[[Name, str, str, bool], Term]] = {
    **dict.fromkeys(NUMBERS, _number),
    **dict.fromkeys(("q", "d", "set"), _codes),
}
