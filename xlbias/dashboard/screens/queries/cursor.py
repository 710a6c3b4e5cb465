"""The place in the list of queries, for whoever walks through it, also before the list has been seen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from xlbias.dashboard.widgets.table.query_table import QueryTable
    from xlbias.dashboard.workers.query_list import QueryListing
    from xlbias.dashboard.workers.snapshot import QueryKey
    from xlbias.results.run import Run


class QueryList(Protocol):
    """What the cursor asks of the screen that has the list."""

    listing: QueryListing | None

    @property
    def table(self) -> QueryTable:
        """The rows of the list."""

    @property
    def trouble(self) -> str:
        """Why there is no list, empty where there is one or it is being made."""

    @property
    def is_mounted(self) -> bool:
        """Whether there is a table already."""

    def begin(self) -> None:
        """Make the list, although the screen is not seen."""


class QueryCursor:
    """The cursor of a list of queries.

    Args:
        queries: the screen that has the list.
    """

    def __init__(self, queries: QueryList) -> None:
        self._queries = queries

    @property
    def is_coming(self) -> bool:
        """Whether there is no list yet, and nothing says that there will be none."""
        return self._queries.listing is None and not self._queries.trouble

    @property
    def trouble(self) -> str:
        """Why there is no list, empty where there is one or it is being made."""
        return self._queries.trouble

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to walk through: no list, or one without rows."""
        return self._rows is None

    @property
    def _rows(self) -> QueryTable | None:
        """The queries that the filter leaves; None where there are none, or where they have not been listed."""
        if not self._queries.is_mounted or self._queries.listing is None:
            return None
        return self._queries.table if self._queries.table.height else None

    def begin(self) -> None:
        """Make the list."""
        self._queries.begin()

    def place_of(self, key: QueryKey) -> tuple[int, int] | None:
        """Which of the listed queries this is, and how many there are; None where the cursor is on another one."""
        rows = self._rows
        return (rows.cursor + 1, rows.height) if rows is not None and rows.cursor_key == key else None

    def text_of(self, key: QueryKey, run: Run, task: str) -> str | None:
        """The text of the query under the cursor as the list knows it; None where that is of another run or task."""
        listing = self._queries.listing
        if listing is None or self.place_of(key) is None or (run, task) != (listing.wanted.run, listing.wanted.task):
            return None
        return listing.texts.text(key[0], key[1])

    def neighbours(self, key: QueryKey, steps: Iterable[int]) -> list[QueryKey]:
        """The queries so many rows from the one under the cursor; none where the cursor is on another one."""
        rows = self._rows
        if rows is None or rows.cursor_key != key:
            return []
        found = [rows.key_at(row) for step in steps if 0 <= (row := rows.cursor + step) < rows.height]
        return [(one[0], one[1], one[2]) for one in found]

    def go_to(self, key: QueryKey) -> None:
        """Put the cursor on a query."""
        rows = self._rows
        if rows is not None and rows.cursor_key != key:
            rows.go_to(key)

    def step(self, step: int) -> QueryKey | None:
        """Move the cursor by a row, down or up, and return the key there; None where there is none."""
        rows = self._rows
        if rows is None or not 0 <= rows.cursor + step < rows.height:
            return None
        rows.move("down" if step > 0 else "up")
        key = rows.cursor_key
        return (key[0], key[1], key[2]) if key is not None else None
