"""The lines of a sheet: heads, cells with their numbers, the cursor's frame; in one column intervals, n and bars."""

from __future__ import annotations

from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style

from xlbias.dashboard.numbers import NOTHING, THIN, count, signed, thin
from xlbias.dashboard.widgets.columns import fit
from xlbias.dashboard.widgets.paint import Painter
from xlbias.dashboard.widgets.sheet_layout import Layout, fitted
from xlbias.report.comparison import MARK
from xlbias.report.sheet import Sheet
from xlbias.text import clean, one_line, width

_EIGHTHS = " ▏▎▍▌▋▊▉"
_BOLD = Style(bold=True)
_LEAST_BAR = 4


@dataclass(frozen=True)
class Styles:
    """Styles of blank space, heads, the heads of the cursor's cell, cells without value, and what stands back."""

    plain: Style
    head: Style
    here: Style
    nothing: Style


@dataclass(frozen=True)
class SheetDrawing:
    """All that one frame of a sheet depends on.

    Attributes:
        sheet: the numbers.
        rows: rows in the order shown.
        columns: columns in the order shown.
        layout: where they stand.
        top: first row on the panel.
        left: first column on the panel.
        here: row and column of the cursor in the order shown, None where it is not to be seen.
        painter: gives values their colours or glyphs, None where there are no values.
        styles: of everything else.
    """

    sheet: Sheet
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    layout: Layout
    top: int
    left: int
    here: tuple[int, int] | None
    painter: Painter | None
    styles: Styles

    def line(self, y: int) -> list[Segment]:
        """Return one line of the panel, as wide as it or less."""
        if y == 0:
            return self._heads()
        if y < self.layout.above:
            return self._pinned(y - 1)
        return self._row(y)

    # -- heads -----------------------------------------------------------------------------------------------------

    def _heads(self) -> list[Segment]:
        layout, head = self.layout, self.styles.head
        above, below = self.top > 0, layout.rows_from(self.top).stop < layout.n_rows
        mark = "↕" if above and below else "↑" if above else "↓" if below else " "
        corner = f"{mark}{'‹' if self.left else ''}"
        segments = [Segment(fit(corner, layout.head), head)]
        if self.sheet.is_list:
            return [*segments, Segment(self._list_heads(), head)]
        columns = layout.columns_from(self.left)
        for column in columns:
            label = fit(self.sheet.block.columns[self.columns[column]], layout.cell - 1).strip()
            before = (layout.cell - width(label)) // 2
            style = self.styles.here if self.here and self.here[1] == column else head
            segments += [
                Segment(" " * before, head),
                Segment(label, style),
                Segment(" " * (layout.cell - width(label) - before), head),
            ]
        if columns.stop < layout.n_columns:  # the blank behind the last label says that there is more
            segments[-1] = Segment(f"{segments[-1].text[:-1]}›", head)
        return segments

    def _list_heads(self) -> str:
        interval, n = self._list_widths
        label = fit(self.sheet.block.columns[0], self.layout.cell + interval, "left")
        text = label if interval else fit(label, self.layout.cell)
        return f"{text}{fit('n', n, 'right')}" if n else text

    def _pinned(self, which: int) -> list[Segment]:
        name, texts = self.sheet.pinned[which]
        blank = ["", *[""] * (len(self.layout.parts) - 1)]
        head = " " + fitted([name, *blank[1:]], self.layout.parts)
        cells = "".join(texts[self.columns[c]].center(self.layout.cell) for c in self.layout.columns_from(self.left))
        return [Segment(head + cells, self.styles.head)]

    # -- rows ------------------------------------------------------------------------------------------------------

    def _row(self, y: int) -> list[Segment]:
        layout = self.layout
        row, line = self.top + (y - layout.above) // layout.lines, (y - layout.above) % layout.lines
        if row not in layout.rows_from(self.top):
            return []
        segments = self._row_head(row, line)
        if self.sheet.is_list:
            return [*segments, *self._list_row(row)]
        return segments + [self._cell(row, column, line) for column in layout.columns_from(self.left)]

    @property
    def _middle(self) -> int:
        """The line of a row that its numbers stand on."""
        return (self.layout.lines - 1) // 2

    def _row_head(self, row: int, line: int) -> list[Segment]:
        if line != self._middle:
            return [Segment(" " * self.layout.head, self.styles.plain)]
        head = fitted(self.sheet.head(self.rows[row]), self.layout.parts)
        style = self.styles.here if self.here and self.here[0] == row else self.styles.head
        name = head.rstrip()
        blank = " " * (self.layout.head - 1 - width(name))
        return [Segment(" ", self.styles.plain), Segment(name, style), Segment(blank, self.styles.plain)]

    def _cell(self, row: int, column: int, line: int) -> Segment:
        """One line of a cell: its number, below it interval or n where there is room, in the cursor's frame."""
        lines, here = self.layout.lines, (row, column) == self.here
        r, c = self.rows[row], self.columns[column]
        found, room = self.sheet.block.cells[r][c], self.layout.cell - 2
        inside = ""
        if line == self._middle:
            inside = self._number(r, c, room)
        elif line == lines - 1 and found.value is not None:
            fits = found.interval and width(found.interval) <= room and found.interval not in self._number(r, c, room)
            inside = found.interval if fits else count(found.n or 0)
        left, filling, right = _frame(line, lines) if here else (" ", " ", " ")
        shade = self.sheet.shade(r, c)
        if shade is None or self.painter is None:
            style = self.styles.nothing if found.value is None else self.styles.plain
        else:
            style = self.painter.style(shade)
            if not here:
                left = self.painter.mark(shade)
        if line == self._middle and (here or self.sheet.block.rows[r] == self.sheet.block.columns[c]):
            style += _BOLD
        return Segment(left + (inside.center(room) if inside else filling * room) + right, style)

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
        room = self.layout.width - self.layout.head - self.layout.cell
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
        number = fit(text if found.value is not None else NOTHING, self.layout.cell - 2, "right")
        segments = [Segment(left + number + right, style + _BOLD if here else style)]
        segments.append(Segment(fit(f" {found.interval}", interval), self.styles.head))
        segments.append(Segment(fit("" if found.n is None else f"{found.n:,}", n, "right"), self.styles.head))
        room = self.layout.width - self.layout.head - self.layout.cell - interval - n - 2
        if self.sheet.tails:
            segments.append(Segment("  " + one_line(clean(self.sheet.tails[r]), max(0, room)), self.styles.head))
        elif self.sheet.bars and shade is not None and self.painter is not None and room >= _LEAST_BAR:
            segments += [Segment("  ", self.styles.plain), Segment(self._bar(r, room), self.painter.bar_style(shade))]
        return segments

    def _bar(self, r: int, room: int) -> str:
        """A bar as long as the row's value; the longest one fills the panel."""
        largest = max((line[0].value or 0.0 for line in self.sheet.block.cells), default=0.0)
        value = self.sheet.block.cells[r][0].value or 0.0
        eighths = max(0, round(8 * room * value / largest)) if largest > 0 else 0
        return "█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")


def _frame(line: int, lines: int) -> tuple[str, str, str]:
    """The cursor's frame on one line of a cell: left edge, filling, right edge."""
    if lines == 1:
        return "[", " ", "]"
    if line == 0:
        return "┌", "─", "┐"
    return ("└", "─", "┘") if line == lines - 1 else ("│", " ", "│")
