"""What the lines of all grids have in common: heads that stay, the cursor's frame, and bars."""

from __future__ import annotations

from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style

from xlbias.dashboard.widgets.heatmap.geometry import Geometry, Place
from xlbias.dashboard.widgets.heatmap.paint import Painter
from xlbias.dashboard.widgets.table.columns import fit
from xlbias.text import width

BOLD = Style(bold=True)
LEAST_BAR = 4
"""Cells in which a bar says something."""

_EIGHTHS = " ▏▎▍▌▋▊▉"


@dataclass(frozen=True)
class Styles:
    """Styles of what is not on the scale: blank space, heads, the heads of the cursor's cell, cells without value."""

    plain: Style
    head: Style
    here: Style
    nothing: Style


@dataclass(frozen=True)
class Drawing:
    """All that one frame of a grid depends on.

    Attributes:
        grid: where the cells stand.
        top: first row on the panel.
        left: first column on the panel.
        here: row and column of the cursor in the order shown, None where it is not to be seen.
        painter: gives values their colours or glyphs, None where there are no values.
        styles: of everything else.
    """

    grid: Geometry
    top: int
    left: int
    here: Place | None
    painter: Painter | None
    styles: Styles

    def line(self, y: int) -> list[Segment]:
        """Return one line of the panel, as wide as it or less."""
        grid = self.grid
        if y < grid.above:
            return self._above(y)
        row, line = self.top + (y - grid.above) // grid.lines, (y - grid.above) % grid.lines
        if row not in grid.rows_from(self.top):
            return []
        return [*self._row_head(row, line), *self._row(row, line)]

    # -- what grids differ in ----------------------------------------------------------------------------------------

    def _corner(self, more: str) -> str:
        """What stands over the row heads; `more` is ``‹`` where there are columns to the left of the panel."""
        raise NotImplementedError

    def _column_name(self, column: int) -> str:
        """The head of a column, narrower than a cell."""
        raise NotImplementedError

    def _row_name(self, row: int) -> str:
        """The head of a row, narrower than the room for it."""
        raise NotImplementedError

    def _row(self, row: int, line: int) -> list[Segment]:
        """One line of a row's cells, and what stands behind them."""
        raise NotImplementedError

    def _before(self, column: int) -> list[Segment]:
        """What stands before a column."""
        return []

    # -- heads -----------------------------------------------------------------------------------------------------

    def _above(self, y: int) -> list[Segment]:
        """One of the lines that do not scroll."""
        return [self._corner_head(), *self._column_heads()]

    def _corner_head(self) -> Segment:
        """What stands over the row heads, behind arrows where there are more rows than the panel shows."""
        above, below = self.top > 0, self.grid.rows_from(self.top).stop < self.grid.n_rows
        mark = "↕" if above and below else "↑" if above else "↓" if below else " "
        return Segment(fit(mark + self._corner("‹" if self.left else ""), self.grid.head), self.styles.head)

    def _column_heads(self) -> list[Segment]:
        grid, head = self.grid, self.styles.head
        segments = []
        columns = grid.columns_from(self.left)
        for column in columns:
            label = self._column_name(column)
            before = (grid.cell - width(label)) // 2
            style = self.styles.here if self.here and self.here[1] == column else head
            segments += [
                *self._before(column),
                Segment(" " * before, head),
                Segment(label, style),
                Segment(" " * (grid.cell - width(label) - before), head),
            ]
        if columns.stop < grid.n_columns:  # the blank behind the last label says that there is more
            segments[-1] = Segment(f"{segments[-1].text[:-1]}›", head)
        return segments

    @property
    def _middle(self) -> int:
        """The line of a row that its head and its numbers stand on."""
        return (self.grid.lines - 1) // 2

    def _row_head(self, row: int, line: int) -> list[Segment]:
        head, plain = self.grid.head, self.styles.plain
        if line != self._middle:
            return [Segment(" " * head, plain)]
        name = self._row_name(row)
        style = self.styles.here if self.here and self.here[0] == row else self.styles.head
        return [Segment(" ", plain), Segment(name, style), Segment(" " * (head - 1 - width(name)), plain)]


def frame(line: int, lines: int) -> tuple[str, str, str]:
    """The cursor's frame on one line of a cell: left edge, filling, right edge."""
    if lines == 1:
        return "[", " ", "]"
    if line == 0:
        return "┌", "─", "┐"
    return ("└", "─", "┘") if line == lines - 1 else ("│", " ", "│")


def bar(value: float, largest: float, cells: int) -> str:
    """A bar as long as a value, of eighths of cells; the one of the largest value is `cells` long."""
    eighths = max(0, round(8 * cells * value / largest)) if largest > 0 else 0
    return "█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")
