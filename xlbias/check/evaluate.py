"""What a requirement comes to: floats worked from left to right, and true, false or undefined (Kleene's logic).

A missing, infinite or NaN value is undefined, and so is all that is worked from it, a division by zero and a result
too large for a float. A comparison with it is neither true nor false; ``or`` is true if another side is true.

A number of censored ranks has no value, but bounds. A comparison with it is true or false where it is so for all values
within them, else undefined.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence

from xlbias.check.lookup import Fields, FoundField, Key
from xlbias.check.source import Source, short
from xlbias.check.tree import (
    AllOf,
    Call,
    Chain,
    Comparison,
    Field,
    Minus,
    Number,
    Numeric,
    Truth,
    inside_out,
)
from xlbias.choices import listed

Series = Mapping[Key, float | None]

Bounds = tuple[float, float]
"""The least and the greatest value that a number can have."""

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_SIGNS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
_AGGREGATES: dict[str, Callable[[list[float]], float]] = {
    "min": min,
    "max": max,
    "mean": lambda values: math.fsum(values) / len(values),
    "count": len,
}


class Evaluation:
    """The numbers of one requirement on one run; each part is worked out once. Methods raise UsageError for a field or
    language that is not there, and for two sides with different languages.
    """

    def __init__(self, source: Source, fields: Fields, baseline: Fields | None) -> None:
        self.source = source
        self._fields, self._baseline = fields, baseline
        self._found: dict[tuple[str, Key], FoundField] = {}
        self._series: dict[Numeric, Series] = {}
        self._verdicts: dict[Comparison, dict[Key, bool | None]] = {}

    def truth(self, truth: Truth) -> bool | None:
        """Return whether a requirement is true, or None if that is undefined."""
        if isinstance(truth, Comparison):
            return _every(list(self.verdicts(truth).values()))
        items = [self.truth(item) for item in truth.items]
        return _every(items) if isinstance(truth, AllOf) else _some(items)

    def verdicts(self, comparison: Comparison) -> Mapping[Key, bool | None]:
        """Return whether a comparison is true, for each combination of languages that its stars stand for."""
        if comparison not in self._verdicts:
            for node in [*inside_out(comparison.left), *inside_out(comparison.right)]:
                if node not in self._series:
                    self._series[node] = self._worked_out(node)
            compare = _OPERATORS[comparison.operator]
            keys = self._keys(comparison.left, comparison.right)
            sides = ((self.at(comparison.left, key), self.at(comparison.right, key)) for key in keys)
            self._verdicts[comparison] = {
                key: self._by_bounds(comparison, key) if left is None or right is None else compare(left, right)
                for key, (left, right) in zip(keys, sides, strict=True)
            }
        return self._verdicts[comparison]

    def at(self, node: Numeric, key: Key) -> float | None:
        """Return the value of a number at `key`, or its only one if it does not vary."""
        return self.series(node)[key if node.stars else ()]

    def series(self, node: Numeric) -> Series:
        """Return the values of a part of a comparison that has its verdicts, by the languages of its stars.

        Without stars it is one value under ``()``.
        """
        return self._series[node]

    def bounds(self, node: Numeric, key: Key) -> Bounds | None:
        """Return the least and the greatest value of a part of a comparison at `key`; None where it is undefined."""
        key = key if node.stars else ()
        if isinstance(node, Field):
            return self.found(node).bounds(key)
        value = self.series(node)[key]
        if value is not None:
            return value, value
        if isinstance(node, Minus):
            inner = self.bounds(node.operand, key)
            return None if inner is None else (-inner[1], -inner[0])
        if isinstance(node, Chain):
            return self._chained_bounds(node, key)
        return self._called_bounds(node, key) if isinstance(node, Call) else None

    def _chained_bounds(self, node: Chain, key: Key) -> Bounds | None:
        result = self.bounds(node.first, key)
        for sign, part in node.rest:
            other = self.bounds(part, key)
            if result is None or other is None or (sign == "/" and other[0] <= 0 <= other[1]):
                return None
            ends = [_SIGNS[sign](one, two) for one in result for two in other]
            if not all(map(math.isfinite, ends)):
                return None
            result = min(ends), max(ends)
        return result

    def _called_bounds(self, node: Call, key: Key) -> Bounds | None:
        if node.function == "abs":
            inner = self.bounds(node.arguments[0], key)
            if inner is None:
                return None
            sizes = sorted(map(abs, inner))
            return (0.0 if inner[0] <= 0 <= inner[1] else sizes[0]), sizes[1]
        found = [self.bounds(argument, at) for argument in node.arguments for at in self.series(argument)]
        known = [one for one in found if one is not None]
        if len(known) < len(found) or node.function == "count":
            return None
        try:
            low, high = (_AGGREGATES[node.function]([one[end] for one in known]) for end in range(2))
        except OverflowError:
            return None
        return low, high

    def _by_bounds(self, comparison: Comparison, key: Key) -> bool | None:
        sides = [self.bounds(side, key) for side in (comparison.left, comparison.right)]
        if sides[0] is None or sides[1] is None:
            return None
        compare = _OPERATORS[comparison.operator]
        (low, high), (least, most) = sides[0], sides[1]
        apart = high < least or most < low
        if comparison.operator in ("==", "!="):
            return comparison.operator == "!=" if apart else None
        verdicts = {compare(one, other) for one in (low, high) for other in (least, most)}
        return verdicts.pop() if len(verdicts) == 1 else None

    def found(self, field: Field) -> FoundField:
        """Return the values of a field in the run or the baseline."""
        written = (field.full_name, field.languages)
        if written not in self._found:
            fields = self._baseline if field.baseline else self._fields
            if fields is None:
                raise self.source.error(field.start, f"{short(field.full_name)!r} needs a run given by --baseline")
            self._found[written] = FoundField(field, fields, self.source)
        return self._found[written]

    def _worked_out(self, node: Numeric) -> Series:
        if isinstance(node, Number):
            return {(): node.value}
        if isinstance(node, Field):
            return {key: _finite(value) for key, value in self.found(node).values.items()}
        if isinstance(node, Minus):
            return {key: None if value is None else -value for key, value in self.series(node.operand).items()}
        if isinstance(node, Chain):
            return {key: self._chained(node, key) for key in self._keys(*node.parts)}
        if node.function == "abs":
            return {key: None if value is None else abs(value) for key, value in self.series(node.arguments[0]).items()}
        return {(): self._aggregated(node)}

    def _chained(self, node: Chain, key: Key) -> float | None:
        result = self.at(node.first, key)
        for sign, part in node.rest:
            value = self.at(part, key)
            if result is None or value is None or (sign == "/" and value == 0):
                return None
            result = _finite(_SIGNS[sign](result, value))
        return result

    def _aggregated(self, node: Call) -> float | None:
        values = [value for argument in node.arguments for value in self.series(argument).values()]
        defined = [value for value in values if value is not None]
        if len(defined) < len(values):
            return None
        try:
            return _finite(_AGGREGATES[node.function](defined))
        except OverflowError:
            return None

    def _keys(self, *parts: Numeric) -> list[Key]:
        """Return the languages over which numbers vary together."""
        many = [part for part in parts if part.stars]
        if not many:
            return [()]
        first = self.series(many[0])
        for part in many[1:]:
            other = self.series(part)
            if other.keys() != first.keys():
                raise self.source.error(part.start, self._difference(many[0], part))
        return list(first)

    def _difference(self, first: Numeric, second: Numeric) -> str:
        quoted = [repr(short(self.source.text[node.start : node.end])) for node in (first, second)]
        keys = [self.series(node).keys() for node in (first, second)]
        only = [
            f"{listed(sorted('/'.join(key) for key in mine - others))} only in {name}"
            for name, mine, others in zip(quoted, keys, reversed(keys), strict=True)
            if mine - others
        ]
        return f"{quoted[0]} and {quoted[1]} have different languages: {'; '.join(only)}"


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def _every(items: Sequence[bool | None]) -> bool | None:
    return False if False in items else None if None in items else True


def _some(items: Sequence[bool | None]) -> bool | None:
    return True if True in items else None if None in items else False
