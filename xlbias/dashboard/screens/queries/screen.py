"""The fifth screen: single queries, as a filter leaves them, those that fail first."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from polars.exceptions import PanicException
from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static
from textual.worker import get_current_worker

from xlbias.dashboard import places
from xlbias.dashboard.dialogs.prompt import PromptDialog
from xlbias.dashboard.screens.base import View
from xlbias.dashboard.screens.queries.columns import QUIET, columns, title
from xlbias.dashboard.screens.queries.cursor import QueryCursor
from xlbias.dashboard.screens.queries.wanted import no_baseline, wanted_of
from xlbias.dashboard.state import Scope
from xlbias.dashboard.views.caveats import notes, of_pair
from xlbias.dashboard.views.overview import which_of
from xlbias.dashboard.widgets.caveats import CaveatLine
from xlbias.dashboard.widgets.table.query_table import QueryTable
from xlbias.dashboard.widgets.table.virtual_table import VirtualTable
from xlbias.dashboard.widgets.text.line import Line, Part
from xlbias.dashboard.workers.comparisons import COMPARING
from xlbias.dashboard.workers.query_list import QueryListing, QueryListings, Wanted
from xlbias.dashboard.workers.snapshot import QueryKey
from xlbias.errors import UsageError
from xlbias.report import document
from xlbias.report.documents.queries import LONGEST, queries_table
from xlbias.results.compare import Side
from xlbias.results.queries.filter import EXAMPLES, Filter, parse_filter
from xlbias.results.queries.query_rows import SORTABLE, check_filter
from xlbias.text import clean

_PATIENCE = 0.06  # seconds after which a list that is not there yet is said to be read
_LONGEST = 2000  # characters of a query that are shown below the table
_HINT = "q:hi d:en,multi set:cross ap<.1 rank>10 Δ<0 p<.05 -word passage:word"


class Read(Message):
    """A list is ready, or it is said why there is none."""

    def __init__(self, wanted: Wanted, found: QueryListing | str) -> None:
        super().__init__()
        self.wanted, self.found = wanted, found


class QueriesScreen(View):
    """How many queries and what of them, the table, and the text of the query under the cursor where there is room."""

    PLACE = places.QUERIES
    scopes: tuple[Scope, ...] = ("row", "all")

    DEFAULT_CSS = """
    QueriesScreen {
        #title, #which, #nothing, #hint { padding: 0 1; }
        #nothing { display: none; }
        &.-nothing #nothing { display: block; margin-top: 1; }
        QueryTable { margin-top: 1; }
        #text { height: 4; padding: 1 1 0 1; color: $foreground; display: none; }
        &.-low QueryTable { margin-top: 0; }
        &.-high #text { display: block; }
        &.-high #title { margin-top: 1; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.filter = Filter()
        self.sorted_by: str | None = "ap"
        self.descending = False
        self.listing: QueryListing | None = None
        """What the table shows."""
        self._listings = QueryListings()
        self._asked: Wanted | None = None
        self._said = ""
        self._failed = ""
        self._comparing = False
        self._cursor: tuple[str, ...] | None = None
        self._filter_given = False
        self._patience: Timer | None = None
        self._impatient = False

    def content(self) -> ComposeResult:
        """Title lines, table, text and hint."""
        yield Line(id="title")
        yield Line(id="which")
        yield CaveatLine()
        yield Line(id="nothing")
        yield QueryTable(id="queries")
        yield Static(id="text")
        yield Line(id="hint")

    @property
    def reading(self) -> bool:
        """Whether what is shown is not what was asked for last."""
        if self._asked is None or self._failed:
            return False
        return self.listing is None or self.listing.wanted != self._asked

    @property
    def table(self) -> QueryTable:
        """The table of queries."""
        return self.query_one(QueryTable)

    # -- for whoever walks through the list ----------------------------------------------------------------------------

    @property
    def trouble(self) -> str:
        """Why there is no list, empty where there is one or it is being made."""
        return self._failed

    def begin(self) -> None:
        """Make the list, although the screen is not seen."""
        if not self.is_running:
            self.dashboard.navigation.mount_unseen(self.PLACE)  # it makes its list, too
        elif self.is_mounted and self.listing is None:
            self.show()

    def step(self, step: int) -> QueryKey | None:
        """Move the cursor by a row and return the key there, None where there is none."""
        return QueryCursor(self).step(step)

    def _tell_walker(self) -> None:
        """Tell the screen that is seen instead of this one that there is a list, or why there is none."""
        if self.dashboard.view is not self:
            self.dashboard.navigation.show()

    # -- what is wanted ----------------------------------------------------------------------------------------------

    def set_filter(self, filter: str) -> None:
        """Show what another filter leaves, of the encoder and task that it names; an error leaves all as it is."""
        app = self.dashboard
        try:
            parsed = parse_filter(filter)
            if app.state.snapshot is not None and app.state.chosen is not None:
                chosen = check_filter(parsed, app.state.snapshot.run, app.state.chosen)
                self.filter, self._filter_given = parsed.without("model", "task"), True
                app.selection.choose(chosen)
                return
        except UsageError as error:
            app.notify(clean(str(error)), severity="warning", markup=False)
            return
        self.filter, self._filter_given = parsed, True

    def _wrong(self, text: str) -> str | None:
        """Why a line is no filter for this run, None where it is one."""
        app = self.dashboard
        assert app.state.snapshot is not None and app.state.chosen is not None
        try:
            filter = parse_filter(text)
            check_filter(filter, app.state.snapshot.run, app.state.chosen)
        except UsageError as error:
            return str(error)
        return no_baseline(app.baseline, filter)

    # -- showing it --------------------------------------------------------------------------------------------------

    def _remember(self) -> None:
        """Take filter, order and cursor of the last time, once."""
        saved = self.dashboard.session.of_screen(self.PLACE)
        if saved:
            self.restore(saved)

    def show(self) -> None:
        """Show the queries of the chosen encoder and task; what takes longer is read in a thread."""
        super().show()
        app = self.dashboard
        if app.state.snapshot is None or app.state.chosen is None:
            return
        self._remember()
        wanted, self._said = wanted_of(app.state, app.baseline, self.filter, self.sorted_by, descending=self.descending)
        self._comparing = wanted is None
        if wanted is not None and wanted != self._asked:
            self._asked, self._failed = wanted, ""
            self._impatient = self._sorting and self.listing is not None and self.listing.seconds > _PATIENCE
            if self._patience is not None:
                self._patience.stop()
            self._patience = self.after(_PATIENCE, self._say_reading)
            if self._impatient:
                self.call_after_refresh(self._begin, wanted)  # it is seen before all processors are busy
            else:
                self._begin(wanted)
        self._tell_lines()

    @property
    def _sorting(self) -> bool:
        """Whether the rows that are shown are wanted in another order only."""
        if self._asked is None or self.listing is None:
            return False
        shown = self.listing.wanted
        return self.reading and replace(self._asked, by=shown.by, descending=shown.descending) == shown

    def _begin(self, wanted: Wanted) -> None:
        if wanted == self._asked:
            self.run_worker(partial(self._read, wanted), thread=True, exclusive=True, group="queries")

    def _say_reading(self) -> None:
        self._impatient = True
        self._tell_lines()

    def _read(self, wanted: Wanted) -> None:
        """In a thread: make a list, unless a newer one is wanted."""
        worker = get_current_worker()
        found: QueryListing | str | None
        try:
            found = self._listings.of(wanted, lambda: worker.is_cancelled)
        except (Exception, PanicException) as error:  # whatever a file that changes or vanishes does to its readers
            found = f"cannot be read: {str(error).strip().partition(chr(10))[0] or type(error).__name__}"
        if found is not None and not worker.is_cancelled:
            self.post_message(Read(wanted, found))

    @on(Read)
    def _take(self, message: Read) -> None:
        """Show a list that is ready, unless another one is wanted by now."""
        if message.wanted != self._asked:
            return
        if isinstance(message.found, str):
            self._failed = message.found
            self._tell_lines()
            self._tell_walker()
            return
        before, self.listing = self.listing, message.found
        if self.dashboard.view is not self and self.dashboard.state.query_key is not None:
            self._cursor = self.dashboard.state.query_key  # that is where the one who walks stands
        table, wanted = self.table, message.wanted
        aimed = self._cursor if self._cursor is not None else table.cursor_key
        table.take(
            message.found.frame,
            columns(message.found),
            wanted.by,
            descending=wanted.descending,
            text_of=message.found.texts.text,
        )
        if self._cursor is not None and table.height:
            table.go_to(self._cursor)
        elif before is not None and before.wanted.filter != wanted.filter and table.cursor_key != aimed:
            table.move("first")  # the row under the cursor is not among those that the new filter leaves
        self._cursor = None
        self._tell_lines()
        self._tell_walker()
        self._tell_keys()  # now there is something to copy, or nothing any more
        if before is None:
            self.make_ready(places.QUERY)

    def _tell_lines(self) -> None:
        """Say what is shown, and what is still being read."""
        app, listing = self.dashboard, self.listing
        if app.state.snapshot is None or app.state.chosen is None:
            return
        late = ""
        if self.reading and (self._impatient or listing is None):
            late = "sorting …" if self._sorting else "reading …"
        late = COMPARING if self._comparing else late
        filter = self.filter if listing is None or late else listing.wanted.filter
        self.query_one("#title", Line).set(title(listing, late), str(filter) or "no filter", "$text-primary")
        model, task = (listing.wanted.model, listing.wanted.task) if listing is not None else app.state.chosen
        against = listing.wanted.against if listing is not None else None
        tail = f"{model} on {task}" + (f", Δ to {against.label}" if against else "")
        self.query_one("#which", Line).set([Part(which_of(app.state.snapshot.run, model, task), QUIET)], tail, "bold")
        self.query_one(CaveatLine).tell(self._caveats())
        nothing = listing.nothing if listing is not None and not late else ""
        self.set_class(bool(nothing), "-nothing")
        clears = "; x clears" if str(filter) else ""
        self.query_one("#nothing", Line).set([], nothing and f"{nothing}{clears}", "$text-warning")
        if trouble := self._failed or self._said:
            self.query_one("#hint", Line).set([], trouble, "$text-warning")
        else:
            self.query_one("#hint", Line).set([Part(f"/ {_HINT}", QUIET, key="filter")])
        self._tell_text()

    def _caveats(self) -> list[str]:
        """Return the caveats of what is listed, before that of what is chosen; of differences those of both sides."""
        state, wanted = self.dashboard.state, self.listing.wanted if self.listing is not None else None
        assert state.snapshot is not None and state.chosen is not None
        against = wanted.against if wanted is not None else None
        base = Side(against.run, (against.model,)) if against is not None else None
        model, task = (wanted.model, wanted.task) if wanted is not None else state.chosen
        return of_pair(state.snapshot, model, task, base)

    def _tell_text(self) -> None:
        """Show the whole text of the query under the cursor."""
        key = self.table.cursor_key
        text = self.table.text_of(key[0], key[1]) if key is not None else ""
        content = Content("the run stores no texts" if text is None else clean(text[:_LONGEST]))
        pane = self.query_one("#text", Static)
        if self.has_class("-high") and content != getattr(self, "_pane_says", None):
            self._pane_says = content
            pane.update(content)

    @on(VirtualTable.Moved)
    def _moved(self) -> None:
        self._tell_text()

    @on(VirtualTable.Chosen)
    def _chosen(self) -> None:
        self.press("open")

    # -- keys ------------------------------------------------------------------------------------------------------

    def move(self, where: str) -> None:
        """Move the cursor of the table."""
        self.table.move(where)

    def open(self) -> None:
        """Show the query under the cursor in all its languages."""
        key, listing = self.table.cursor_key, self.listing
        if key is None or listing is None:
            return
        if (listing.wanted.model, listing.wanted.task) != self.dashboard.state.chosen:
            self.dashboard.notify("still reading", timeout=2, markup=False)
            return
        self.dashboard.navigation.open_query((key[0], key[1], key[2]))

    def ask_filter(self) -> None:
        """Ask which queries to show."""
        dialog = PromptDialog("filter", str(self.filter), self._wrong, EXAMPLES, self._take_filter)
        self.app.push_screen(dialog, self._take_filter)

    def _take_filter(self, text: str | None) -> None:
        if text is not None:
            self.set_filter(text)
            self.show()

    def clear_filter(self) -> None:
        """Show all queries in the multilingual pool."""
        self.set_filter("")
        self.show()

    def cycle_sort(self) -> None:
        """Order by the next column."""
        shown = [column.name for column in self.table.columns if column.sortable]
        names = [*shown, None]
        following = names[(names.index(self.sorted_by) + 1 if self.sorted_by in names else 0) % len(names)]
        best_first = any(column.best_first for column in self.table.columns if column.name == following)
        self._order_by(following, descending=best_first)

    def reverse_sort(self) -> None:
        """Turn the order round."""
        self._order_by(self.sorted_by, descending=not self.descending)

    @on(QueryTable.OrderAsked)
    def _order_asked(self, message: QueryTable.OrderAsked) -> None:
        self._order_by(message.by, descending=message.descending)

    def _order_by(self, by: str | None, *, descending: bool) -> None:
        self.sorted_by, self.descending = by, descending
        self.show()

    def why_no_copy(self) -> str | None:
        """Why there is nothing to copy."""
        return None if self.listing is not None and self.listing.frame.height else "there are no queries to copy"

    @property
    def n_all(self) -> tuple[int, int]:
        """The rows of a copy of all."""
        return (min(self.listing.frame.height, LONGEST) if self.listing is not None else 0), 1

    @property
    def copy_waits(self) -> bool:
        """Whether differences from the baseline are computed or read."""
        return self._comparing or (self.reading and self.dashboard.baseline.is_on)

    def copied(self, scope: Scope) -> tuple[document.Table, str]:
        """Return the row under the cursor, or the first thousand rows in the order shown."""
        listing = self.listing
        assert listing is not None
        rows = listing.frame if scope == "all" else listing.frame.slice(self.table.cursor, 1)
        about = listing.wanted
        title = f"Queries of {about.model} on {about.task}: {str(about.filter) or 'the multilingual pool'}"
        label = about.against.label if about.against else ""
        made = queries_table(rows, self.table.text_of, title, label)
        return replace(made, notes=(*made.notes, *notes(self._caveats()))), f"{about.task}-{about.model}-queries"

    # -- coming back to it -------------------------------------------------------------------------------------------

    def saved(self) -> dict[str, Any]:
        """Return filter, order and cursor; those of the last time where the screen has not been seen."""
        self._remember()
        key = self.table.cursor_key if self.is_mounted and self.listing is not None else self._cursor
        return {
            "filter": str(self.filter),
            "sort": self.sorted_by,
            "descending": self.descending,
            "cursor": list(key) if key else None,
        }

    def restore(self, saved: dict[str, Any]) -> None:
        """Take filter, order and cursor of the last time, as far as they fit; a filter that was just given stays."""
        by, descending, cursor, filter = (saved.get(name) for name in ("sort", "descending", "cursor", "filter"))
        if by is None or by in SORTABLE:
            self.sorted_by, self.descending = by, descending is True
        if self._filter_given:
            return
        if isinstance(filter, str):
            try:
                self.filter = parse_filter(filter).without("model", "task")
            except UsageError:
                return
        if isinstance(cursor, list) and len(cursor) == 3 and all(isinstance(part, str) for part in cursor):
            self._cursor = tuple(cursor)
