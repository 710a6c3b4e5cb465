"""The lines of a heat map: heads that stay, numbers in their cells, the cursor's frame; bars behind one column."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from rich.segment import Segment
from rich.style import Style

from xlbias.dashboard.terminal.numbers import THIN, count
from xlbias.dashboard.views.sheet import Sheet
from xlbias.dashboard.widgets.heatmap.bars import Axis, bar
from xlbias.dashboard.widgets.heatmap.cell_text import below, ends_in, mark_of, number_in, sign_and_size
from xlbias.dashboard.widgets.heatmap.geometry import Place
from xlbias.dashboard.widgets.heatmap.layout import Layout, fitted
from xlbias.dashboard.widgets.heatmap.paint import Painter
from xlbias.dashboard.widgets.table.columns import fit
from xlbias.report.numbers import MARK, NOTHING, measured
from xlbias.text import clean, one_line, width

_LEAST_BAR = 4  # cells in which a bar says something
_BAR_GAP = 2
_BOLD, _REVERSED = Style(bold=True), Style(reverse=True)


@dataclass(frozen=True)
class Styles:
    """Styles of what is not on the scale: blank space, heads, the heads of the cursor's cell, cells without value."""

    plain: Style
    head: Style
    here: Style
    nothing: Style


@dataclass(frozen=True)
class Drawing:
    """All that one frame of a heat map depends on.

    Attributes:
        sheet: the numbers.
        rows: rows in the order shown.
        columns: columns in the order shown.
        grid: where the cells stand.
        top: first row on the panel.
        left: first column on the panel.
        here: row and column of the cursor in the order shown, None where it is not to be seen.
        painter: gives values their colours or glyphs, None where there are no values.
        styles: of everything else.
    """

    sheet: Sheet
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    grid: Layout
    top: int
    left: int
    here: Place | None
    painter: Painter | None
    styles: Styles

    def line(self, y: int) -> list[Segment]:
        """Return one line of the panel, as wide as it or less."""
        grid = self.grid
        if y == 0:
            return [self._corner(), *(self._list_heads() if self.sheet.is_list else self._column_heads())]
        if y < grid.above:
            return self._pinned(y - 1)
        row, line = self.top + (y - grid.above) // grid.lines, (y - grid.above) % grid.lines
        if row not in grid.rows_from(self.top):
            return []
        return [*self._row_head(row, line), *self._row(row, line)]

    # -- heads -----------------------------------------------------------------------------------------------------

    def _corner(self) -> Segment:
        """What stands over the row heads: arrows where there are more rows or columns than the panel shows."""
        above, below_ = self.top > 0, self.grid.rows_from(self.top).stop < self.grid.n_rows
        mark = "↕" if above and below_ else "↑" if above else "↓" if below_ else " "
        corner = f"{self.sheet.corner[:-1]}‹" if self.left else self.sheet.corner
        return Segment(fit(mark + corner, self.grid.head), self.styles.head)

    def _column_heads(self) -> list[Segment]:
        grid, head = self.grid, self.styles.head
        segments = []
        columns = grid.columns_from(self.left)
        for column in columns:
            label = fit(self.sheet.label(self.columns[column]), grid.cell - (not self.sheet.small)).strip()
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

    def _list_heads(self) -> list[Segment]:
        interval, n = self._list_widths
        label = fit(f" {self.sheet.label(0)}", self.grid.cell + interval)
        about = self._about_bars()
        bars = f"{' ' * _BAR_GAP}{about}" if about else ""
        return [Segment(f"{label}{fit('n', n, 'right') if n else ''}{bars}", self.styles.head)]

    def _pinned(self, which: int) -> list[Segment]:
        name, texts = self.sheet.pinned[which]
        head = " " + fitted([name, *[""] * (len(self.grid.parts) - 1)], self.grid.parts)
        cells = "".join(texts[self.columns[c]].center(self.grid.cell) for c in self.grid.columns_from(self.left))
        return [Segment(head + cells, self.styles.head)]

    def _before(self, column: int) -> list[Segment]:
        """What sets a column that stands apart off from the others."""
        gap = self.grid.gap if column == self.grid.n_columns - 1 else 0
        return [Segment("│".rjust(gap), self.styles.head)] if gap else []

    @property
    def _middle(self) -> int:
        """The line of a row that its head and its numbers stand on."""
        return (self.grid.lines - 1) // 2

    def _row_head(self, row: int, line: int) -> list[Segment]:
        head, plain = self.grid.head, self.styles.plain
        if line != self._middle:
            return [Segment(" " * head, plain)]
        name = fitted(self.sheet.head(self.rows[row]), self.grid.parts).rstrip()
        style = self.styles.here if self.here and self.here[0] == row else self.styles.head
        return [Segment(" ", plain), Segment(name, style), Segment(" " * (head - 1 - width(name)), plain)]

    # -- cells -----------------------------------------------------------------------------------------------------

    def _row(self, row: int, line: int) -> list[Segment]:
        """One line of a row's cells, and what stands behind them."""
        if self.sheet.is_list:
            return self._list_row(row)
        segments = []
        for column in self.grid.columns_from(self.left):
            segments += [*self._before(column), self._cell((row, column), line)]
        return segments

    def _cell(self, place: Place, line: int) -> Segment:
        """One line of a cell: its number, below it interval or n where there is room, in the cursor's frame."""
        sheet, here, middle = self.sheet, place == self.here, line == self._middle
        r, c = self.rows[place[0]], self.columns[place[1]]
        if sheet.small:
            return self._small_cell(r, c, here=here)
        shade, room = sheet.shade(r, c), self.grid.cell - 2
        left, filling, right = _frame(line, self.grid.lines) if here else (" ", " ", " ")
        if middle:
            inside, filling = number_in(sheet, r, c, room), " "
        else:
            inside = self._below(r, c, room) if line == self.grid.lines - 1 else ""
        if shade is None or self.painter is None:
            style = self.styles.nothing if sheet.value(r, c) is None else self.styles.plain
        else:
            style = self.painter.style(shade)
            if middle and sheet.compact and sheet.form == "difference":
                left, inside, right = self._difference(r, c, inside)
                style += _REVERSED if here else Style()
            elif not here:
                left = self.painter.mark(shade)
        if len(inside) > room:  # an interval of a difference: the cursor is seen by its colours
            return Segment(inside.center(self.grid.cell), style + (_REVERSED if here else Style()))
        if middle and (here or sheet.block.rows[r] == sheet.block.columns[c]):
            style += _BOLD
        return Segment(left + inside.center(room, filling) + right, style)

    def _small_cell(self, r: int, c: int, *, here: bool) -> Segment:
        """A number and nothing else; the cursor turns its colours round."""
        shade, mark, style = self.sheet.shade(r, c), " ", self.styles.nothing
        if shade is not None and self.painter is not None:
            style, mark = self.painter.style(shade), self.painter.mark(shade)
        number = number_in(self.sheet, r, c, THIN)
        return Segment(mark + number.rjust(self.grid.cell - 1), style + (_REVERSED if here else Style()))

    def _below(self, r: int, c: int, room: int) -> str:
        if self.sheet.value(r, c) is None:
            return ""
        found = self.sheet.block.entry(r, c)
        if self.sheet.compact:
            return ends_in(found.cell, self.sheet) if self.grid.intervals else count(found.n or 0)
        return below(found, number_in(self.sheet, r, c, room), room, intervals=self.grid.intervals)

    def _difference(self, r: int, c: int, inside: str) -> tuple[str, str, str]:
        """Left edge, number and right edge of a narrow difference: its mark, and its sign where a digit needs the room.

        The cursor is seen by its colours being turned round, so that it takes neither.
        """
        mark, room = mark_of(self.sheet, r, c), self.grid.cell - 2
        if room > THIN:
            return (" ", inside + mark, " ") if len(inside) < room else (" ", inside, mark)
        sign, size = sign_and_size(self.sheet, r, c)
        return sign, size, mark

    # -- one column --------------------------------------------------------------------------------------------------

    @cached_property
    def _room(self) -> int:
        """Room for bars, or for the words behind a row."""
        return self.grid.width - self.grid.head - self.grid.cell - sum(self._list_widths) - _BAR_GAP

    @cached_property
    def _axis(self) -> Axis | None:
        """What the bars of the only column stand for."""
        cells = [self.sheet.block.matrix.cells[r][0] for r in self.rows]
        return Axis.over(cells, self.sheet.neutral, self._room)

    def _about_bars(self) -> str:
        """Where bars begin and how far they reach, over them; empty where there are none."""
        room = self._room
        axis = self._axis if self.sheet.bars and not self.sheet.tails and room >= _LEAST_BAR else None
        if axis is None or self.painter is None:
            return ""
        about, neutral = self.sheet.block.measure, self.sheet.neutral
        said = f"bars from {'0' if not axis.origin else measured(axis.origin, about)}"
        if neutral is not None:
            said += ", neutral"
        longest = max((axis.low, axis.high), key=lambda end: abs(end - axis.origin))
        more = f" to {measured(longest, about)}"
        found = said + more if width(said + more) <= room else said
        return found if width(found) <= room else ""

    @cached_property
    def _list_widths(self) -> tuple[int, int]:
        """Room for intervals and for n, 0 where there are none or no room."""
        cells = [line[0] for line in self.sheet.block.entries]
        interval = max((width(cell.interval) for cell in cells), default=0)
        n = max((len(f"{cell.n:,}") for cell in cells if cell.n is not None), default=0)
        room = self.grid.width - self.grid.head - self.grid.cell
        interval = interval + 1 if interval and interval + 1 <= room else 0
        n = n + 2 if n and n + 2 <= room - interval else 0
        return interval, n

    def _list_row(self, row: int) -> list[Segment]:
        """The number of a row, its interval and n, and a bar or the words behind it."""
        r, (interval, n) = self.rows[row], self._list_widths
        found, here = self.sheet.block.entry(r, 0), self.here is not None and self.here[0] == row
        shade = self.sheet.shade(r, 0)
        style = self.styles.nothing if found.value is None else self.styles.plain
        left, right = ("[", "]") if here else (" ", " ")
        if shade is not None and self.painter is not None:
            style = self.painter.style(shade)
            if not here:
                left = self.painter.mark(shade)
        text = found.text if found.text.endswith(MARK) or self.sheet.form != "difference" else f"{found.text} "
        number = fit(text if found.value is not None else NOTHING, self.grid.cell - 2, "right")
        segments = [Segment(left + number + right, style + _BOLD if here else style)]
        segments.append(Segment(fit(f" {found.interval}", interval), self.styles.head))
        segments.append(Segment(fit("" if found.n is None else f"{found.n:,}", n, "right"), self.styles.head))
        room = self._room
        if self.sheet.tails and room >= min(width(clean(tail)) for tail in self.sheet.tails):
            segments.append(Segment("  " + one_line(clean(self.sheet.tails[r]), max(0, room)), self.styles.head))
        elif self.sheet.bars and shade is not None and self.painter is not None and room >= _LEAST_BAR:
            drawn = bar(found.cell, self._axis) if self._axis is not None else ""
            segments += [Segment(" " * _BAR_GAP, self.styles.plain), Segment(drawn, self.painter.bar_style(shade))]
        return segments


def _frame(line: int, lines: int) -> tuple[str, str, str]:
    """The cursor's frame on one line of a cell: left edge, filling, right edge."""
    if lines == 1:
        return "[", " ", "]"
    if line == 0:
        return "┌", "─", "┐"
    return ("└", "─", "┘") if line == lines - 1 else ("│", " ", "│")
