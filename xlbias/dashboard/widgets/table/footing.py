"""A row under a table that belongs to none of its rows, such as a level to read them beside; aligned as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from xlbias.dashboard.widgets.table.columns import fit
from xlbias.dashboard.widgets.table.virtual_table import VirtualTable


class Footing(Widget):
    """One line below a table; not there while it says nothing."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"footing--dim"}

    DEFAULT_CSS = """
    Footing {
        height: 1;
        &.-nothing { display: none; }
        & > .footing--dim { color: $quiet; text-style: italic; }
        &:ansi > .footing--dim { color: ansi_default; text-style: dim; }
    }
    """

    def __init__(self, table: VirtualTable, *, id: str | None = None) -> None:
        super().__init__(id=id, classes="-nothing")
        self._table = table
        table.aligned = self
        self._label = ""
        self._values: Mapping[str, float] = {}

    def tell(self, label: str, values: Mapping[str, float]) -> None:
        """Show other values, by name of the column that each stands under, and what to call them: our own words."""
        if (label, values) != (self._label, self._values):
            self._label, self._values = label, values
            self.set_class(not values, "-nothing")
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Render the line."""
        plain, cells = self.rich_style, self.size.width
        line = ""
        for placed in self._table.placed:
            column = placed.column
            if column.name in self._values:
                line = line.ljust(placed.x) + fit(column.format(self._values[column.name]), placed.width, column.align)
        texts = [placed.x for placed in self._table.placed if placed.column.text]
        line = line.ljust(min(texts, default=0)) + self._label
        style = plain + self.get_component_rich_style("footing--dim", partial=True)
        return Strip([Segment(line, style)]).adjust_cell_length(cells, plain)
