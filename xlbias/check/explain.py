"""Sentences with the numbers of a comparison: ``map[th,de] = 0.081 (n = 1,190) is not >= 0.1``."""

from __future__ import annotations

from xlbias.check.evaluate import Evaluation
from xlbias.check.lookup import Key
from xlbias.check.source import short
from xlbias.check.tree import Call, Comparison, Field, Number, Numeric, inside_out, operands
from xlbias.text import clean

LISTED = 10
_DIGITS = (4, 6, 9, 12, 17)


def explain(evaluation: Evaluation, comparison: Comparison) -> list[str]:
    """Return one line if the comparison holds, else one for each language where it does not, at most `LISTED`.

    Below a line that fails stands what its numbers are counts of, such as caveats.
    """
    verdicts = evaluation.verdicts(comparison)
    failing = [key for key, verdict in verdicts.items() if verdict is not True]
    explained = _Explained(evaluation, comparison)
    if not failing:
        return [clean(explained.holding())]
    lines = []
    for key in failing[:LISTED]:
        lines.append(clean(explained.failing(key, undefined=verdicts[key] is None)))
        lines += [f"  {clean(sentence)}" for sentence in explained.counted(key)]
    return [*lines, f"and {len(failing) - LISTED:,} more"] if len(failing) > LISTED else lines


class _Explained:
    def __init__(self, evaluation: Evaluation, comparison: Comparison) -> None:
        self._evaluation = evaluation
        self._left, self._operator, self._right = comparison.left, comparison.operator, comparison.right

    def holding(self) -> str:
        if self._left.stars or self._right.stars:
            return f"{self._range(self._left)} {self._operator} {self._range(self._right)}"
        return self._sentence((), self._operator)

    def failing(self, key: Key, *, undefined: bool) -> str:
        if not undefined:
            return self._sentence(key, f"is not {self._operator}")
        sides = [side for side in (self._left, self._right) if self._evaluation.at(side, key) is None]
        if all(self._evaluation.bounds(side, key) for side in (self._left, self._right)):
            return f"{self._sentence(key, f'may be {self._operator}')}, or not: undecided, as ranks are censored"
        return " and ".join(self._side(side, key, _DIGITS[0]) for side in sides) + self._details(key, sides)

    def counted(self, key: Key) -> list[str]:
        """Return what the numbers of a comparison are counts of."""
        nodes = [*inside_out(self._left), *inside_out(self._right)]
        fields = [node for node in nodes if isinstance(node, Field)]
        found = [self._evaluation.found(field) for field in fields]
        sentences: dict[str, None] = {}
        for one in found:
            for at in [key] if key in one.values else one.values:  # an aggregate is of all of them
                sentences.update(dict.fromkeys(one.counted(at)))
        return list(sentences)

    def _sentence(self, key: Key, relation: str) -> str:
        """Return both sides with as many digits as it takes to see that they differ."""
        both = [self._evaluation.at(side, key) for side in (self._left, self._right)]
        values = [value for value in both if value is not None]
        digits = next((d for d in _DIGITS if len({_number(value, d) for value in values}) == len(set(values))), 17)
        left, right = (self._side(side, key, digits) for side in (self._left, self._right))
        return f"{left} {relation} {right}{self._details(key, [self._left, self._right])}"

    def _side(self, side: Numeric, key: Key, digits: int) -> str:
        if isinstance(side, Number):
            return self._label(side, key)
        if isinstance(side, Field):
            return self._field(side, key, digits)
        return self._equation(side, key, digits)

    def _equation(self, node: Numeric, key: Key, digits: int) -> str:
        """Return a number with its value, or with its bounds where it has no other."""
        label, value = self._label(node, key), self._evaluation.at(node, key)
        ends = self._evaluation.bounds(node, key) if value is None else None
        if ends is not None:
            return f"{label} = {_number(ends[0], digits)} to {_number(ends[1], digits)} (bounds)"
        return _equation(label, value, digits)

    def _field(self, field: Field, key: Key, digits: int = _DIGITS[0]) -> str:
        n = self._evaluation.found(field).n(key if field.stars else ())
        taken_over = "" if n is None else f" (n = {n:,})"
        return self._equation(field, key, digits) + taken_over

    def _range(self, side: Numeric) -> str:
        """Return a side that holds for all languages, by its least and its largest value."""
        if not side.stars:
            return self._side(side, (), _DIGITS[0])
        keys = self._evaluation.series(side)
        values = [end for key in keys for end in self._evaluation.bounds(side, key) or ()]
        ends = " to ".join(dict.fromkeys(_number(end, _DIGITS[0]) for end in (min(values), max(values))))
        return f"{self._label(side, None)} = {ends} ({len(keys):,} {'value' if len(keys) == 1 else 'values'})"

    def _label(self, node: Numeric, key: Key | None) -> str:
        """Return a number as written, its stars replaced by the languages of `key`."""
        text, start = self._evaluation.source.text, node.start
        parts = []
        for field in _varying(node) if key is not None else []:
            languages = self._evaluation.found(field).full[key or ()]
            parts += [text[start : field.start], f"{field.full_name}[{','.join(languages)}]"]
            start = field.end
        return short("".join([*parts, text[start : node.end]]))

    def _details(self, key: Key, sides: list[Numeric]) -> str:
        """Return the fields behind the sides that are worked out from several."""
        behind = self._behind([(side, key) for side in sides if not isinstance(side, Field)])
        texts = list(dict.fromkeys(self._field(field, at) for field, at in behind))
        more = [f"{len(texts) - LISTED:,} more"] if len(texts) > LISTED else []
        return f", where {', '.join(texts[:LISTED] + more)}" if texts else ""

    def _behind(self, numbers: list[tuple[Numeric, Key]]) -> list[tuple[Field, Key]]:
        """Return the fields that numbers come from, and where; of an aggregate those that decide it."""
        found: list[tuple[Field, Key]] = []
        left = numbers[::-1]
        while left:
            node, key = left.pop()
            if isinstance(node, Field):
                found.append((node, key if node.stars else ()))
            elif isinstance(node, Call) and node.function != "abs":
                left += self._decisive(node)[::-1]
            else:
                left += [(operand, key) for operand in reversed(operands(node))]
        return found

    def _decisive(self, call: Call) -> list[tuple[Numeric, Key]]:
        """Return the value that is the least or the largest, or those that make an aggregate undefined."""
        result = self._evaluation.at(call, ())
        if result is not None and call.function not in ("min", "max"):
            return []
        series = [(argument, self._evaluation.series(argument)) for argument in call.arguments]
        decisive = [(argument, key) for argument, values in series for key, value in values.items() if value == result]
        return decisive[: LISTED if result is None else 1]


def _varying(number: Numeric) -> list[Field]:
    """Return the fields over whose languages a number varies, in the order they are written."""
    left, fields = [number], []
    while left:
        node = left.pop()
        if isinstance(node, Field) and node.stars:
            fields.append(node)
        elif node.stars:
            left += reversed(operands(node))
    return fields


def _equation(label: str, value: float | None, digits: int) -> str:
    return f"{label} is undefined" if value is None else f"{label} = {_number(value, digits)}"


def _number(value: float, digits: int) -> str:
    """Return a number for people: whole ones with commas in thousands, others with so many significant digits."""
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.1f}" if abs(value) >= 1000 and digits == _DIGITS[0] else f"{value:.{digits}g}"
