"""The widget that shows a line chart."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.segment import Segment
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from xlbias.dashboard.terminal.plot import AXIS, Drawn

_STYLES = 3  # of series; marks tell more of them apart


class Chart(Widget):
    """Lines of a chart, drawn for the size that it has when it is painted; only those that change are repainted."""

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

    class Resized(Message):
        """The chart has been drawn for another size."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._draw: Callable[[int, int], Drawn] | None = None
        self._drawn: Drawn = ()
        self._drawn_for = (0, 0)

    def tell(self, draw: Callable[[int, int], Drawn]) -> None:
        """Show what `draw` makes of a width and a height."""
        before, self._draw = self._drawn, draw
        self._drawn_for = (0, 0)
        lines = self.lines
        for y in range(max(len(before), len(lines))):
            if before[y : y + 1] != lines[y : y + 1]:
                self.refresh(Region(0, y, self.size.width, 1))

    @property
    def lines(self) -> Drawn:
        """The chart at its present size."""
        size = (self.size.width, self.size.height)
        if self._draw is not None and size != self._drawn_for:
            self._drawn, self._drawn_for = self._draw(*size), size
        return self._drawn

    def on_resize(self) -> None:
        """Say that it is another drawing."""
        if self._draw is not None:
            self.refresh()
            self.post_message(self.Resized())

    def render_line(self, y: int) -> Strip:
        """Render one line."""
        style, width, lines = self.rich_style, self.size.width, self.lines
        if y >= len(lines):
            return Strip.blank(width, style)
        segments = []
        for text, number in lines[y]:
            name = "chart--axis" if number == AXIS else f"chart--series-{number % _STYLES}"
            segments.append(Segment(text, style + self.get_component_rich_style(name, partial=True)))
        return Strip(segments).adjust_cell_length(width, style)
