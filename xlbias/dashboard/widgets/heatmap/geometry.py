"""Where the cells of a heat map stand on a panel, and which of them are seen."""

from __future__ import annotations

from dataclasses import dataclass

from textual.geometry import Region

Place = tuple[int, int]
"""Row and column in the order shown."""


@dataclass(frozen=True)
class Geometry:
    """Cells of one size on a panel, in terminal cells.

    Attributes:
        width: of the panel.
        height: of the panel.
        above: lines that do not scroll: the heads, and what is pinned under them.
        n_rows: rows of the grid.
        n_columns: columns of the grid.
        head: width of the row heads, with the blank after them.
        gap: width of the blank before the last column.
        cell: width of a cell.
        lines: height of a cell.
    """

    width: int
    height: int
    above: int
    n_rows: int
    n_columns: int
    head: int
    gap: int
    cell: int
    lines: int

    def x(self, column: int, left: int) -> int:
        """Left edge of a column when `left` is the first one shown."""
        return self.head + (column - left) * self.cell + (self.gap if column == self.n_columns - 1 else 0)

    def y(self, row: int, top: int) -> int:
        """Upper edge of a row when `top` is the first one shown."""
        return self.above + (row - top) * self.lines

    def rows_from(self, top: int) -> range:
        """Rows that are seen in full when `top` is the first one; at least one."""
        return range(top, min(self.n_rows, top + max(1, (self.height - self.above) // self.lines)))

    def columns_from(self, left: int) -> range:
        """Columns that are seen in full when `left` is the first one; at least one."""
        last = left
        while last + 1 < self.n_columns and self.x(last + 1, left) + self.cell <= self.width:
            last += 1
        return range(left, min(last + 1, self.n_columns))

    def scrolled(self, top: int, left: int) -> Place:
        """Return first row and column to show, so that no room is left empty at the end."""
        return (
            max(0, min(top, self.n_rows - len(self.rows_from(0)))),
            max(0, min(left, self._left_for(max(0, self.n_columns - 1), 0))),
        )

    def revealing(self, row: int, column: int, top: int, left: int) -> Place:
        """Return first row and column with which a cell is seen, moved as little as possible."""
        top = row if row < top else max(top, row - len(self.rows_from(0)) + 1)
        return self.scrolled(top, self._left_for(column, left))

    def _left_for(self, column: int, left: int) -> int:
        left = min(left, column)
        while left < column and column not in self.columns_from(left):
            left += 1
        return left

    def region(self, row: int, column: int, top: int, left: int) -> Region:
        """Region of a cell on the panel."""
        return Region(self.x(column, left), self.y(row, top), self.cell, self.lines)

    def at(self, x: int, y: int, top: int, left: int) -> Place | None:
        """Row and column of the cell at a point of the panel."""
        row = top + (y - self.above) // self.lines
        if y < self.above or row not in self.rows_from(top):
            return None
        for column in self.columns_from(left):
            if self.region(row, column, top, left).contains(x, y):
                return row, column
        return None
