"""The first screen: what the run says, how good each encoder is on each task, and where the numbers come from."""

from __future__ import annotations

from typing import Any

import polars as pl
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.timer import Timer

from xlbias.dashboard import places
from xlbias.dashboard.commands.leading import lead_to
from xlbias.dashboard.dialogs.prompt import PromptDialog
from xlbias.dashboard.screens.base import View
from xlbias.dashboard.state import Scope
from xlbias.dashboard.views.findings import chance, differences
from xlbias.dashboard.views.matrix import matrix_sheet
from xlbias.dashboard.views.overview import (
    PENDING,
    Difference,
    across,
    matching,
    n_significant,
    overview_rows,
    why_empty,
)
from xlbias.dashboard.views.provenance import facts
from xlbias.dashboard.views.status import progress_line
from xlbias.dashboard.widgets.details import Details
from xlbias.dashboard.widgets.findings import FindingList
from xlbias.dashboard.widgets.heatmap.heat_map import HeatMap
from xlbias.dashboard.widgets.heatmap.order import OF_LANGUAGES
from xlbias.dashboard.widgets.table.columns import Column
from xlbias.dashboard.widgets.table.footing import Footing
from xlbias.dashboard.widgets.table.virtual_table import VirtualTable
from xlbias.dashboard.widgets.text.line import Line, Part
from xlbias.dashboard.workers.comparisons import COMPARING
from xlbias.dashboard.workers.snapshot import MANY_CELLS, Cell, Chosen, Snapshot
from xlbias.report import document
from xlbias.report.documents.caveats import MARK
from xlbias.report.documents.findings import MARGIN
from xlbias.report.documents.overview import overview_table
from xlbias.report.numbers import number
from xlbias.results.findings import Finding
from xlbias.results.findings.context import few_enough
from xlbias.results.matrix import MATRIX_MEASURES, Matrix
from xlbias.results.written import signed_text
from xlbias.runs.schema import SETTING_SHORT
from xlbias.text import clean, width

_PREVIEW_DELAY = 0.15  # seconds that the cursor rests before the preview is painted: running down a list stays cheap
_PREVIEWED = "map"
_COMPARED_AT_ONCE = 24
_NAME, _DIM = "virtual-table--name", "virtual-table--dim"


def _ranks(value: float) -> str:
    return number(value, unit_range=False)


def _signed(value: float) -> str:
    return signed_text(value, MATRIX_MEASURES[_PREVIEWED])


def columns(overview: pl.DataFrame) -> tuple[Column, ...]:
    """Return the overview's columns, pair and text columns as wide as what they hold."""
    pair = max([6, *_widths(overview, "best_pair"), *_widths(overview, "worst_pair")])
    sampler = max([0, *_widths(overview, "sampler")])
    compared = overview["significant"].null_count() < overview.height
    complete = bool((overview["n_cells"] == overview["n_cells_expected"]).all())
    most = overview["n_cells_expected"].max() or 0
    bases = set(overview["base"].drop_nulls()) - {""}
    against = f"against {next(iter(bases))}" if len(bases) == 1 else "difference"
    found = [
        *(
            Column(
                f"map_{short}",
                short,
                6,
                number,
                group="mAP",
                best_first=True,
                lower=f"map_{short}_least",
                attention=_ATTENTION,
            )
            for short in SETTING_SHORT.values()
        ),
        Column("delta", "Δ cross", 7, _signed, group=against, best_first=True, attention=_ATTENTION),
        Column("significant", "+ - cells", 9, group=against, sortable=False),
        Column(
            "rank_distance", "dist.", 7, _ranks, group="rank", rank=5 if compared else 0, lower="rank_distance_least"
        ),
        Column(
            "rank_distance_normalised",
            "norm.",
            6,
            number,
            group="rank",
            rank=3 if compared else 5,
            lower="rank_distance_normalised_least",
            attention=_ATTENTION,
        ),
        Column("worst_pair", "pair", min(pair, 15), align="left", group="worst", rank=2),
        Column("worst", "mAP", 6, number, group="worst", rank=2, attention=_ATTENTION),
        Column("best_pair", "pair", min(pair, 15), align="left", group="best", rank=6, style=_DIM),
        Column("best", "mAP", 5, number, group="best", rank=6, best_first=True, style=_DIM),
        Column("done", "cells", max(5, 2 * len(str(most)) + 1), rank=4 if complete else 1, sortable=False, style=_DIM),
        Column("sampler", "sampler", max(7, min(sampler, 10)), align="left", rank=7),
        Column("doubted", MARK, 1, align="left", sortable=False),
    ]
    texts = [
        Column("model", "encoder", _text_width(overview, "model"), text=True, style=_NAME),
        Column("task", "task", _text_width(overview, "task"), text=True),
        Column("source", "trained on", _text_width(overview, "source"), text=True, rank=1, style=_DIM),
    ]
    if overview["model"].n_unique() == 1:  # what tells the rows apart comes first
        texts[0], texts[1] = texts[1], texts[0]
    optional = ("sampler", "source", "significant", "delta", "doubted")
    empty = {name for name in optional if overview[name].null_count() == overview.height}
    return tuple(column for column in (*found, *texts) if column.name not in empty)


