"""A matrix in the order in which it is shown: rows, columns, and the range that its colours stand for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeVar

from xlbias.colour import Range
from xlbias.dashboard.terminal.numbers import THIN, signed, thin
from xlbias.dashboard.widgets.heatmap.geometry import Place
from xlbias.dashboard.widgets.heatmap.order import Sort, order
from xlbias.report.numbers import MARK, interval, number
from xlbias.results.matrix import DifferenceMatrix, Matrix
from xlbias.runs.schema import MULTILINGUAL_POOL

CellKey = tuple[str, str]
"""Query language and pool."""

Value = TypeVar("Value")

_DIGITS = 6  # after the point, of a number in [0, 1]


@dataclass(frozen=True, eq=False)
class Arranged:
    """A matrix with its rows and columns in the order shown.

    Attributes:
        matrix: the values.
        rows: indices of the query languages.
        columns: indices of the pools; only the multilingual one for a measure that is defined nowhere else.
        range: what the colours stand for, None where there are no values.
    """

    matrix: Matrix
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    range: Range | None

    @classmethod
    def of(cls, matrix: Matrix, sort: Sort, *, reverse: bool, full_range: bool) -> Arranged:
        """Put `matrix` in order; `full_range` spreads the colours over [0, 1] where the measure lies in it."""
        rows, columns = order(matrix, sort, reverse=reverse)
        columns = [c for c in columns if _has_values(matrix, c)]
        values = [v for r in rows for c in columns if (v := matrix.values[r][c]) is not None]
        return cls(matrix, tuple(rows), tuple(columns), _range(matrix, values, full_range=full_range))

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """Query languages in the order shown."""
        return tuple(self.matrix.query_languages[r] for r in self.rows)

    @cached_property
    def pools(self) -> tuple[str, ...]:
        """Pools in the order shown."""
        return tuple(self.matrix.pools[c] for c in self.columns)

    @property
    def has_union(self) -> bool:
        """Whether the last column is the multilingual pool."""
        return bool(self.pools) and self.pools[-1] == MULTILINGUAL_POOL

    @property
    def is_list(self) -> bool:
        """Whether there is one column only, so that there is room for bars."""
        return len(self.columns) == 1

    def place(self, key: CellKey | None) -> Place | None:
        """Row and column of a cell, None if there is no such cell."""
        if key is None or key[0] not in self.languages or key[1] not in self.pools:
            return None
        return self.languages.index(key[0]), self.pools.index(key[1])

    def key(self, place: Place) -> CellKey:
        """Query language and pool of a place."""
        return self.languages[place[0]], self.pools[place[1]]

    def value(self, place: Place) -> float | None:
        """Value of a cell, None where it has none."""
        return self._at(self.matrix.values, place)

    def n(self, place: Place) -> int:
        """Number of queries of a cell's mean."""
        return self._at(self.matrix.n, place)

    def excluded(self, place: Place) -> int:
        """Number of queries that a cell's mean leaves out."""
        return self._at(self.matrix.excluded, place)

    def interval(self, place: Place) -> str:
        """The 95% interval of a cell, ``[.472, .500]``; empty where there is none."""
        if not self.matrix.low:
            return ""
        return interval(self._at(self.matrix.low, place), self._at(self.matrix.high, place), self.matrix.measure)

    def in_full(self, place: Place) -> tuple[str, str]:
        """A cell's number with all digits that can matter, and its interval with as many; empty where there is none."""
        value, measure = self.value(place), self.matrix.measure
        if not measure.unit_range:
            return number(value, digits=1), self.interval(place)
        low, high = (self._at(ends, place) if ends else None for ends in (self.matrix.low, self.matrix.high))
        ends = [number(end, digits=_DIGITS) for end in (low, high) if end is not None]
        return number(value, digits=_DIGITS), f"[{', '.join(ends)}]" if len(ends) == 2 else ""

    def mark(self, place: Place) -> str:
        """The mark of a significant difference; a blank otherwise."""
        matrix = self.matrix
        if not isinstance(matrix, DifferenceMatrix):
            return " "
        return MARK if matrix.significant(self.rows[place[0]], self.columns[place[1]]) else " "

    @property
    def is_difference(self) -> bool:
        """Whether the values are differences."""
        return isinstance(self.matrix, DifferenceMatrix)

    def number(self, place: Place, room: int = THIN) -> str:
        """Value of a cell as its cell shows it, in `room` cells: thin in a grid, in full in a list."""
        value, unit_range = self.value(place), self.matrix.measure.unit_range
        if self.is_difference:
            return signed(value, unit_range=unit_range, room=THIN + 1 if self.is_list else room)
        return number(value, unit_range=unit_range) if self.is_list else thin(value, unit_range=unit_range)

    def split(self, place: Place) -> tuple[str, str]:
        """Sign and size of a difference; no sign where it rounds to nothing."""
        value = self.value(place)
        size = thin(None if value is None else abs(value), unit_range=self.matrix.measure.unit_range)
        nothing = value is None or not size.strip(".0·")
        return " " if nothing or value is None else "-" if value < 0 else "+", size

    def _at(self, values: tuple[tuple[Value, ...], ...], place: Place) -> Value:
        return values[self.rows[place[0]]][self.columns[place[1]]]


def _has_values(matrix: Matrix, column: int) -> bool:
    """Whether a column can ever fill: a measure of bias has values by answer language or for all together, not both.

    Such a measure is made of complete rankings, so that an empty column of it stays empty.
    """
    if matrix.measure.family != "bias":
        return True
    union = matrix.pools[column] == MULTILINGUAL_POOL
    by_answer = any(v is not None for row in matrix.values for v in row[:-1])
    return not union if by_answer else union


def _range(matrix: Matrix, values: list[float], *, full_range: bool) -> Range | None:
    """What the colours stand for; differences reach as far to one side as to the other."""
    if not values:
        return None
    better: Literal["high", "low"] = "low" if matrix.measure.better == "low" else "high"
    if isinstance(matrix, DifferenceMatrix):
        end = max(map(abs, values))
        return Range(-end, end, better, diverging=True)
    fixed = full_range and matrix.measure.unit_range
    low, high = (0.0, 1.0) if fixed else (min(values), max(values))
    return Range(low, high, better)
