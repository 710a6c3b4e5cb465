"""Facts as lines: labels aligned, texts wrapped behind them."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from xlbias.dashboard.terminal.wrapping import wrapped
from xlbias.dashboard.views.provenance import Fact

_LABEL = 13


class Details(Widget):
    """The facts, one a line, labels aligned, texts wrapped behind them; only lines that change are repainted."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"details--label"}

    DEFAULT_CSS = """
    Details {
        height: auto;
        padding: 0 2;
        & > .details--label { color: $quiet; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.facts: list[Fact] = []
        self._lines: list[Fact] = []
        self._wrapped_for = 0

    def tell(self, found: list[Fact]) -> None:
        """Show other facts."""
        self.facts = found
        before = self._lines
        self._wrap()
        if len(before) != len(self._lines):
            self.refresh(layout=True)
        for y, (old, new) in enumerate(zip(before, self._lines, strict=False)):
            if old != new:
                self.refresh(Region(0, y, self.size.width, 1))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Number of lines that the facts take at this width."""
        return len(wrapped_facts(self.facts, width))

    def _wrap(self) -> None:
        self._lines, self._wrapped_for = wrapped_facts(self.facts, self.size.width), self.size.width

    def render_line(self, y: int) -> Strip:
        """Render one line: a label, and a piece of text from data behind it."""
        plain, cells = self.rich_style, self.size.width
        if cells != self._wrapped_for:
            self._wrap()
        if y >= len(self._lines):
            return Strip.blank(cells, plain)
        label, text = self._lines[y]
        label_style = plain + self.get_component_rich_style("details--label", partial=True)
        segments = [Segment(label.ljust(_LABEL), label_style), Segment(text, plain)]
        return Strip(segments).adjust_cell_length(cells, plain)


def wrapped_facts(found: list[Fact], cells: int) -> list[Fact]:
    """Return the facts as lines of at most `cells` cells: each label once, the text broken at blanks behind it."""
    lines: list[Fact] = []
    for label, text in found:
        lines += [(label if i == 0 else "", line) for i, line in enumerate(wrapped(text, cells - _LABEL))]
    return lines
