"""One measure of one encoder on one task, query language by pool: the sheet of its heat map, and its cells in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Literal

from msgspec import structs

from xlbias.dashboard.views.sheet import Sheet, Spot
from xlbias.languages import language_name, script_of
from xlbias.report.document import MatrixBlock
from xlbias.report.numbers import difference_entry, entry, interval, measured, number, said_of_p
from xlbias.results.matrix import Matrix
from xlbias.runs.schema import MULTILINGUAL_POOL

UNION_LABEL = "multi"
"""Head of the column of the multilingual pool."""

_DIGITS = 6  # after the point, of a number in [0, 1]


def matrix_sheet(matrix: Matrix) -> Sheet:
    """Return a matrix as a sheet; only the multilingual pool for a measure that is defined nowhere else."""
    part = matrix.part(matrix.rows, [pool for pool in matrix.columns if _can_fill(matrix, pool)])
    return Sheet(
        MatrixBlock(f"{matrix.measure.label} of {matrix.model} on {matrix.task}", part),
        reading=matrix.measure.definition,
        diverging=matrix.differs,
        form="difference" if matrix.differs else "value",
        bars=not matrix.differs,
        compact=True,
        apart=part.columns[-1:] == (MULTILINGUAL_POOL,),
        labels=tuple(UNION_LABEL if pool == MULTILINGUAL_POOL else pool for pool in part.columns),
        corner="query",
    )


def side_sheet(matrix: Matrix, side: Literal["base", "new"], like: Sheet) -> Sheet:
    """Return one side of differences as a small sheet, with the rows and columns of `like`.

    Its values are those that the differences are made of: over the query ids that both sides have.
    """
    cells = tuple(
        tuple(structs.replace(found.side(side), n=found.n) for found in line)
        for line in matrix.part(like.block.rows, like.block.columns).cells
    )
    name = matrix.model if side == "new" else matrix.against
    values = replace(like.block.matrix, cells=cells, differs=False, against="", model=name)
    return replace(
        like, block=MatrixBlock(f"{matrix.measure.label} of {name} on {matrix.task}", values), diverging=False,
        form="value", small=True,
    )  # fmt: skip


def ends_over(values: Iterable[float | None]) -> tuple[float, float] | None:
    """Return the least and the greatest of values, None where none is known."""
    known = [value for value in values if value is not None]
    return (min(known), max(known)) if known else None


def _can_fill(matrix: Matrix, pool: str) -> bool:
    """Whether a column can ever fill: a measure of bias has values by answer language or for all together, not both.

    Such a measure is made of complete rankings, so that an empty column of it stays empty.
    """
    if matrix.measure.family != "bias":
        return True
    by_answer = any(cell.value is not None or cell.bounds for row in matrix.cells for cell in row[:-1])
    return (pool != MULTILINGUAL_POOL) == by_answer


# -- a cell in words -------------------------------------------------------------------------------------------------


def about_cell(matrix: Matrix, spot: Spot) -> tuple[str, str, str]:
    """Return what is known of a cell: its number in full, its interval, and n; why it has none, where that is so.

    A difference has its p and what it is made of.
    """
    found, about = matrix.at(*spot), matrix.measure
    n = found.n or 0
    if found.bounds is not None:
        written = (difference_entry if matrix.differs else entry)(found, about)
        said = said_of_p(found.p) if matrix.differs else "censored: bounds"
        return f"{about.label} {written.text}", "", f"{said}  n {n:,}"
    if found.value is None:
        return matrix.why_undefined(found), "", f"n {n:,}"
    if not matrix.differs:
        full, within = in_full(matrix, spot)
        return f"{about.label} {full}", within, f"n {n:,}"
    written = difference_entry(found, about)
    tested = said_of_p(found.p) + " (corrected)" * (found.p is not None)
    paired = f"n {n:,} ids" if n else "not a mean over ids"
    ends = f"{measured(found.base, about)} → {measured(found.new, about)}"
    return written.text, written.interval, f"{tested}  {ends}  {paired}"


def in_full(matrix: Matrix, spot: Spot) -> tuple[str, str]:
    """Return a cell's number with all digits that can matter, and its interval with as many; empty without one."""
    found = matrix.at(*spot)
    if not matrix.measure.unit_range:
        return number(found.value, digits=1), interval(found.low, found.high, matrix.measure)
    ends = [number(end, digits=_DIGITS) for end in (found.low, found.high) if end is not None]
    return number(found.value, digits=_DIGITS), f"[{', '.join(ends)}]" if len(ends) == 2 else ""


def named(spot: Spot, pool_sizes: Mapping[str, int]) -> str:
    """Say a cell in words: ``German (Latn) queries in 1,190 Hindi (Deva) passages``."""
    language, pool = spot
    asked = f"{language_name(language)} ({script_of(language)}) queries"
    if pool == MULTILINGUAL_POOL:
        return f"{asked} in all {sum(pool_sizes.values()):,} passages of {len(pool_sizes)} languages"
    return f"{asked} in {pool_sizes.get(pool, 0):,} {language_name(pool)} ({script_of(pool)}) passages"
