"""The lines of a heatmap: heads, cells with their numbers, the cursor's frame, and bars where there is one column."""

from __future__ import annotations

from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style

from xlbias.dashboard.numbers import THIN, count
from xlbias.dashboard.widgets.arranged import Arranged, Place
from xlbias.dashboard.widgets.columns import fit
from xlbias.dashboard.widgets.geometry import Geometry
from xlbias.dashboard.widgets.paint import Painter
from xlbias.runs.schema import MULTILINGUAL_POOL
from xlbias.text import width

UNION_LABEL = "multi"
_EIGHTHS = " ▏▎▍▌▋▊▉"
_BAR_GAP = 2
_BOLD = Style(bold=True)
_PLAIN, _REVERSED = Style(), Style(reverse=True)


@dataclass(frozen=True)
class Styles:
    """Styles of what is not on the scale: blank space, heads, the heads of the cursor's cell, cells without value."""

    plain: Style
    head: Style
    here: Style
    nothing: Style


@dataclass(frozen=True)
class Drawing:
    """All that one frame of a heatmap depends on.

    Attributes:
        shown: the values in their order.
        grid: where they stand.
        top: first row on the panel.
        left: first column on the panel.
        here: the cursor, None if there is none.
        painter: gives values their colours or glyphs, None where there are no values.
        styles: of everything else.
    """

    shown: Arranged
    grid: Geometry
    top: int
    left: int
    here: Place | None
    painter: Painter | None
    styles: Styles

    def line(self, y: int) -> list[Segment]:
        """Return one line of the panel, as wide as it."""
        segments = self._heads() if y == 0 else self._cells(y)
        used = sum(width(segment.text) for segment in segments)
        return [*segments, Segment(" " * max(0, self.grid.width - used), self.styles.plain)]

    # -- heads -----------------------------------------------------------------------------------------------------

    def _heads(self) -> list[Segment]:
        grid, head = self.grid, self.styles.head
        segments = [Segment(fit(self._corner(), grid.head), head)]
        columns = grid.columns_from(self.left)
        for column in columns:
            label = self._label(column)
            before = (grid.cell - width(label)) // 2
            style = self.styles.here if self.here and self.here[1] == column else head
            segments += [
                *self._rule(column),
                Segment(" " * before, head),
                Segment(label, style),
                Segment(" " * (grid.cell - width(label) - before), head),
            ]
        if columns.stop < grid.n_columns:  # the blank behind the last label says that there is more
            segments[-1] = Segment(f"{segments[-1].text[:-1]}›", head)
        return segments

    def _corner(self) -> str:
        """What the rows are, and arrows where there is more of them than the panel shows."""
        above, below = self.top > 0, self.grid.rows_from(self.top).stop < self.grid.n_rows
        mark = "↕" if above and below else "↑" if above else "↓" if below else " "
        return f"{mark}{'quer‹' if self.left else 'query'}"

    def _label(self, column: int) -> str:
        pool = self.shown.pools[column]
        return UNION_LABEL if pool == MULTILINGUAL_POOL else fit(pool, self.grid.cell - 1).strip()

    def _rule(self, column: int) -> list[Segment]:
        """What sets the multilingual pool apart, before its column."""
        gap = self.grid.gap if column == self.grid.n_columns - 1 else 0
        return [Segment("│".rjust(gap), self.styles.head)] if gap else []

    # -- cells -----------------------------------------------------------------------------------------------------

    def _cells(self, y: int) -> list[Segment]:
        grid = self.grid
        row, line = self.top + (y - 1) // grid.lines, (y - 1) % grid.lines
        if row not in grid.rows_from(self.top):
            return []
        segments = self._row_head(row, line)
        for column in grid.columns_from(self.left):
            segments += [*self._rule(column), self._cell((row, column), line)]
        if self.shown.is_list and line == self._middle:
            segments += self._bar(row)
        return segments

    @property
    def _middle(self) -> int:
        """The line of a cell that its number stands on."""
        return (self.grid.lines - 1) // 2

    def _row_head(self, row: int, line: int) -> list[Segment]:
        plain = self.styles.plain
        if line != self._middle:
            return [Segment(" " * self.grid.head, plain)]
        code = fit(self.shown.languages[row], self.grid.head - 2).rstrip()
        style = self.styles.here if self.here and self.here[0] == row else self.styles.head
        return [Segment(" ", plain), Segment(code, style), Segment(" " * (self.grid.head - 1 - width(code)), plain)]

    def _cell(self, place: Place, line: int) -> Segment:
        """One line of a cell: its number, below it its n where there is room, around both the cursor's frame."""
        value, lines, here = self.shown.value(place), self.grid.lines, place == self.here
        inside = ""
        if line == self._middle:
            inside = self.shown.number(place, self.grid.cell - 2)
        elif line == lines - 1 and value is not None:
            inside = count(self.shown.n(place))
        left, filling, right = _frame(line, lines) if here else (" ", " ", " ")
        if value is None or self.painter is None:
            style = self.styles.nothing
        else:
            style = self.painter.style(value)
            if line == self._middle and self.shown.is_difference:
                left, inside, right = self._difference(place, inside)
                style += _REVERSED if here else _PLAIN
            elif not here:
                left = self.painter.mark(value)
            if line == self._middle and (here or self._is_monolingual(place)):
                style += _BOLD
        return Segment(
            left + inside.center(self.grid.cell - 2, " " if line == self._middle else filling) + right, style
        )

    def _difference(self, place: Place, inside: str) -> tuple[str, str, str]:
        """Left edge, number and right edge of a difference: its mark, and its sign where a digit more needs the room.

        The cursor is seen by its colours being turned round, so that it takes neither.
        """
        mark, room = self.shown.mark(place), self.grid.cell - 2
        if room > THIN:
            return (" ", inside + mark, " ") if len(inside) < room else (" ", inside, mark)
        sign, size = self.shown.split(place)
        return sign, size, mark

    def _is_monolingual(self, place: Place) -> bool:
        language, pool = self.shown.key(place)
        return language == pool

    def _bar(self, row: int) -> list[Segment]:
        """A row's interval, and a bar as long as its value, beside its cell; the longest one fills the panel."""
        intervals = [self.shown.interval((r, 0)) for r in range(len(self.shown.rows))]
        widest = max(map(len, intervals))
        between = f"{'':{_BAR_GAP}}{intervals[row]:{widest}}{'':{_BAR_GAP if widest else 0}}"
        cells = self.grid.width - self.grid.head - self.grid.cell - len(between)
        value = self.shown.value((row, 0))
        if value is None or self.painter is None or cells < 4:
            return []
        largest = max(abs(self.shown.value((r, 0)) or 0.0) for r in range(len(self.shown.rows)))
        eighths = round(8 * cells * abs(value) / largest) if largest > 0 else 0
        bar = "█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")
        return [Segment(between, self.styles.head), Segment(bar, self.painter.bar_style(value))]


def _frame(line: int, lines: int) -> tuple[str, str, str]:
    """The cursor's frame on one line of a cell: left edge, filling, right edge."""
    if lines == 1:
        return "[", " ", "]"
    if line == 0:
        return "┌", "─", "┐"
    return ("└", "─", "┘") if line == lines - 1 else ("│", " ", "│")
