"""The lines of a heatmap: heads, cells with their numbers, the cursor's frame, and bars where there is one column."""

from __future__ import annotations

from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style

from xlbias.dashboard.terminal.numbers import THIN, count
from xlbias.dashboard.widgets.heatmap.arranged import Arranged
from xlbias.dashboard.widgets.heatmap.drawing import BOLD, LEAST_BAR, Drawing, bar, frame
from xlbias.dashboard.widgets.heatmap.geometry import Place
from xlbias.dashboard.widgets.table.columns import fit
from xlbias.runs.schema import MULTILINGUAL_POOL

UNION_LABEL = "multi"
_BAR_GAP = 2
_PLAIN, _REVERSED = Style(), Style(reverse=True)


@dataclass(frozen=True)
class MatrixDrawing(Drawing):
    """All that one frame of a heatmap depends on.

    Attributes:
        shown: the values in their order.
    """

    shown: Arranged

    # -- heads -----------------------------------------------------------------------------------------------------

    def _corner(self, more: str) -> str:
        return f"quer{more or 'y'}"

    def _column_name(self, column: int) -> str:
        pool = self.shown.pools[column]
        return UNION_LABEL if pool == MULTILINGUAL_POOL else fit(pool, self.grid.cell - 1).strip()

    def _row_name(self, row: int) -> str:
        return fit(self.shown.languages[row], self.grid.head - 2).rstrip()

    def _before(self, column: int) -> list[Segment]:
        """What sets the multilingual pool apart, before its column."""
        gap = self.grid.gap if column == self.grid.n_columns - 1 else 0
        return [Segment("│".rjust(gap), self.styles.head)] if gap else []

    # -- cells -----------------------------------------------------------------------------------------------------

    def _row(self, row: int, line: int) -> list[Segment]:
        segments = []
        for column in self.grid.columns_from(self.left):
            segments += [*self._before(column), self._cell((row, column), line)]
        if self.shown.is_list and line == self._middle:
            segments += self._bar(row)
        return segments

    def _cell(self, place: Place, line: int) -> Segment:
        """One line of a cell: its number, below it its n where there is room, around both the cursor's frame."""
        value, lines, here = self.shown.value(place), self.grid.lines, place == self.here
        inside = ""
        if line == self._middle:
            inside = self.shown.number(place, self.grid.cell - 2)
        elif line == lines - 1 and value is not None:
            inside = count(self.shown.n(place))
        left, filling, right = frame(line, lines) if here else (" ", " ", " ")
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
                style += BOLD
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
        if value is None or self.painter is None or cells < LEAST_BAR:
            return []
        largest = max(abs(self.shown.value((r, 0)) or 0.0) for r in range(len(self.shown.rows)))
        drawn = bar(abs(value), largest, cells)
        return [Segment(between, self.styles.head), Segment(drawn, self.painter.bar_style(value))]
