"""One table or matrix as tab-separated values, to paste into a spreadsheet: numbers in full precision.

A table keeps its rows. Its columns of numbers are followed by what is known of those numbers: ``mAP``, ``mAP low``,
``mAP high`` (the ends of the 95 % interval), ``mAP p`` (of a difference, corrected) and ``mAP n``. A column of words
that stand for a number, such as the worst pair, is followed by ``worst pair value``.

One row of a matrix, or one cell, has a line for each cell: the names of its row and column (``query language``,
``passage language``), then the same columns. A whole matrix keeps its shape, so that the values can be charted and
coloured as they lie there, and to the right of all values stand all lower ends, then all upper ends, p and n, as
``de low``, ``de high``, ``de p`` and ``de n``.

What is not known of any of the numbers has no columns. Undefined numbers are empty.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from xlbias.report.document import MatrixBlock, Table
from xlbias.report.formats.csv import safe
from xlbias.report.formats.format import Format
from xlbias.report.numbers import NOTHING, Entry

_Column = tuple[str, list[str]]

_FURTHER = ("low", "high", "p", "n")


def to_tsv(block: Table | MatrixBlock) -> str:
    """Return a block as lines of tab-separated fields, the first one with the names; texts are inert."""
    if isinstance(block, MatrixBlock):
        columns = _grid(block) if len(block.rows) != 1 else _table(block.as_list())
    else:
        columns = _table(block)
    names, *lines = zip(*([name, *fields] for name, fields in columns), strict=True)
    return "".join("\t".join(line) + "\n" for line in ([_text(name) for name in names], *lines))


def _table(table: Table) -> list[_Column]:
    columns: list[_Column] = []
    for i, head in enumerate(table.heads):
        cells = [row[i] for row in table.rows]
        if table.of_words(i):
            columns.append((head, [_text(cell.text) for cell in cells]))
            columns += _known(f"{head} value", [cell.value for cell in cells])
        else:
            columns.append((head, [_value(cell) for cell in cells]))
        for what in _FURTHER:
            columns += _known(f"{head} {what}", [getattr(one.cell, what) for one in cells])
    return columns


def _grid(matrix: MatrixBlock) -> list[_Column]:
    columns: list[_Column] = [(matrix.heading, [_text(name) for name in matrix.rows])]
    by_column = [(name, [line[i] for line in matrix.entries]) for i, name in enumerate(matrix.columns)]
    columns += [(name, [_value(cell) for cell in cells]) for name, cells in by_column]
    for what in _FURTHER:
        if any(getattr(one.cell, what) is not None for _, cells in by_column for one in cells):
            columns += [
                (f"{name} {what}", [_number(getattr(one.cell, what)) for one in cells]) for name, cells in by_column
            ]
    return columns


def _known(name: str, values: Sequence[float | None]) -> Iterator[_Column]:
    """Yield a column, unless it would be empty."""
    if any(value is not None for value in values):
        yield name, [_number(value) for value in values]


def _value(cell: Entry) -> str:
    if cell.value is None:
        return "" if cell.text == NOTHING else _text(cell.text)
    return _number(cell.value)


def _number(value: float | None) -> str:
    """Return a number in full; ``5``, not ``5.0``, where it is a count."""
    if value is None or not math.isfinite(value):
        return ""
    return str(value) if isinstance(value, int) else repr(float(value))


def _text(text: str) -> str:
    return safe(text) or ""


FORMAT = Format(block=to_tsv)
