"""A sheet of numbers as a widget: its order, its colours, and which of its cells the cursor is on."""

from __future__ import annotations

from typing import Literal

from textual.message import Message

from xlbias.colour import Range
from xlbias.dashboard.views.sheet import Sheet, Spot
from xlbias.dashboard.widgets.heatmap.drawing import Styles
from xlbias.dashboard.widgets.heatmap.geometry import Place
from xlbias.dashboard.widgets.heatmap.grid import GridView
from xlbias.dashboard.widgets.heatmap.paint import Painter
from xlbias.dashboard.widgets.heatmap.sheet_drawing import SheetDrawing
from xlbias.dashboard.widgets.heatmap.sheet_layout import Layout
from xlbias.dashboard.widgets.heatmap.sheet_order import order


class SheetView(GridView):
    """A sheet with heads that stay: a grid, or a list with intervals and bars where there is one column.

    Args:
        sorts: the orders that it can be shown in; the first is that of the sheet.
    """

    _grid: Layout | None

    class Moved(GridView.Moved):
        """The cursor is on another cell, or its cell has another value."""

    class Touched(Message):
        """The mouse has chosen a cell; `again` where the cursor was on it already."""

        def __init__(self, view: SheetView, *, again: bool) -> None:
            super().__init__()
            self.view, self.again = view, again

    def __init__(self, sorts: tuple[str, ...], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.sorts = sorts
        self.sort = sorts[0]
        self.sheet: Sheet | None = None
        self.rows: tuple[int, ...] = ()
        self.columns: tuple[int, ...] = ()
        self.active = True

    def show(self, sheet: Sheet | None) -> None:
        """Show another sheet; the cursor stays on its row and column where they are there, and in sight."""
        if sheet is self.sheet:
            return
        seen = self._is_seen()
        self.sheet = sheet
        self._arrange()
        if seen:
            self._reveal()

    def set_active(self, active: bool) -> None:
        """Show the cursor, or hide it: keys go to another sheet."""
        if active != self.active:
            self.active = active
            self._redraw()

    def order_by(self, sort: str, *, reverse: bool) -> None:
        """Order rows and columns; the cursor stays on its cell and is kept in sight."""
        self.sort, self.reverse = sort, reverse
        self._arrange()
        self._reveal()

    def cycle_sort(self) -> None:
        """Next order, in its natural direction."""
        self.order_by(self.sorts[(self.sorts.index(self.sort) + 1) % len(self.sorts)], reverse=False)

    def set_full_range(self, full: bool) -> None:
        """Spread the colours over [0, 1] instead of the values that are there."""
        self.full_range = full
        self._redraw()
        self.post_message(self.Moved(self))

    @property
    def range(self) -> Range | None:
        """What the colours stand for, None where there are none."""
        sheet = self.sheet
        if sheet is None:
            return None
        spots = ((r, c) for r in self.rows for c in self.columns)
        known = [shade for r, c in spots if (shade := sheet.shade(r, c)) is not None]
        if not known:
            return None
        better: Literal["high", "low"] = "low" if sheet.block.better == "low" else "high"
        if sheet.diverging:
            end = max(map(abs, known))
            return Range(-end, end, better, diverging=True)
        if self.full_range and sheet.block.measure.unit_range:
            return Range(0.0, 1.0, better)
        return Range(min(known), max(known), better)

    def _order(self) -> None:
        sheet = self.sheet
        if sheet is None or not sheet.block.rows or not sheet.block.columns:
            self.rows = self.columns = ()
            self.cursor = None
        else:
            wanted = self._wanted or ("", "")
            column = sheet.block.columns.index(wanted[1]) if wanted[1] in sheet.block.columns else 0
            rows, columns = order(sheet, self.sort, column, reverse=self.reverse)
            self.rows, self.columns = tuple(rows), tuple(columns)
            row = wanted[0] if wanted[0] in sheet.block.rows else sheet.block.rows[self.rows[0]]
            here = wanted[1] if wanted[1] in sheet.block.columns else sheet.block.columns[self.columns[0]]
            self.cursor = (row, here)

    @property
    def spot(self) -> tuple[int, int] | None:
        """Row and column of the cursor, counted as in the sheet."""
        place = self.place
        return (self.rows[place[0]], self.columns[place[1]]) if place else None

    def _find(self, cursor: Spot) -> Place | None:
        if self.sheet is None or cursor[0] not in self.sheet.block.rows or cursor[1] not in self.sheet.block.columns:
            return None
        row, column = self.sheet.block.rows.index(cursor[0]), self.sheet.block.columns.index(cursor[1])
        return self.rows.index(row), self.columns.index(column)

    def _named(self, place: Place) -> Spot:
        assert self.sheet is not None
        block = self.sheet.block
        return block.rows[self.rows[place[0]]], block.columns[self.columns[place[1]]]

    def _touch(self, place: Place) -> None:
        again = place == self.place and self.active
        super()._touch(place)
        self.post_message(self.Touched(self, again=again))

    def _lay_out(self) -> Layout | None:
        return Layout.fit(self.sheet, *self.size) if self.sheet is not None and self.rows else None

    def _draw(self, painter: Painter | None, styles: Styles) -> SheetDrawing:
        assert self._grid is not None and self.sheet is not None
        here = self.place if self.active else None
        return SheetDrawing(self._grid, self.top, self.left, here, painter, styles, self.sheet, self.rows, self.columns)
