"""Where the cells of a matrix stand on the screen, and which of them are seen."""

from __future__ import annotations

from dataclasses import dataclass

from textual.geometry import Region

UNION_GAP = 2
"""Blank cells that set the multilingual pool apart, the second one a rule."""

MIN_CELL = 6
MAX_CELL = 10
MAX_LINES = 3
MAX_CODE = 11


@dataclass(frozen=True)
class Geometry:
    """The grid of a matrix on a panel, in terminal cells.

    Attributes:
        width: of the panel.
        height: of the panel; its first line holds the heads.
        n_rows: rows of the matrix.
        n_columns: columns of the matrix.
        union: whether the last column is the multilingual pool, set apart from the others if there are others.
        head: width of the row heads, with the blank after them.
        cell: width of a matrix cell.
        lines: height of a matrix cell.
    """

    width: int
    height: int
    n_rows: int
    n_columns: int
    union: bool
    head: int
    cell: int
    lines: int

    @classmethod
    def fit(
        cls, width: int, height: int, *, n_rows: int, n_columns: int, union: bool, code: int, number: int
    ) -> Geometry:
        """Choose the largest cells with which the whole matrix is seen; the smallest ones where it must scroll.

        `code` is the width of the longest row head, `number` that of the widest head or number in a cell.
        """
        head = min(max(4, code), MAX_CODE) + 2
        gap = UNION_GAP if union and n_columns > 1 else 0
        smallest = max(MIN_CELL, number + 2)
        room = (width - head - gap) // max(1, n_columns)
        cell = max(smallest, min(MAX_CELL, room))
        lines = max(1, min(MAX_LINES, (height - 1) // max(1, n_rows)))
        return cls(width, height, n_rows, n_columns, union, head, cell, lines)

    @property
    def gap(self) -> int:
        """Width of the blank before the multilingual pool."""
        return UNION_GAP if self.union and self.n_columns > 1 else 0

    def x(self, column: int, left: int) -> int:
        """Left edge of a column when `left` is the first one shown."""
        return self.head + (column - left) * self.cell + (self.gap if column == self.n_columns - 1 else 0)

    def y(self, row: int, top: int) -> int:
        """Upper edge of a row when `top` is the first one shown."""
        return 1 + (row - top) * self.lines

    def columns_from(self, left: int) -> range:
        """Columns that are seen in full when `left` is the first one; at least one."""
        last = left
        while last + 1 < self.n_columns and self.x(last + 1, left) + self.cell <= self.width:
            last += 1
        return range(left, min(last + 1, self.n_columns))

    def rows_from(self, top: int) -> range:
        """Rows that are seen in full when `top` is the first one; at least one."""
        return range(top, min(self.n_rows, top + max(1, (self.height - 1) // self.lines)))

    def left_for(self, column: int, left: int) -> int:
        """First column to show so that `column` is seen, moved as little as possible."""
        left = min(left, column)
        while left < column and column not in self.columns_from(left):
            left += 1
        return left

    def top_for(self, row: int, top: int) -> int:
        """First row to show so that `row` is seen, moved as little as possible."""
        shown = len(self.rows_from(0))
        return row if row < top else max(top, row - shown + 1)

    def cell_region(self, row: int, column: int, top: int, left: int) -> Region:
        """Region of a cell on the panel."""
        return Region(self.x(column, left), self.y(row, top), self.cell, self.lines)

    def at(self, x: int, y: int, top: int, left: int) -> tuple[int, int] | None:
        """Row and column of the cell at a point of the panel."""
        if y < 1:
            return None
        row = top + (y - 1) // self.lines
        if row not in self.rows_from(top):
            return None
        for column in self.columns_from(left):
            start = self.x(column, left)
            if start <= x < start + self.cell:
                return row, column
        return None
