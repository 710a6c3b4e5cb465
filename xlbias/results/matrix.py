"""One measure of one encoder on one task as a matrix, query language by pool; and the differences of two in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from xlbias.measures.measure import Measure
from xlbias.measures.registry import measures
from xlbias.results.compare import ALPHA
from xlbias.results.run_numbers import RunNumbers
from xlbias.runs.schema import MULTILINGUAL_POOL

MATRIX_MEASURES: dict[str, Measure] = {
    name: measure
    for name, measure in (dict(measures("quality")) | dict(measures("bias"))).items()
    if name not in ("friedman_chi2", "friedman_p")
}
"""Measures by name that have a value for each query language; measures of bias are about the multilingual pool."""


Grid = tuple[tuple[float | None, ...], ...]


@dataclass(frozen=True)
class Matrix:
    """One measure of one model on one task, query language by pool.

    Attributes:
        measure: what the values are.
        query_languages: the rows.
        pools: the columns: languages, then the multilingual pool.
        values: [row][column], None for a cell without queries or not yet evaluated.
        n: [row][column], the number of queries of each mean.
        excluded: [row][column], queries left out because the pool holds nothing relevant to them, or (rank distance)
            because it is undefined for them.
        low: [row][column], lower ends of the 95% intervals, None where there is none.
        high: [row][column], upper ends.
    """

    measure: Measure
    model: str
    task: str
    query_languages: tuple[str, ...]
    pools: tuple[str, ...]
    values: Grid
    n: tuple[tuple[int, ...], ...]
    excluded: tuple[tuple[int, ...], ...]
    low: Grid = ()
    high: Grid = ()


@dataclass(frozen=True)
class DifferenceMatrix(Matrix):
    """The same of paired differences: `values` are new minus base, `low` and `high` the ends of their intervals.

    Attributes:
        against: the name of the base.
        base: [row][column], the base's values, over the query ids that both have.
        new: [row][column], those of the model.
        p: [row][column], of the sign-flip test, corrected over the matrix.
        one_training: whether a side is a training with one seed, see `xlbias.results.compare.COMPARISON_SCHEMA`.
    """

    against: str = ""
    base: Grid = ()
    new: Grid = ()
    p: Grid = ()
    one_training: bool = False

    def significant(self, row: int, column: int) -> bool:
        """Whether the difference in a cell is significant: corrected p < .05."""
        p = self.p[row][column]
        return p is not None and p < ALPHA

    @property
    def n_significant(self) -> tuple[int, int]:
        """How many cells are significantly higher, and significantly lower."""
        values = [(v, self.significant(r, c)) for r, row in enumerate(self.values) for c, v in enumerate(row)]
        known = [v for v, significant in values if significant and v is not None]
        return sum(v > 0 for v in known), sum(v < 0 for v in known)


def matrix(run: RunNumbers, measure: str, model: str, task: str) -> Matrix:
    """Return one measure as a matrix. Rows and columns are those of the task, also where cells are still missing."""
    about = next(entry for entry in run.tasks if entry.name == task)
    rows = tuple(sorted(about.n_queries))
    pools = (*sorted(about.pool_sizes), MULTILINGUAL_POOL)
    found = {(ql, pool): numbers for ql, pool, *numbers in _values(run, measure, model, task).iter_rows()}
    values, n, excluded, low, high = _grids(rows, pools, found, (None, 0, 0, None, None))
    return Matrix(MATRIX_MEASURES[measure], model, task, rows, pools, values, n, excluded, low, high)


def difference_matrix(frame: pl.DataFrame, shown: Matrix, against: str) -> DifferenceMatrix:
    """Return the differences of one measure in the cells of the new model's matrix.

    Args:
        frame: what `xlbias.results.compare.compare` gives for the task of the matrix.
        shown: the matrix of the new model.
        against: what the base is called.

    Every cell is None where the measure has no mean over ids by language, and so no test.
    """
    rows, pools = shown.query_languages, shown.pools
    cells = frame.filter(
        (pl.col("measure") == shown.measure.name) & pl.col("query_language").is_not_null()
    ).with_columns(pl.col("n_ids").fill_null(0))
    wanted = ("query_language", "passage_language", "difference", "n_ids", "low", "high", "base", "new", "p_corrected")
    found = {(ql, pool or MULTILINGUAL_POOL): numbers for ql, pool, *numbers in cells.select(wanted).iter_rows()}
    values, n, low, high, base, new, p = _grids(rows, pools, found, (None, 0, None, None, None, None, None))
    nothing = tuple((0,) * len(pools) for _ in rows)
    return DifferenceMatrix(
        shown.measure, shown.model, shown.task, rows, pools, values, n, nothing, low, high, against, base, new, p,
        bool(frame["one_training"].any()),
    )  # fmt: skip


def _grids(
    rows: Sequence[str], columns: Sequence[str], found: Mapping[tuple[str, str], Sequence[Any]], nothing: Sequence[Any]
) -> tuple[Any, ...]:
    """Return a grid of every number of a cell; those of `nothing` where a cell is not in `found`."""
    grid = [[found.get((row, column), nothing) for column in columns] for row in rows]
    return tuple(tuple(tuple(cell[i] for cell in row) for row in grid) for i in range(len(nothing)))


def _values(run: RunNumbers, measure: str, model: str, task: str) -> pl.DataFrame:
    """Return ``query_language, pool, value, n, n_excluded`` of one measure."""
    return run.summary.filter(
        (pl.col("model") == model)
        & (pl.col("task") == task)
        & (pl.col("measure") == measure)
        & pl.col("query_language").is_not_null()
    ).select(
        "query_language",
        pl.col("passage_language").fill_null(MULTILINGUAL_POOL).alias("pool"),
        "value",
        "n",
        "n_excluded",
        "low",
        "high",
    )
