"""The first screen: how good is each model on each task, for whom is it bad, and where do the numbers come from."""

from __future__ import annotations

import polars as pl
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.timer import Timer

from xlbias.dashboard import places
from xlbias.dashboard.live import Cell
from xlbias.dashboard.screens.base import Scope, View
from xlbias.dashboard.widgets.columns import Column
from xlbias.dashboard.widgets.details import Details, facts
from xlbias.dashboard.widgets.line import Line, Part
from xlbias.dashboard.widgets.matrix import MatrixView
from xlbias.dashboard.widgets.table import VirtualTable
from xlbias.dashboard.words import progress_line
from xlbias.report import document
from xlbias.report.layout import number
from xlbias.report.shown import overview_table
from xlbias.report.tables import MATRIX_MEASURES
from xlbias.text import clean, width

_PREVIEW_DELAY = 0.15  # seconds that the cursor rests before the preview is painted: running down a list stays cheap
_PREVIEWED = "map"
_NAME, _DIM = "virtual-table--name", "virtual-table--dim"


def _ranks(value: float) -> str:
    return number(value, unit_range=False)


def columns(overview: pl.DataFrame) -> tuple[Column, ...]:
    """Return the overview's columns, pair and text columns as wide as what they hold."""
    pair = max([5, *_widths(overview, "best_pair"), *_widths(overview, "worst_pair")])
    sampler = max([0, *_widths(overview, "sampler")])
    complete = bool((overview["n_cells"] == overview["n_cells_expected"]).all())
    most = overview["n_cells_expected"].max() or 0
    found = [
        Column("map_mono", "mono", 5, number, group="mAP", best_first=True),
        Column("map_cross", "cross", 5, number, group="mAP", best_first=True),
        Column("map_multi", "multi", 5, number, group="mAP", best_first=True),
        Column("rank_distance", "dist.", 7, _ranks, group="rank"),
        Column("rank_distance_normalised", "norm.", 5, number, group="rank", rank=5),
        Column("worst_pair", "pair", min(pair, 15), align="left", group="worst", rank=2),
        Column("worst", "mAP", 5, number, group="worst", rank=2),
        Column("best_pair", "pair", min(pair, 15), align="left", group="best", rank=6, style=_DIM),
        Column("best", "mAP", 5, number, group="best", rank=6, best_first=True, style=_DIM),
        Column("done", "cells", max(5, 2 * len(str(most)) + 1), rank=4 if complete else 1, sortable=False, style=_DIM),
        Column("sampler", "sampler", max(7, min(sampler, 10)), align="left", rank=7),
    ]
    texts = [
        Column("model", "model", _text_width(overview, "model"), text=True, style=_NAME),
        Column("task", "task", _text_width(overview, "task"), text=True),
        Column("source", "trained on", _text_width(overview, "source"), text=True, rank=1, style=_DIM),
    ]
    empty = {name for name in ("sampler", "source") if overview[name].null_count() == overview.height}
    return tuple(column for column in (*found, *texts) if column.name not in empty)


