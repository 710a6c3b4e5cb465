"""A heat map with its words: title and overall numbers above it; below, the cursor's cell and how to read it."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from xlbias.dashboard.terminal.wrapping import wrapped
from xlbias.dashboard.views.sheet import Sheet
from xlbias.dashboard.widgets.edge import PanelEdge
from xlbias.dashboard.widgets.heatmap.heat_map import HeatMap
from xlbias.dashboard.widgets.heatmap.legend import legend
from xlbias.dashboard.widgets.heatmap.order import NAMES
from xlbias.dashboard.widgets.heatmap.paint import depth_of, ground_of
from xlbias.dashboard.widgets.text.line import Line, Part
from xlbias.text import cut, width


class HeatMapPanel(Vertical):
    """One panel of a screen.

    Args:
        name: of the panel.
        title: our own words.
        sorts: the orders of its sheet.
    """

    DEFAULT_CSS = """
    HeatMapPanel {
        width: 1fr;
        .-title, .-remark, .-legend, .-cell, .-names, .-reading { padding: 0 1; }
        .-remark { color: $text-warning; display: none; }
        .-reading { height: auto; max-height: 3; color: $quiet; }
        .-reading:ansi { color: ansi_default; }
    }
    """

    def __init__(self, name: str, title: str, sorts: tuple[str, ...]) -> None:
        super().__init__(id=f"panel-{name}")
        self.panel, self.title, self._sorts = name, title, sorts
        self._own_title: tuple[list[Part], bool, str] = ([], False, "")
        self._lines: list[str] = []

    def compose(self) -> ComposeResult:
        """Lines around the sheet."""
        yield PanelEdge(classes="-title")
        yield Line(classes="-remark")
        yield HeatMap(self._sorts)
        yield Line(classes="-legend")
        yield Line(classes="-cell")
        yield Line(classes="-names")
        yield Static(classes="-reading")

    @property
    def view(self) -> HeatMap:
        """The sheet as a widget."""
        return self.query_one(HeatMap)

    def tell(self, sheet: Sheet, view: str, *, active: bool, hint: str = "") -> None:
        """Show a sheet.

        Args:
            sheet: the numbers.
            view: which of the panel's views it is, such as ``rank dist. 1/4``.
            active: whether keys go to this panel.
            hint: the keys that lead to it where they do not.
        """
        self.view.set_active(active)
        self._own_title = ([Part(f" {view}  ", "$quiet", "measure")], active, hint)
        self._tell_title(sheet)
        self.set_class(sheet.is_list, "-list")
        remark = self.query_one(".-remark", Line)
        remark.display = bool(sheet.remark)
        remark.set([], sheet.remark)
        self.view.show(sheet)
        self._tell_reading(sheet)
        self.tell_cell()

    def on_resize(self) -> None:
        """Say as much around the sheet as there is room for now; a panel that was not seen has had no width."""
        if self.view.sheet is not None:
            self._tell_title(self.view.sheet)
            self._tell_reading(self.view.sheet)
            self._tell_legend()

    def _tell_title(self, sheet: Sheet) -> None:
        parts, active, hint = self._own_title
        edge = self.query_one(PanelEdge)
        more = _with_overall(parts, sheet, edge.room_beside(self.title, hint))
        edge.name_panel(self.title, more, active=active, hint=hint)

    def _tell_reading(self, sheet: Sheet) -> None:
        """Say how the sheet is read, and what its measure is where there is room for all of it."""
        reading = self.query_one(".-reading", Static)
        low, high = self.screen.has_class("-low"), self.screen.has_class("-high")
        lines = reading_lines(sheet, self.size.width - 2, 2 if low else 6 if high else 3)
        if lines != self._lines:
            self._lines = lines
            reading.update(Content("\n".join(lines)))

    @on(HeatMap.Moved)
    def tell_cell(self) -> None:
        """Say everything about the cell under the cursor, and what the colours mean."""
        view, sheet = self.view, self.view.sheet
        self._tell_legend()
        spot, cursor = view.spot, view.cursor
        if sheet is None or spot is None or cursor is None:
            self.query_one(".-cell", Line).set([])
            self.query_one(".-names", Line).set([])
            return
        found = sheet.block.entry(*spot)
        parts = [Part(found.text, "bold"), Part(f" {found.interval}" if found.interval else "", "$quiet")]
        parts.append(Part(f"  n {found.n:,}" if found.n is not None else ""))
        self.query_one(".-cell", Line).set(parts, f"  {sheet.said.get(cursor, '')}", "$quiet")
        leads = sheet.opens.get(cursor, ("", ""))[0]
        opened = f"   (Enter: {leads})" if leads and leads != cursor[0] else ""
        self.query_one(".-names", Line).set([], f"{sheet.named(cursor)}{opened}", "$quiet")

    def _tell_legend(self) -> None:
        self.query_one(".-legend", Line).set(self._legend())

    def _legend(self) -> list[Part]:
        view, sheet, found = self.view, self.view.sheet, self.view.range
        by = view.sort if view.sort == NAMES else f"by {view.sort}"
        order = Part(f"{by}{', reversed' if view.reverse else ''}", "$quiet", "sort")
        if sheet is None or found is None:
            return [order]
        narrow, ground = self.size.width < 72, ground_of(view.rich_style)
        colours = legend(sheet, found, depth_of(self.app), narrow=narrow, ground=ground)
        return [*colours, Part("   "), order]


def reading_lines(sheet: Sheet, room: int, most: int) -> list[str]:
    """Return how a sheet is read in at most so many lines; what its measure is only where all of it has room."""
    if room <= 0:
        return []
    lines = list(wrapped(f"{sheet.reading} {sheet.meaning}".strip(), room))
    if len(lines) > most:
        lines = list(wrapped(sheet.reading, room))
    if len(lines) > most:
        lines = [*lines[: most - 1], cut(" ".join(lines[most - 1 :]), room)]
    return lines


def _with_overall(parts: list[Part], sheet: Sheet, room: int) -> list[Part]:
    """Add the numbers over everything, as many as there is room for, with their intervals if there is room for all."""
    found = list(parts)
    for intervals, many in ((True, len(sheet.headline)), *((False, n) for n in range(len(sheet.headline), -1, -1))):
        found = list(parts)
        for label, cell in sheet.headline[:many]:
            ends = f" {cell.interval}  " if intervals and cell.interval else "  "
            found += [Part(f"{label} ", "$quiet"), Part(cell.text, "bold"), Part(ends, "$quiet")]
        if sum(width(part.text) for part in found) <= room + 2:
            break
    return found
