"""One measure of one encoder on one task, query language by pool: the sheet of its heat map, and its cells in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TypeVar, overload

from xlbias.dashboard.views.sheet import Sheet, Spot
from xlbias.languages import language_name, script_of
from xlbias.report import document
from xlbias.report.document import Cell
from xlbias.report.documents.matrices import cell_of
from xlbias.report.numbers import measured, number, said_of_p
from xlbias.results.matrix import DifferenceMatrix, Matrix
from xlbias.runs.schema import MULTILINGUAL_POOL

UNION_LABEL = "multi"
"""Head of the column of the multilingual pool."""

_DIGITS = 6  # after the point, of a number in [0, 1]

Item = TypeVar("Item")


class Lazy(Sequence[Item]):
    """Items that are made when they are first asked for: of many languages only few cells are seen."""

    def __init__(self, length: int, make: Callable[[int], Item]) -> None:
        self._length = length
        self._make = lru_cache(maxsize=None)(make)

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Item]: ...
    def __getitem__(self, index: int | slice) -> Item | Sequence[Item]:
        if isinstance(index, slice):
            return [self._make(i) for i in range(*index.indices(self._length))]
        return self._make(range(self._length)[index])


def matrix_sheet(matrix: Matrix) -> Sheet:
    """Return a matrix as a sheet; only the multilingual pool for a measure that is defined nowhere else."""
    columns = [c for c in range(len(matrix.pools)) if _can_fill(matrix, c)]
    pools = tuple(matrix.pools[c] for c in columns)
    values = tuple(tuple(row[c] for c in columns) for row in matrix.values)

    def row_of(row: int) -> Sequence[Cell]:
        return Lazy(len(columns), lambda column: cell_of(matrix, row, columns[column]))

    block = document.Matrix(
        f"{matrix.measure.label} of {matrix.model} on {matrix.task}",
        matrix.measure,
        matrix.query_languages,
        pools,
        Lazy(len(matrix.query_languages), row_of),
        (0.0, 1.0),
    )
    differs = isinstance(matrix, DifferenceMatrix)
    return Sheet(
        block,
        reading=matrix.measure.definition,
        diverging=differs,
        form="difference" if differs else "value",
        bars=not differs,
        compact=True,
        apart=pools[-1:] == (MULTILINGUAL_POOL,),
        values=values,
        labels=tuple(UNION_LABEL if pool == MULTILINGUAL_POOL else pool for pool in pools),
        corner="query",
    )


def _can_fill(matrix: Matrix, column: int) -> bool:
    """Whether a column can ever fill: a measure of bias has values by answer language or for all together, not both.

    Such a measure is made of complete rankings, so that an empty column of it stays empty.
    """
    if matrix.measure.family != "bias":
        return True
    union = matrix.pools[column] == MULTILINGUAL_POOL
    by_answer = any(v is not None for row in matrix.values for v in row[:-1])
    return not union if by_answer else union


# -- a cell in words -------------------------------------------------------------------------------------------------


def is_empty(matrix: Matrix) -> bool:
    """Whether no cell has a value yet."""
    return not any(value is not None for row in matrix.values for value in row)


def excluded(matrix: Matrix, spot: Spot) -> int:
    """Return how many queries the mean of a cell leaves out."""
    row, column = _place(matrix, spot)
    return matrix.excluded[row][column]


def about_cell(matrix: Matrix, spot: Spot) -> tuple[str, str, str]:
    """Return what is known of a cell: its number in full, its interval, and n; why it has none, where that is so.

    A difference has its p and what it is made of.
    """
    row, column = _place(matrix, spot)
    value, n = matrix.values[row][column], matrix.n[row][column]
    if value is None:
        why = "no query has a relevant passage here" if matrix.excluded[row][column] else "not evaluated yet"
        if isinstance(matrix, DifferenceMatrix):
            why = "no difference: one side has no value here"
        return why, "", f"n {n:,}"
    if not isinstance(matrix, DifferenceMatrix):
        full, within = in_full(matrix, spot)
        return f"{matrix.measure.label} {full}", within, f"n {n:,}"
    found = cell_of(matrix, row, column)
    ends = [measured(grid[row][column], matrix.measure) for grid in (matrix.base, matrix.new)]
    p = matrix.p[row][column]
    tested = said_of_p(p) + " (corrected)" * (p is not None)
    paired = f"n {n:,} ids" if n else "not a mean over ids"
    return found.text, found.interval, f"{tested}  {ends[0]} → {ends[1]}  {paired}"


def in_full(matrix: Matrix, spot: Spot) -> tuple[str, str]:
    """Return a cell's number with all digits that can matter, and its interval with as many; empty without one."""
    row, column = _place(matrix, spot)
    found = cell_of(matrix, row, column)
    if not matrix.measure.unit_range:
        return number(found.value, digits=1), found.interval
    ends = [number(end, digits=_DIGITS) for end in (found.low, found.high) if end is not None]
    return number(found.value, digits=_DIGITS), f"[{', '.join(ends)}]" if len(ends) == 2 else ""


def named(spot: Spot, pool_sizes: Mapping[str, int]) -> str:
    """Say a cell in words: ``German (Latn) queries in 1,190 Hindi (Deva) passages``."""
    language, pool = spot
    asked = f"{language_name(language)} ({script_of(language)}) queries"
    if pool == MULTILINGUAL_POOL:
        return f"{asked} in all {sum(pool_sizes.values()):,} passages of {len(pool_sizes)} languages"
    return f"{asked} in {pool_sizes.get(pool, 0):,} {language_name(pool)} ({script_of(pool)}) passages"


def _place(matrix: Matrix, spot: Spot) -> tuple[int, int]:
    return matrix.query_languages.index(spot[0]), matrix.pools.index(spot[1])
