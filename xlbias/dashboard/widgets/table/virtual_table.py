"""A virtual table over a Polars frame: it renders the lines that are seen, so a million rows cost no more than ten."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import polars as pl
from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from xlbias.dashboard.widgets.table.columns import Column, Placed, fit, place

Key = tuple[Any, ...]

_FEW = 200  # rows in which a key is looked for without asking Polars, whose threads may be busy with a reader's query

_MARGIN = 2  # for the cursor's mark, which is seen without colour, too


class VirtualTable(ScrollView, can_focus=True, inherit_bindings=False):
    """Rows of a frame under aligned heads, with a cursor that stays on its row whatever happens around it.

    Args:
        columns: what is shown of each row; text columns stand last.
        key: the frame's columns whose values name a row; cursor and scroll hold on to rows by it.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "virtual-table--head",
        "virtual-table--value",
        "virtual-table--name",
        "virtual-table--dim",
        "virtual-table--attention",
        "virtual-table--cursor",
    }

    DEFAULT_CSS = """
    VirtualTable {
        height: 1fr;
        scrollbar-size-vertical: 1;
        scrollbar-size-horizontal: 0;
        overflow-x: hidden;
        & > .virtual-table--head { color: $quiet; }
        & > .virtual-table--value { color: $foreground; }
        & > .virtual-table--name { color: $text-primary; text-style: bold; }
        & > .virtual-table--dim { color: $quiet; }
        & > .virtual-table--attention { color: $text-warning; }
        & > .virtual-table--cursor { background: $here; text-style: bold; }
        &:ansi > .virtual-table--head { color: ansi_default; text-style: underline; }
        &:ansi > .virtual-table--dim { color: ansi_default; text-style: dim; }
        &:ansi > .virtual-table--attention { color: ansi_default; }
        &:ansi > .virtual-table--name { color: ansi_default; text-style: bold; }
        &:ansi > .virtual-table--cursor { background: ansi_default; text-style: reverse; }
    }
    """

    cursor: var[int] = var(0, init=False)
    """Row of the cursor, counted in the order shown."""

    class Moved(Message):
        """The cursor is on another row."""

        def __init__(self, table: VirtualTable, key: Key | None) -> None:
            super().__init__()
            self.table, self.key = table, key

    class Chosen(Message):
        """A row was opened by a click on the row under the cursor."""

        def __init__(self, table: VirtualTable, key: Key) -> None:
            super().__init__()
            self.table, self.key = table, key

    def __init__(self, columns: Sequence[Column], key: Sequence[str], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.columns = tuple(columns)
        self.key = tuple(key)
        self.frame = pl.DataFrame()
        self.sorted_by: str | None = None
        self.descending = False
        self.elsewhere = False
        """Whether keys go elsewhere: the row of the cursor then stands back."""
        self._order: pl.Series | None = None
        self._placed: tuple[Placed, ...] = ()
        self._placed_for = 0
        self.aligned: Widget | None = None
        """What stands below and follows the places of the columns."""
        self._grouped = any(column.group for column in self.columns)

    @property
    def placed(self) -> tuple[Placed, ...]:
        """The columns that are shown, with their places on the line."""
        return self._placed

    # -- content ---------------------------------------------------------------------------------------------------

    def replace(self, frame: pl.DataFrame) -> None:
        """Show another frame; the cursor stays on its key, on the same line of the screen, and the sort is kept."""
        anchor = self._anchor()
        self.frame = frame
        self._arrange(anchor)

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Show other columns of the same frame, e.g. of another width."""
        if tuple(columns) != self.columns:
            self.columns = tuple(columns)
            self._grouped = any(column.group for column in self.columns)
            self._place()

    def sort(self, name: str | None, *, descending: bool = False) -> None:
        """Order rows by a column, nulls last; None for the order of the frame. Equal rows keep that order."""
        anchor = self._anchor()
        self.sorted_by, self.descending = name, descending
        self._arrange(anchor)

    def cycle_sort(self) -> None:
        """Sort by the next sortable column that is shown; after the last one, the order of the frame."""
        names = [None, *(p.column.name for p in self._placed if p.column.sortable)]
        at = names.index(self.sorted_by) if self.sorted_by in names else 0
        self.sort_by_column(names[(at + 1) % len(names)])

    def sort_by_column(self, name: str | None) -> None:
        """Sort by a column in the direction in which it is usually read."""
        column = next((c for c in self.columns if c.name == name), None)
        self.sort(name, descending=bool(column and column.best_first))

    def reverse_sort(self) -> None:
        """Turn the present order round."""
        self.sort(self.sorted_by, descending=not self.descending)

    @property
    def height(self) -> int:
        """Number of rows."""
        return self.frame.height

    @property
    def cursor_key(self) -> Key | None:
        """Key of the row under the cursor, None in an empty table."""
        return self.key_at(self.cursor) if self.height else None

    def key_at(self, row: int) -> Key:
        """Key of a row, counted in the order shown."""
        index = self._index(row)
        return tuple(self.frame[name][index] for name in self.key)  # no query: its threads may be busy with a reader's

    def row_at(self, row: int) -> dict[str, Any]:
        """All values of a row, counted in the order shown."""
        return self.frame.row(self._index(row), named=True)

    def ordered(self) -> pl.DataFrame:
        """The frame in the order shown."""
        return self.frame if self._order is None else self.frame[self._order]

    # -- moving ----------------------------------------------------------------------------------------------------

    def move(self, where: str) -> None:
        """Move the cursor: ``up, down, page_up, page_down, first, last``; ``start`` and ``end`` mean first and last."""
        page = max(1, self._lines - 1)
        target = {
            "up": self.cursor - 1,
            "down": self.cursor + 1,
            "page_up": self.cursor - page,
            "page_down": self.cursor + page,
            "first": 0,
            "start": 0,
            "last": self.height - 1,
            "end": self.height - 1,
        }.get(where)
        if target is not None and self.height:
            self.cursor = target
            self._reveal()

    def go_to(self, key: Key) -> bool:
        """Put the cursor on the row with this key; False if there is none."""
        row = self._find(key)
        if row is not None:
            self.cursor = row
            self._reveal()
        return row is not None

    def validate_cursor(self, row: int) -> int:
        """Keep the cursor inside the table."""
        return max(0, min(row, self.height - 1))

    def watch_cursor(self, old: int, new: int) -> None:
        """Repaint the two rows that differ."""
        for row in (old, new):
            self.refresh_line(row + self._head)
        self.post_message(self.Moved(self, self.cursor_key))

    def _reveal(self) -> None:
        top, lines = round(self.scroll_y), self._lines
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, immediate=True)
        elif self.cursor >= top + lines:
            self.scroll_to(y=self.cursor - lines + 1, animate=False, immediate=True)

    # -- order and anchor ------------------------------------------------------------------------------------------

    def _index(self, row: int) -> int:
        return row if self._order is None else int(self._order[row])

    def _anchor(self) -> tuple[Key, Key, int] | None:
        """Key of the cursor row, and key and screen line of the row that must not move: the cursor's if it is seen."""
        if not self.height:
            return None
        top = round(self.scroll_y)
        seen = top <= self.cursor < top + self._lines
        row = self.cursor if seen else min(top, self.height - 1)
        return self.key_at(self.cursor), self.key_at(row), row - top

    def _arrange(self, anchor: tuple[Key, Key, int] | None) -> None:
        """Order the rows again, and put cursor and scroll back on the rows where they were."""
        self._order = self._ordering()
        self.virtual_size = Size(self.size.width, self.height + self._head)
        before = self.cursor_key if anchor is None else anchor[0]
        if anchor is not None:
            cursor_key, fixed_key, line = anchor
            found = self._find(cursor_key)
            self.set_reactive(VirtualTable.cursor, self.validate_cursor(self.cursor if found is None else found))
            fixed = self._find(fixed_key) if fixed_key != cursor_key else found
            if fixed is not None:
                self.scroll_to(y=fixed - line, animate=False, immediate=True)
        else:
            self.set_reactive(VirtualTable.cursor, self.validate_cursor(self.cursor))
        self._place()
        if anchor is None or self.cursor_key != before:
            self.post_message(self.Moved(self, self.cursor_key))

    def _ordering(self) -> pl.Series | None:
        """Indices of the frame's rows in the order to show them, None for the frame's own."""
        if self.sorted_by is not None and self.sorted_by in self.frame.columns:
            return self.frame[self.sorted_by].arg_sort(descending=self.descending, nulls_last=True)
        return pl.int_range(self.height - 1, -1, -1, eager=True) if self.descending else None

    def _find(self, key: Key) -> int | None:
        """Row of a key in the order shown."""
        if not set(self.key) <= set(self.frame.columns):
            return None
        if self.height <= _FEW:
            rows = list(zip(*(self.frame[name].to_list() for name in self.key), strict=True))
            at = rows.index(key) if key in rows else None
            return at if at is None or self._order is None else self._order.to_list().index(at)
        is_it = pl.all_horizontal(pl.col(n).eq_missing(pl.lit(v)) for n, v in zip(self.key, key, strict=True))
        index = self.frame.lazy().select(is_it.arg_true()).head(1).collect().to_series()
        if index.is_empty():
            return None
        if self._order is None:
            return int(index[0])
        return int((self._order == int(index[0])).arg_max() or 0)

    # -- mouse -----------------------------------------------------------------------------------------------------

    def on_click(self, event: events.Click) -> None:
        """Sort by the head that was clicked; move the cursor to a row, or open the row that it is on."""
        if event.y < self._head:
            for placed in self._placed:
                if placed.x <= event.x < placed.x + placed.width and placed.column.sortable:
                    if placed.column.name == self.sorted_by:
                        self.reverse_sort()
                    else:
                        self.sort_by_column(placed.column.name)
            return
        row = round(self.scroll_y) + event.y - self._head
        if 0 <= row < self.height:
            if row == self.cursor:
                self.post_message(self.Chosen(self, self.key_at(row)))
            self.cursor = row

    # -- rendering -------------------------------------------------------------------------------------------------

    @property
    def _head(self) -> int:
        return 2 if self._grouped else 1

    @property
    def _lines(self) -> int:
        """Rows that the panel shows at once."""
        return max(1, self.size.height - self._head)

    def on_resize(self) -> None:
        """Choose the columns that fit, and keep the cursor in sight."""
        self.virtual_size = Size(self.size.width, self.height + self._head)
        self._place()
        if self.height:
            self._reveal()

    def _place(self) -> None:
        self._placed_for = self.scrollable_content_region.width
        self._placed = place(self.columns, self._placed_for, margin=_MARGIN)
        self.refresh()
        if self.aligned is not None:
            self.aligned.refresh()

    def render_line(self, y: int) -> Strip:
        """Render one line of the panel: heads above, rows below."""
        cells = self.scrollable_content_region.width
        if cells != self._placed_for:  # a first frame is painted before any resize event
            self._place()
        if y < self._head:
            style = self._styled("virtual-table--head")
            line = self._group_line() if y < self._head - 1 else self._label_line()
            return _strip([Segment(line, style)], cells, style)
        row = round(self.scroll_y) + y - self._head
        if row >= self.height:
            return Strip.blank(cells, self.rich_style)
        return self._row_strip(row, cells)

    def _row_strip(self, row: int, cells: int) -> Strip:
        values = self.row_at(row)
        over = self.get_component_rich_style("virtual-table--cursor", partial=True)
        here = row == self.cursor and not self.elsewhere
        base = self.rich_style + over if here else self.rich_style
        segments = [Segment("▸ " if here else "› " if row == self.cursor else "  ", base)]
        x = _MARGIN
        for placed in self._placed:
            column = placed.column
            style = self._styled("virtual-table--attention" if column.marked(values) else column.style)
            style = style + over if here else style
            segments.append(Segment(" " * (placed.x - x), base))
            segments.append(Segment(column.of_row(values, placed.width), style))
            x = placed.x + placed.width
        return _strip(segments, cells, base)

    def _styled(self, component: str) -> Style:
        return self.rich_style + self.get_component_rich_style(component, partial=True)

    def _label_line(self) -> str:
        line = " " * _MARGIN
        for placed in self._placed:
            column = placed.column
            mark = ("▼" if self.descending else "▲") if column.name == self.sorted_by else ""
            if column.align == "right" and not column.text:
                line = line.ljust(placed.x) + fit(mark + column.label, placed.width, "right")
            else:
                line = line.ljust(placed.x) + fit(column.label + mark, placed.width)
        return line

    def _group_line(self) -> str:
        line = ""
        done: set[str] = set()
        for placed in self._placed:
            group = placed.column.group
            if not group or group in done:
                continue
            done.add(group)
            members = [p for p in self._placed if p.column.group == group]
            end = members[-1].x + members[-1].width
            span = end - placed.x
            line = line.ljust(placed.x) + (
                f" {group} ".center(span, "─") if span > len(group) + 5 else fit(group, span, "right")
            )
        return line


def _strip(segments: list[Segment], cells: int, blank: Style) -> Strip:
    """Return exactly `cells` cells, also where Rich and wcwidth differ about the width of a text."""
    used, fitting = 0, []
    for segment in segments:
        length = cell_len(segment.text)
        if used + length > cells:
            fitting.append(Segment(set_cell_size(segment.text, cells - used), segment.style))
            used = cells
            break
        fitting.append(segment)
        used += length
    return Strip([*fitting, Segment(" " * (cells - used), blank)], cells).simplify()
