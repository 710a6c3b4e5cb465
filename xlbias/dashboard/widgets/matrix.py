"""The heatmap as a widget: its cursor, its scrolling, its order, and repainting no more than has changed."""

from __future__ import annotations

from typing import ClassVar

from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from xlbias.dashboard.numbers import THIN
from xlbias.dashboard.widgets.arranged import Arranged, CellKey, Place
from xlbias.dashboard.widgets.drawing import Drawing, Styles
from xlbias.dashboard.widgets.geometry import Geometry
from xlbias.dashboard.widgets.order import SORTS, Sort
from xlbias.dashboard.widgets.paint import Painter, depth_of
from xlbias.report.tables import Matrix
from xlbias.text import clean, width

_NO_GRID = Geometry(0, 0, 0, 0, False, 0, 0, 1)


class MatrixView(Widget):
    """One matrix as a heatmap: query language by pool, a number in every cell, heads that stay.

    With several pools it is a grid; a measure that has values for the multilingual pool only is shown as one column
    with a bar beside each number.

    Args:
        interactive: whether it has a cursor and takes keys and the mouse.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"matrix--head", "matrix--here", "matrix--nothing"}

    DEFAULT_CSS = """
    MatrixView {
        height: 1fr;
        & > .matrix--head { color: $quiet; }
        & > .matrix--here { color: $foreground; text-style: bold reverse; }
        & > .matrix--nothing { color: $faint; }
        &:ansi > .matrix--head { color: ansi_default; text-style: none; }
        &:ansi > .matrix--here { color: ansi_default; text-style: bold reverse; }
        &:ansi > .matrix--nothing { color: ansi_default; text-style: dim; }
    }
    """

    class Moved(Message):
        """The cursor is on another cell, or its cell has another value."""

    def __init__(self, *, interactive: bool = True, id: str | None = None) -> None:
        super().__init__(id=id)
        self.can_focus = self.interactive = interactive
        self.matrix: Matrix | None = None
        self.shown: Arranged | None = None
        self.sort: Sort = SORTS[0]
        self.reverse = False
        self.full_range = False
        self.cursor: CellKey | None = None
        self.top = self.left = 0
        self._wanted: CellKey | None = None
        self._grid = _NO_GRID

    # -- content ---------------------------------------------------------------------------------------------------

    def show(self, matrix: Matrix | None) -> None:
        """Show another matrix, or newer values of the same one; the cursor stays on its languages and in sight."""
        seen = self._is_seen()
        self.matrix = matrix
        self._arrange()
        if seen:
            self._reveal()

    def order_by(self, sort: Sort, *, reverse: bool) -> None:
        """Order rows and columns; the cursor stays on its languages and is kept in sight."""
        self.sort, self.reverse = sort, reverse
        self._arrange()
        self._reveal()

    def set_full_range(self, full: bool) -> None:
        """Spread the scale over [0, 1] instead of the values that are there."""
        self.full_range = full
        self._arrange()

    def _arrange(self) -> None:
        self.shown = None
        if self.matrix is not None and self.matrix.query_languages:
            self.shown = Arranged.of(self.matrix, self.sort, reverse=self.reverse, full_range=self.full_range)
            self.cursor = self._settled(self.shown) if self.interactive else None
        self._measure()
        self.post_message(self.Moved())

    def _settled(self, shown: Arranged) -> CellKey:
        """The cursor's cell: the one that was last moved to, or where that is not there the one nearest to it."""
        wanted = self._wanted or self.cursor
        if wanted is not None and shown.place(wanted) is not None:
            return wanted
        language = wanted[0] if wanted and wanted[0] in shown.languages else shown.languages[0]
        return language, shown.pools[0]

    # -- cursor ----------------------------------------------------------------------------------------------------

    def move(self, where: str) -> None:
        """Move the cursor: ``up, down, left, right, page_up, page_down, first, last`` row, ``start, end`` of a row."""
        place = self._place()
        if place is None or self.shown is None:
            return
        row, column = place
        page = len(self._grid.rows_from(self.top))
        row, column = {
            "up": (row - 1, column),
            "down": (row + 1, column),
            "left": (row, column - 1),
            "right": (row, column + 1),
            "page_up": (row - page, column),
            "page_down": (row + page, column),
            "first": (0, column),
            "last": (len(self.shown.rows) - 1, column),
            "start": (row, 0),
            "end": (row, len(self.shown.columns) - 1),
        }.get(where, place)
        self._put(max(0, min(row, len(self.shown.rows) - 1)), max(0, min(column, len(self.shown.columns) - 1)))

    def go_to(self, key: CellKey) -> bool:
        """Put the cursor on a cell; False if there is no such cell."""
        place = self.shown.place(key) if self.shown else None
        if place is not None:
            self._put(*place)
        return place is not None

    def wish(self, key: CellKey) -> None:
        """Put the cursor on a cell as soon as a matrix has it."""
        self._wanted = key

    def _place(self) -> Place | None:
        """Where the cursor is in the order shown."""
        return self.shown.place(self.cursor) if self.shown else None

    def _put(self, row: int, column: int) -> None:
        before = self._place()
        if self.shown is None or before == (row, column):
            return
        self.cursor = self._wanted = self.shown.key((row, column))
        if not self._reveal():
            self._refresh_cells(before or (row, column), (row, column))
        self.post_message(self.Moved())

    def _refresh_cells(self, old: Place, new: Place) -> None:
        """Repaint the two cells that the cursor moved between, and those of their heads that differ; nothing else."""
        for place in (old, new):
            cell = self._grid.cell_region(*place, self.top, self.left)
            self.refresh(cell)
            if old[1] != new[1]:
                self.refresh(Region(cell.x, 0, cell.width, 1))
            if old[0] != new[0]:
                self.refresh(Region(0, cell.y, self._grid.head, cell.height))

    # -- scrolling -------------------------------------------------------------------------------------------------

    def _reveal(self) -> bool:
        """Scroll so that the cursor is seen; return whether that moved anything."""
        place = self._place()
        if place is None or not self._grid.width:
            return False
        return self._scroll_cells(self._grid.top_for(place[0], self.top), self._grid.left_for(place[1], self.left))

    def _is_seen(self) -> bool:
        place, grid = self._place(), self._grid
        return place is not None and place[0] in grid.rows_from(self.top) and place[1] in grid.columns_from(self.left)

    def _scroll_cells(self, top: int, left: int) -> bool:
        """Scroll, but not past the end; return whether that moved anything."""
        grid = self._grid
        top = max(0, min(top, grid.n_rows - len(grid.rows_from(0))))
        left = max(0, min(left, grid.left_for(max(0, grid.n_columns - 1), 0)))
        if (top, left) == (self.top, self.left):
            return False
        self.top, self.left = top, left
        self.refresh()
        return True

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the cell that was clicked."""
        place = self._grid.at(event.x, event.y, self.top, self.left) if self.interactive else None
        if place is not None:
            self._put(*place)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll, sideways with Shift; the cursor stays where it is."""
        self._scroll_cells(self.top + (not event.shift), self.left + event.shift)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll, sideways with Shift; the cursor stays where it is."""
        self._scroll_cells(self.top - (not event.shift), self.left - event.shift)

    # -- layout and painting ---------------------------------------------------------------------------------------

    def _measure(self) -> None:
        """Lay the grid out on the panel and repaint all."""
        shown = self.shown
        if shown is None:
            self._grid = _NO_GRID
        else:
            places = [(r, c) for r in range(len(shown.rows)) for c in range(len(shown.columns))]
            self._grid = Geometry.fit(
                self.size.width,
                self.size.height,
                n_rows=len(shown.rows),
                n_columns=len(shown.columns),
                union=shown.has_union,
                code=max([0, *(width(clean(code)) for code in shown.languages)]),
                number=max(width(shown.number(place)) for place in places) if shown.is_list and places else THIN,
            )
        self._scroll_cells(self.top, self.left)
        self.refresh()

    def _fit(self) -> None:
        """Lay the grid out anew if the panel has another size; a first frame is painted before any resize event."""
        if self.shown is not None and (self._grid.width, self._grid.height) != tuple(self.size):
            self._measure()

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        self._fit()
        self._reveal()

    def render_line(self, y: int) -> Strip:
        """Render one line of the panel."""
        self._fit()
        plain = self.rich_style
        if self.shown is None:
            return Strip.blank(self.size.width, plain)
        found = self.shown.range
        painter = Painter(found, depth_of(self.app), plain) if found else None
        styles = Styles(plain, *(self._styled(part) for part in ("matrix--head", "matrix--here", "matrix--nothing")))
        drawing = Drawing(self.shown, self._grid, self.top, self.left, self._place(), painter, styles)
        return Strip(drawing.line(y)).simplify()

    def _styled(self, component: str) -> Style:
        return self.rich_style + self.get_component_rich_style(component, partial=True)
