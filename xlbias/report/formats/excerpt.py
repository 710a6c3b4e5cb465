"""One row of a matrix, or one cell of it, as a table: what is known of its numbers in lines or columns of their own."""

from __future__ import annotations

from dataclasses import replace

from xlbias.report.document import Cell, Matrix, Table
from xlbias.report.numbers import EMPTY, count, probability

P = "p (corr.)"


def of_row(matrix: Matrix) -> Table:
    """Return a matrix of one row as a table: the values with their intervals, and below them p and n where known.

    An n that is the same everywhere is for the notes to say.
    """
    (cells,) = matrix.cells
    rows = [(Cell(f"queries in {matrix.rows[0]}", kind="name"), *cells)]
    if any(cell.p is not None for cell in cells):
        rows.append((Cell(P), *(EMPTY if cell.value is None else probability(cell.p) for cell in cells)))
    if len({cell.n for cell in cells if cell.value is not None}) > 1:
        rows.append((Cell("n"), *(count(cell.n) for cell in cells)))
    return Table(matrix.title, (matrix.heading, *matrix.columns), tuple(rows), matrix.notes)


def of_cell(matrix: Matrix) -> Table:
    """Return a matrix of one cell as a table of one row: its names, its value, interval, p and n where known."""
    ((cell,),) = matrix.cells
    names = zip(matrix.axes, (*matrix.rows, *matrix.columns), strict=True)
    known = [(axis, Cell(name, kind="name")) for axis, name in names]
    known.append((matrix.heading, replace(cell, interval="")))
    if cell.interval:
        known.append(("95 % interval", Cell(cell.interval, kind="number")))
    if cell.p is not None:
        known.append((P, probability(cell.p)))
    if cell.n is not None:
        known.append(("n", count(cell.n)))
    heads, row = zip(*known, strict=True)
    return Table(matrix.title, heads, (row,), matrix.notes, 2)
