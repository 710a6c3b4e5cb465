"""The seventh screen: how a training goes, or went."""

from __future__ import annotations

from functools import partial
from typing import Any

import polars as pl
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.dom import DOMNode
from textual.message import Message

from xlbias.dashboard import places
from xlbias.dashboard.screens.base import View
from xlbias.dashboard.state import Scope
from xlbias.dashboard.terminal.plot import AXIS
from xlbias.dashboard.views.training import Panel, batches, figures, panels
from xlbias.dashboard.widgets.chart import Chart
from xlbias.dashboard.widgets.edge import PanelEdge, tabs
from xlbias.dashboard.widgets.table.columns import Column
from xlbias.dashboard.widgets.table.virtual_table import VirtualTable
from xlbias.dashboard.widgets.text.line import Line, Part
from xlbias.dashboard.workers.snapshot import Snapshot
from xlbias.report import document
from xlbias.report.documents.training import curve_table
from xlbias.report.numbers import number
from xlbias.results.training import Curves, curves, summary
from xlbias.text import width

_CURVES = "curves"  # where a snapshot keeps them
_CHARTS = 4
_STYLES = ("$text-primary", "$text-accent", "$text-success")

_COLUMNS = (
    Column("step", "step", 7, lambda v: f"{v:,}"),
    Column("loss", "loss", 6, lambda v: number(v, digits=3)),
    Column("mono", "mono", 5, number, group="validation mAP", rank=1),
    Column("cross", "cross", 5, number, group="validation mAP", rank=1),
    Column("multi", "multi", 5, number, group="validation mAP"),
    Column("rank_distance", "dist.", 7, lambda v: number(v, unit_range=False), group="rank", rank=2),
    Column("model", "encoder", 60, text=True, style="virtual-table--name"),
)


class Collected(Message):
    """The curves of a snapshot are there, with their summary; None where the run has changed under the reader."""

    def __init__(self, snapshot: Snapshot, found: tuple[tuple[Curves, ...], pl.DataFrame] | None) -> None:
        super().__init__()
        self.snapshot, self.found = snapshot, found


