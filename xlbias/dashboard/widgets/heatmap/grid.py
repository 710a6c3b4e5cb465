"""A grid of numbers as a widget: its cursor, its scrolling, the mouse, and repainting no more than has changed."""

from __future__ import annotations

from typing import ClassVar

from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from xlbias.colour import Range
from xlbias.dashboard.views.sheet import Spot
from xlbias.dashboard.widgets.heatmap.drawing import Drawing, Styles
from xlbias.dashboard.widgets.heatmap.geometry import Geometry, Place
from xlbias.dashboard.widgets.heatmap.paint import Painter, depth_of


class GridView(Widget):
    """Rows and columns of cells under heads that stay; what the cells are is said by the kinds of grids.

    The cursor is kept by the names of its row and column, so that it stays on them when order or values change.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"grid--head", "grid--here", "grid--nothing"}

    DEFAULT_CSS = """
    GridView {
        height: 1fr;
        & > .grid--head { color: $quiet; }
        & > .grid--here { color: $foreground; text-style: bold reverse; }
        & > .grid--nothing { color: $faint; }
        &:ansi > .grid--head { color: ansi_default; text-style: none; }
        &:ansi > .grid--here { color: ansi_default; text-style: bold reverse; }
        &:ansi > .grid--nothing { color: ansi_default; text-style: dim; }
    }
    """

    class Moved(Message):
        """The cursor is on another cell, or its cell has another value."""

        def __init__(self, view: GridView) -> None:
            super().__init__()
            self.view = view

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.reverse = self.full_range = False
        self.cursor: Spot | None = None
        """Row and column, by their names."""
        self.top = self.left = 0
        self._wanted: Spot | None = None
        self._grid: Geometry | None = None
        self._drawing: Drawing | None = None

    # -- what grids differ in --------------------------------------------------------------------------------------

    @property
    def range(self) -> Range | None:
        """What the colours stand for, None where there are none."""
        raise NotImplementedError

    def _find(self, cursor: Spot) -> Place | None:
        """Where a cell is in the order shown, None if there is no such cell."""
        raise NotImplementedError

    def _named(self, place: Place) -> Spot:
        """Row and column of a place, by their names."""
        raise NotImplementedError

    def _order(self) -> None:
        """Put rows and columns in order, and the cursor on one of their cells."""
        raise NotImplementedError

    def _lay_out(self) -> Geometry | None:
        """Lay the cells out on the panel; None where there are none."""
        raise NotImplementedError

    def _draw(self, painter: Painter | None, styles: Styles) -> Drawing:
        """Draw all that is seen."""
        raise NotImplementedError

    def _touch(self, place: Place) -> None:
        """The mouse has chosen a cell."""
        self._put(place)

    # -- cursor ----------------------------------------------------------------------------------------------------

    @property
    def place(self) -> Place | None:
        """Row and column of the cursor, counted in the order shown."""
        return self._find(self.cursor) if self.cursor is not None else None

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

    def wish(self, cursor: Spot) -> None:
        """Put the cursor on a cell as soon as there is one of these names."""
        self._wanted = cursor

    def _put(self, place: Place) -> None:
        before = self.place
        if before == place:
            return
        self.cursor = self._wanted = self._named(place)
        self._drawing = None
        if not self._reveal():
            self._refresh_cells(before or place, place)
        self.post_message(self.Moved(self))

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
        if place is not None:
            self._touch(place)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll, sideways with Shift; the cursor stays where it is."""
        self._scroll_cells(self.top + (not event.shift), self.left + event.shift)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll, sideways with Shift; the cursor stays where it is."""
        self._scroll_cells(self.top - (not event.shift), self.left - event.shift)

    # -- layout and painting ---------------------------------------------------------------------------------------

    def _arrange(self) -> None:
        """Order and lay out anew what is shown, and repaint all."""
        self._order()
        self._measure()
        self.post_message(self.Moved(self))

    def _measure(self) -> None:
        """Lay the cells out on the panel and repaint all."""
        self._grid = self._lay_out()
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
            painter = Painter(found, depth_of(self.app), plain) if (found := self.range) else None
            styles = Styles(plain, *(self._styled(part) for part in ("grid--head", "grid--here", "grid--nothing")))
            self._drawing = self._draw(painter, styles)
        return Strip(self._drawing.line(y)).adjust_cell_length(self.size.width, plain).simplify()

    def _styled(self, component: str) -> Style:
        return self.rich_style + self.get_component_rich_style(component, partial=True)
