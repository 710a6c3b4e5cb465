"""The second screen: one measure of one encoder on one task, for every query language and pool."""

from __future__ import annotations

from typing import Any

from textual import on
from textual.app import ComposeResult

from xlbias.dashboard import places
from xlbias.dashboard.screens.heat_map import HeatMapScreen
from xlbias.dashboard.state import Scope
from xlbias.dashboard.views.matrix import about_cell, matrix_sheet, named
from xlbias.dashboard.views.overview import which_of
from xlbias.dashboard.widgets.caveats import CaveatLine
from xlbias.dashboard.widgets.heatmap.heat_map import HeatMap
from xlbias.dashboard.widgets.heatmap.legend import legend
from xlbias.dashboard.widgets.heatmap.order import OF_LANGUAGES
from xlbias.dashboard.widgets.heatmap.paint import depth_of, ground_of
from xlbias.dashboard.widgets.text.line import Line, Part
from xlbias.dashboard.workers.snapshot import Cell
from xlbias.report import document
from xlbias.report.documents.matrices import block_of, sentences_of
from xlbias.report.numbers import MARK
from xlbias.results.matrix import Matrix
from xlbias.runs.schema import MULTILINGUAL_POOL
from xlbias.text import one_line


class MatrixScreen(HeatMapScreen):
    """Title, heatmap, legend, and in words the cell under the cursor."""

    PLACE = places.MATRIX

    DEFAULT_CSS = """
    MatrixScreen {
        #title, #which, #legend, #cell, #names { padding: 0 1; }
        HeatMap { margin: 0 0; }
        &.-middle HeatMap { margin: 1 0 0 0; }
        &.-high HeatMap { margin: 1 0; }
        &.-high #title { margin-top: 1; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.matrix: Matrix | None = None
        """What the heat map shows."""

    def content(self) -> ComposeResult:
        """Title lines, heatmap, legend and cell."""
        yield Line(id="title")
        yield Line(id="which")
        yield CaveatLine()
        yield HeatMap(OF_LANGUAGES, id="matrix")
        yield Line(id="legend")
        yield Line(id="cell")
        yield Line(id="names")

    @property
    def view(self) -> HeatMap:
        """The heat map."""
        return self.query_one(HeatMap)

    def show(self) -> None:
        """Show the chosen measure, encoder and task of the present snapshot; the cursor stays on its languages."""
        super().show()
        app = self.dashboard
        if app.state.snapshot is None or app.state.chosen is None:
            return
        if saved := app.session.of_screen(self.PLACE):
            self.restore(saved)
        matrix, remark = app.baseline.matrix(app.state.measure.name, *app.state.chosen)
        self._tell_title(matrix, remark)
        self.query_one(CaveatLine).tell(sentences_of(matrix))
        if matrix is not self.matrix:
            self.matrix = matrix
            self.view.show(matrix_sheet(matrix))
        else:
            self._tell_cell()

    def _tell_title(self, matrix: Matrix, remark: str) -> None:
        snapshot = self.dashboard.state.snapshot
        assert snapshot is not None
        measure = matrix.measure
        label = Part(f"{'Δ ' if matrix.differs else ''}{measure.label}  ", "bold $text-accent", key="measure")
        if matrix.differs:
            self.query_one("#title", Line).set([label], f"{matrix.model} minus {matrix.against}", "bold")
        else:
            tail = (remark, "$text-warning") if remark else (measure.definition, "$quiet")
            self.query_one("#title", Line).set([label], *tail)
        empty = "" if matrix.values or matrix.bounded else "no rankings yet  "
        parts = [Part(f"{which_of(snapshot.run, matrix.model, matrix.task)}{empty}", "$quiet")]
        if matrix.differs:
            higher, lower = matrix.n_significant
            said = f"{higher + lower} of {matrix.n_tested} significant{MARK}: +{higher} -{lower}  "
            parts.append(Part(said, "$text-accent", key="baseline"))
        who = f"on {matrix.task}" if matrix.differs else f"{matrix.model} on {matrix.task}"
        self.query_one("#which", Line).set(parts, who, "bold")

    @on(HeatMap.Moved)
    def _tell_cell(self) -> None:
        """Say everything about the cell under the cursor, and what the colours mean."""
        matrix, cursor = self.matrix, self.view.cursor
        self.query_one("#legend", Line).set(self._legend())
        if matrix is None or cursor is None:
            return
        codes = "→".join(one_line(name, 12) for name in cursor)
        number, interval, more = about_cell(matrix, cursor)
        bold = "bold" if matrix.differs else ""
        parts = [Part(codes, "bold"), Part(f"  {number}", bold), Part(f" {interval}".rstrip(), "$quiet")]
        parts.append(Part(f"  {more}"))
        if left_out := matrix.at(*cursor).n_excluded:
            parts.append(Part(f"  {left_out:,} excluded", "$text-warning"))
        self.query_one("#cell", Line).set(parts)
        self.query_one("#names", Line).set([], named(cursor, self._pool_sizes(matrix.task)), "$quiet")

    def _pool_sizes(self, task: str) -> dict[str, int]:
        snapshot = self.dashboard.state.snapshot
        assert snapshot is not None
        return next((entry.pool_sizes for entry in snapshot.run.tasks if entry.name == task), {})

    def _legend(self) -> list[Part]:
        view, sheet, found = self.view, self.view.sheet, self.view.range
        if sheet is None or found is None:
            if self.matrix is not None and self.matrix.bounded:
                return [Part("≥ at least: ranks are censored", "$quiet")]
            return [Part("· not evaluated yet", "$quiet")]
        order = f"by {view.sort}{', reversed' if view.reverse else ''}"
        once = ", one training each" if self.matrix is not None and self.matrix.one_training else ""
        narrow, ground = self.has_class("-narrow"), ground_of(view.rich_style)
        colours = legend(sheet, found, depth_of(self.app), narrow=narrow, ground=ground, whole=True)
        return [
            *colours,
            Part(f"   {MARK} p < .05 (corrected){once}" if found.diverging else "", "$quiet"),
            Part(f"   {order}", "$quiet", key="sort"),
        ]

    # -- keys ------------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Show the queries of the cell under the cursor."""
        if self.view.cursor is not None:
            language, pool = self.view.cursor
            self.dashboard.navigation.open_queries(f"q:{language} d:{'multi' if pool == MULTILINGUAL_POOL else pool}")

    def step_measure(self, step: int) -> None:
        """Show the next measure, or the one before."""
        self.dashboard.selection.step_measure(step)

    def go_to_cell(self, cell: tuple[str, str]) -> None:
        """Put the cursor on a query language and pool."""
        self.view.go_to(cell)

    def follow_to(self, cell: Cell) -> None:
        """Show the matrix of a cell and put the cursor on it."""
        self.dashboard.selection.choose(cell[:2])
        self.view.go_to(cell[2:])

    def copied(self, scope: Scope) -> tuple[document.MatrixBlock, str]:
        """Return the cell under the cursor, its row, or the matrix, in the order shown."""
        view, matrix = self.view, self.matrix
        assert matrix is not None and view.cursor is not None
        languages = view.row_names if scope == "all" else [view.cursor[0]]
        pools = [view.cursor[1]] if scope == "cell" else view.column_names
        return block_of(matrix.part(languages, pools)), f"{matrix.task}-{matrix.model}-{matrix.measure.name}"

    def saved(self) -> dict[str, Any]:
        """Order and cursor."""
        return self.view.saved()

    def restore(self, saved: dict[str, Any]) -> None:
        """Look at the matrix as it was saved."""
        self.view.restore(saved)
