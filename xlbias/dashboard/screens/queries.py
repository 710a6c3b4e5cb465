"""The fifth screen: single queries, as a filter leaves them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult

from xlbias.dashboard import places
from xlbias.dashboard.screens.base import View
from xlbias.dashboard.widgets.line import Line

if TYPE_CHECKING:
    from xlbias.dashboard.app import QueryKey


class QueriesScreen(View):
    """To come."""

    PLACE = places.QUERIES

    def content(self) -> ComposeResult:
        """To come."""
        yield Line(id="title")

    def set_filter(self, filter: str) -> None:
        """To come."""

    def step(self, step: int) -> QueryKey | None:
        """To come."""
        return None
