"""Where the cells of a sheet stand on a panel, and which of them are seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.geometry import Region

from xlbias.dashboard.numbers import THIN
from xlbias.dashboard.widgets.columns import fit
from xlbias.report.comparison import MARK
from xlbias.report.sheet import Sheet
from xlbias.text import clean, width

_LEAST_FIRST = 4
_MOST_CELL = 14
_MOST_TEXT = 24
_MOST_LINES = 3
_MOST_HEAD = 36


@dataclass(frozen=True)
class Layout:
    """The grid of a sheet on a panel, in terminal cells.

    Attributes:
        width: of the panel.
        height: of the panel.
        above: lines that do not scroll: the heads, and what is pinned under them.
        n_rows: rows of the sheet.
        n_columns: columns of the sheet.
        parts: width of each part of a row's head.
        cell: width of a cell.
        lines: height of a row.
    """

    width: int
    height: int
    above: int
    n_rows: int
    n_columns: int
    parts: tuple[int, ...]
    cell: int
    lines: int

    @classmethod
    def fit(cls, sheet: Sheet, width_: int, height: int) -> Layout:
        """Choose the largest cells with which all is seen; the smallest ones where the sheet must scroll."""
        n_rows, n_columns = len(sheet.block.rows), len(sheet.block.columns)
        parts = _parts(sheet, max(8, (2 if sheet.is_list else 1) * width_ // (5 if sheet.is_list else 3)))
        above = 1 + len(sheet.pinned)
        if sheet.is_list:
            blank = sheet.form == "difference"  # where no mark stands, so that numbers stand below each other
            texts = (width(row[0].text) + (blank and not row[0].text.endswith(MARK)) for row in sheet.block.cells)
            return cls(width_, height, above, n_rows, n_columns, parts, max([THIN, *texts]) + 2, 1)
        room = (width_ - sum(parts) - len(parts) - 1) // max(1, n_columns)
        least = whole_cell(sheet) if whole_cell(sheet) <= room else least_cell(sheet)
        cell = max(least, min(_MOST_TEXT if sheet.form == "text" else _MOST_CELL, room))
        lines = max(1, min(_MOST_LINES, (height - above) // max(1, n_rows)))
        return cls(width_, height, above, n_rows, n_columns, parts, cell, lines)

    @property
    def head(self) -> int:
        """Width of the row heads: a blank, the parts, and a blank after each."""
        return 1 + sum(self.parts) + len(self.parts)

    def x(self, column: int, left: int) -> int:
        """Left edge of a column when `left` is the first one shown."""
        return self.head + (column - left) * self.cell

    def y(self, row: int, top: int) -> int:
        """Upper edge of a row when `top` is the first one shown."""
        return self.above + (row - top) * self.lines

    def rows_from(self, top: int) -> range:
        """Rows that are seen in full when `top` is the first one; at least one."""
        return range(top, min(self.n_rows, top + max(1, (self.height - self.above) // self.lines)))

    def columns_from(self, left: int) -> range:
        """Columns that are seen in full when `left` is the first one; at least one."""
        return range(left, min(self.n_columns, left + max(1, (self.width - self.head) // self.cell)))

    def scrolled(self, top: int, left: int) -> tuple[int, int]:
        """Return first row and column, so that no room is left empty at the end."""
        return (
            max(0, min(top, self.n_rows - len(self.rows_from(0)))),
            max(0, min(left, self.n_columns - len(self.columns_from(0)))),
        )

    def revealing(self, row: int, column: int, top: int, left: int) -> tuple[int, int]:
        """Return first row and column with which a cell is seen, moved as little as possible."""
        rows, columns = len(self.rows_from(0)), len(self.columns_from(0))
        top = row if row < top else max(top, row - rows + 1)
        left = column if column < left else max(left, column - columns + 1)
        return self.scrolled(top, left)

    def region(self, row: int, column: int, top: int, left: int) -> Region:
        """Region of a cell on the panel."""
        return Region(self.x(column, left), self.y(row, top), self.cell, self.lines)

    def at(self, x: int, y: int, top: int, left: int) -> tuple[int, int] | None:
        """Row and column of the cell at a point of the panel; in a list, anywhere on its line."""
        row = top + (y - self.above) // self.lines
        if y < self.above or row not in self.rows_from(top):
            return None
        if self.n_columns == 1:
            return row, 0
        column = left + (x - self.head) // self.cell
        return (row, column) if x >= self.head and column in self.columns_from(left) else None


def whole_cell(sheet: Sheet) -> int:
    """Width of a cell that shows every number in full; of text with its interval; and the heads of columns."""
    block = sheet.block
    heads = max((min(_MOST_CELL, width(clean(name[:200])) + 1) for name in block.columns), default=0)
    if sheet.form == "text":
        numbers = max((width(cell.whole) for row in block.cells for cell in row), default=0)
    elif sheet.form == "difference":
        numbers = max((width(cell.text.removesuffix(MARK)) + 1 for row in block.cells for cell in row), default=0)
    else:
        numbers = least_cell(sheet) - 2
    return max(least_cell(sheet), heads, min(_MOST_TEXT - 2, numbers) + 2)


def wanted_width(sheet: Sheet) -> int:
    """Width with which nothing of a sheet is cut: heads and numbers, and a list's intervals with a bar."""
    head = 1 + sum(parts := _parts(sheet, _MOST_HEAD)) + len(parts)
    if not sheet.is_list:
        return head + 1 + len(sheet.block.columns) * whole_cell(sheet)
    cells = [row[0] for row in sheet.block.cells]
    n = max((len(f"{cell.n:,}") for cell in cells if cell.n is not None), default=0)
    return (
        head
        + max((width(c.text) for c in cells), default=0)
        + max((width(c.interval) for c in cells), default=0)
        + n
        + 8
    )


def least_cell(sheet: Sheet) -> int:
    """Width of the narrowest cell: a number with the cursor's frame around it, a difference with its mark, too."""
    if sheet.form in ("text", "percent"):
        texts = (width(cell.text) for row in sheet.block.cells for cell in row)
        return max([THIN, *texts]) + 2
    return THIN + (3 if sheet.form == "difference" else 2)


def fitted(parts: Sequence[str], widths: Sequence[int]) -> str:
    """Return the parts of a row's head, each cleaned and cut to its width, with a blank after each."""
    return "".join(fit(part, cells) + " " for part, cells in zip(parts, widths, strict=True))


def _parts(sheet: Sheet, most: int) -> tuple[int, ...]:
    """Widths of the parts of the row heads: of several the last one whole, the others cut to what is left."""
    heads = [sheet.head(row) for row in range(len(sheet.block.rows))]
    n = max((len(head) for head in heads), default=1)
    pinned = max((width(name) for name, _ in sheet.pinned), default=0)
    widths = [max([_LEAST_FIRST, *(width(clean(head[i][:200])) for head in heads)]) for i in range(n)]
    widths[0] = max(widths[0], pinned)
    for i in range(n):
        rest = sum(widths[i + 1 :]) + n - i - 1
        widths[i] = max(_LEAST_FIRST, min(widths[i], most - rest)) if i < n - 1 or n == 1 else widths[i]
        most -= widths[i] + 1
    return tuple(widths)
