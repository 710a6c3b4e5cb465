"""The command palette: the keys of the registry, the themes, and every cell of the matrix by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import cast

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from xlbias.dashboard.app import DashboardApp
from xlbias.dashboard.keys import KEYS
from xlbias.dashboard.places import MATRIX
from xlbias.languages import language_name
from xlbias.runs.schema import MULTILINGUAL_POOL
from xlbias.text import one_line

Command = tuple[str, Callable[[], object]]
"""Cleaned text and what it does."""


class Commands(Provider):
    """What the palette finds. Its texts are shown as content, never as markup: some of them come from data."""

    @property
    def _dashboard(self) -> DashboardApp:
        return cast(DashboardApp, self.app)

    def _commands(self) -> Iterator[Command]:
        app = self._dashboard
        for key in KEYS:
            if key.section != "Move" and key.id != "palette" and key.why_not(app) is None:
                yield f"{key.description}  ({key.first})", partial(app.press, key.id)

    def _found_by_name(self) -> Iterator[Command]:
        app = self._dashboard
        if app.snapshot is None:
            return
        for name in app.available_themes:
            yield f"theme: {name}", partial(setattr, app, "theme", name)
        for model, task in app.snapshot.overview.select("model", "task").rows():
            yield f"matrix of {one_line(model, 60)} on {one_line(task, 60)}", partial(app.open_matrix, (model, task))
        if app.chosen is None or app.place != MATRIX:
            return
        matrix = app.snapshot.matrix(app.measure.name, *app.chosen)
        for language in matrix.query_languages:
            for pool in matrix.pools:
                code = "multi" if pool == MULTILINGUAL_POOL else pool
                names = f"{language_name(language)} → {'all' if pool == MULTILINGUAL_POOL else language_name(pool)}"
                yield one_line(f"{language}→{code}  {names}", 80), partial(app.go_to_cell, (language, pool))

    async def discover(self) -> Hits:
        """Offer the keys before anything is typed."""
        for text, action in self._commands():
            yield DiscoveryHit(Content(text), action, text=text)

    async def search(self, query: str) -> Hits:
        """Find keys, themes, matrices and cells; ``hi>en`` and ``hi-en`` mean ``hi→en``."""
        matcher = self.matcher(query.replace(">", "→").replace("-→", "→"))
        for text, action in (*self._commands(), *self._found_by_name()):
            score = matcher.match(text)
            if score > 0:
                yield Hit(score, matcher.highlight(text), action, text=text)
