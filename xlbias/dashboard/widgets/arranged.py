"""A matrix in the order in which it is shown: rows, columns, and the range that its colours stand for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from xlbias.dashboard.numbers import thin
from xlbias.dashboard.scale import Range
from xlbias.dashboard.widgets.order import Sort, order
from xlbias.report.layout import number
from xlbias.report.tables import Matrix
from xlbias.runs.schema import MULTILINGUAL_POOL

CellKey = tuple[str, str]
"""Query language and pool."""

Place = tuple[int, int]
"""Row and column in the order shown."""

Value = TypeVar("Value")


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
        if only_multilingual(matrix):
            columns = [c for c in columns if matrix.pools[c] == MULTILINGUAL_POOL]
        values = [v for r in rows for c in columns if (v := matrix.values[r][c]) is not None]
        found = None
        if values:
            fixed = full_range and matrix.measure.unit_range
            low, high = (0.0, 1.0) if fixed else (min(values), max(values))
            found = Range(low, high, "low" if matrix.measure.better == "low" else "high")
        return cls(matrix, tuple(rows), tuple(columns), found)

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

    def number(self, place: Place) -> str:
        """Value of a cell as its cell shows it: thin in a grid, in full in a list."""
        value, unit_range = self.value(place), self.matrix.measure.unit_range
        return number(value, unit_range=unit_range) if self.is_list else thin(value, unit_range=unit_range)

    def _at(self, values: tuple[tuple[Value, ...], ...], place: Place) -> Value:
        return values[self.rows[place[0]]][self.columns[place[1]]]


def only_multilingual(matrix: Matrix) -> bool:
    """Whether the measure is defined for the multilingual pool only, so that the other columns could never fill."""
    return matrix.measure.name.startswith("rank_distance") and MULTILINGUAL_POOL in matrix.pools
