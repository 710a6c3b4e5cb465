"""The lines of a sheet: heads, cells with their numbers, the cursor's frame; in one column intervals, n and bars."""

from __future__ import annotations

from dataclasses import dataclass

from rich.segment import Segment

from xlbias.dashboard.terminal.numbers import NOTHING, THIN, count, signed, thin
from xlbias.dashboard.views.sheet import Sheet
from xlbias.dashboard.widgets.heatmap.drawing import BOLD, LEAST_BAR, Drawing, bar, frame
from xlbias.dashboard.widgets.heatmap.sheet_layout import Layout, fitted
from xlbias.dashboard.widgets.table.columns import fit
from xlbias.report.document import Cell
from xlbias.report.numbers import MARK
from xlbias.text import clean, one_line, width


@dataclass(frozen=True)
class SheetDrawing(Drawing):
    """All that one frame of a sheet depends on.

    Attributes:
        sheet: the numbers.
        rows: rows in the order shown.
        columns: columns in the order shown.
    """

    grid: Layout
    sheet: Sheet
    rows: tuple[int, ...]
    columns: tuple[int, ...]

    # -- heads -----------------------------------------------------------------------------------------------------

    def _above(self, y: int) -> list[Segment]:
        if y > 0:
            return self._pinned(y - 1)
        if self.sheet.is_list:
            return [self._corner_head(), Segment(self._list_heads(), self.styles.head)]
        return super()._above(y)

    def _corner(self, more: str) -> str:
        return more

    def _column_name(self, column: int) -> str:
        return fit(self.sheet.block.columns[self.columns[column]], self.grid.cell - 1).strip()

    def _row_name(self, row: int) -> str:
        return fitted(self.sheet.head(self.rows[row]), self.grid.parts).rstrip()

    def _list_heads(self) -> str:
        interval, n = self._list_widths
        label = fit(self.sheet.block.columns[0], self.grid.cell + interval, "left")
        text = label if interval else fit(label, self.grid.cell)
        return f"{text}{fit('n', n, 'right')}" if n else text

    def _pinned(self, which: int) -> list[Segment]:
        name, texts = self.sheet.pinned[which]
        head = " " + fitted([name, *[""] * (len(self.grid.parts) - 1)], self.grid.parts)
        cells = "".join(texts[self.columns[c]].center(self.grid.cell) for c in self.grid.columns_from(self.left))
        return [Segment(head + cells, self.styles.head)]

    # -- rows ------------------------------------------------------------------------------------------------------

    def _row(self, row: int, line: int) -> list[Segment]:
        if self.sheet.is_list:
            return self._list_row(row)
        return [self._cell(row, column, line) for column in self.grid.columns_from(self.left)]

    def _cell(self, row: int, column: int, line: int) -> Segment:
        """One line of a cell: its number, below it interval or n where there is room, in the cursor's frame."""
        lines, here = self.grid.lines, (row, column) == self.here
        r, c = self.rows[row], self.columns[column]
        found, room = self.sheet.block.cells[r][c], self.grid.cell - 2
        inside = ""
        if line == self._middle:
            inside = self._number(r, c, room)
        elif line == lines - 1 and found.value is not None:
            inside = self._below(found, self._number(r, c, room), room)
        left, filling, right = frame(line, lines) if here else (" ", " ", " ")
        shade = self.sheet.shade(r, c)
        if shade is None or self.painter is None:
            style = self.styles.nothing if found.value is None else self.styles.plain
        else:
            style = self.painter.style(shade)
            if not here:
                left = self.painter.mark(shade)
        if line == self._middle and (here or self.sheet.block.rows[r] == self.sheet.block.columns[c]):
            style += BOLD
        return Segment(left + (inside.center(room) if inside else filling * room) + right, style)

    def _below(self, found: Cell, number: str, room: int) -> str:
        """What stands below a number: its interval where those of all cells have room, or else its n."""
        if found.interval and self.grid.intervals and found.interval not in number:
            return found.interval
        if not found.n:
            return ""
        named = f"n {found.n:,}"
        return named if width(named) <= room else count(found.n)

    def _number(self, r: int, c: int, room: int) -> str:
        """The number of a cell in at most `room` cells."""
        sheet, found = self.sheet, self.sheet.block.cells[r][c]
        if sheet.form in ("text", "percent") or found.value is None:
            return found.whole if width(found.whole) <= room else one_line(found.text, room)
        unit_range = sheet.block.measure.high <= 1.0
        if sheet.form == "value":
            if found.value < 0:
                return one_line(found.text, room) if width(found.text) <= room else count(found.value)
            if not unit_range and width(found.text) <= THIN:
                return found.text
            return thin(found.value, unit_range=unit_range)
        mark = MARK if sheet.marked(r, c) else ""
        plain = found.text.removesuffix(MARK)
        if width(plain) < room:
            return plain + (mark or " ")
        unit_range = abs(found.value) < 1
        return signed(found.value, unit_range=unit_range, room=max(THIN, min(THIN + 1, room - 1))) + (mark or " ")

    # -- one column --------------------------------------------------------------------------------------------------

    @property
    def _list_widths(self) -> tuple[int, int]:
        """Room for intervals and for n, 0 where there are none or no room."""
        cells = [line[0] for line in self.sheet.block.cells]
        interval = max((width(cell.interval) for cell in cells), default=0)
        n = max((len(f"{cell.n:,}") for cell in cells if cell.n is not None), default=0)
        room = self.grid.width - self.grid.head - self.grid.cell
        interval = interval + 1 if interval and interval + 1 <= room else 0
        n = n + 2 if n and n + 2 <= room - interval else 0
        return interval, n

    def _list_row(self, row: int) -> list[Segment]:
        """The number of a row, its interval and n, and a bar or the words behind it."""
        r, (interval, n) = self.rows[row], self._list_widths
        found, here = self.sheet.block.cells[r][0], self.here is not None and self.here[0] == row
        shade = self.sheet.shade(r, 0)
        style = self.styles.nothing if found.value is None else self.styles.plain
        left, right = ("[", "]") if here else (" ", " ")
        if shade is not None and self.painter is not None:
            style = self.painter.style(shade)
            if not here:
                left = self.painter.mark(shade)
        text = found.text if found.text.endswith(MARK) or self.sheet.form != "difference" else f"{found.text} "
        number = fit(text if found.value is not None else NOTHING, self.grid.cell - 2, "right")
        segments = [Segment(left + number + right, style + BOLD if here else style)]
        segments.append(Segment(fit(f" {found.interval}", interval), self.styles.head))
        segments.append(Segment(fit("" if found.n is None else f"{found.n:,}", n, "right"), self.styles.head))
        room = self.grid.width - self.grid.head - self.grid.cell - interval - n - 2
        if self.sheet.tails:
            segments.append(Segment("  " + one_line(clean(self.sheet.tails[r]), max(0, room)), self.styles.head))
        elif self.sheet.bars and shade is not None and self.painter is not None and room >= LEAST_BAR:
            largest = max(line[0].value or 0.0 for line in self.sheet.block.cells)
            drawn = bar(found.value or 0.0, largest, room)
            segments += [Segment("  ", self.styles.plain), Segment(drawn, self.painter.bar_style(shade))]
        return segments
