"""The second screen: one measure of one encoder on one task, for every query language and pool."""

from __future__ import annotations

from typing import Any, Literal

import polars as pl
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from xlbias.dashboard import places
from xlbias.dashboard.screens.heat_map import HeatMapScreen
from xlbias.dashboard.state import Scope
from xlbias.dashboard.views.matrix import about_cell, ends_over, matrix_sheet, named, side_sheet
from xlbias.dashboard.views.overview import which_of
from xlbias.dashboard.views.sheet import Sheet
from xlbias.dashboard.widgets.caveats import CaveatLine
from xlbias.dashboard.widgets.edge import PanelEdge
from xlbias.dashboard.widgets.heatmap.heat_map import HeatMap
from xlbias.dashboard.widgets.heatmap.layout import small_size
from xlbias.dashboard.widgets.heatmap.legend import legend
from xlbias.dashboard.widgets.heatmap.order import OF_LANGUAGES
from xlbias.dashboard.widgets.heatmap.paint import depth_of, ground_of
from xlbias.dashboard.widgets.text.line import Line, Part
from xlbias.dashboard.workers.comparisons import COMPARING
from xlbias.dashboard.workers.snapshot import Cell
from xlbias.report import document
from xlbias.report.documents.matrices import block_of, sentences_of
from xlbias.report.numbers import MARK
from xlbias.results.matrix import Matrix
from xlbias.runs.schema import MULTILINGUAL_POOL
from xlbias.text import one_line, width

Scale = Literal["encoders", "shown", "full"]
"""What colours are spread over: the values of all encoders on the task, those of the matrix shown, or 0 to 1."""

Side = Literal["base", "new"]

_SIDES: tuple[Side, ...] = ("base", "new")
_AROUND = 14  # lines of the screen around small matrices and the one below them


