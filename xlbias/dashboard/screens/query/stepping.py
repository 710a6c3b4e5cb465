"""The part of the Query screen that walks through the queries of the list: its place there, and what lies beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.timer import Timer

from xlbias.dashboard.screens.base import View

if TYPE_CHECKING:
    from xlbias.dashboard.screens.queries.screen import QueriesScreen
    from xlbias.dashboard.widgets.table.query_table import QueryTable
    from xlbias.dashboard.workers.snapshot import QueryKey

SETTLED = 0.2
"""Seconds after which a query is looked at, not walked past: then what lies beside it is read."""


class Walking(View):
    """Walks through what the Queries screen lists, which makes its list for this if it has not been seen yet."""

    def __init__(self) -> None:
        super().__init__()
        self._direction = self._pending = 0
        self._list_wanted = False
        self._settling: tuple[object, ...] = ()
        self._settled: tuple[object, ...] = ()
        self._settle_timer: Timer | None = None

    @property
    def _queries(self) -> QueriesScreen:
        return cast("QueriesScreen", self.dashboard.navigation.queries)

    @property
    def _filtered(self) -> QueryTable | None:
        """The queries that the filter leaves; None where there are none, or where they have not been listed."""
        screen = self._queries
        listed = screen.is_mounted and screen.listed is not None
        return screen.table if listed and screen.table.height else None

    @property
    def _list_read(self) -> bool:
        """Whether the list is being made because someone wants to walk."""
        return bool(self._pending) and self._queries.listed is None

    def _position(self, key: QueryKey) -> tuple[int, int] | None:
        """Which query of those that the filter leaves this is, and how many there are; None where it is none."""
        table = self._filtered
        return (table.cursor + 1, table.height) if table is not None and table.cursor_key == key else None

    def _text_in_list(self, key: QueryKey) -> str | None:
        """The text of the query as the list knows it, before the query has been read."""
        app, listed = self.dashboard, self._queries.listed
        if self._position(key) is None or listed is None or app.state.chosen is None or app.state.snapshot is None:
            return None
        here = (app.state.snapshot.run, app.state.chosen[1]) == (listed.wanted.run, listed.wanted.task)
        return listed.texts.text(key[0], key[1]) if here else None

    def _beside(self, key: QueryKey) -> list[QueryKey]:
        """The queries to read ahead: the next one on the way that was taken last, and both once this one is settled."""
        table = self._filtered
        if table is None or table.cursor_key != key:
            return []
        steps = [self._direction] if self._direction else []
        if self._settled[-len(key) :] == key:
            steps += [step for step in (1, -1) if step != self._direction]
        rows = [table.cursor + step for step in steps]
        found = [table.key_at(row) for row in rows if 0 <= row < table.height]
        return [(one[0], one[1], one[2]) for one in found]

    def _settle(self, what: tuple[object, ...]) -> None:
        """Begin to wait: once this has been looked at for a moment, what lies beside it is read."""
        if what != self._settling:
            self._settling = what
            if self._settle_timer is not None:
                self._settle_timer.stop()
            self._settle_timer = self.set_timer(SETTLED, self._has_settled)

    def _has_settled(self) -> None:
        self._settled = self._settling
        if self._list_wanted:
            self._list_wanted = False
            self._queries.begin()
        if self.dashboard.view is self:
            self.show()

    def _walk(self, step: int) -> None:
        """Walk to another query; where no list has been made, once it is there."""
        app, table, queries = self.dashboard, self._filtered, self._queries
        self._direction = step
        if queries.listed is None and not queries.trouble:
            self._pending = step
            queries.begin()
            self.show()
            return
        if table is None:
            said = "the filter leaves no query to walk through: 5 shows it"
            self.notify(queries.trouble or said, timeout=2, markup=False)
            return
        if app.state.query_key is not None and table.cursor_key != app.state.query_key:
            table.go_to(app.state.query_key)
        if not app.navigation.step_query(step):
            end = f"this is the {'first' if step < 0 else 'last'} query that the filter leaves"
            self.notify(end, timeout=2, markup=False)

    def _go_on(self) -> None:
        """Walk now, if someone wanted to before there was a list."""
        queries = self._queries
        if not self._pending:
            return
        if queries.listed is None and not queries.trouble:
            queries.begin()
            return
        step, self._pending = self._pending, 0
        self._walk(step)