class TrainingScreen(View):
    """Figures of one encoder's training above, its charts below; a list of the encoders where there are several."""

    PLACE = places.TRAINING
    scopes: tuple[Scope, ...] = ("row", "all")

    DEFAULT_CSS = """
    TrainingScreen {
        #title, #figures, #batches, #panels { padding: 0 1; }
        #encoders { height: auto; max-height: 11; margin-top: 1; }
        &.-list #encoders { height: 1fr; max-height: 100%; margin-top: 0; }
        .charts { height: 1fr; }
        .chart { width: 1fr; height: 1fr; padding: 0 1; }
        &.-high .chart { padding: 1 1 0 1; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.trainings: tuple[Curves, ...] = ()
        self.page = 0
        self._collecting = self._restored = False
        self._drawn: tuple[Any, ...] = ()
        self._page: tuple[Panel, ...] = ()
        self._followed: tuple[str, str] | None = None
        self._wanted = ""

    def content(self) -> ComposeResult:
        """Title, figures, list of encoders, charts."""
        yield Line(id="title")
        yield Line(id="figures")
        yield Line(id="batches")
        yield Line(id="panels")
        yield VirtualTable(_COLUMNS, ("model",), id="encoders")
        for row in range(_CHARTS // 2):
            with Horizontal(classes="charts", id=f"row-{row}"):
                for column in range(2):
                    with Vertical(classes="chart", id=f"chart-{2 * row + column}"):
                        yield PanelEdge()
                        yield Chart()

    @property
    def table(self) -> VirtualTable:
        """The list of encoders."""
        return self.query_one(VirtualTable)

    @property
    def training(self) -> Curves | None:
        """The training that is shown."""
        tables = self.query(VirtualTable)  # none while the screen is still being put together
        key = tables.first().cursor_key if tables else None
        return next((one for one in self.trainings if key and one.model == key[0]), None)

    def show(self) -> None:
        """Show the present snapshot; its curves are collected in a thread where that has not been done."""
        snapshot = self.dashboard.state.snapshot
        if snapshot is not None and _CURVES in snapshot.cache:
            self._take(*snapshot.cache[_CURVES])
        super().show()
        if snapshot is None:
            return
        if _CURVES not in snapshot.cache and not self._collecting:
            self._collecting = True
            self.run_worker(partial(self._collect, snapshot), thread=True, group=_CURVES, exit_on_error=False)
        self._draw()

    def _collect(self, snapshot: Snapshot) -> None:
        """In a thread: read the curves."""
        found = None
        try:
            trainings = curves(snapshot.run)
            found = trainings, summary(trainings)
        except (OSError, pl.exceptions.PolarsError):  # its writer has just finished: the next snapshot is on its way
            pass
        self.post_message(Collected(snapshot, found))

    def on_collected(self, message: Collected) -> None:
        """Show what was collected."""
        self._collecting = False
        if message.found is not None:
            message.snapshot.cache[_CURVES] = message.found
        if self.is_current and (message.found is not None or message.snapshot is not self.dashboard.state.snapshot):
            self.show()

    def _take(self, found: tuple[Curves, ...], table: pl.DataFrame) -> None:
        if found is self.trainings:
            return
        self.trainings = found
        if not self._restored:
            self._restored = True
            self.restore(self.dashboard.session.of_screen(self.PLACE))
        self.table.replace(table)
        if self._wanted:
            self.table.go_to((self._wanted,))
            self._wanted = ""

    def _follow_choice(self) -> None:
        """Show the encoder that was chosen on another screen since."""
        chosen = self.dashboard.state.chosen
        if chosen is not None and chosen != self._followed and self.trainings:
            before, self._followed = self._followed, chosen
            if before is None or before[0] != chosen[0]:
                self.table.go_to((chosen[0],))

    # -- drawing ---------------------------------------------------------------------------------------------------

    @property
    def lists_encoders(self) -> bool:
        """Whether the list of encoders is a page of its own, as there is no room for it beside charts."""
        return len(self.trainings) > 1 and not self.has_class("-high")

    @property
    def per_page(self) -> int:
        """Charts that are shown at a time."""
        wide, high = self.has_class("-wide"), self.has_class("-high")
        return 4 if wide and high else 2 if wide or high else 1

    def _pages(self, found: tuple[Panel, ...]) -> list[tuple[Panel, ...]]:
        pages = [found[i : i + self.per_page] for i in range(0, len(found), self.per_page)]
        return [*pages, ()] if self.lists_encoders else pages

    def _draw(self) -> None:
        snapshot = self.dashboard.state.snapshot
        assert snapshot is not None
        self._follow_choice()
        training = self.training
        if training is None:
            waiting = "reading the training …" if self._collecting else "nothing is logged yet"
            self.query_one("#title", Line).set([Part(waiting, "italic")])
            self.table.display = False
            return
        self._tell(training, snapshot)
        found = panels(training, finished=snapshot.finished)
        pages = self._pages(found)
        self.page = min(self.page, len(pages) - 1)
        page = pages[self.page]
        self._tell_panels(found, page)
        self._arrange(page)
        self._draw_charts(training, page)

    def _tell(self, training: Curves, snapshot: Snapshot) -> None:
        parts = [Part("training  ", "bold $text-accent")]
        if len(self.trainings) > 1:
            parts.append(Part(f"encoder {self.trainings.index(training) + 1}/{len(self.trainings)}  ", "$quiet"))
        sampler = training.card.sampler
        about = f"  ({sampler} batches)" if isinstance(sampler, str) else ""
        self.query_one("#title", Line).set(parts, f"{training.model}{about}", "bold")
        words = figures(training, snapshot, self.dashboard.state.pace)
        while len(words) > 1 and len(" · ".join(words)) > self.size.width - 2:
            words.pop()
        self.query_one("#figures", Line).set([Part(" · ".join(words))])
        self.query_one("#batches", Line).set([Part(batches(training), "$quiet")])

    def _tell_panels(self, found: tuple[Panel, ...], page: tuple[Panel, ...]) -> None:
        """List the panels, those that are shown marked; the list slides where it is wider than the screen."""
        names = [(panel.name, panel in page) for panel in found]
        if self.lists_encoders:
            names.append(("encoders", not page))
        self.query_one("#panels", Line).set(tabs(names, self.size.width - 2))

    def _arrange(self, page: tuple[Panel, ...]) -> None:
        self.set_class(not page, "-list")
        self.table.display = not page or (len(self.trainings) > 1 and self.has_class("-high"))
        stacked = self.per_page == 2 and not self.has_class("-wide")
        places_of = (0, 2) if stacked else range(self.per_page)
        used = set(list(places_of)[: len(page)]) if page else set()
        for number_ in range(_CHARTS):
            self.query_one(f"#chart-{number_}").display = number_ in used
        for row in range(_CHARTS // 2):
            self.query_one(f"#row-{row}").display = bool(used & {2 * row, 2 * row + 1})

    def _draw_charts(self, training: Curves, page: tuple[Panel, ...]) -> None:
        """Give the charts of a page what they show; they are drawn once they have their sizes."""
        state = (training, [panel.name for panel in page], self.per_page, self.dashboard.state.snapshot.finished)  # type: ignore[union-attr]
        if state == self._drawn:
            return
        self._drawn = state
        for box, panel in zip([box for box in self.query(".chart") if box.display], page, strict=False):
            box.query_one(Chart).tell(panel.drawn)
            self._tell_legend(box, panel)
        self._page = page

    @on(Chart.Resized)
    def _resized(self) -> None:
        for box, panel in zip([box for box in self.query(".chart") if box.display], self._page, strict=False):
            self._tell_legend(box, panel)

    def _tell_legend(self, box: DOMNode, panel: Panel) -> None:
        edge = box.query_one(PanelEdge)
        lines = box.query_one(Chart).lines
        for title, short in ((panel.title, False), (panel.short or panel.title, True)):
            parts = [
                Part(f"{text}  ", "$quiet" if number_ == AXIS else _STYLES[number_ % len(_STYLES)])
                for text, number_ in panel.legend(lines, short=short)
            ]
            wanted = sum(width(part.text) for part in parts) - 1  # a blank before it, none of the two at its end
            if wanted <= edge.room_beside(title, "") + 3:
                break
        edge.name_panel(title, [Part(" "), *parts], panel.about, active=len(self._page) == 1)

    @on(VirtualTable.Moved)
    def _moved(self) -> None:
        training = self.training
        chosen = self.dashboard.state.chosen
        if training is not None and chosen is not None and chosen[0] != training.model:
            snapshot = self.dashboard.state.snapshot
            pair = (training.model, chosen[1])
            if (
                snapshot is not None
                and not snapshot.overview.filter((pl.col("model") == pair[0]) & (pl.col("task") == pair[1])).is_empty()
            ):
                self.dashboard.state.chosen = self._followed = pair
        if self.dashboard.state.snapshot is not None:
            self._draw()

    # -- keys ------------------------------------------------------------------------------------------------------

    def move(self, where: str) -> None:
        """Choose another encoder."""
        self.table.move(where)

    def step_panel(self, step: int) -> None:
        """Show the next charts, or those before."""
        training = self.training
        if training is not None:
            n_pages = len(self._pages(panels(training, finished=True)))
            self.page = (self.page + step) % n_pages
            self._draw()

    def why_no_copy(self) -> str | None:
        """Why there is nothing to copy."""
        return None if self.training is not None else "nothing is logged yet"

    @property
    def n_all(self) -> tuple[int, int]:
        """Logged steps and validations."""
        return (self.training.steps.height + self.training.validation.height if self.training is not None else 0), 1

    def copied(self, scope: Scope) -> tuple[document.Table, str]:
        """Return all logged steps and validations of the encoder, or the last ones."""
        training = self.training
        assert training is not None
        return curve_table(training, last=scope == "row"), f"training-{training.model}"

    # -- coming back to it -------------------------------------------------------------------------------------------

    def saved(self) -> dict[str, Any]:
        """Which encoder and which charts are shown."""
        training = self.training if self.is_mounted else None
        return {"page": self.page, "model": training.model} if training is not None else {}

    def restore(self, saved: dict[str, Any]) -> None:
        """Show the encoder and the charts of the last time."""
        page, model = saved.get("page"), saved.get("model")
        if type(page) is int and page >= 0:
            self.page = page
        if isinstance(model, str):
            self._wanted, self._followed = model, self.dashboard.state.chosen
