"""The fourth screen: what a change of domain does to every encoder."""

from __future__ import annotations

from textual.app import ComposeResult

from xlbias.dashboard import places
from xlbias.dashboard.screens.base import View
from xlbias.dashboard.widgets.line import Line


class DomainsScreen(View):
    """To come."""

    PLACE = places.DOMAINS

    def content(self) -> ComposeResult:
        """To come."""
        yield Line(id="title")
