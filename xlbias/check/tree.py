"""What a requirement is made of once it is parsed.

Every node knows its place in the text. `stars` of a number is how many languages it varies over: 0 is one number,
``map[*,de]`` has 1, ``map[*,*]`` has 2. There is no node for ``not``: it is moved into the comparisons (`negated`).
Nodes are compared by identity, so that a walk over a tree may remember what it found at a node.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

ANY = "*"


@dataclass(frozen=True, eq=False)
class Node:
    """A part of a requirement, ``text[start:end]``."""

    start: int
    end: int


@dataclass(frozen=True, eq=False)
class Number(Node):
    """A number as written, with its sign."""

    value: float
    stars: int = 0


@dataclass(frozen=True, eq=False)
class Field(Node):
    """A number of the run, or of the baseline; `languages` is empty where no brackets are written."""

    name: str
    languages: tuple[str, ...]
    baseline: bool

    @property
    def full_name(self) -> str:
        """The name with its ``baseline.``."""
        return f"baseline.{self.name}" if self.baseline else self.name

    @property
    def stars(self) -> int:
        """How many languages are left open."""
        return self.languages.count(ANY)


@dataclass(frozen=True, eq=False)
class Minus(Node):
    """The negative of what follows."""

    operand: Numeric
    stars: int


@dataclass(frozen=True, eq=False)
class Chain(Node):
    """A sum, or a product, worked from left to right: `first`, then a sign and a number each."""

    first: Numeric
    rest: tuple[tuple[str, Numeric], ...]
    stars: int

    @property
    def parts(self) -> tuple[Numeric, ...]:
        """The numbers without the signs."""
        return (self.first, *(part for _, part in self.rest))


@dataclass(frozen=True, eq=False)
class Call(Node):
    """A function of numbers."""

    function: str
    arguments: tuple[Numeric, ...]
    stars: int


@dataclass(frozen=True, eq=False)
class Comparison(Node):
    """Two numbers and how they must stand to one another, for every language where they vary over languages."""

    left: Numeric
    operator: str
    right: Numeric

    @property
    def stars(self) -> int:
        """How many languages the comparison is made over."""
        return max(self.left.stars, self.right.stars)


@dataclass(frozen=True, eq=False)
class AllOf(Node):
    """Requirements joined by ``and``."""

    items: tuple[Truth, ...]


@dataclass(frozen=True, eq=False)
class AnyOf(Node):
    """Requirements joined by ``or``."""

    items: tuple[Truth, ...]


Numeric = Number | Field | Minus | Chain | Call
Truth = Comparison | AllOf | AnyOf

MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}


def negated(truth: Truth) -> Truth:
    """Return what is true where `truth` is false, and undefined where it is undefined (De Morgan)."""
    if isinstance(truth, Comparison):
        return replace(truth, operator=_OPPOSITE[truth.operator])
    items = tuple(negated(item) for item in truth.items)
    return AnyOf(truth.start, truth.end, items) if isinstance(truth, AllOf) else AllOf(truth.start, truth.end, items)


def operands(number: Numeric) -> tuple[Numeric, ...]:
    """Return the numbers that a number is worked out from."""
    if isinstance(number, Minus):
        return (number.operand,)
    if isinstance(number, Chain):
        return number.parts
    return number.arguments if isinstance(number, Call) else ()


def inside_out(number: Numeric) -> list[Numeric]:
    """Return a number and all that it is worked out from, operands before what is made of them."""
    outside_in = [number]
    for node in outside_in:
        outside_in += operands(node)
    return outside_in[::-1]


def comparisons(truth: Truth) -> list[Comparison]:
    """Return all comparisons in the order they are written."""
    if isinstance(truth, Comparison):
        return [truth]
    return [comparison for item in truth.items for comparison in comparisons(item)]
