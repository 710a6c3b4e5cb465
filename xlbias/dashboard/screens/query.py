"""The sixth screen: one query in all its languages."""

from __future__ import annotations

from textual.app import ComposeResult

from xlbias.dashboard import places
from xlbias.dashboard.screens.base import View
from xlbias.dashboard.widgets.line import Line


class QueryScreen(View):
    """To come."""

    PLACE = places.QUERY

    def content(self) -> ComposeResult:
        """To come."""
        yield Line(id="title")
