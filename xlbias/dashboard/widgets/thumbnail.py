"""A matrix as small as it gets: a square of colour or shade a cell, without numbers."""

from __future__ import annotations

from collections.abc import Sequence

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from xlbias.colour import Range
from xlbias.dashboard.widgets.heatmap.paint import Painter, depth_of
from xlbias.dashboard.widgets.table.columns import fit
from xlbias.results.matrix import Matrix

_HEAD = 5  # cells of a language's code before its row


class Thumbnail(Widget):
    """Rows are query languages, columns are passages; the scale begins at 0.

    A cell is two columns wide and a line high; where there are more rows than lines, two rows share a line.
    """

    DEFAULT_CSS = """
    Thumbnail { height: 1fr; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.matrix: Matrix | None = None

    def show(self, matrix: Matrix | None) -> None:
        """Show another matrix, or none."""
        if matrix is not self.matrix:
            self.matrix = matrix
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Render one line."""
        plain, cells = self.rich_style, self.size.width
        matrix = self.matrix
        if matrix is None:
            return Strip.blank(cells, plain)
        painter = Painter(Range(0.0, max(matrix.values, default=1.0), "high"), depth_of(self.app), plain)
        values = [[cell.value for cell in row] for row in matrix.cells]
        halves = len(values) > self.size.height and painter.depth != "none"
        if halves:
            pair = values[2 * y : 2 * y + 2]
            segments = _two_rows(pair, painter) if pair else []
        elif y < len(values):
            segments = [Segment(fit(matrix.rows[y], _HEAD), plain), *_one_row(values[y], painter)]
        else:
            segments = []
        return Strip(segments).adjust_cell_length(cells, plain)


def _one_row(values: Sequence[float | None], painter: Painter) -> list[Segment]:
    """Return a line of cells two columns wide."""
    return [
        Segment("··", painter.plain) if value is None else Segment(painter.mark(value) * 2, painter.style(value))
        for value in values
    ]


def _two_rows(pair: Sequence[Sequence[float | None]], painter: Painter) -> list[Segment]:
    """Return two rows in a line: the upper one as the upper half of each cell."""
    upper, lower = pair[0], pair[1] if len(pair) > 1 else [None] * len(pair[0])
    return [Segment("▀", _style(a, b, painter)) for a, b in zip(upper, lower, strict=True)]


def _style(upper: float | None, lower: float | None, painter: Painter) -> Style:
    above, below = (
        painter.plain.bgcolor if value is None else painter.style(value).bgcolor for value in (upper, lower)
    )
    return painter.plain + Style(color=above or Color.default(), bgcolor=below or Color.default())
