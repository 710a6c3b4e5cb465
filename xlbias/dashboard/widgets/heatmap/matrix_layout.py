"""How large the cells of a matrix are on a panel."""

from __future__ import annotations

from typing import Self

from xlbias.dashboard.widgets.heatmap.geometry import Geometry

UNION_GAP = 2
"""Blank cells that set the multilingual pool apart, the second one a rule."""

MIN_CELL = 6
MAX_CELL = 10
MAX_LINES = 3
MAX_CODE = 11


class MatrixLayout(Geometry):
    """The grid of a matrix on a panel: a line of heads, and a gap before the multilingual pool."""

    @classmethod
    def fit(cls, width: int, height: int, *, n_rows: int, n_columns: int, union: bool, code: int, number: int) -> Self:
        """Choose the largest cells with which the whole matrix is seen; the smallest ones where it must scroll.

        Args:
            width: of the panel.
            height: of the panel.
            n_rows: rows of the matrix.
            n_columns: columns of the matrix.
            union: whether the last column is the multilingual pool, set apart from the others if there are others.
            code: width of the longest row head.
            number: width of the widest head or number in a cell.
        """
        head = min(max(4, code), MAX_CODE) + 2
        gap = UNION_GAP if union and n_columns > 1 else 0
        smallest = max(MIN_CELL, number + 2)
        room = (width - head - gap) // max(1, n_columns)
        cell = max(smallest, min(MAX_CELL, room))
        lines = max(1, min(MAX_LINES, (height - 1) // max(1, n_rows)))
        return cls(width, height, 1, n_rows, n_columns, head, gap, cell, lines)
