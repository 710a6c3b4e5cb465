"""The heat map: numbers in rows and columns, their order and colours, its cursor, its scrolling, and the mouse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from xlbias.colour import Range
from xlbias.dashboard.views.sheet import Sheet, Spot
from xlbias.dashboard.widgets.heatmap.drawing import Drawing, Styles
from xlbias.dashboard.widgets.heatmap.geometry import Place
from xlbias.dashboard.widgets.heatmap.layout import Layout, most_lines
from xlbias.dashboard.widgets.heatmap.order import order
from xlbias.dashboard.widgets.heatmap.paint import Painter, depth_of


class HeatMap(Widget):
    """A sheet under heads that stay: a grid, or a list with intervals and bars where there is one column.

    The cursor is kept by the names of its row and column, so that it stays on them when order or values change. No
    more is repainted than has changed.

    Args:
        sorts: the orders that it can be shown in; the first is that of the sheet.
        interactive: whether it has a cursor and takes keys and the mouse.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"heat-map--head", "heat-map--here", "heat-map--nothing"}

    DEFAULT_CSS = """
    HeatMap {
        height: 1fr;
        & > .heat-map--head { color: $quiet; }
        & > .heat-map--here { color: $foreground; text-style: bold reverse; }
        & > .heat-map--nothing { color: $faint; }
        &:ansi > .heat-map--head { color: ansi_default; text-style: none; }
        &:ansi > .heat-map--here { color: ansi_default; text-style: bold reverse; }
        &:ansi > .heat-map--nothing { color: ansi_default; text-style: dim; }
    }
    """

    class Moved(Message):
        """The cursor is on another cell, or its cell has another value."""

    class Touched(Message):
        """The mouse has chosen a cell; `again` where the cursor was on it already."""

        def __init__(self, view: HeatMap, *, again: bool) -> None:
            super().__init__()
            self.view, self.again = view, again

    def __init__(self, sorts: tuple[str, ...], *, interactive: bool = True, id: str | None = None) -> None:
        super().__init__(id=id)
        self.can_focus = self.interactive = interactive
        self.sorts = sorts
        self.sort = sorts[0]
        self.reverse = self.full_range = False
        self.ends: tuple[float, float] | None = None
        """The least and the greatest value of all sheets that share the colours, None for those of this one."""
        self.leader: HeatMap | None = None
        """Another heat map of the same rows and columns, whose order and cursor this one takes."""
        self.sheet: Sheet | None = None
        self.rows: tuple[int, ...] = ()
        """Rows of the sheet in the order shown."""
        self.columns: tuple[int, ...] = ()
        """Columns of the sheet in the order shown."""
        self.range: Range | None = None
        """What the colours stand for, None where there are none."""
        self.active = True
        self.cursor: Spot | None = None
        """Row and column, by their names."""
        self.top = self.left = 0
        self._wanted: Spot | None = None
        self._grid: Layout | None = None
        self._drawing: Drawing | None = None

    # -- what is shown -----------------------------------------------------------------------------------------------

    def show(
        self, sheet: Sheet | None, ends: tuple[float, float] | None = None, *, full_range: bool | None = None
    ) -> None:
        """Show another sheet, or newer values; the cursor stays on its row and column where there are such.

        `ends` are the least and the greatest value of all sheets that share the colours; `full_range` spreads these
        over [0, 1], None leaves that as it is.
        """
        full = self.full_range if full_range is None else full_range
        if sheet is self.sheet and (ends, full) == (self.ends, self.full_range):
            return
        seen = self._is_seen()
        # with a blank line before what stands below it
        self.styles.max_height = most_lines(sheet) + 1 if sheet is not None else None
        self.sheet, self.ends, self.full_range = sheet, ends, full
        self._arrange()
        if seen:
            self._reveal()

    def set_active(self, active: bool) -> None:
        """Show the cursor, or hide it: keys go to another heat map."""
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
        self._arrange()

    def follow_leader(self) -> None:
        """Take the order of the leader, and mark the cell under its cursor."""
        if self.leader is None or self.sheet is None:
            return
        block, before = self.sheet.block, (self.rows, self.columns, self.cursor)
        rows, columns = self.leader.row_names, self.leader.column_names
        self.rows = tuple(block.rows.index(name) for name in rows if name in block.rows)
        self.columns = tuple(block.columns.index(name) for name in columns if name in block.columns)
        self.cursor = self.leader.cursor
        if (self.rows, self.columns, self.cursor) != before:
            self._measure()

    def _arrange(self) -> None:
        """Order, colour and lay out anew what is shown, and repaint all."""
        sheet = self.sheet
        if sheet is None or not sheet.block.rows or not sheet.block.columns:  # nothing that a cursor could be on
            self.rows = self.columns = ()
            self.range = self.cursor = None
        else:
            row, column = self._wanted or self.cursor or ("", "")
            at = sheet.block.columns.index(column) if column in sheet.block.columns else 0
            rows, columns = order(sheet, self.sort, at, reverse=self.reverse)
            self.rows, self.columns = tuple(rows), tuple(columns)
            self.range = sheet.range(full=self.full_range, ends=self.ends)
            if self.interactive:
                row = row if row in sheet.block.rows else sheet.block.rows[self.rows[0]]
                column = column if column in sheet.block.columns else sheet.block.columns[self.columns[0]]
                self.cursor = (row, column)
        self._measure()
        self.follow_leader()
        self.post_message(self.Moved())

    # -- cursor ----------------------------------------------------------------------------------------------------

    @property
    def place(self) -> Place | None:
        """Row and column of the cursor, counted in the order shown."""
        return self._find(self.cursor) if self.cursor is not None else None

    @property
    def spot(self) -> tuple[int, int] | None:
        """Row and column of the cursor, counted as in the sheet."""
        place = self.place
        return (self.rows[place[0]], self.columns[place[1]]) if place else None

    @property
    def row_names(self) -> tuple[str, ...]:
        """Names of the rows in the order shown."""
        return tuple(self.sheet.block.rows[row] for row in self.rows) if self.sheet else ()

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns in the order shown."""
        return tuple(self.sheet.block.columns[column] for column in self.columns) if self.sheet else ()

    def move(self, where: str) -> None:
        """Move the cursor: ``up, down, left, right, page_up, page_down, first, last`` row, ``start, end`` of a row."""
        place, grid = self.place, self._grid
        if place is None or grid is None:
            return
        row, column = place
        page, last_row, last_column = len(grid.rows_from(self.top)), grid.n_rows - 1, grid.n_columns - 1
        row, column = {
            "up": (row - 1, column),
            "down": (row + 1, column),
            "left": (row, column - 1),
            "right": (row, column + 1),
            "page_up": (row - page, column),
            "page_down": (row + page, column),
            "first": (0, column),
            "last": (last_row, column),
            "start": (row, 0),
            "end": (row, last_column),
        }.get(where, place)
        self._put((max(0, min(row, last_row)), max(0, min(column, last_column))))

    def go_to(self, cursor: Spot) -> bool:
        """Put the cursor on a cell by the names of its row and column; False if there is none."""
        place = self._find(cursor)
        if place is not None:
            self._put(place)
        return place is not None

    def saved(self) -> dict[str, Any]:
        """Return order and cursor, as JSON."""
        return {"sort": self.sort, "reverse": self.reverse, "cursor": self.cursor}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Take order and cursor as they were saved, as far as there are such."""
        cursor = saved.get("cursor")
        self.sort = next((sort for sort in self.sorts if sort == saved.get("sort")), self.sort)
        self.reverse = saved.get("reverse") is True
        if isinstance(cursor, list) and len(cursor) == 2:
            self._wanted = (str(cursor[0]), str(cursor[1]))

    def _find(self, cursor: Spot) -> Place | None:
        """Where a cell is in the order shown, None if there is no such cell."""
        if self.sheet is None or cursor[0] not in self.sheet.block.rows or cursor[1] not in self.sheet.block.columns:
            return None
        row, column = self.sheet.block.rows.index(cursor[0]), self.sheet.block.columns.index(cursor[1])
        return self.rows.index(row), self.columns.index(column)

    def _put(self, place: Place) -> None:
        before = self.place
        if before == place:
            return
        assert self.sheet is not None
        block = self.sheet.block
        self.cursor = self._wanted = block.rows[self.rows[place[0]]], block.columns[self.columns[place[1]]]
        self._drawing = None
        if not self._reveal():
            self._refresh_cells(before or place, place)
        self.post_message(self.Moved())

    def _refresh_cells(self, old: Place, new: Place) -> None:
        """Repaint the two cells that the cursor moved between, and those of their heads that differ; nothing else."""
        assert self._grid is not None
        for place in (old, new):
            cell = self._grid.region(*place, self.top, self.left)
            self.refresh(cell)
            if old[1] != new[1]:
                self.refresh(Region(cell.x, 0, cell.width, 1))
            if old[0] != new[0]:
                self.refresh(Region(0, cell.y, self._grid.head, cell.height))

    # -- scrolling -------------------------------------------------------------------------------------------------

    def _is_seen(self) -> bool:
        place, grid = self.place, self._grid
        if place is None or grid is None:
            return False
        return place[0] in grid.rows_from(self.top) and place[1] in grid.columns_from(self.left)

    def _reveal(self) -> bool:
        """Scroll so that the cursor is seen; return whether that moved anything."""
        place, grid = self.place, self._grid
        if place is None or grid is None or not grid.width:
            return False
        return self._scroll_cells(*grid.revealing(*place, self.top, self.left))

    def _scroll_cells(self, top: int, left: int) -> bool:
        """Scroll, but not past the end; return whether that moved anything."""
        found = self._grid.scrolled(top, left) if self._grid else (self.top, self.left)
        if found == (self.top, self.left):
            return False
        self.top, self.left = found
        self._redraw()
        return True

    def on_click(self, event: events.Click) -> None:
        """Choose the cell that was clicked."""
        place = self._grid.at(event.x, event.y, self.top, self.left) if self._grid else None
        if place is not None and self.interactive:
            again = place == self.place and self.active
            self._put(place)
            self.post_message(self.Touched(self, again=again))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll, sideways with Shift; the cursor stays where it is."""
        self._scroll_cells(self.top + (not event.shift), self.left + event.shift)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll, sideways with Shift; the cursor stays where it is."""
        self._scroll_cells(self.top - (not event.shift), self.left - event.shift)

    @property
    def shows_intervals(self) -> bool:
        """Whether compact cells have their intervals below their numbers, as n is the same in all."""
        compact = self.sheet is not None and self.sheet.compact and not self.sheet.is_list
        return compact and self._grid is not None and self._grid.intervals

    # -- layout and painting ---------------------------------------------------------------------------------------

    def _measure(self) -> None:
        """Lay the cells out on the panel and repaint all."""
        self._grid = Layout.fit(self.sheet, *self.size) if self.sheet is not None and self.rows else None
        self._scroll_cells(self.top, self.left)
        self._redraw()

    def _redraw(self) -> None:
        self._drawing = None
        self.refresh()

    def _fit(self) -> None:
        """Lay the cells out anew if the panel has another size; a first frame is painted before any resize event."""
        if self._grid is not None and (self._grid.width, self._grid.height) != tuple(self.size):
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
        if self._grid is None:
            return Strip.blank(self.size.width, plain)
        if self._drawing is None or self._drawing.styles.plain != plain:
            self._drawing = self._draw(plain)
        return Strip(self._drawing.line(y)).adjust_cell_length(self.size.width, plain).simplify()

    def _draw(self, plain: Style) -> Drawing:
        assert self.sheet is not None and self._grid is not None
        painter = Painter(self.range, depth_of(self.app), plain, self.sheet.sided) if self.range else None
        styles = Styles(plain, *(self._styled(f"heat-map--{part}") for part in ("head", "here", "nothing")))
        here = self.place if self.active else None
        return Drawing(self.sheet, self.rows, self.columns, self._grid, self.top, self.left, here, painter, styles)

    def _styled(self, component: str) -> Style:
        return self.rich_style + self.get_component_rich_style(component, partial=True)
