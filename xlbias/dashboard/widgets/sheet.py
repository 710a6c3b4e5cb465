"""A sheet of numbers as a widget: its cursor, its order, its scrolling, and repainting no more than has changed."""

from __future__ import annotations

from typing import ClassVar, Literal

from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from xlbias.dashboard.scale import Range
from xlbias.dashboard.widgets.paint import Painter, depth_of
from xlbias.dashboard.widgets.sheet_drawing import SheetDrawing, Styles
from xlbias.dashboard.widgets.sheet_layout import Layout
from xlbias.dashboard.widgets.sheet_order import order
from xlbias.report.sheet import Sheet, Spot


class SheetView(Widget):
    """A sheet with heads that stay: a grid, or a list with intervals and bars where there is one column.

    Args:
        sorts: the orders that it can be shown in; the first is that of the sheet.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"sheet--head", "sheet--here", "sheet--nothing"}

    DEFAULT_CSS = """
    SheetView {
        height: 1fr;
        & > .sheet--head { color: $quiet; }
        & > .sheet--here { color: $foreground; text-style: bold reverse; }
        & > .sheet--nothing { color: $faint; }
        &:ansi > .sheet--head { color: ansi_default; text-style: none; }
        &:ansi > .sheet--here { color: ansi_default; text-style: bold reverse; }
        &:ansi > .sheet--nothing { color: ansi_default; text-style: dim; }
    }
    """

    class Moved(Message):
        """The cursor is on another cell, or its cell has another value."""

        def __init__(self, view: SheetView) -> None:
            super().__init__()
            self.view = view

    class Touched(Message):
        """The mouse has chosen a cell; `again` where the cursor was on it already."""

        def __init__(self, view: SheetView, *, again: bool) -> None:
            super().__init__()
            self.view, self.again = view, again

    def __init__(self, sorts: tuple[str, ...], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.sorts = sorts
        self.sort, self.reverse, self.full_range = sorts[0], False, False
        self.sheet: Sheet | None = None
        self.rows: tuple[int, ...] = ()
        self.columns: tuple[int, ...] = ()
        self.cursor: Spot | None = None
        """Row and column, by their names."""
        self.top = self.left = 0
        self.active = True
        self._wanted: Spot | None = None
        self._placing: Layout | None = None
        self._drawing: SheetDrawing | None = None

    # -- content ---------------------------------------------------------------------------------------------------

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

    def wish(self, cursor: Spot) -> None:
        """Put the cursor on a cell as soon as a sheet has it."""
        self._wanted = cursor

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

    def _arrange(self) -> None:
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
        self._measure()
        self.post_message(self.Moved(self))

    # -- cursor ----------------------------------------------------------------------------------------------------

    @property
    def place(self) -> tuple[int, int] | None:
        """Row and column of the cursor, counted in the order shown."""
        if self.sheet is None or self.cursor is None:
            return None
        row = self.sheet.block.rows.index(self.cursor[0])
        return self.rows.index(row), self.columns.index(self.sheet.block.columns.index(self.cursor[1]))

    @property
    def spot(self) -> tuple[int, int] | None:
        """Row and column of the cursor, counted as in the sheet."""
        place = self.place
        return (self.rows[place[0]], self.columns[place[1]]) if place else None

    def move(self, where: str) -> None:
        """Move the cursor: ``up, down, left, right, page_up, page_down, first, last`` row, ``start, end`` of a row."""
        place, layout = self.place, self._placing
        if place is None or layout is None:
            return
        row, column = place
        page, last = len(layout.rows_from(self.top)), len(self.rows) - 1
        row, column = {
            "up": (row - 1, column),
            "down": (row + 1, column),
            "left": (row, column - 1),
            "right": (row, column + 1),
            "page_up": (row - page, column),
            "page_down": (row + page, column),
            "first": (0, column),
            "last": (last, column),
            "start": (row, 0),
            "end": (row, len(self.columns) - 1),
        }.get(where, place)
        self._put(max(0, min(row, last)), max(0, min(column, len(self.columns) - 1)))

    def go_to(self, cursor: Spot) -> bool:
        """Put the cursor on a cell by the names of its row and column; False if there is none."""
        if self.sheet is None or cursor[0] not in self.sheet.block.rows or cursor[1] not in self.sheet.block.columns:
            return False
        row, column = self.sheet.block.rows.index(cursor[0]), self.sheet.block.columns.index(cursor[1])
        self._put(self.rows.index(row), self.columns.index(column))
        return True

    def _put(self, row: int, column: int) -> None:
        before = self.place
        if self.sheet is None or before is None or before == (row, column):
            return
        block = self.sheet.block
        self.cursor = self._wanted = (block.rows[self.rows[row]], block.columns[self.columns[column]])
        self._drawing = None
        if not self._reveal():
            self._refresh_cells(before, (row, column))
        self.post_message(self.Moved(self))

    def _refresh_cells(self, old: tuple[int, int], new: tuple[int, int]) -> None:
        """Repaint the two cells that the cursor moved between, and those of their heads that differ; nothing else."""
        layout = self._placing
        assert layout is not None
        for place in (old, new):
            cell = layout.region(*place, self.top, self.left)
            self.refresh(cell)
            if old[1] != new[1]:
                self.refresh(Region(cell.x, 0, cell.width, 1))
            if old[0] != new[0]:
                self.refresh(Region(0, cell.y, layout.head, cell.height))

    # -- scrolling -------------------------------------------------------------------------------------------------

    def _is_seen(self) -> bool:
        place, layout = self.place, self._placing
        if place is None or layout is None:
            return False
        return place[0] in layout.rows_from(self.top) and place[1] in layout.columns_from(self.left)

    def _reveal(self) -> bool:
        """Scroll so that the cursor is seen; return whether that moved anything."""
        place, layout = self.place, self._placing
        if place is None or layout is None or not layout.width:
            return False
        return self._scroll_cells(*layout.revealing(*place, self.top, self.left))

    def _scroll_cells(self, top: int, left: int) -> bool:
        if self._placing is None:
            return False
        found = self._placing.scrolled(top, left)
        if found == (self.top, self.left):
            return False
        self.top, self.left = found
        self._redraw()
        return True

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the cell that was clicked."""
        place = self._placing.at(event.x, event.y, self.top, self.left) if self._placing else None
        if place is not None:
            again = place == self.place and self.active
            self._put(*place)
            self.post_message(self.Touched(self, again=again))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll, sideways with Shift; the cursor stays where it is."""
        self._scroll_cells(self.top + (not event.shift), self.left + event.shift)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll, sideways with Shift; the cursor stays where it is."""
        self._scroll_cells(self.top - (not event.shift), self.left - event.shift)

    # -- layout and painting ---------------------------------------------------------------------------------------

    def _redraw(self) -> None:
        self._drawing = None
        self.refresh()

    def _measure(self) -> None:
        """Lay the sheet out on the panel and repaint all."""
        self._placing = Layout.fit(self.sheet, *self.size) if self.sheet is not None and self.rows else None
        if self._placing is not None:
            self.top, self.left = self._placing.scrolled(self.top, self.left)
        self._redraw()

    def _fit(self) -> None:
        """Lay the sheet out anew if the panel has another size; a first frame is painted before any resize event."""
        layout = self._placing
        if layout is not None and (layout.width, layout.height) != tuple(self.size):
            self._measure()

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        self._fit()
        self._reveal()

    def notify_style_update(self) -> None:
        """Draw anew in the colours of another theme."""
        super().notify_style_update()
        self._drawing = None

    def render_line(self, y: int) -> Strip:
        """Render one line of the panel."""
        self._fit()
        plain = self.rich_style
        if self.sheet is None or self._placing is None:
            return Strip.blank(self.size.width, plain)
        if self._drawing is None or self._drawing.styles.plain != plain:
            found = self.range
            painter = Painter(found, depth_of(self.app), plain) if found else None
            styles = Styles(plain, *(self._styled(part) for part in ("sheet--head", "sheet--here", "sheet--nothing")))
            self._drawing = SheetDrawing(
                self.sheet, self.rows, self.columns, self._placing, self.top, self.left,
                self.place if self.active else None, painter, styles,
            )  # fmt: skip
        return Strip(self._drawing.line(y)).adjust_cell_length(self.size.width, plain).simplify()

    def _styled(self, component: str) -> Style:
        return self.rich_style + self.get_component_rich_style(component, partial=True)
