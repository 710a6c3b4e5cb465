"""A number as an entry of a table, with its interval, its n and its p; how it is written is `results.written`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from xlbias.measures.measure import Measure
from xlbias.results.cell import Cell
from xlbias.results.written import (
    LEAST_P,
    NOT_TESTED,
    NOTHING,
    bounds,
    difference_bounds,
    difference_interval,
    difference_text,
    interval,
    measured,
    number,
    p_text,
    said_of_p,
    signed_text,
)

__all__ = [
    "EMPTY",
    "LEAST_P",
    "MARK",
    "NOTHING",
    "NOT_TESTED",
    "NO_NUMBER",
    "Entry",
    "Kind",
    "bounds",
    "count",
    "difference_bounds",
    "difference_entry",
    "difference_interval",
    "difference_text",
    "entry",
    "interval",
    "measured",
    "number",
    "numeric",
    "probability",
    "said_of_p",
    "signed_text",
]

MARK = "*"
"""After a difference that is significant."""

NO_NUMBER = Cell()

Kind = Literal["text", "name", "number"]


@dataclass(frozen=True)
class Entry:
    """What stands in one place of a table.

    Attributes:
        text: what is shown, the same in every format; ``·`` for a number that is undefined.
        cell: the number behind it; without value for a text, and where undefined.
        interval: the interval as it is shown, ``[.472, .500]``; empty where there is none.
        kind: ``number``, ``name`` (of an encoder, task or language: it comes from data) or ``text``.
    """

    text: str
    cell: Cell = NO_NUMBER
    interval: str = ""
    kind: Kind = "text"

    @property
    def value(self) -> float | None:
        """The number in full precision."""
        return self.cell.value

    @property
    def n(self) -> int | None:
        """How many values the number is taken over, where that is known."""
        return self.cell.n

    @property
    def whole(self) -> str:
        """The text with its interval."""
        return f"{self.text} {self.interval}" if self.interval else self.text


EMPTY = Entry(NOTHING, kind="number")
"""An entry without a number."""


def entry(cell: Cell, measure: Measure) -> Entry:
    """Return a number of a measure as an entry, with its interval; as its bounds where it has no value."""
    if cell.bounds is not None:
        return Entry(bounds(*cell.bounds, measure), cell, kind="number")
    ends = interval(cell.low, cell.high, measure)
    return Entry(measured(cell.value, measure), cell, ends, kind="number")


def difference_entry(cell: Cell, measure: Measure) -> Entry:
    """Return a difference as an entry, with its sign, mark and interval; as its bounds where it has no value."""
    if cell.bounds is not None:
        return Entry(difference_bounds(*cell.bounds, measure) + MARK * cell.significant, cell, kind="number")
    text = signed_text(cell.value, measure) + MARK * cell.significant
    return Entry(text, cell, difference_interval(cell.low, cell.high, measure), kind="number")


def numeric(text: str, value: float | None = None) -> Entry:
    """Return a number that is written in a way of its own as an entry."""
    return Entry(text, NO_NUMBER if value is None else Cell(value), kind="number")


def count(n: int | None) -> Entry:
    """Return a count as an entry."""
    return numeric(NOTHING if n is None else f"{n:,}", None if n is None else float(n))


def probability(p: object, least: float | None = LEAST_P) -> Entry:
    """Return a p-value as an entry, see `xlbias.results.written.p_text`."""
    return numeric(p_text(p, least), p if isinstance(p, float) else None)
