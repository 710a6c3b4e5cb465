"""The line that says the caveats of the numbers on a screen; not there when there are none."""

from __future__ import annotations

from collections.abc import Sequence

from xlbias.dashboard.widgets.text.line import Line, Part
from xlbias.report.documents.caveats import MARK


class CaveatLine(Line):
    """A mark, how many caveats there are, and their sentences."""

    DEFAULT_CSS = """
    CaveatLine { padding: 0 1; display: none; }
    """

    def tell(self, sentences: Sequence[str]) -> None:
        """Say these, cleaned and as many as there is room for."""
        self.display = bool(sentences)
        count = f" {len(sentences)} caveats" if len(sentences) > 1 else ""
        self.set([Part(f"{MARK}{count} ", "$text-warning")], " · ".join(sentences), "$text-warning")
