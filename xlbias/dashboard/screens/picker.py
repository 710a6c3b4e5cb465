"""The picker: runs near here and those looked at before; Enter opens one, two that are marked are compared."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from xlbias.dashboard import places
from xlbias.dashboard.dialogs.prompt import PromptDialog
from xlbias.dashboard.screens.base import View
from xlbias.dashboard.views import picker
from xlbias.dashboard.widgets.details import Details
from xlbias.dashboard.widgets.table.columns import Column
from xlbias.dashboard.widgets.table.virtual_table import VirtualTable
from xlbias.dashboard.widgets.text.line import Line, Part
from xlbias.dashboard.widgets.thumbnail import Thumbnail
from xlbias.dashboard.workers.shelf import Listed
from xlbias.report.numbers import number
from xlbias.runs.heads import Head

_DIM = "virtual-table--dim"
_OLDER = 60.0  # seconds after which ages are written anew
_ROOM = 100  # cells from which there is room beside names, so that encoders can still be read
_AHEAD = 40  # rows from the first one seen whose small matrices are made

_MARK = Column("mark", "", 4, align="left", sortable=False)
COLUMNS = (
    Column("state", "state", 11, align="left"),
    Column("age", "age", 6, sortable=False, style=_DIM),
    Column("size", "size", 6, picker.bytes_of, best_first=True, rank=1, style=_DIM),
    Column("profile", "by language", 12, align="left", sortable=False, rank=2),
    Column("run", "run", 26, text=True, style="virtual-table--name"),
    Column("encoders", "encoders", 34, text=True),
    Column("tasks", "tasks", 24, text=True, style=_DIM),
)


class PickerScreen(View):
    """A row per run above, what the one under the cursor holds below."""

    PLACE = places.PICKER

    BINDINGS: ClassVar[list[BindingType]] = [Binding("space", "app.key('mark')", show=False, id="mark")]

    DEFAULT_CSS = """
    PickerScreen {
        #found { padding: 0 2; margin-top: 1; }
        #none { padding: 1 2; display: none; }
        #below { height: 9; margin-top: 1; border-top: solid $quiet; }
        #small { width: 38; padding: 0 2; display: none; }
        #about { width: 1fr; scrollbar-size-vertical: 1; }
        &.-low #found { margin-top: 0; }
        &.-low #below { display: none; }
        &.-high #below { height: 16; }
        &.-wide #small { width: 60; }
        &.-thumbnail #small { display: block; }
        &.-empty VirtualTable { display: none; }
        &.-empty #below { display: none; }
        &.-empty #none { display: block; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.listed: Listed | None = None
        self.marked: list[Path] = []
        """Runs that are marked, the base of a comparison first."""
        self._filter = ""
        self._numbers: dict[Path, int] = {}
        """What names a row of the table: a path need not be text."""
        self._of_number: dict[int, Head] = {}

    def content(self) -> ComposeResult:
        """How many there are, the table, and below it the run under the cursor."""
        yield Line(id="found")
        yield Static(Content(picker.EMPTY), id="none")
        yield VirtualTable(COLUMNS, ("at",), id="runs")
        with Horizontal(id="below"):
            with Vertical(id="small"):
                yield Line(id="small-title")
                yield Thumbnail()
            with VerticalScroll(id="about", can_focus=False):
                yield Details()

    def on_mount(self) -> None:
        """Ages grow while it is looked at."""
        super().on_mount()
        self.set_interval(_OLDER, self._grow_older)

    def _grow_older(self) -> None:
        if self.is_current:
            self.show()

    @property
    def table(self) -> VirtualTable:
        """The table of runs."""
        return self.query_one(VirtualTable)

    @property
    def head(self) -> Head | None:
        """The run under the cursor."""
        key = self.table.cursor_key
        return self._of_number.get(key[0]) if key is not None else None

    def take(self, listed: Listed) -> None:
        """Show another list; the cursor stays on its run."""
        self.listed = listed
        there = {head.path for head in listed.heads}
        self.marked = [path for path in self.marked if path in there]
        if self.is_mounted:
            self.show()

    def show(self) -> None:
        """Show the newest list."""
        super().show()
        listed = self.listed
        heads = picker.ordered(picker.matching(listed.heads, self._filter)) if listed is not None else []
        for head in heads:
            self._numbers.setdefault(head.path, len(self._numbers))
        self._of_number = {self._numbers[head.path]: head for head in heads}
        folder = self.dashboard.state.path
        thumbnails = listed.thumbnails if listed is not None else {}
        frame = picker.rows(heads, self._numbers, thumbnails, self.marked, time.time(), folder)
        self.table.set_columns(self._columns())
        self.table.replace(frame)
        self.set_class(listed is not None and not listed.heads and not listed.searching, "-empty")
        self.query_one("#found", Line).set(self._found(), self._said(), "bold" if self.marked else "$quiet")
        self._show_head()

    def _columns(self) -> tuple[Column, ...]:
        """Return the columns that there is something in, and room for beside names."""
        wide = self.app.size.width >= _ROOM
        shown = COLUMNS if wide else tuple(c for c in COLUMNS if c.name not in ("size", "profile"))
        return (_MARK, *shown) if self.marked else shown

    def _found(self) -> list[Part]:
        parts = [Part(f"{picker.told(self.listed, len(self._of_number), self._filter)}   ", "$quiet")]
        if self._filter.split():
            parts.append(Part("x clears  ", "$text-accent", key="filter.clear"))
        return parts

    def _said(self) -> str:
        return picker.choice(self.marked, self.dashboard.state.path, self._heads) or self._filter

    @property
    def _heads(self) -> Sequence[Head]:
        return self.listed.heads if self.listed is not None else ()

    def _show_head(self) -> None:
        head, table = self.head, self.table
        self.query_one(Details).tell(picker.facts(head) if head is not None else [])
        made = self.listed.thumbnails.get(head.path) if self.listed is not None and head is not None else None
        self.set_class(made is not None, "-thumbnail")
        self.query_one(Thumbnail).show(made.matrix if made is not None else None)
        if made is not None:
            self.query_one("#small-title", Line).set(
                [Part("mAP ", "bold $text-accent"), Part(f"to {number(max(made.matrix.values))}  ", "$quiet")],
                f"{made.matrix.model} on {made.matrix.task}",
                "$quiet",
            )
        if self.dashboard.shelf is not None and self.app.is_running:
            top = round(table.scroll_y)
            seen = [self._of_number[table.key_at(row)[0]] for row in range(top, min(top + _AHEAD, table.height))]
            first = [head] if head is not None else []
            self.dashboard.shelf.want([one.path for one in (*first, *(s for s in seen if s is not head))])

    @on(VirtualTable.Moved)
    def _moved(self) -> None:
        self._show_head()

    @on(VirtualTable.Chosen)
    def _chosen(self) -> None:
        self.press("open")

    # -- keys ------------------------------------------------------------------------------------------------------

    def why_no_row(self) -> str | None:
        """Why nothing can be done with the row under the cursor, None where there is one."""
        return None if self.head is not None else "there is no run in the list"

    def move(self, where: str) -> None:
        """Move the cursor."""
        self.table.move(where)

    def open(self) -> None:
        """Open the run under the cursor, or compare two that are marked."""
        if len(self.marked) == len(picker.SIDES):
            if picker.why_not_compared(self.marked, self._heads) is not None:
                said = picker.choice(self.marked, self.dashboard.state.path, self._heads)
                self.dashboard.notify(said, severity="warning", timeout=3, markup=False)
                return
            base, new = self.marked
            self.marked = []
            self.dashboard.open_run(new, base)
        elif self.head is not None:
            self.dashboard.open_run(self.head.path)

    def toggle_mark(self) -> None:
        """Mark the run under the cursor, or no longer, and go on to the next one."""
        head = self.head
        if head is None:
            return
        if head.path in self.marked:
            self.marked.remove(head.path)
        elif head.status == "broken" or head.trained or not head.tasks:
            what = "a broken run" if head.status == "broken" else "a run without rankings"
            self.dashboard.notify(f"{what} cannot be compared", severity="warning", timeout=3, markup=False)
            return
        elif len(self.marked) == len(picker.SIDES):
            self.dashboard.notify("two are marked: Enter compares them, Space unmarks one", timeout=3, markup=False)
            return
        else:
            self.marked.append(head.path)
            self.table.move("down")
        self.show()

    def ask_filter(self) -> None:
        """Ask for words that a run must have."""
        hints = ("words in path, encoders, tasks and state; case and accents are ignored",)
        self.app.push_screen(PromptDialog("filter runs", self._filter, hints=hints), self._take_filter)

    def _take_filter(self, words: str | None) -> None:
        if words is not None:
            self._filter = words
            self.show()

    def clear_filter(self) -> None:
        """Show all runs."""
        self._filter = ""
        self.show()

    def cycle_sort(self) -> None:
        """Sort by the next column."""
        self.table.cycle_sort()

    def reverse_sort(self) -> None:
        """Turn the order of the table round."""
        self.table.reverse_sort()
