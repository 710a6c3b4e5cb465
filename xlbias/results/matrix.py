"""One measure in rows and columns of cells: of an encoder by query language and pool, or of whatever a study compares.

Reports in every format, the heat maps of the dashboard and comparisons show these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from xlbias.measures.measure import Measure
from xlbias.measures.registry import measure_of, measures
from xlbias.results.by_key import NUMBERS, cell_of
from xlbias.results.caveats import Caveat, caveats
from xlbias.results.cell import ABSENT, Cell
from xlbias.results.compare import ALPHA, BOUNDS
from xlbias.results.per_query import Key
from xlbias.results.run_numbers import RunNumbers
from xlbias.runs.schema import MULTILINGUAL_POOL, SETTINGS

MATRIX_MEASURES: dict[str, Measure] = {
    name: measure
    for name, measure in (dict(measures("quality")) | dict(measures("bias"))).items()
    if name not in ("friedman_chi2", "friedman_p")
}
"""Measures by name that have a value for each query language; measures of bias are about the multilingual pool."""

LANGUAGES = ("query language", "passage language")
"""What the rows and the columns of a matrix of one encoder on one task are."""


@dataclass(frozen=True, eq=False)
class Matrix:
    """One measure in rows and columns.

    Attributes:
        measure: what the values are.
        rows: names of the rows, by default query languages.
        columns: names of the columns, by default passage languages and the multilingual pool.
        cells: [row][column].
        model: the encoder, empty where there are several.
        task: the task, empty where there are several.
        axes: what the names of rows and columns are.
        differs: whether the values are differences: they have a sign, and their middle is 0.
        against: what differences are taken from.
        one_training: whether a side of differences is a training with one seed, see
            `xlbias.results.compare.COMPARISON_SCHEMA`.
        caveats: what a reader must know of the numbers; of differences, of the new side.
        base_caveats: of differences, of the base.
    """

    measure: Measure
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[Cell, ...], ...]
    model: str = ""
    task: str = ""
    axes: tuple[str, str] = LANGUAGES
    differs: bool = False
    against: str = ""
    one_training: bool = False
    caveats: tuple[Caveat, ...] = ()
    base_caveats: tuple[Caveat, ...] = ()

    def at(self, row: str, column: str) -> Cell:
        """Return the cell of a row and a column by their names."""
        return self.cells[self.rows.index(row)][self.columns.index(column)]

    def of_row(self, row: str) -> tuple[Cell, ...]:
        """Return the cells of a row by its name."""
        return self.cells[self.rows.index(row)]

    def part(self, rows: Sequence[str], columns: Sequence[str]) -> Matrix:
        """Return some rows and columns, by their names and in the order given."""
        row_of, column_of = ({name: i for i, name in enumerate(names)} for names in (self.rows, self.columns))
        cells = tuple(tuple(self.cells[row_of[r]][column_of[c]] for c in columns) for r in rows)
        return replace(self, rows=tuple(rows), columns=tuple(columns), cells=cells)

    @property
    def values(self) -> list[float]:
        """All values that are defined."""
        return [cell.value for row in self.cells for cell in row if cell.value is not None]

    @property
    def bounded(self) -> bool:
        """Whether a number has bounds in place of a value."""
        return any(cell.bounds is not None for row in self.cells for cell in row)

    @property
    def n_significant(self) -> tuple[int, int]:
        """How many differences are significantly above 0, and how many significantly below; bounds count, too."""
        found = [sum(cell.bounds) if cell.bounds is not None else cell.value
                 for row in self.cells for cell in row if cell.significant]  # fmt: skip
        return (sum(value is not None and value > 0 for value in found),
                sum(value is not None and value < 0 for value in found))  # fmt: skip

    @property
    def n_tested(self) -> int:
        """How many differences have been tested."""
        return sum(cell.p is not None for row in self.cells for cell in row)

    def why_undefined(self, cell: Cell) -> str:
        """Return why one of the cells has no value; empty where it has one."""
        if cell.value is not None:
            return ""
        if cell.bounds is not None:
            return "ranks are censored: the number has bounds"
        if self.differs:
            return "no difference: one side has no value here"
        return "no query has a relevant passage here" if cell.n_excluded else "not evaluated yet"


def matrix(run: RunNumbers, measure: str, model: str, task: str) -> Matrix:
    """Return one measure of an encoder on a task, query language by pool, the multilingual pool last.

    Rows and columns are those of the task, also where cells are ABSENT still.
    """
    about = next(entry for entry in run.tasks if entry.name == task)
    rows = run.summary.filter(
        (pl.col("model") == model)
        & (pl.col("task") == task)
        & (pl.col("measure") == measure)
        & pl.col("query_language").is_not_null()
    )
    names = ("query_language", pl.col("passage_language").fill_null(MULTILINGUAL_POOL))
    found = {(row, column): cell_of(numbers) for row, column, *numbers in rows.select(*names, *NUMBERS).iter_rows()}
    languages, pools = tuple(sorted(about.n_queries)), (*sorted(about.pool_sizes), MULTILINGUAL_POOL)
    return Matrix(
        MATRIX_MEASURES[measure],
        languages,
        pools,
        cells_of(found, languages, pools),
        model,
        task,
        caveats=tuple(one for one in caveats(run) if one.marks and one.concerns(model, task)),
    )


def profile(
    measure: str, found: Mapping[str, Mapping[Key, Cell]], languages: Sequence[str], task: str, *, answers: bool = False
) -> Matrix:
    """Return one measure of several encoders in the multilingual pool, language by encoder.

    Args:
        measure: one of MATRIX_MEASURES.
        found: the numbers of each encoder, by what it is called.
        languages: the rows.
        task: what the numbers are of.
        answers: whether the rows are languages of passages, and not those of queries.
    """
    cells = tuple(
        tuple(numbers.get(_of_language(measure, language, answers=answers), ABSENT) for numbers in found.values())
        for language in languages
    )
    axes = (LANGUAGES[answers], "encoder")
    return Matrix(MATRIX_MEASURES[measure], tuple(languages), tuple(found), cells, task=task, axes=axes)


def _of_language(measure: str, language: str, *, answers: bool) -> Key:
    """Return the key of a measure in the multilingual pool, of queries or of passages in a language."""
    if answers:
        return Key(measure, SETTINGS[2], None, language)
    pool = MULTILINGUAL_POOL if MATRIX_MEASURES[measure].family == "quality" else None
    return Key(measure, SETTINGS[2], language, pool)


def by_task(
    measure: str, setting: str, found: Mapping[str, Mapping[str, Mapping[Key, Cell]]], tasks: Sequence[str]
) -> Matrix:
    """Return the overall number of one measure, encoder by task.

    `found` has the numbers by what an encoder is called, then by task.
    """
    key = Key(measure, setting)
    cells = tuple(tuple(of.get(task, {}).get(key, ABSENT) for task in tasks) for of in found.values())
    return Matrix(MATRIX_MEASURES[measure], tuple(found), tuple(tasks), cells, axes=("encoder", "task"))


def difference_matrix(frame: pl.DataFrame, new: Matrix, against: str, base_caveats: Sequence[Caveat] = ()) -> Matrix:
    """Return the differences of one measure in the cells of the new encoder's matrix.

    Args:
        frame: what `xlbias.results.compare.compare` gives for the task of the matrix.
        new: the matrix of the new encoder.
        against: what the base is called.
        base_caveats: what a reader must know of the numbers of the base.

    Every cell is without value where the measure has no mean over ids by language, and so no test.
    """
    found = differences(frame, new.measure.name)
    return replace(
        new,
        cells=cells_of(found, new.rows, new.columns),
        differs=True,
        against=against,
        one_training=bool(frame["one_training"].any()),
        base_caveats=tuple(base_caveats),
    )


def compared(frame: pl.DataFrame, measure: str, base: str, new: str) -> tuple[Matrix, Matrix, Matrix] | None:
    """Return one measure of base, of new, and their difference, in the cells that a comparison has of it.

    Args:
        frame: what `xlbias.results.compare.compare` gives for a task.
        measure: of what.
        base: what the base is called.
        new: what the other side is called.

    None where the comparison has no cells of the measure.
    """
    found = differences(frame, measure)
    if not found:
        return None
    about = measure_of(measure)
    rows = tuple(sorted({language for language, _ in found}))
    columns = tuple(sorted({pool for _, pool in found}, key=lambda pool: (pool == MULTILINGUAL_POOL, pool)))
    sides = [
        Matrix(about, rows, columns, cells_of({at: cell.side(side) for at, cell in found.items()}, rows, columns), name)
        for side, name in (("base", base), ("new", new))
    ]
    cells, once = cells_of(found, rows, columns), bool(frame["one_training"].any())
    return *sides, Matrix(about, rows, columns, cells, new, differs=True, against=base, one_training=once)  # type: ignore[return-value]


def differences(frame: pl.DataFrame, measure: str) -> dict[tuple[str, str], Cell]:
    """Return the differences of a measure by query language and pool, of what `compare` gives for a task."""
    rows = frame.filter((pl.col("measure") == measure) & pl.col("query_language").is_not_null())
    rows = rows.with_columns(pl.col("n_ids").fill_null(0))
    return {
        (row["query_language"], row["passage_language"] or MULTILINGUAL_POOL): difference(row)
        for row in rows.iter_rows(named=True)
    }


def difference(row: Mapping[str, Any]) -> Cell:
    """Return a row of a comparison as a cell; see `xlbias.results.compare.COMPARISON_SCHEMA`."""
    p, n = row["p_corrected"], row["n_ids"]
    ends = (row["difference"], row["low"], row["high"])
    bounds = {name: row.get(name) for name in BOUNDS}
    return Cell(*ends, n, n, 0, p, p is not None and p < ALPHA, row["base"], row["new"], **bounds)


def cells_of(
    found: Mapping[tuple[str, str], Cell], rows: Sequence[str], columns: Sequence[str]
) -> tuple[tuple[Cell, ...], ...]:
    """Return the cells of a matrix, ABSENT where they are not in `found`."""
    return tuple(tuple(found.get((row, column), ABSENT) for column in columns) for row in rows)
