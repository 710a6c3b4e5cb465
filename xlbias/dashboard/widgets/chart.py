"""The widget that shows a line chart."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from xlbias.dashboard.widgets.plot import AXIS, Drawn

_STYLES = 3  # of series; marks tell more of them apart


class Chart(Widget):
    """Lines of a chart; only those that change are repainted."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "chart--axis", *(f"chart--series-{number}" for number in range(_STYLES)),
    }  # fmt: skip

    DEFAULT_CSS = """
    Chart {
        height: 1fr;
        & > .chart--axis { color: $quiet; }
        & > .chart--series-0 { color: $text-primary; }
        & > .chart--series-1 { color: $text-accent; }
        & > .chart--series-2 { color: $text-success; }
        &:ansi > .chart--axis { color: ansi_default; }
        &:ansi > .chart--series-0 { color: ansi_default; }
        &:ansi > .chart--series-1 { color: ansi_default; }
        &:ansi > .chart--series-2 { color: ansi_default; }
    }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.lines: Drawn = ()

    def tell(self, lines: Drawn) -> None:
        """Show other lines."""
        before, self.lines = self.lines, lines
        for y in range(max(len(before), len(lines))):
            if before[y : y + 1] != lines[y : y + 1]:
                self.refresh(Region(0, y, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        """Render one line."""
        style, width = self.rich_style, self.size.width
        if y >= len(self.lines):
            return Strip.blank(width, style)
        segments = []
        for text, number in self.lines[y]:
            name = "chart--axis" if number == AXIS else f"chart--series-{number % _STYLES}"
            segments.append(Segment(text, style + self.get_component_rich_style(name, partial=True)))
        return Strip(segments).adjust_cell_length(width, style)
