"""What Bias and Domains have in common: panels with a sheet each, one at a time, or two beside each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal

from xlbias.dashboard.screens.heat_map import HeatMapScreen
from xlbias.dashboard.state import Scope
from xlbias.dashboard.views.caveats import notes
from xlbias.dashboard.views.sheet import Sheet
from xlbias.dashboard.widgets.caveats import CaveatLine
from xlbias.dashboard.widgets.edge import key_to, tabs
from xlbias.dashboard.widgets.heatmap.heat_map import HeatMap
from xlbias.dashboard.widgets.heatmap.layout import wanted_width
from xlbias.dashboard.widgets.heatmap.panel import HeatMapPanel
from xlbias.dashboard.widgets.text.line import Line, Part
from xlbias.dashboard.workers.comparisons import COMPARING
from xlbias.report import document

_LIST, _GRID = 7, 10
"""Shares of the width, as in the styles below."""


class PanelScreen(HeatMapScreen):
    """A line that says whose numbers these are, and panels.

    Tab and Shift-Tab step through the panels, which a line lists. Where the screen is wide, two stand beside each
    other, and the heavy edge shows which one the other keys go to.
    """

    PANELS: ClassVar[Mapping[str, str]]
    """Panels with their titles."""

    DEFAULT_CSS = """
    PanelScreen {
        #which, #tabs { padding: 0 1; }
        #panels { height: 1fr; }
        &.-low .-reading { max-height: 2; }
        &.-low .-legend { display: none; }
        &.-high #which { margin-top: 1; }
        &.-high HeatMap { margin: 1 0; }
        &.-high .-reading { max-height: 6; }
        &.-wide HeatMapPanel { margin-right: 1; }
        &.-wide HeatMapPanel { width: 10fr; }
        &.-wide HeatMapPanel.-list { width: 7fr; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.panel = next(iter(self.PANELS))
        """The panel that keys go to."""

    def content(self) -> ComposeResult:
        """The line and the panels."""
        yield Line(id="which")
        yield CaveatLine()
        yield Line(id="tabs")
        with Horizontal(id="panels"):
            for name, title in self.PANELS.items():
                yield HeatMapPanel(name, title, self.sorts(name))

    # -- what a screen says ------------------------------------------------------------------------------------------

    def sorts(self, panel: str) -> tuple[str, ...]:
        """Return the orders of a panel's sheet."""
        raise NotImplementedError

    def sheet(self, panel: str) -> Sheet | None:
        """Return what a panel shows, None where there is nothing yet; must be quick, and the same while all is so."""
        raise NotImplementedError

    def named(self, panel: str) -> str:
        """Return which view a panel shows, and of how many: our own words."""
        raise NotImplementedError

    def which(self) -> tuple[list[Part], str]:
        """Return whose numbers these are: our own words, and text from data."""
        raise NotImplementedError

    def caveats(self) -> list[str]:
        """Return the caveats of the numbers shown."""
        raise NotImplementedError

    # -- showing -----------------------------------------------------------------------------------------------------

    @property
    def visible_panels(self) -> tuple[str, ...]:
        """The panels that are seen."""
        names = list(self.PANELS)
        at = names.index(self.panel)
        both = tuple(names[at - at % 2 : at - at % 2 + 2])
        if not self.has_class("-wide") or not self._fits(both):
            return (self.panel,)
        return both

    def wanted(self, panel: str) -> tuple[int, bool]:
        """Return the width in which a panel's sheet is not cut, and whether it is a list."""
        sheet = self.sheet(panel)
        return (wanted_width(sheet), sheet.is_list) if sheet is not None else (0, False)

    def _fits(self, panels: tuple[str, ...]) -> bool:
        """Whether panels have room beside each other, so that a wider screen does not show less than a narrow one."""
        wanted = [self.wanted(panel) for panel in panels]
        shares = [_LIST if is_list else _GRID for _, is_list in wanted]
        total = sum(shares)
        rooms = (self.size.width * share // total - 1 for share in shares)
        return all(width <= room for (width, _), room in zip(wanted, rooms, strict=True))

    def widget(self, panel: str) -> HeatMapPanel:
        """Return a panel by name."""
        return self.query_one(f"#panel-{panel}", HeatMapPanel)

    @property
    def view(self) -> HeatMap:
        """The sheet that keys go to."""
        return self.widget(self.panel).view

    def show(self) -> None:
        """Show what is chosen of the present snapshot; cursors, orders and panels stay."""
        super().show()
        app = self.dashboard
        if app.state.snapshot is None or app.state.chosen is None:
            return
        if saved := app.session.of_screen(self.PLACE):
            self.restore(saved)
        seen, names = self.visible_panels, list(self.PANELS)
        for name in self.PANELS:
            self.widget(name).display = name in seen
        for name in seen:
            sheet = self.sheet(name)
            if sheet is not None:
                hint = key_to(names.index(name), names.index(self.panel), len(names))
                self.widget(name).tell(sheet, self.named(name), active=name == self.panel, hint=hint)
        listed = [(title, name in seen) for name, title in self.PANELS.items()]
        self.query_one("#tabs", Line).set(tabs(listed, self.size.width - 2))
        self.query_one("#which", Line).set(*self.which(), "bold")
        self.query_one(CaveatLine).tell(self.caveats())

    @on(HeatMap.Touched)
    def _touched(self, event: HeatMap.Touched) -> None:
        """A click chooses the panel, and opens what it is on already."""
        if event.again:
            self.press("open")
            return
        panel = next(name for name in self.PANELS if self.widget(name).view is event.view)
        if panel != self.panel:
            self.panel = panel
            self.show()

    # -- keys --------------------------------------------------------------------------------------------------------

    def step_panel(self, step: int) -> None:
        """Show the next panel, or the one before."""
        names = list(self.PANELS)
        self.panel = names[(names.index(self.panel) + step) % len(names)]
        self.show()

    # -- taking along ------------------------------------------------------------------------------------------------

    @property
    def copy_waits(self) -> bool:
        """Whether differences of the panel are still computed."""
        sheet = self.view.sheet
        return sheet is not None and sheet.remark.startswith(COMPARING)

    def copied(self, scope: Scope) -> tuple[document.Table | document.MatrixBlock, str]:
        """Return the cell under the cursor, its row, or the whole panel, in the order shown, with intervals."""
        view, spot = self.view, self.view.spot
        assert view.sheet is not None and spot is not None
        rows = list(view.rows) if scope == "all" else [spot[0]]
        columns = [spot[1]] if scope == "cell" else list(view.columns)
        block = view.sheet.part(rows, columns)
        return replace(block, notes=(*block.notes, *notes(self.caveats()))), f"{self.PLACE}-{self.panel}"

    # -- coming back -------------------------------------------------------------------------------------------------

    def saved(self) -> dict[str, Any]:
        """Panel, and of each its order and cursor."""
        if not self.is_mounted:
            return {}
        return {"panel": self.panel, "views": {name: self.widget(name).view.saved() for name in self.PANELS}}

    def restore(self, saved: dict[str, Any]) -> None:
        """Look at the panels as they were saved."""
        if saved.get("panel") in self.PANELS:
            self.panel = saved["panel"]
        views = saved.get("views")
        for name, view in (views if isinstance(views, dict) else {}).items():
            if name in self.PANELS and isinstance(view, dict):
                self.widget(name).view.restore(view)
