"""How large the cells of a heat map are on a panel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xlbias.dashboard.terminal.numbers import THIN
from xlbias.dashboard.views.sheet import Sheet
from xlbias.dashboard.widgets.heatmap.cell_text import ends_in
from xlbias.dashboard.widgets.heatmap.geometry import Geometry, Place
from xlbias.dashboard.widgets.table.columns import fit
from xlbias.report.numbers import MARK
from xlbias.text import clean, width

_LEAST_FIRST = 4
_MOST_CELL = 14
_MOST_TEXT = 24
_MOST_LINES = 3
_MOST_HEAD = 36
_COMPACT_CELLS = 6, 10  # width of the narrowest and the widest cell of a compact sheet
_COMPACT_HEAD = 4, 11
_LEAST_INTERVAL = len("[0, 0]")
_SMALL_CELL = THIN + 1  # a number, with a blank or a glyph before it

APART = 2
"""Blank cells that set a column apart, the second one a rule."""


@dataclass(frozen=True)
class Layout(Geometry):
    """The grid of a sheet on a panel: its cells and heads, in terminal cells.

    Attributes:
        parts: width of each part of a row's head.
        intervals: whether there is room for the interval of every cell.
    """

    parts: tuple[int, ...]
    intervals: bool = True

    @classmethod
    def fit(cls, sheet: Sheet, width_: int, height: int) -> Layout:
        """Choose the largest cells with which all is seen; the smallest ones where the sheet must scroll."""
        if sheet.compact and not sheet.is_list:
            return cls._compact(sheet, width_, height)
        n_rows, n_columns = len(sheet.block.rows), len(sheet.block.columns)
        parts = _parts(sheet, max(8, (2 if sheet.is_list else 1) * width_ // (5 if sheet.is_list else 3)))
        above, head = 1 + len(sheet.pinned), _head(parts)
        if sheet.is_list:
            blank = sheet.form == "difference"  # where no mark stands, so that numbers stand below each other
            texts = (width(row[0].text) + (blank and not row[0].text.endswith(MARK)) for row in sheet.block.entries)
            return cls(width_, height, above, n_rows, n_columns, head, 0, max([THIN, *texts]) + 2, 1, parts)
        room = (width_ - head) // max(1, n_columns)
        least = whole_cell(sheet) if whole_cell(sheet) <= room else least_cell(sheet)
        cell = max(least, room if room <= _MOST_CELL else min(_wished_cell(sheet), room))
        lines = max(1, min(_MOST_LINES, (height - above) // max(1, n_rows)))
        whole = longest_interval(sheet) + 2 <= cell if cell >= _LEAST_INTERVAL + 2 else not _has_intervals(sheet)
        return cls(width_, height, above, n_rows, n_columns, head, 0, cell, lines, parts, whole)

    @classmethod
    def _compact(cls, sheet: Sheet, width_: int, height: int) -> Layout:
        """Let cells grow from a thin number to one with room around it, while the whole sheet is seen."""
        n_rows, n_columns = len(sheet.block.rows), len(sheet.block.columns)
        least, most = _COMPACT_HEAD
        parts = (min(most, max([least, *(width(clean(name)) for name in sheet.block.rows)])),)
        head, gap = _head(parts), APART if sheet.apart and n_columns > 1 else 0
        if sheet.small:
            return cls(width_, height, 1, n_rows, n_columns, head, gap, _SMALL_CELL, 1, parts, intervals=False)
        smallest, largest = _COMPACT_CELLS
        room = (width_ - head - gap) // max(1, n_columns)
        lines = max(1, min(_MOST_LINES, (height - 1) // max(1, n_rows)))
        inside = _ends_everywhere(sheet) if lines > 1 else 0
        needed = inside + (1 if sheet.form == "difference" else 2)
        intervals = inside > 0 and needed <= room
        cell = max(smallest, min(max(largest, needed) if intervals else largest, room))
        return cls(width_, height, 1, n_rows, n_columns, head, gap, cell, lines, parts, intervals)

    def at(self, x: int, y: int, top: int, left: int) -> Place | None:
        """Row and column of the cell at a point of the panel; in a list, anywhere on its line."""
        return super().at(self.head if self.n_columns == 1 else x, y, top, left)


def most_lines(sheet: Sheet) -> int:
    """Return how many lines a sheet takes at most, however high the panel is."""
    lines = 1 if sheet.is_list or sheet.small else _MOST_LINES
    return 1 + len(sheet.pinned) + lines * len(sheet.block.rows)


def whole_cell(sheet: Sheet) -> int:
    """Width of a cell that shows every number in full; of text with its interval; and the heads of columns."""
    block = sheet.block
    heads = max((min(_MOST_CELL, width(clean(name[:200])) + 1) for name in block.columns), default=0)
    if sheet.form == "text":
        numbers = max((width(cell.whole) for row in block.entries for cell in row), default=0)
    elif sheet.form == "difference":
        numbers = max((width(cell.text.removesuffix(MARK)) + 1 for row in block.entries for cell in row), default=0)
    else:
        numbers = least_cell(sheet) - 2
    return max(least_cell(sheet), heads, min(_MOST_TEXT - 2, numbers) + 2)


def longest_interval(sheet: Sheet) -> int:
    """Width of the longest interval of a sheet, 0 where there is none."""
    return max((width(cell.interval) for row in sheet.block.entries for cell in row), default=0)


def _has_intervals(sheet: Sheet) -> bool:
    """Whether a cell of a sheet has an interval."""
    rows, columns = range(len(sheet.block.rows)), range(len(sheet.block.columns))
    return any(sheet.block.entry(row, column).interval for row in rows for column in columns)


def _ends_everywhere(sheet: Sheet) -> int:
    """Width of the widest interval of a compact sheet whose n is the same everywhere; 0 where n says more."""
    if sheet.same_n is None:
        return 0
    return max((width(ends_in(cell, sheet)) for line in sheet.block.matrix.cells for cell in line), default=0)


def small_size(sheet: Sheet) -> tuple[int, int]:
    """Return the cells and lines that a small sheet takes."""
    grid = Layout.fit(sheet, 0, 0)
    return grid.head + grid.gap + grid.n_columns * grid.cell, 1 + grid.n_rows


def _wished_cell(sheet: Sheet) -> int:
    """Width of a cell where there is room enough: for its interval, and for its column's whole name."""
    if sheet.form == "text":
        return _MOST_TEXT
    names = max((width(clean(name[:200])) for name in sheet.block.columns), default=0)
    return max(_MOST_CELL, min(_MOST_TEXT, max(names + 1, longest_interval(sheet) + 2)))


def wanted_width(sheet: Sheet) -> int:
    """Width with which nothing of a sheet is cut: heads and numbers, and a list's intervals with a bar."""
    head = _head(_parts(sheet, _MOST_HEAD))
    if not sheet.is_list:
        return head + 1 + len(sheet.block.columns) * whole_cell(sheet)
    cells = [row[0] for row in sheet.block.entries]
    n = max((len(f"{one.n:,}") for one in cells if one.n is not None), default=0)
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
        texts = (width(cell.text) for row in sheet.block.entries for cell in row)
        return max([THIN, *texts]) + 2
    return THIN + (3 if sheet.form == "difference" else 2)


def fitted(parts: Sequence[str], widths: Sequence[int]) -> str:
    """Return the parts of a row's head, each cleaned and cut to its width, with a blank after each."""
    return "".join(fit(part, cells) + " " for part, cells in zip(parts, widths, strict=True))


def _head(parts: Sequence[int]) -> int:
    """Width of the row heads: a blank, the parts, and a blank after each."""
    return 1 + sum(parts) + len(parts)


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
