"""The sixth screen: one query in all its languages, what was found for it, and how that moved between two runs."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, cast

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.timer import Timer

from xlbias.dashboard import places
from xlbias.dashboard.screens.base import View
from xlbias.dashboard.screens.queries.cursor import QueryCursor, QueryList
from xlbias.dashboard.screens.query import stepping
from xlbias.dashboard.screens.query.labels import (
    PANELS,
    about_cursor,
    about_run,
    no_rows,
    passage_under_cursor,
    tab_parts,
    text_under_cursor,
    title_parts,
    why_no_text,
)
from xlbias.dashboard.screens.query.panel import QueryPanel
from xlbias.dashboard.screens.query.stepping import Stepping
from xlbias.dashboard.state import Scope
from xlbias.dashboard.views.query_panels import Panel, Reading, passages_of, table
from xlbias.dashboard.widgets.text.line import Line, Part
from xlbias.dashboard.widgets.text.pane import Form, TextPane
from xlbias.dashboard.workers.query_reader import (
    Pairs,
    Readable,
    Translated,
    Views,
    Wanted,
    WantedTranslations,
    why_not_comparable,
)
from xlbias.languages import language_name
from xlbias.report import document
from xlbias.results.queries.query import QueryView
from xlbias.results.queries.translations import first_choice
from xlbias.text import one_line, width

if TYPE_CHECKING:
    from xlbias.dashboard.workers.snapshot import Chosen, QueryKey
    from xlbias.results.run import Run

_FORMS: tuple[Form | None, ...] = (None, "text", "points")
"""The text under the cursor: its beginning below the panels, the whole of it, every code point of it."""

_READING = "reading …"

_LEAST_ROWS, _MOST_ROWS = 4, 12  # of a panel among several, before they share the room
_HEADS = 2  # lines of a panel above its rows


class Read(Message):
    """A query has been read, or translations of its passages."""

    def __init__(self, wanted: Readable, version: tuple[object, ...], view: QueryView | Translated | str) -> None:
        super().__init__()
        self.wanted, self.version, self.view = wanted, version, view


class QueryScreen(View):
    """Title and query above, panels below, one at a time or several, and the text under the cursor."""

    PLACE = places.QUERY
    scopes: tuple[Scope, ...] = ("row", "all")

    DEFAULT_CSS = """
    QueryScreen {
        #title, #which, #tabs, #under { padding: 0 1; }
        #which { color: $quiet; }
        #asked { height: 2; color: $text-primary; text-style: bold; }
        #panels, #middle { height: 1fr; }
        #under { background: $panel; }
        #under:ansi { background: ansi_default; text-style: underline; }
        #asked-in, #reader-in, #whole-in { display: none; }
        #asked-in { height: 1; color: $text-primary; }
        #reader { height: 3; }
        #reader-in { height: 3; }
        #whole { display: none; }
        &.-translated #asked-in, &.-translated #reader-in { display: block; }
        &.-translated #asked { height: 1; }
        &.-translated #reader { height: 2; }
        &.-translated.-low #reader { height: 1; }
        &.-translated.-low #reader-in { height: 2; }
        &.-low #reader { height: 2; }
        &.-high #reader { height: 6; }
        &.-wide.-high #reader, &.-wide.-high #reader-in { height: 2; }
        &.-wide.-high #asked { height: 1; }
        &.-wide.-high #which { display: none; }
        &.-wide.-high.-said #which { display: block; }
        &.-wide.-high #tabs { display: none; }
        &.-wide.-high #ranks { width: auto; max-width: 66%; margin-right: 1; }
        &.-text #panels, &.-text #reader, &.-text #tabs, &.-text #asked { display: none; }
        &.-text #reader-in, &.-text #asked-in { display: none; }
        &.-text #whole, &.-text.-translated #whole-in { display: block; }
        &.-text.-points #whole-in { display: none; }
        &.-stale #panels, &.-stale #tabs, &.-stale #under, &.-stale #reader, &.-stale #whole { opacity: 40%; }
        &.-stale:ansi #panels, &.-stale:ansi #tabs, &.-stale:ansi #under { opacity: 100%; }
        &.-stale:ansi #reader, &.-stale:ansi #whole { opacity: 100%; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.panel: Panel = PANELS[0]
        self.form: Form | None = None
        self.views, self.translations, self._pairs = Views(), Views(), Pairs()
        self.language = ""
        """The language that passages are read in; empty for their own."""
        self.reading: Reading | None = None
        self._reading: tuple[object, ...] | None = None
        self._remembered = self._panel_chosen = False
        self._drawn: tuple[object, ...] = ()
        self.query_view: QueryView | None = None
        """What is shown; None while it is being read."""
        self.other_view: QueryView | None = None
        """The same query of the baseline."""
        self._settling: tuple[object, ...] = ()
        self._settle_timer: Timer | None = None
        self._seen: tuple[QueryView | None, QueryView | None] = (None, None)
        """What stands in the panels: while a query is being read, the one before, dimmed."""

    def content(self) -> ComposeResult:
        """Title, query, panels, and the text under the cursor."""
        yield Line(id="title")
        yield Line(id="which")
        yield TextPane(id="asked")
        yield TextPane(id="asked-in")
        yield Line(id="tabs")
        with Vertical(id="panels"):
            yield QueryPanel("top")
            with Horizontal(id="middle"):
                yield QueryPanel("ranks")
                yield QueryPanel("relevant")
            yield QueryPanel("languages")
        yield Line(id="under")
        yield TextPane(id="reader")
        yield TextPane(id="reader-in")
        yield TextPane(id="whole")
        yield TextPane(id="whole-in")

    @cached_property
    def stepping(self) -> Stepping:
        """Steps through what the Queries screen lists."""
        return Stepping(QueryCursor(cast("QueryList", self.dashboard.navigation.queries)))

    # -- what is shown -----------------------------------------------------------------------------------------------

    def show(self) -> None:
        """Show the chosen query of the present snapshot; what has not been read yet is read in a thread.

        While the screen is not seen nothing is read, but the panels find their places.
        """
        app = self.dashboard
        self._remember()
        snapshot, chosen, query = app.state.snapshot, app.state.chosen, app.state.query_key
        if app.view is self and snapshot is not None and chosen is not None and query is not None:
            self._show_query(snapshot.run, chosen, query)
        else:
            self._fill(compared=False)
        super().show()
        self._walk(self.stepping.next_step())

    def _show_query(self, run: Run, chosen: Chosen, key: QueryKey) -> None:
        app = self.dashboard
        against = app.baseline.against if app.baseline.is_on else None
        mine = Wanted(run, *chosen, key)
        theirs, said = None, ""
        if against is not None:
            said = why_not_comparable(mine.run, against.run, mine.task, against.label)
            theirs = None if said else Wanted(against.run, against.model, mine.task, key)
        sides = [wanted for wanted in (mine, theirs) if wanted is not None]
        ahead = [replace(wanted, query=beside) for beside in self.stepping.ahead_of(key) for wanted in sides]
        view = self._kept(mine)
        other = self._kept(theirs) if theirs is not None else None
        translated = self._wanted_translations(mine, view, other)
        self._tell_reading(translated)
        missing: list[Readable] = [wanted for wanted in sides if not self.views.get(wanted)[1]]
        if translated is not None and not self.translations.get(translated)[1]:
            missing.append(translated)
        self._read_next([*missing, *(wanted for wanted in ahead if not self.views.get(wanted)[1])])
        if isinstance(other, str):
            said = other
        elif theirs is not None and other is None:
            said = "reading the baseline …"
        elif other is not None and not other.ranked:
            said = "the baseline has not ranked this query here"
        self.query_view = view if isinstance(view, QueryView) else None
        self.other_view = other if isinstance(other, QueryView) else None
        if self.query_view is not None and not self._panel_chosen:  # many runs keep the top k of one pool only
            self.panel = PANELS[0 if self.query_view.top or not self.query_view.ranked else 1]
        problem = view if isinstance(view, str) else ""
        self._tell_title(problem, said, against.label if theirs and against else "", mine)
        if view is not None:
            self._seen = (self.query_view, self.other_view)
        self._fill(compared=theirs is not None)
        if view is not None and (theirs is None or other is not None):
            self._settle(mine.key)

    def _remember(self) -> None:
        """Take the panel of the last time, once."""
        if not self._remembered:
            self._remembered = True
            saved = self.dashboard.session.of_screen(self.PLACE)
            self.stepping.list_wanted = bool(saved)
            self.restore(saved)

    def _kept(self, wanted: Wanted) -> QueryView | str | None:
        found = self.views.get(wanted)[0]
        assert not isinstance(found, Translated)
        return found

    def _wanted_translations(
        self, mine: Wanted, view: QueryView | str | None, other: QueryView | str | None
    ) -> WantedTranslations | None:
        """Return what is to be read in another language, None where nothing is, or not yet."""
        about = mine.run.task(mine.task)
        if not isinstance(view, QueryView) or about is None or self.language not in about.pool_sizes:
            return None
        shown = passages_of(view, other if isinstance(other, QueryView) else None)
        passages = {passage.passage_id: passage.language for passage in shown}
        return WantedTranslations(mine, passages, self.language, self._pairs)

    def _tell_reading(self, wanted: WantedTranslations | None) -> None:
        """Take what is known of translations; the same object while nothing has changed."""
        found = self.translations.get(wanted)[0] if wanted is not None else None
        if wanted is None:
            self.reading = None
        elif isinstance(found, Translated):
            if self.reading is None or self.reading.found is not found.found:
                self.reading = Reading(self.language, found.found)
        else:
            new = Reading(self.language, None, found if isinstance(found, str) else "")
            self.reading = self.reading if self.reading == new else new

    def _read_next(self, missing: list[Readable]) -> None:
        """Read one thing at a time, what is wanted now first and what may come next last: no queue builds up."""
        if missing and self._reading is None:
            self._reading = missing[0].key
            self.call_after_refresh(self._begin, missing[0])  # what is known already is seen first

    def _begin(self, wanted: Readable) -> None:
        self.run_worker(partial(self._read, wanted), thread=True, group="query", exit_on_error=False)

    def _read(self, wanted: Readable) -> None:
        version = wanted.version
        self.post_message(Read(wanted, version, wanted.read()))

    @on(Read)
    def _take(self, message: Read) -> None:
        """Keep what was read, and show it if it is still what is looked at."""
        self._reading = None
        kept = self.translations if isinstance(message.wanted, WantedTranslations) else self.views
        kept.put(message.wanted, message.version, message.view)
        if self.dashboard.view is self:
            self.show()

    def _tell_title(self, problem: str, said: str, base: str, mine: Wanted) -> None:
        view = self.query_view
        parts = title_parts(mine.query, view, self.other_view, self.stepping.cursor.place_of(mine.query))
        if view is None and not problem:
            parts.append(Part(f"{_READING}  ", "italic"))
        elif self.stepping.waits:
            parts.append(Part("reading the list …  ", "italic"))
        room = self.size.width - 2 - (len(said) + 2 if said else 0)
        tail = mine.query[0]
        if self.several:
            tail = f"{one_line(tail, 40)}   "
            beside = self.size.width - 2 - sum(len(part.text) for part in parts) - width(tail)
            tail += about_run(mine.model, mine.task, "", beside)  # the baseline is named above its list
        named = about_run(mine.model, mine.task, base, room)
        self.query_one("#title", Line).set(parts, tail, "$quiet")
        self.set_class(bool(said), "-said")
        self.query_one("#which", Line).set([Part(f"{said}  ", "$text-warning")] if said else [], named)
        chosen = view.chosen if view else None
        own = problem or (why_no_text(view) if view and (chosen is None or chosen.text is None) else "")
        cursor = self.stepping.cursor
        in_list = "" if view else cursor.text_of(mine.query, mine.run, mine.task) or ""
        text = (chosen.text or "") if chosen else in_list
        own = own or ("" if view or text else _READING)
        self.query_one("#asked", TextPane).tell("" if own else text, own=own)
        self._tell_asked_in(view)

    def _tell_asked_in(self, view: QueryView | None) -> None:
        """Show the query, too, in the language that passages are read in."""
        self.set_class(self.reading is not None, "-translated")
        if self.reading is None or view is None:
            return
        language = self.reading.language
        there = next((one for one in view.languages if one.language == language), None)
        own = "" if there and there.text else f"This query is not in the run in {self.reading.name}."
        if view.query_language == language:
            own = "asked in this language"
        text = (there.text if there else None) or ""
        self.query_one("#asked-in", TextPane).tell("" if own else text, own=own, label=one_line(language, 12))

    @property
    def several(self) -> bool:
        """Whether there is room for several panels."""
        return self.has_class("-wide") and self.has_class("-high")

    def _fill(self, *, compared: bool) -> None:
        """Bring the panels up to date."""
        view, other = self._seen
        stale = self.query_view is None and view is not None
        state = (view, other, self.reading, compared, self.several, self.panel, self.form, self.size, stale)
        if len(state) == len(self._drawn) and all(
            old is new or (i > 2 and old == new) for i, (old, new) in enumerate(zip(self._drawn, state, strict=True))
        ):
            return
        self._drawn = state
        for panel in self.query(QueryPanel):
            panel.display = self.several or panel.name_of == self.panel
            panel.tell(
                view, other, compared=compared, titled=self.several,
                active=self.panel, cells=self.size.width, reading=self.reading,
            )  # fmt: skip
        self.query_one("#middle").display = self.several or self.panel in ("ranks", "relevant")
        self._share_room(view)
        self.query_one("#tabs", Line).set(tab_parts(self.panel, view, self.size.width - 2))
        self.set_class(self.form is not None, "-text")
        self.set_class(stale, "-stale")
        self._tell_under()

    def _share_room(self, view: QueryView | None) -> None:
        """Give each panel of several as many lines as its rows need, in proportion where there are too few."""
        rows = {"top": 1, "middle": 1, "languages": 1}
        if self.several and view is not None:
            n = len(view.languages)
            rows = {
                "top": len((view.united or view).top), "middle": max(n, len(view.relevants)), "languages": n
            }  # fmt: skip
            rows = {name: min(max(count, _LEAST_ROWS), _MOST_ROWS) + _HEADS for name, count in rows.items()}
        for name, lines in rows.items():  # what is read in another language is seen whole
            whole = self.several and name == "top" and self.reading is not None
            self.query_one(f"#{name}").styles.height = lines if whole else f"{lines}fr"

    @property
    def _active(self) -> QueryPanel:
        return self.query_one(f"#{self.panel}", QueryPanel)

    @on(QueryPanel.Moved)
    def _moved(self, message: QueryPanel.Moved) -> None:
        if message.name == self.panel:
            self._tell_under()

    @on(TextPane.Scrolled)
    def _scrolled(self) -> None:
        self._tell_under()

    def _tell_under(self) -> None:
        """Show the text under the cursor, and what it is."""
        line, (view, other), row = self.query_one("#under", Line), self._seen, self._active.cursor
        if view is None or row is None:
            line.set([])
            self.query_one("#reader", TextPane).tell("", own=no_rows(self.panel, view) if view else "")
            for pane in ("#reader-in", "#whole", "#whole-in"):
                self.query_one(pane, TextPane).tell("")
            return
        parts, tail = about_cursor(self.panel, view, other, row)
        text, own = text_under_cursor(self.panel, view, other, row)
        if self.form is None:
            self.query_one("#reader", TextPane).tell(text, own=own)
        else:
            if self.panel == "ranks":
                text, own = text_under_cursor("languages", view, other, row)
            whole = self.query_one("#whole", TextPane)
            whole.tell(text, own=own, form=self.form)
            what = "whole text" if self.form == "text" else "code points: number, bidi class, name"
            lines = f"line {whole.top + 1:,} of {whole.n_lines:,}  " if whole.n_lines else ""
            parts = [Part(f"{what}  {lines}", "$text-accent"), *parts]
        line.set(parts, tail, "$quiet")
        self._tell_translation(view, other, row)

    def _tell_translation(self, view: QueryView, other: QueryView | None, row: int) -> None:
        """Show the passage under the cursor in the language that is read, below its own text."""
        self.set_class(self.form == "points", "-points")
        if self.reading is None:
            return
        passage = passage_under_cursor(self.panel, view, other, row)
        text, own = self.reading.text_of(passage) if passage is not None else ("", "")
        if passage is not None and passage.language == self.reading.language:
            text, own = "", "in this language already"
        label = one_line(self.reading.language, 12) if passage is not None else ""
        for pane in ("#reader-in", "#whole-in"):
            self.query_one(pane, TextPane).tell(text, own=own, label=label)

    # -- walking -------------------------------------------------------------------------------------------------------

    def _settle(self, what: tuple[object, ...]) -> None:
        """Begin to wait: once this has been looked at for a moment, what lies beside it is read."""
        if what != self._settling:
            self._settling = what
            if self._settle_timer is not None:
                self._settle_timer.stop()
            self._settle_timer = self.after(stepping.SETTLED, self._has_settled)

    def _has_settled(self) -> None:
        self.stepping.settle(self._settling)
        if self.dashboard.view is self:
            self.show()

    def _ask_step(self, step: int) -> None:
        """Walk to another query; where no list has been made, once it is there."""
        if self.stepping.ask(step):
            self._walk(step)
        else:
            self.show()

    def _walk(self, step: int) -> None:
        """Walk to another query of the list, or say why there is none."""
        if not step:
            return
        app = self.dashboard
        said = self.stepping.why_not()
        if not said:
            if app.state.query_key is not None:
                self.stepping.cursor.go_to(app.state.query_key)
            if not app.navigation.step_query(step):
                said = f"this is the {'first' if step < 0 else 'last'} query of the list"
        if said:
            self.notify(said, timeout=2, markup=False)

    # -- keys ----------------------------------------------------------------------------------------------------------

    def move(self, where: str) -> None:
        """Walk to another query (``left``, ``right``), or move the cursor, or scroll the text that is open."""
        if where in ("left", "right"):
            self._ask_step(-1 if where == "left" else 1)
        elif self.panel_open:
            for pane in ("#whole", "#whole-in"):
                self.query_one(pane, TextPane).move(where)
        else:
            self._active.move(where)

    def step_panel(self, step: int) -> None:
        """Show the next panel, or make it the one that the keys move in."""
        self._choose_panel(PANELS[(PANELS.index(self.panel) + step) % len(PANELS)])

    def _choose_panel(self, panel: Panel) -> None:
        self.panel, self._panel_chosen = panel, True
        self.show()

    def step_text_view(self) -> None:
        """Show the text under the cursor in a pane of its own, then its code points, then the panels again."""
        self.form = _FORMS[(_FORMS.index(self.form) + 1) % len(_FORMS)]
        self.show()

    def pick_language(self) -> None:
        """Choose the language that passages are read in: English at first, where it exists."""
        from xlbias.dashboard.dialogs.picker import Choice, PickDialog

        state = self.dashboard.state
        assert state.snapshot is not None and state.chosen is not None
        about = state.snapshot.run.task(state.chosen[1])
        sizes = about.pool_sizes if about is not None else {}
        first = self.language if self.language in sizes else first_choice(sizes)
        choices = [Choice(code, language_name(code), code) for code in sorted(sizes, key=language_name)]
        own = Choice("", "none: their own text alone")
        self.app.push_screen(PickDialog("read passages in", [*choices, own], first), self._read_in)

    def _read_in(self, language: str | None) -> None:
        """Read passages in a language; an empty one is their own, None changes nothing."""
        if language is not None:
            self.language = language
            self.show()

    @on(QueryPanel.Opened)
    def _opened(self, message: QueryPanel.Opened) -> None:
        if message.name == self.panel:
            self.press("text")

    def on_click(self, event: events.Click) -> None:
        """Make the panel that was clicked the one that the keys move in."""
        clicked = event.widget.ancestors_with_self if event.widget else ()
        panel = next((node for node in clicked if isinstance(node, QueryPanel)), None)
        if panel is not None and panel.name_of != self.panel:
            self._choose_panel(panel.name_of)

    @property
    def panel_open(self) -> bool:
        """Whether a text has taken the place of the panels."""
        return self.form is not None

    def close_panel(self) -> None:
        """Show the panels again."""
        self.form = None
        self.show()

    def why_no_copy(self) -> str | None:
        """Why there is nothing to copy."""
        if self.query_view is None:
            return "the query is still being read"
        return None if self._active.cursor is not None else "there is nothing in this panel"

    @property
    def n_all(self) -> tuple[int, int]:
        """The rows of the panel."""
        return self._active.table.height, 1

    def copied(self, scope: Scope) -> tuple[document.Table, str]:
        """Return the panel as a table, or its row under the cursor, with texts in full."""
        view, row = self.query_view, self._active.cursor
        assert view is not None and row is not None
        made = table(self.panel, view, self.other_view, None if scope == "all" else [row], self.reading)
        return made, f"{view.task}-{view.query_id}-{self.panel}"

    # -- coming back to it ---------------------------------------------------------------------------------------------

    def saved(self) -> dict[str, Any]:
        """Return the panel and the query; those of the last time where the screen has not been seen."""
        self._remember()
        return {"panel": self.panel, "query": self.dashboard.state.query_key, "language": self.language}

    def restore(self, saved: dict[str, Any]) -> None:
        """Look at the panel that was looked at, in the language that was read."""
        language = saved.get("language")
        self.language = language if isinstance(language, str) else self.language
        panel = saved.get("panel")
        if panel in PANELS:
            self.panel, self._panel_chosen = panel, True
