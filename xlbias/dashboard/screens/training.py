"""The seventh screen: how a training goes."""

from __future__ import annotations

from textual.app import ComposeResult

from xlbias.dashboard import places
from xlbias.dashboard.screens.base import View
from xlbias.dashboard.widgets.line import Line


class TrainingScreen(View):
    """To come."""

    PLACE = places.TRAINING

    def content(self) -> ComposeResult:
        """To come."""
        yield Line(id="title")
