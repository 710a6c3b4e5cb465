"""The heatmap as a widget: a matrix in its order, and which of its cells the cursor is on."""

from __future__ import annotations

from xlbias.colour import Range
from xlbias.dashboard.terminal.numbers import THIN
from xlbias.dashboard.widgets.heatmap.arranged import Arranged, CellKey
from xlbias.dashboard.widgets.heatmap.drawing import Styles
from xlbias.dashboard.widgets.heatmap.geometry import Place
from xlbias.dashboard.widgets.heatmap.grid import GridView
from xlbias.dashboard.widgets.heatmap.matrix_drawing import MatrixDrawing
from xlbias.dashboard.widgets.heatmap.matrix_layout import MatrixLayout
from xlbias.dashboard.widgets.heatmap.order import SORTS, Sort
from xlbias.dashboard.widgets.heatmap.paint import Painter
from xlbias.results.matrix import Matrix
from xlbias.text import clean, width


class MatrixView(GridView):
    """One matrix as a heatmap: query language by pool, a number in every cell, heads that stay.

    With several pools it is a grid; a measure that has values for the multilingual pool only is shown as one column
    with a bar beside each number.

    Args:
        interactive: whether it has a cursor and takes keys and the mouse.
    """

    class Moved(GridView.Moved):
        """The cursor is on another cell, or its cell has another value."""

    def __init__(self, *, interactive: bool = True, id: str | None = None) -> None:
        super().__init__(id=id)
        self.can_focus = self.interactive = interactive
        self.sort: Sort = SORTS[0]
        self.matrix: Matrix | None = None
        self.shown: Arranged | None = None

    def show(self, matrix: Matrix | None) -> None:
        """Show another matrix, or newer values of the same one; the cursor stays on its languages and in sight."""
        seen = self._is_seen()
        self.matrix = matrix
        self._arrange()
        if seen:
            self._reveal()

    def order_by(self, sort: Sort, *, reverse: bool) -> None:
        """Order rows and columns; the cursor stays on its languages and is kept in sight."""
        self.sort, self.reverse = sort, reverse
        self._arrange()
        self._reveal()

    def set_full_range(self, full: bool) -> None:
        """Spread the scale over [0, 1] instead of the values that are there."""
        self.full_range = full
        self._arrange()

    @property
    def range(self) -> Range | None:
        """What the colours stand for, None where there are none."""
        return self.shown.range if self.shown else None

    def _order(self) -> None:
        shown = None
        if self.matrix is not None:
            shown = Arranged.of(self.matrix, self.sort, reverse=self.reverse, full_range=self.full_range)
        if shown is None or not (shown.rows and shown.columns):  # there is nothing yet that a cursor could be on
            self.shown = None
            self.top = self.left = 0
            return
        self.shown = shown
        self.cursor = self._settled(shown) if self.interactive else None

    def _settled(self, shown: Arranged) -> CellKey:
        """The cursor's cell: the one that was last moved to, or where that is not there the one nearest to it."""
        wanted = self._wanted or self.cursor
        if wanted is not None and shown.place(wanted) is not None:
            return wanted
        language = wanted[0] if wanted and wanted[0] in shown.languages else shown.languages[0]
        return language, shown.pools[0]

    def _find(self, cursor: CellKey) -> Place | None:
        return self.shown.place(cursor) if self.shown else None

    def _named(self, place: Place) -> CellKey:
        assert self.shown is not None
        return self.shown.key(place)

    def _touch(self, place: Place) -> None:
        if self.interactive:
            super()._touch(place)

    def _lay_out(self) -> MatrixLayout | None:
        shown = self.shown
        if shown is None:
            return None
        places = [(r, c) for r in range(len(shown.rows)) for c in range(len(shown.columns))]
        return MatrixLayout.fit(
            self.size.width,
            self.size.height,
            n_rows=len(shown.rows),
            n_columns=len(shown.columns),
            union=shown.has_union,
            code=max([0, *(width(clean(code)) for code in shown.languages)]),
            number=max(width(shown.number(place)) for place in places) if shown.is_list and places else THIN,
        )

    def _draw(self, painter: Painter | None, styles: Styles) -> MatrixDrawing:
        assert self._grid is not None and self.shown is not None
        return MatrixDrawing(self._grid, self.top, self.left, self.place, painter, styles, self.shown)
