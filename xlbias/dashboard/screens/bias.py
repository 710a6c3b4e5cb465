"""The third screen: which languages are preferred, and how strongly."""

from __future__ import annotations

from textual.app import ComposeResult

from xlbias.dashboard import places
from xlbias.dashboard.screens.base import View
from xlbias.dashboard.widgets.line import Line


class BiasScreen(View):
    """To come."""

    PLACE = places.BIAS

    def content(self) -> ComposeResult:
        """To come."""
        yield Line(id="title")