_ATTENTION = "attention"
_BAR = 100  # cells from which there is room for a bar beside the name of the phase
_ROOM = {"-low": 6, "-middle": 11, "-high": 18}
"""Lines of findings, by the height of the screen."""


class OverviewScreen(View):
    """What the run says above, one row per encoder and task, and below everything about the row under the cursor."""

    PLACE = places.OVERVIEW
    scopes: tuple[Scope, ...] = ("row", "all")

    DEFAULT_CSS = """
    OverviewScreen {
        #progress { padding: 0 2; display: none; margin-top: 1; }
        #empty { padding: 0 2; display: none; margin-top: 1; }
        #filter { padding: 0 2; display: none; margin-top: 1; }
        FindingList { margin: 1 1 0 1; }
        &.-low FindingList { margin-top: 0; }
        &.-low.-details FindingList { display: none; }
        &.-low.-details Footing { display: none; }
        &.-plain Footing { display: none; }
        &.-empty FindingList { display: none; }
        VirtualTable { height: auto; max-height: 45%; margin-top: 1; }
        #below { height: 1fr; margin-top: 1; }
        #preview { width: 1fr; max-width: 132; margin: 0 1; display: none; }
        #about { width: 1fr; height: 1fr; scrollbar-size-vertical: 1; }
        &.-low VirtualTable { height: auto; max-height: 1fr; margin-top: 0; }
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
        self._filter = ""
        self._drawn: tuple[object, ...] = ()
        self._previewed: Matrix | None = None
        self._said: tuple[Finding, ...] = ()
        self._of_findings = False
        """Whether keys go to the findings, not to the table."""

    def content(self) -> ComposeResult:
        """Progress, findings, table, and below it preview and provenance."""
        yield Line(id="progress")
        yield FindingList(id="findings")
        yield Line(id="filter")
        yield Line(id="empty")
        table = VirtualTable((), ("model", "task"), id="overview")
        yield table
        yield Footing(table, id="levels")
        with Horizontal(id="below"):
            with Vertical(id="preview"):
                yield Line(id="preview-title")
                yield HeatMap(OF_LANGUAGES, interactive=False)
            with VerticalScroll(id="about", can_focus=False):
                yield Details()

    @property
    def table(self) -> VirtualTable:
        """The table of encoders and tasks."""
        return self.query_one(VirtualTable)

    @property
    def row(self) -> dict[str, object] | None:
        """The row under the cursor."""
        return self.table.row_at(self.table.cursor) if self.table.height else None

    def show(self) -> None:
        """Show the present snapshot; cursor, order and scroll stay."""
        super().show()
        self._say_if_empty()
        snapshot = self.dashboard.state.snapshot
        if snapshot is None:
            return
        words, phase = progress_line(snapshot, self.dashboard.state.pace, wide=self.app.size.width >= _BAR)
        line = self.query_one("#progress", Line)
        line.display = bool(words)
        line.set([Part(words, "$text-primary"), Part("  ")], phase, "$quiet")
        saved = self.dashboard.session.of_screen(self.PLACE)
        self._filter = str(saved.get("filter", self._filter))
        found = self._show_findings(snapshot)
        against = self._against(found)
        wanted = (id(snapshot.overview), self._filter, against, found)
        if wanted != self._drawn:
            if not self._drawn and snapshot.overview.height:
                self.make_ready(places.MATRIX)
                for turn, place in enumerate(self._later_screens(snapshot), 2):
                    self.make_ready(place, turn)
            self._drawn = wanted
            self._show_rows(snapshot, against, found)
        if saved:
            self.restore(saved)
        self._show_row()

    def _later_screens(self, snapshot: Snapshot) -> list[str]:
        """Return what else to make ready: of very many numbers all that takes long, but nothing that begins to compare.

        Differences are computed once somebody has asked for them, and so are rankings read that take their time.
        """
        training = [places.TRAINING] if snapshot.trained else []
        if len(snapshot.cells) < MANY_CELLS or self.dashboard.baseline.against is not None:
            return training
        found = [places.BIAS, places.DOMAINS, *([places.QUERIES] if few_enough(snapshot.run) else [])]
        return training + [place for place in found if not self.dashboard.session.remembers(place)]

    # -- what the run says -------------------------------------------------------------------------------------------

    @property
    def findings(self) -> FindingList:
        """The list of findings."""
        return self.query_one(FindingList)

    def _show_findings(self, snapshot: Snapshot) -> tuple[Finding, ...]:
        """Show what the run says, as far as that is known; what is not is worked out in a thread."""
        known = self.dashboard.findings.of(snapshot, self.dashboard.state.base) if snapshot.cells else ()
        if known is not None:
            self._said = () if isinstance(known, str) else known
        room = next(lines for name, lines in _ROOM.items() if self.has_class(name))
        said = known if isinstance(known, str) else "working out the findings …" if known is None else ""
        if self._said and self.dashboard.findings.comparing:
            said = f"{'Real?':{MARGIN}}{COMPARING}"
        self.findings.tell(self._said, room, said)
        return self._said

    @on(FindingList.Chosen)
    def _lead(self, message: FindingList.Chosen) -> None:
        lead_to(self.dashboard, message.finding)

    def step_panel(self, step: int = 1) -> None:
        """Give the keys to the findings, or back to the table."""
        self._give_keys(to_findings=not self._of_findings)

    def _give_keys(self, *, to_findings: bool, last: bool = False) -> None:
        self._of_findings = to_findings and bool(self.findings.n) and self.findings.display
        self.findings.activate(self._of_findings, last=last)
        self.table.elsewhere = self._of_findings
        self.table.refresh()
        self.tell()

    def go_to_row(self, chosen: Chosen) -> None:
        """Put the cursor on an encoder and task, and give it the keys."""
        self._give_keys(to_findings=False)
        self.table.go_to(chosen)

    # -- rows --------------------------------------------------------------------------------------------------------

    def _show_rows(
        self, snapshot: Snapshot, against: tuple[Difference | None, ...], found: tuple[Finding, ...]
    ) -> None:
        """Show the rows that the filter leaves."""
        frame = overview_rows(snapshot, against, found)
        left = matching(frame, self._filter)
        self.table.set_columns(columns(left if left.height else frame))
        self.table.replace(left)
        line = self.query_one("#filter", Line)
        line.display = bool(self._filter.split())
        said = f"{left.height:,} of {frame.height:,} rows   x clears   "
        line.set([Part(said, "$text-accent", key="filter.clear")], self._filter, "bold")

    def _against(self, found: tuple[Finding, ...]) -> tuple[Difference | None, ...]:
        """Return for each row of the overview how it differs from the baseline; without one, as the findings say.

        Where the filter leaves many rows only that under the cursor is compared: each takes about a second.
        """
        app, snapshot = self.dashboard, self.dashboard.state.snapshot
        assert snapshot is not None
        pairs = snapshot.overview.select("model", "task").rows()
        if not app.baseline.is_on or all(app.baseline.against_for(model) is None for model, _ in pairs):
            said = differences(found) if app.state.base is None else {}
            return tuple(
                Difference(said[pair][1], said[pair][0], clean(said[pair][2])) if pair in said else None
                for pair in pairs
            )
        here, left = self.table.cursor_key, self.table.frame
        few = set(left.select("model", "task").rows()) if 0 < left.height <= _COMPARED_AT_ONCE else set()
        rows: list[Difference | None] = []
        for row in pairs:
            wanted = row == here or row in few or ("significant", *row) in snapshot.cache
            frame = app.baseline.compared(row[0], row[1], _PREVIEWED, urgent=row == here) if wanted else ""
            against = app.baseline.against_for(row[0])
            base = against.label if against is not None else ""
            if isinstance(frame, pl.DataFrame):
                snapshot.cache["significant", *row] = True
                rows.append(Difference(n_significant(frame), across(frame), base))
            else:
                rows.append(Difference(PENDING, base=base) if frame is None else None)
        return tuple(rows)

    def _say_if_empty(self) -> None:
        snapshot = self.dashboard.state.snapshot
        sentence = why_empty(snapshot)
        self.set_class(snapshot is None or snapshot.overview.is_empty(), "-empty")
        line = self.query_one("#empty", Line)
        line.display = bool(sentence)
        line.set([], sentence, "italic")

    @on(VirtualTable.Moved)
    def _moved(self) -> None:
        self._show_row()
        if self.dashboard.baseline.model is not None or self.dashboard.state.base is not None:
            self.dashboard.baseline.comparisons.forget_waiting()
            self.call_after_refresh(self.show)

    def _show_row(self) -> None:
        """Show what is known of the row under the cursor, and its preview once the cursor rests."""
        snapshot, row = self.dashboard.state.snapshot, self.row
        if snapshot is None or row is None:
            return
        self.query_one(Details).tell(facts(snapshot, row))
        self.query_one(Footing).tell("chance", chance(self._said, str(row["task"])))
        if self._resting is not None:
            self._resting.stop()
        self._resting = self.after(_PREVIEW_DELAY, self._show_preview)

    def _show_preview(self) -> None:
        snapshot, row = self.dashboard.state.snapshot, self.row
        if snapshot is not None and row is not None and self.query_one("#preview").display:
            matrix = snapshot.matrix(_PREVIEWED, str(row["model"]), str(row["task"]))
            if matrix is not self._previewed:
                self._previewed = matrix
                self.query_one(HeatMap).show(matrix_sheet(matrix))
            label = MATRIX_MEASURES[_PREVIEWED].label
            self.query_one("#preview-title", Line).set(
                [Part(f" {label}", "bold $text-accent"), Part("  query language ↓  passages →", "$quiet")]
            )

    @on(VirtualTable.Chosen)
    def _chosen(self) -> None:
        self.press("open")

    # -- keys ------------------------------------------------------------------------------------------------------

    def ask_filter(self) -> None:
        """Ask for words that a row must have."""
        hints = ("words in the names of encoder, task, domain, sampler or sources; case and accents are ignored",)
        self.app.push_screen(
            PromptDialog("filter rows", self._filter, hints=hints, typed=self._take_filter), self._take_filter
        )

    def _take_filter(self, words: str | None) -> None:
        if words is not None:
            self._filter = words
            self.show()

    def why_no_copy(self) -> str | None:
        """Why there is nothing to copy."""
        return None if self.table.height else "there is no row to copy"

    def clear_filter(self) -> None:
        """Show all rows."""
        self._filter = ""
        self.show()

    def saved(self) -> dict[str, Any]:
        """Order, filter and cursor."""
        table = self.table
        key = list(table.cursor_key) if table.cursor_key else None
        return {"filter": self._filter, "sort": table.sorted_by, "descending": table.descending, "cursor": key}

    def restore(self, saved: dict[str, Any]) -> None:
        """Look at the table as it was saved."""
        sort, cursor = saved.get("sort"), saved.get("cursor")
        if sort is None or sort in self.table.frame.columns:
            self.table.sort(sort, descending=saved.get("descending") is True)
        if isinstance(cursor, list) and len(cursor) == 2:
            self.table.go_to(tuple(cursor))

    def move(self, where: str) -> None:
        """Move the cursor of the table, or scroll provenance where it has taken the table's place."""
        if self.panel_open:
            lines = {"up": -1, "down": 1, "page_up": -10, "page_down": 10, "first": -1000, "start": -1000}
            self.query_one("#about", VerticalScroll).scroll_relative(y=lines.get(where, 1000), animate=False)
        elif self._of_findings:
            if not self.findings.move(where) and where == "down":
                self._give_keys(to_findings=False)
        elif where == "up" and self.table.cursor == 0:
            self._give_keys(to_findings=True, last=True)
        else:
            self.table.move(where)

    def open(self) -> None:
        """Show the matrix of the row under the cursor, or where the numbers of the finding under it are."""
        finding = self.findings.chosen if self._of_findings else None
        if finding is not None:
            lead_to(self.dashboard, finding)
            return
        key = self.table.cursor_key
        if key is not None:
            self.dashboard.navigation.open_matrix((key[0], key[1]))

    def cycle_sort(self) -> None:
        """Sort by the next column."""
        self.table.cycle_sort()

    def reverse_sort(self) -> None:
        """Turn the order of the table round."""
        self.table.reverse_sort()

    @property
    def row_chosen(self) -> Chosen | None:
        """The encoder and task under the cursor."""
        key = self.table.cursor_key
        return (key[0], key[1]) if key is not None else None

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
        """Put the cursor on the encoder and task that a cell belongs to."""
        self.table.go_to(cell[:2])

    @property
    def n_all(self) -> tuple[int, int]:
        """The rows that the filter leaves."""
        return self.table.height, 1

    @property
    def copy_waits(self) -> bool:
        """Whether differences of a row are still computed."""
        return self.dashboard.findings.comparing or PENDING in self.table.frame["significant"].to_list()

    def copied(self, scope: Scope) -> tuple[document.Table, str]:
        """Return the table, or the row under the cursor, in the order shown and with intervals."""
        snapshot = self.dashboard.state.snapshot
        assert snapshot is not None
        frame = self.table.ordered() if scope == "all" else self.table.ordered().slice(self.table.cursor, 1)
        return overview_table(snapshot.run, frame), "overview"


def _widths(frame: pl.DataFrame, column: str) -> list[int]:
    return [width(clean(text[:200])) for text in frame[column].drop_nulls().head(500)]


def _text_width(frame: pl.DataFrame, column: str) -> int:
    return min(60, max([len(column), *_widths(frame, column)]))
