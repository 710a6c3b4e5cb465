"""One panel of the Query screen: a title where several are seen, and a table with a cursor."""

from __future__ import annotations

import polars as pl
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from xlbias.dashboard.screens.query.columns import language_columns, rank_columns, relevant_columns, top_columns
from xlbias.dashboard.screens.query.labels import PANELS, about_panel, panel_name
from xlbias.dashboard.views.query_panels import Panel, Reading, frame
from xlbias.dashboard.widgets.edge import PanelEdge, key_to
from xlbias.dashboard.widgets.table.columns import Column
from xlbias.dashboard.widgets.table.virtual_table import VirtualTable
from xlbias.results.queries.query import QueryView

_KEYS: dict[Panel, tuple[str, ...]] = {
    "top": ("place",), "relevant": ("passage_id",), "languages": ("language",), "ranks": ("language",),
}  # fmt: skip

_BESIDE = 120  # cells from which both lists stand beside each other


class QueryPanel(Vertical):
    """Rows of one query, of one kind."""

    DEFAULT_CSS = """
    QueryPanel {
        height: 1fr;
        & > PanelEdge { padding: 0 1; display: none; }
        &.-titled > PanelEdge { display: block; }
        VirtualTable.-idle > .virtual-table--cursor { background: $background; text-style: none; }
        VirtualTable.-idle:ansi > .virtual-table--cursor { background: ansi_default; text-style: none; }
    }
    """

    class Moved(Message):
        """The cursor of a panel is on another row."""

        def __init__(self, name: Panel) -> None:
            super().__init__()
            self.name = name

    class Opened(Moved):
        """A row was clicked that the cursor is on."""

    def __init__(self, name: Panel) -> None:
        super().__init__(id=name)
        self.name_of: Panel = name
        self._state: tuple[QueryView | None, QueryView | None] = (None, None)
        self._reading: Reading | None = None
        self._room = 0
        self._seen: range | None = None
        """The numbers of the languages that ranks are seen in, None before they are shown."""

    def compose(self) -> ComposeResult:
        """Title and table."""
        yield PanelEdge()
        yield VirtualTable((), _KEYS[self.name_of])

    @property
    def table(self) -> VirtualTable:
        """The rows."""
        return self.query_one(VirtualTable)

    @property
    def cursor(self) -> int | None:
        """Row of the cursor, None in an empty panel."""
        return self.table.cursor if self.table.height else None

    def tell(
        self,
        view: QueryView | None,
        other: QueryView | None,
        *,
        compared: bool,
        titled: bool,
        active: Panel,
        cells: int,
        reading: Reading | None = None,
    ) -> None:
        """Show a query; `compared` makes room for moves already while the other run is being read.

        `active` is the panel that keys go to, `reading` the language that its passages are read in, None for their own.
        """
        here = active == self.name_of
        self.set_class(titled, "-titled")
        self.table.set_class(titled and not here, "-idle")
        base = other.model if other is not None and self.name_of == "top" else ""
        hint = key_to(PANELS.index(self.name_of), PANELS.index(active), len(PANELS))
        more = about_panel(self.name_of, view, other)
        self.query_one(PanelEdge).name_panel(panel_name(self.name_of, view), more, base, active=here, hint=hint)
        if view is None:
            self._state = (None, None)
            self.table.replace(pl.DataFrame())
            return
        if self._state[0] is not view or self._state[1] is not other or self._reading is not reading:
            before = self._state[0]
            new = before is None or before.query_language != view.query_language
            self._state, self._reading = (view, other), reading
            rows = frame(self.name_of, view, other, reading)
            self.table.replace(rows)
            if new and self.name_of in ("languages", "ranks"):
                self.table.go_to((view.query_language,))
        columns = self._columns(self.table.frame, view, compared=compared, titled=titled, cells=cells)
        self.table.set_columns(columns)
        if self.name_of == "ranks" and titled:
            self.styles.width = 3 + sum(column.width + 2 for column in columns)
        elif self.name_of == "ranks":
            self.styles.width = "1fr"

    def _columns(
        self, rows: pl.DataFrame, view: QueryView, *, compared: bool, titled: bool, cells: int
    ) -> tuple[Column, ...]:
        if self.name_of == "top":
            beside = cells if cells >= _BESIDE else None
            return top_columns(rows, compared=compared, beside=beside, reading=self._reading)
        if self.name_of == "relevant":
            return relevant_columns(rows, compared=compared)
        if self.name_of == "languages":
            return language_columns(rows, compared=compared)
        self._room = cells * 3 // 5 if titled else cells
        before = self._seen.start if self._seen else 0
        found = rank_columns(
            rows, view.passage_languages, self._room, min(before, max(0, len(view.passage_languages) - 1))
        )
        self._seen = found.seen
        return found.columns

    def move(self, where: str) -> None:
        """Move the cursor; where there is no room for all languages, to ``start`` and ``end`` of a row by pages."""
        view = self._state[0]
        if self.name_of != "ranks" or view is None or self._seen is None or where not in ("start", "end"):
            self.table.move(where)
            return
        n = len(view.passage_languages)
        if len(self._seen) == n:
            self.table.move(where)
            return
        start = self._seen.stop if where == "end" else self._seen.start - len(self._seen)
        found = rank_columns(self.table.frame, view.passage_languages, self._room, max(0, min(start, n - 1)))
        self._seen = found.seen
        self.table.set_columns(found.columns)

    @on(VirtualTable.Moved)
    def _moved(self, message: VirtualTable.Moved) -> None:
        message.stop()
        self.post_message(self.Moved(self.name_of))

    @on(VirtualTable.Chosen)
    def _chosen(self, message: VirtualTable.Chosen) -> None:
        message.stop()
        self.post_message(self.Opened(self.name_of))