class MatrixScreen(HeatMapScreen):
    """Title, heatmap, legend, and in words the cell under the cursor.

    Where there is room, differences have both sides above them, small and on one scale.
    """

    PLACE = places.MATRIX

    DEFAULT_CSS = """
    MatrixScreen {
        #title, #which, #legend, #cell, #names { padding: 0 1; }
        HeatMap { margin: 0 0; }
        &.-middle HeatMap { margin: 1 0 0 0; }
        &.-high HeatMap { margin: 1 0; }
        #sides, #values-legend, #edge { display: none; padding: 0 1; }
        &.-sides #sides, &.-sides #values-legend, &.-sides #edge { display: block; }
        &.-sides HeatMap { margin: 0; }
        #sides { padding: 0; }
        #sides PanelEdge { padding: 0 1; }
        &.-high.-sides #title { margin-top: 0; }
        &.-high #title { margin-top: 1; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.matrix: Matrix | None = None
        """What the heat map shows."""
        self._remark = ""
        """What is the matter with the differences, if they are wanted."""
        self.scale: Scale = "encoders"
        self._sides: tuple[Sheet | None, dict[Side, Sheet]] = (None, {})
        """The small sheets of both sides of the differences in a sheet."""

    def content(self) -> ComposeResult:
        """Title lines, heatmap, legend and cell."""
        yield Line(id="title")
        yield Line(id="which")
        yield CaveatLine()
        with Horizontal(id="sides"):
            for side in _SIDES:
                with Vertical():
                    yield PanelEdge(id=f"edge-{side}")
                    yield HeatMap(OF_LANGUAGES, interactive=False, id=side)
        yield Line(id="values-legend")
        yield PanelEdge(id="edge")
        yield HeatMap(OF_LANGUAGES, id="matrix")
        yield Line(id="legend")
        yield Line(id="cell")
        yield Line(id="names")

    @property
    def view(self) -> HeatMap:
        """The heat map."""
        return self.query_one("#matrix", HeatMap)

    def show(self) -> None:
        """Show the chosen measure, encoder and task of the present snapshot; the cursor stays on its languages."""
        super().show()
        app = self.dashboard
        if app.state.snapshot is None or app.state.chosen is None:
            return
        if saved := app.session.of_screen(self.PLACE):
            self.restore(saved)
        matrix, remark = app.baseline.matrix(app.state.measure.name, *app.state.chosen)
        self._remark = remark
        self._tell_title(matrix, remark)
        self.query_one(CaveatLine).tell(sentences_of(matrix))
        if matrix is not self.matrix:
            self.matrix = matrix
            sheet = matrix_sheet(matrix)
        else:
            assert self.view.sheet is not None
            sheet = self.view.sheet
        self.view.show(sheet, self._ends(matrix), full_range=self.scale == "full")
        self._tell_sides(matrix, sheet)
        self._tell_cell()

    # -- scales and sides ----------------------------------------------------------------------------------------

    def _ends(self, matrix: Matrix) -> tuple[float, float] | None:
        """Return the ends of the values of all encoders, where the colours are spread over them."""
        return None if matrix.differs or self.scale != "encoders" else self._over_encoders(matrix)

    def _over_encoders(self, matrix: Matrix) -> tuple[float, float] | None:
        """Return the least and the greatest value of all encoders, of both runs, on the task; kept of a snapshot."""
        snapshot, against = self.dashboard.state.snapshot, self.dashboard.baseline.against
        assert snapshot is not None
        runs = [snapshot.run, *([against.run] if against is not None and against.run is not snapshot.run else [])]
        key = ("ends", matrix.measure.name, matrix.task, tuple(map(id, runs)))
        if key not in snapshot.cache:
            wanted = (
                (pl.col("task") == matrix.task)
                & (pl.col("measure") == matrix.measure.name)
                & pl.col("query_language").is_not_null()
            )
            values = [value for run in runs for value in run.summary.filter(wanted)["value"].to_list()]
            snapshot.cache[key] = (ends_over(values), runs)  # the runs too, so that none takes the id of another
        found: tuple[float, float] | None = snapshot.cache[key][0]
        return found

    def _tell_sides(self, matrix: Matrix, sheet: Sheet) -> None:
        """Show both sides of differences, where there is room for them."""
        if self._sides[0] is not sheet:
            made: dict[Side, Sheet] = {}
            if matrix.differs:
                made = {side: side_sheet(matrix, side, sheet) for side in _SIDES}
            self._sides = (sheet, made)
        sides = self._sides[1]
        fits = bool(sides) and self.has_class("-wide") and self.has_class("-high")
        for one in sides.values():
            columns, lines = small_size(one)
            fits = fits and 2 * columns <= self.size.width and 2 * lines + _AROUND <= self.size.height
        self.set_class(fits, "-sides")
        if not fits:
            return
        values = [cell.value for one in sides.values() for line in one.block.matrix.cells for cell in line]
        over = self._over_encoders(matrix) if self.scale == "encoders" else None
        ends = ends_over([*values, *(over or ())])
        hints: dict[Side, str] = {"base": "b", "new": "T"}
        for side, one in sides.items():
            view = self.query_one(f"#{side}", HeatMap)
            view.leader = self.view
            view.show(one, ends, full_range=self.scale == "full")
            view.styles.height = small_size(one)[1]
            self.query_one(f"#edge-{side}", PanelEdge).name_panel(
                side, (), f"  {one.block.matrix.model}", active=False, hint=hints[side]
            )
        self.query_one("#sides").styles.height = 1 + max(small_size(one)[1] for one in sides.values())
        self.query_one("#edge", PanelEdge).name_panel(
            "difference", [Part(" new minus base ", "$quiet")], active=True, hint="B values"
        )
        self._tell_values_legend()

    def _tell_values_legend(self) -> None:
        view = self.query_one("#new", HeatMap)
        if view.sheet is not None and view.range is not None:
            colours = legend(view.sheet, view.range, depth_of(self.app), narrow=False, whole=True)
            said = Part(f"   both on one scale: {self._scale_words()}", "$quiet", key="range")
            self.query_one("#values-legend", Line).set([*colours, said])

    def _scale_words(self) -> str:
        return {"encoders": "all encoders", "shown": "these values alone", "full": "0 to 1"}[self.scale]

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
        if self.has_class("-sides"):
            for side in _SIDES:
                self.query_one(f"#{side}", HeatMap).follow_leader()
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
        several = self._scales() if not found.diverging and not narrow else ()
        parts = [*colours, Part(f"   {self._scale_words()}" if len(several) > 1 else "", "$quiet", key="range")]
        room = self.size.width - 2 - sum(width(part.text) for part in parts)
        n = f"   n {sheet.same_n:,} in every cell" if view.shows_intervals else ""
        marks = [""]
        if found.diverging:  # the cell's own line says n, and that p is corrected
            short = f"  {MARK} p < .05"
            marks = [f"   {MARK} p < .05 (corrected){once}", f"{short}{once}", f"{short}{once and ', one seed'}"]
        said = [f"{n}{mark}" for mark in marks] + marks
        parts.append(Part(next((text for text in said if width(text) <= room), marks[-1]), "$quiet"))
        room -= width(parts[-1].text)
        return [*parts, Part(f"   {order}", "$quiet", key="sort")] if width(order) + 3 <= room else parts

    # -- keys ------------------------------------------------------------------------------------------------------

    def _scales(self) -> tuple[Scale, ...]:
        """What the colours can be spread over, in the order of the key."""
        snapshot, sheet = self.dashboard.state.snapshot, self.view.sheet
        base = self.dashboard.state.base is not None
        several = snapshot is not None and (len(snapshot.run.models) > 1 or base)
        unit = sheet is not None and sheet.block.measure.unit_range
        return (*(("encoders",) if several else ()), "shown", *(("full",) if unit else ()))

    def toggle_range(self) -> None:
        """Spread the colours over the values of all encoders, of the matrix shown, or over 0 to 1."""
        scales = self._scales()
        at = scales.index(self.scale) if self.scale in scales else 0
        self.scale = scales[(at + 1) % len(scales)]
        self.show()

    def why_no_range(self) -> str | None:
        """Why the colours can have no other range."""
        if self.view.sheet is None or self.view.range is None:
            return super().why_no_range()
        if self.view.sheet.diverging and not self.has_class("-sides"):
            return "the scale of differences is symmetric around 0"
        return None if len(self._scales()) > 1 else super().why_no_range() or "there is one encoder"

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

    @property
    def copy_waits(self) -> bool:
        """Whether the differences are still computed."""
        return self._remark.startswith(COMPARING)

    def copied(self, scope: Scope) -> tuple[document.MatrixBlock, str]:
        """Return the cell under the cursor, its row, or the matrix, in the order shown."""
        view, matrix = self.view, self.matrix
        assert matrix is not None and view.cursor is not None
        languages = view.row_names if scope == "all" else [view.cursor[0]]
        pools = [view.cursor[1]] if scope == "cell" else view.column_names
        return block_of(matrix.part(languages, pools)), f"{matrix.task}-{matrix.model}-{matrix.measure.name}"

    def saved(self) -> dict[str, Any]:
        """Order, cursor and scale."""
        return {**self.view.saved(), "scale": self.scale}

    def restore(self, saved: dict[str, Any]) -> None:
        """Look at the matrix as it was saved."""
        scale = saved.get("scale")
        if scale in ("encoders", "shown", "full"):
            self.scale = scale
        self.view.restore(saved)