class OverviewScreen(View):
    """One row per model and task above, everything about the row under the cursor below."""

    PLACE = places.OVERVIEW

    DEFAULT_CSS = """
    OverviewScreen {
        #progress { padding: 0 2; display: none; margin-top: 1; }
        #empty { padding: 0 2; display: none; margin-top: 1; }
        VirtualTable { height: auto; max-height: 45%; margin-top: 1; }
        #below { height: 1fr; margin-top: 1; }
        #preview { width: 1fr; max-width: 132; margin: 0 1; display: none; }
        #about { width: 1fr; height: 1fr; scrollbar-size-vertical: 1; }
        &.-low VirtualTable { height: 1fr; max-height: 100%; margin-top: 0; }
        &.-low #below { display: none; margin-top: 0; }
        &.-low.-details VirtualTable { display: none; }
        &.-low.-details #below { display: block; }
        &.-wide.-high #preview { display: block; }
        &.-wide.-high #about { width: 56; }
        &.-plain #below { display: none; }
        &.-empty VirtualTable { display: none; }
        &.-empty #below { display: none; }
        &.-plain VirtualTable { height: 1fr; max-height: 100%; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._resting: Timer | None = None

    def content(self) -> ComposeResult:
        """Progress, table, and below it preview and provenance."""
        yield Line(id="progress")
        yield Line(id="empty")
        yield VirtualTable((), ("model", "task"), id="overview")
        with Horizontal(id="below"):
            with Vertical(id="preview"):
                yield Line(id="preview-title")
                yield MatrixView(interactive=False)
            with VerticalScroll(id="about", can_focus=False):
                yield Details()

    @property
    def table(self) -> VirtualTable:
        """The table of models and tasks."""
        return self.query_one(VirtualTable)

    @property
    def row(self) -> dict[str, object] | None:
        """The row under the cursor."""
        return self.table.row_at(self.table.cursor) if self.table.height else None

    def show(self) -> None:
        """Show the present snapshot; cursor, order and scroll stay."""
        super().show()
        self._say_if_empty()
        snapshot = self.dashboard.snapshot
        if snapshot is None:
            return
        words, phase = progress_line(snapshot, self.dashboard.pace, wide=not self.has_class("-narrow"))
        line = self.query_one("#progress", Line)
        line.display = bool(words)
        line.set([Part(words, "$text-primary"), Part("  ")], phase, "$quiet")
        if snapshot.overview is not getattr(self, "_shown", None):
            self._shown = snapshot.overview
            cells = pl.format("{}/{}", "n_cells", "n_cells_expected").alias("done")
            self.table.set_columns(columns(snapshot.overview))
            self.table.replace(snapshot.overview.with_columns(cells))
        self._show_row()

    def _say_if_empty(self) -> None:
        snapshot = self.dashboard.snapshot
        sentence = ""
        if snapshot is None:
            sentence = "reading the run …"
        elif not snapshot.run.tasks:
            sentence = "This run holds no evaluation: `xlbias evaluate` makes one."
        elif not snapshot.run.models:
            sentence = "No rankings yet: the first encoder is being loaded."
        elif not snapshot.cells:
            sentence = "No rankings yet: passages are encoded first." if not snapshot.finished else "No rankings."
        self.set_class(snapshot is None or snapshot.overview.is_empty(), "-empty")
        line = self.query_one("#empty", Line)
        line.display = bool(sentence)
        line.set([], sentence, "italic")

    @on(VirtualTable.Moved)
    def _moved(self) -> None:
        self._show_row()

    def _show_row(self) -> None:
        """Show what is known of the row under the cursor, and its preview once the cursor rests."""
        snapshot, row = self.dashboard.snapshot, self.row
        if snapshot is None or row is None:
            return
        self.query_one(Details).tell(facts(snapshot, row))
        if self._resting is not None:
            self._resting.stop()
        self._resting = self.set_timer(_PREVIEW_DELAY, self._show_preview)

    def _show_preview(self) -> None:
        snapshot, row = self.dashboard.snapshot, self.row
        if snapshot is not None and row is not None and self.query_one("#preview").display:
            matrix = snapshot.matrix(_PREVIEWED, str(row["model"]), str(row["task"]))
            preview = self.query_one(MatrixView)
            if matrix is not preview.matrix:
                preview.show(matrix)
            label = MATRIX_MEASURES[_PREVIEWED].label
            self.query_one("#preview-title", Line).set(
                [Part(f" {label}", "bold $text-accent"), Part("  query language ↓  passages →", "$quiet")]
            )

    @on(VirtualTable.Chosen)
    def _chosen(self) -> None:
        self.dashboard.press("open")

    # -- keys ------------------------------------------------------------------------------------------------------

    def move(self, where: str) -> None:
        """Move the cursor of the table, or scroll provenance where it has taken the table's place."""
        if self.panel_open:
            lines = {"up": -1, "down": 1, "page_up": -10, "page_down": 10, "first": -1000, "start": -1000}
            self.query_one("#about", VerticalScroll).scroll_relative(y=lines.get(where, 1000), animate=False)
        else:
            self.table.move(where)

    def open(self) -> None:
        """Show the matrix of the row under the cursor."""
        key = self.table.cursor_key
        if key is not None:
            self.dashboard.open_matrix((key[0], key[1]))

    def cycle_sort(self) -> None:
        """Sort by the next column."""
        self.table.cycle_sort()

    def reverse_sort(self) -> None:
        """Turn the order of the table round."""
        self.table.reverse_sort()

    def toggle_details(self) -> None:
        """Show or hide provenance; on a low screen it takes the place of the table."""
        self.toggle_class("-details" if self.has_class("-low") else "-plain")

    @property
    def panel_open(self) -> bool:
        """Whether provenance has taken the place of the table."""
        return self.has_class("-low") and self.has_class("-details")

    def close_panel(self) -> None:
        """Show the table again."""
        self.remove_class("-details")

    def follow_to(self, cell: Cell) -> None:
        """Put the cursor on the model and task that a cell belongs to."""
        self.table.go_to(cell[:2])

    def copied(self, scope: Scope) -> tuple[document.Table, str]:
        """Return the table, or the row under the cursor, in the order shown and with intervals."""
        snapshot = self.dashboard.snapshot
        assert snapshot is not None
        frame = self.table.ordered() if scope == "all" else self.table.ordered().slice(self.table.cursor, 1)
        return overview_table(snapshot.run, frame), "overview"


def _widths(frame: pl.DataFrame, column: str) -> list[int]:
    return [width(clean(text[:200])) for text in frame[column].drop_nulls().head(500)]


def _text_width(frame: pl.DataFrame, column: str) -> int:
    return min(60, max([len(column), *_widths(frame, column)]))
