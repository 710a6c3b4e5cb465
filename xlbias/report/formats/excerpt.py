"""One row of a matrix, or one cell of it, as a table: what is known of its numbers in lines or columns of their own."""

from __future__ import annotations

from dataclasses import replace

from xlbias.report.document import MatrixBlock, Table
from xlbias.report.numbers import EMPTY, Entry, count, numeric, probability

P = "p (corr.)"


def of_row(matrix: MatrixBlock) -> Table:
    """Return a matrix of one row as a table: the values with their intervals, and below them p and n where known.

    An n that is the same everywhere is for the notes to say.
    """
    (entries,) = matrix.entries
    cells = [one.cell for one in entries]
    rows = [(Entry(f"queries in {matrix.rows[0]}", kind="name"), *entries)]
    if any(cell.p is not None for cell in cells):
        rows.append((Entry(P), *(EMPTY if cell.value is None else probability(cell.p) for cell in cells)))
    if len({cell.n for cell in cells if cell.value is not None}) > 1:
        rows.append((Entry("n"), *(count(cell.n) for cell in cells)))
    return Table(matrix.title, (matrix.heading, *matrix.columns), tuple(rows), matrix.notes)


def of_cell(matrix: MatrixBlock) -> Table:
    """Return a matrix of one cell as a table of one row: its names, its value, interval, p and n where known."""
    ((one,),) = matrix.entries
    cell, names = one.cell, zip(matrix.matrix.axes, (*matrix.rows, *matrix.columns), strict=True)
    known = [(axis, Entry(name, kind="name")) for axis, name in names]
    known.append((matrix.heading, replace(one, interval="")))
    if one.interval:
        known.append(("95 % interval", numeric(one.interval)))
    if cell.p is not None:
        known.append((P, probability(cell.p)))
    if cell.n is not None:
        known.append(("n", count(cell.n)))
    heads, row = zip(*known, strict=True)
    return Table(matrix.title, heads, (row,), matrix.notes, 2)
