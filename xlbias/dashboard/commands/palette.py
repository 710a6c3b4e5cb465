"""The command palette: keys of the registry, measures, cells, encoders, baselines, themes and filters, by typing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from textual import on
from textual.app import ComposeResult
from textual.command import CommandInput, CommandList, CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import LoadingIndicator

from xlbias.dashboard.commands.keys import press, registry
from xlbias.dashboard.commands.matching import filter_in, score, spans
from xlbias.dashboard.places import MATRIX, SCREENS
from xlbias.folding import folded
from xlbias.languages import language_name
from xlbias.measures.measure import Measure
from xlbias.report.numbers import number
from xlbias.results.matrix import MATRIX_MEASURES
from xlbias.runs.schema import MULTILINGUAL_POOL
from xlbias.text import clean, one_line

if TYPE_CHECKING:
    from xlbias.dashboard.parts import Dashboard

_MOST_HITS = 60
_MAP = "map"  # what the worst and the best pair are by


@dataclass(frozen=True)
class Command:
    """What the palette can find: cleaned text, how it is compared, and what it does.

    Attributes:
        text: what is shown.
        folded: the same for comparing, and behind it other words for it, which are not shown.
        action: what it does.
        names: what it is called: one of these typed in full comes before everything else.
    """

    text: str
    folded: str
    action: Callable[[], object]
    names: frozenset[str] = frozenset()


def _command(text: str, action: Callable[[], object], names: Iterable[str] = (), words: str = "") -> Command:
    called = frozenset(map(folded, names))
    return Command(text, folded(" ".join(filter(None, (text, *sorted(called), words)))), action, called)


class CleanInput(CommandInput):
    """The line to type in, which holds no control character, whatever is pasted into it."""

    @on(CommandInput.Changed)
    def _cleaned(self, event: CommandInput.Changed) -> None:
        safe = clean(event.value)
        if safe != event.value:
            event.stop()
            self.value = safe


class Palette(CommandPalette):
    """The palette over the present screen."""

    def __init__(self) -> None:
        super().__init__(providers=[Commands], placeholder="command, hi→en, measure, encoder, theme, ap<0.1")

    def compose(self) -> ComposeResult:
        """The line to type in above what is found."""
        with Vertical(id="--container"):
            with Horizontal(id="--input"):
                line = CleanInput(placeholder=self._placeholder, select_on_focus=False)
                line.cursor_blink = False  # an idle palette sends nothing
                yield line
            with Vertical(id="--results"):
                yield CommandList()
                yield LoadingIndicator()


class Commands(Provider):
    """What the palette finds. Its texts are shown as content, never as markup: some of them come from data."""

    _known: tuple[Command, ...] | None = None

    @property
    def _dashboard(self) -> Dashboard:
        return cast("Dashboard", self.app)

    def _keys(self) -> Iterator[Command]:
        app = self._dashboard
        for key in registry().values():
            if key.section != "Move" and key.id != "palette" and key.why_not(app) is None:
                place = SCREENS.get(key.id)
                text = f"{place.title} ({key.first}): " if place else ""
                text += key.description if place else f"{key.description}  ({key.first})"
                names = (key.label, key.id, *([place.title] if place else []))
                yield _command(text, partial(press, app, key.id), names, key.words)

    def _of_the_run(self) -> Iterator[Command]:
        app = self._dashboard
        if app.state.snapshot is None or app.state.chosen is None:
            return
        for measure in MATRIX_MEASURES.values():
            text = f"measure: {measure.label}  {measure.definition}"
            yield _command(text, partial(_show_measure, app, measure), (measure.label, measure.name))
        for model, task in app.state.snapshot.overview.select("model", "task").rows():
            text = f"matrix of {one_line(model, 60)} on {one_line(task, 60)}"
            yield _command(text, partial(app.navigation.open_matrix, (model, task)))
        matrix = app.state.snapshot.matrix(app.state.measure.name, *app.state.chosen)
        for language in matrix.rows:
            for pool in matrix.columns:
                every = pool == MULTILINGUAL_POOL
                code, name = ("multi", "all") if every else (pool, language_name(pool))
                text = one_line(f"{language}→{code}  {language_name(language)} → {name}", 80)
                yield _command(text, partial(_show_cell, app, (language, pool)))
        yield from self._extremes()
        for text, name in self._baselines():
            yield _command(f"baseline: {text}", partial(app.selection.take_baseline, name))

    def _extremes(self) -> Iterator[Command]:
        """Yield the worst and the best pair of languages of what is chosen, by mAP."""
        app = self._dashboard
        assert app.state.snapshot is not None
        for row in app.state.snapshot.overview.iter_rows(named=True):
            if (row["model"], row["task"]) != app.state.chosen:
                continue
            for end in ("worst", "best"):
                pair = row[f"{end}_pair"]
                cell = next((c for c in _cells(app) if "→".join(c) == pair), None) if pair else None
                if cell is not None:
                    text = f"{end} pair  {one_line(pair, 40)}, mAP {number(row[end])}, of {one_line(row['model'], 60)}"
                    yield _command(text, partial(_show_pair, app, cell))

    def _baselines(self) -> Iterator[tuple[str, str]]:
        from xlbias.dashboard.commands.availability import no_other

        app = self._dashboard
        if no_other(app) is not None or app.state.snapshot is None:
            return
        for model in (app.state.base or app.state.snapshot).run.models:
            yield one_line(model.name, 60), model.name
        yield "none: show values", ""

    def _all(self) -> tuple[Command, ...]:
        """Everything that can be found, made once while the palette is open."""
        if self._known is None:
            themes = (
                _command(f"theme: {name}", partial(setattr, self.app, "theme", name))
                for name in self.app.available_themes
            )
            self._known = (*self._keys(), *self._of_the_run(), *themes)
        return self._known

    async def discover(self) -> Hits:
        """Offer the keys before anything is typed."""
        for command in self._keys():
            yield DiscoveryHit(Content(command.text), command.action, text=command.text)

    async def search(self, query: str) -> Hits:
        """Find what holds every typed word; ``hi>en`` and ``hi-en`` mean ``hi→en``, ``ap<0.1`` filters queries."""
        app = self._dashboard
        filter = filter_in(query) if app.state.snapshot is not None and app.state.chosen is not None else None
        if filter is not None:
            text = f"queries: {one_line(filter, 100)}"
            yield Hit(1.0, Content(text), partial(app.navigation.open_queries, filter), text=text)
        typed = " ".join(folded(query).split())
        found = [(1.0 if typed in one.names else score(one.folded, query), one) for one in self._all()]
        ranked = sorted((hit for hit in found if hit[0] > 0), key=lambda hit: -hit[0])
        for points, command in ranked[:_MOST_HITS]:
            yield Hit(min(0.99, points), self._marked(command, query), command.action, text=command.text)

    def _marked(self, command: Command, query: str) -> Content:
        """Return a text with the typed words marked in it."""
        content = Content(command.text)
        shown = folded(command.text)
        if self.match_style is not None and len(command.text) == len(shown):
            for start, end in spans(shown, query):
                content = content.stylize(self.match_style, start, end)
        return content


def _show_measure(app: Dashboard, measure: Measure) -> None:
    """Show a measure in the matrix."""
    app.state.measure = measure
    _open_matrix(app)


def _cells(app: Dashboard) -> Iterator[tuple[str, str]]:
    """Yield the cells of the chosen matrix that are of two languages."""
    assert app.state.snapshot is not None and app.state.chosen is not None
    matrix = app.state.snapshot.matrix(_MAP, *app.state.chosen)
    return ((q, pool) for q in matrix.rows for pool in matrix.columns if pool != MULTILINGUAL_POOL)


def _show_pair(app: Dashboard, cell: tuple[str, str]) -> None:
    """Show mAP in the matrix with its cursor on a cell."""
    app.state.measure = MATRIX_MEASURES[_MAP]
    _show_cell(app, cell)


def _show_cell(app: Dashboard, cell: tuple[str, str]) -> None:
    """Show the matrix with its cursor on a cell."""
    _open_matrix(app)
    if app.place == MATRIX:
        app.view.call_after_refresh(cast("Any", app.view).go_to_cell, cell)  # a new screen has its matrix by then


def _open_matrix(app: Dashboard) -> None:
    if app.state.chosen is not None:
        app.navigation.open_matrix(app.state.chosen)
