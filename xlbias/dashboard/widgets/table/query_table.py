"""A virtual table of rows that come in order: another order is asked for, so that a million rows block nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
from textual.message import Message

from xlbias.dashboard.widgets.table.columns import Column
from xlbias.dashboard.widgets.table.virtual_table import VirtualTable

QUERY_KEY = ("query_id", "query_language", "pool")
"""The columns that name a row."""

_MOST_CACHED = 2048


class QueryTable(VirtualTable):
    """Queries; what a text column shows is looked up for the rows that are seen."""

    class OrderAsked(Message):
        """The rows are wanted in another order."""

        def __init__(self, by: str | None, *, descending: bool) -> None:
            super().__init__()
            self.by, self.descending = by, descending

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__((), QUERY_KEY, id=id)
        self._text_of: Callable[[str, str], str | None] = lambda *_: None
        self._texts: dict[tuple[str, str], str | None] = {}

    def sort(self, name: str | None, *, descending: bool = False) -> None:
        """Ask for another order; the rows stay as they are until it is there."""
        self.post_message(self.OrderAsked(name, descending=descending))

    def take(
        self,
        frame: pl.DataFrame,
        columns: tuple[Column, ...],
        by: str | None,
        *,
        descending: bool,
        text_of: Callable[[str, str], str | None],
    ) -> None:
        """Show rows that stand in the order of a column; the cursor stays on its key, on its line of the screen.

        Args:
            frame: the rows.
            columns: what is shown of them, and ``text``, which is looked up.
            by: the column they are ordered by, None for the order of the run.
            descending: its direction.
            text_of: returns the text of a query id in a language.
        """
        self.sorted_by, self.descending = by, descending
        if text_of != self._text_of:
            self._text_of = text_of
            self._texts.clear()
        self.set_columns(columns)
        self.replace(frame)

    def has(self, key: tuple[Any, ...]) -> bool:
        """Whether there is a row with this key."""
        return self._find(key) is not None

    def row_at(self, row: int) -> dict[str, Any]:
        """All values of a row, counted in the order shown, and its text."""
        values = super().row_at(row)
        return {**values, "text": self.text_of(values["query_id"], values["query_language"])}

    def text_of(self, query_id: str, language: str) -> str | None:
        """The text of a query id in a language."""
        key = (query_id, language)
        if key not in self._texts:
            if len(self._texts) >= _MOST_CACHED:
                self._texts.clear()
            self._texts[key] = self._text_of(*key)
        return self._texts[key]

    def _ordering(self) -> pl.Series | None:
        """None: the rows stand as they are shown."""
        return None
