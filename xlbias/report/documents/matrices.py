"""The full matrix of a measure, query language by passage language: of every encoder, or as a screen shows it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from xlbias.report.document import Block, Cell, Matrix, Table
from xlbias.report.documents.cells import cell
from xlbias.report.documents.encoders import LONGEST_NAME, EncoderOnTask
from xlbias.report.documents.wording import BETTER, n_of, pool_name
from xlbias.report.numbers import MARK, count, difference_cell, interval, measured
from xlbias.results.matrix import MATRIX_MEASURES, DifferenceMatrix
from xlbias.results.matrix import Matrix as Values
from xlbias.results.per_query import Key
from xlbias.runs.run_info import TaskInfo
from xlbias.runs.schema import MULTILINGUAL_POOL
from xlbias.text import one_line


def matrix_blocks(task: TaskInfo, found: Sequence[EncoderOnTask], measure: str) -> list[Block]:
    """Return the matrix of a measure for each encoder, on one scale; with one of n where n is not the same everywhere.

    Rows are the task's query languages, columns its passage languages and the multilingual pool (``all``), as far as
    the measure has such numbers.
    """
    about = MATRIX_MEASURES[measure]
    rows = sorted(task.n_queries)
    tables = [_cells(one, measure) for one in found]
    there = {pool for table in tables for _, pool in table}
    columns = [pool for pool in (*sorted(task.pool_sizes), MULTILINGUAL_POOL) if pool in there]
    blocks: list[Block] = []
    everything = [c.value for table in tables for c in table.values() if c.value is not None]
    scale = (min(everything), max(everything)) if everything else (0.0, 0.0)
    heads = tuple(pool_name(pool) for pool in columns)
    for one, table in zip(found, tables, strict=True):
        if not table:
            continue
        empty = cell({}, Key(measure), about)
        body = [[table.get((row, column), empty) for column in columns] for row in rows]
        n = [c.n or 0 for line in body for c in line if c.n]
        who = f"{about.label} of {one.name} on {one_line(str(one.row['task']), LONGEST_NAME)}"
        title = f"{who}: query language down, {_across(columns)} across"
        notes = [f"{n_of(min(n, default=0), max(n, default=0))}; {about.definition}; better: {BETTER[about.better]}."]
        blocks.append(
            Matrix(title, about, tuple(rows), heads, tuple(map(tuple, body)), scale, tuple(notes), intervals=False)
        )
        if len(set(n)) > 1:
            blocks.append(_sizes(who, rows, heads, body))
    return blocks


def _cells(one: EncoderOnTask, measure: str) -> dict[tuple[str, str], Cell]:
    about = MATRIX_MEASURES[measure]
    return {
        (key.query_language, key.passage_language or MULTILINGUAL_POOL): cell(one.numbers, key, about)
        for key in one.numbers
        if key.measure == measure and key.query_language is not None
    }


def _across(columns: Sequence[str]) -> str:
    return "pool" if list(columns) == [MULTILINGUAL_POOL] else "passage language"


def _sizes(who: str, rows: Sequence[str], heads: Sequence[str], body: Sequence[Sequence[Cell]]) -> Table:
    cells = tuple(
        (Cell(row, kind="name"), *(count(c.n or 0) for c in line)) for row, line in zip(rows, body, strict=True)
    )
    return Table(f"n of {who}", ("", *heads), cells)


DELTA = "Δ "
"""Before the name of a measure whose differences are shown."""


INTERVALS = "[low, high]: 95 % bootstrap over query ids."
"""What the intervals in a table are."""


_RUN_FILE = re.compile(r"\.parquet(?=$|\W)")


def cell_of(matrix: Values, row: int, column: int) -> Cell:
    """Return one cell of a matrix, with its interval and n; a difference with its mark."""
    value, n = matrix.values[row][column], matrix.n[row][column]
    low, high = (ends[row][column] if ends else None for ends in (matrix.low, matrix.high))
    if isinstance(matrix, DifferenceMatrix):
        numbers: dict[str, object] = {
            "difference": value,
            "low": low,
            "high": high,
            "p_corrected": matrix.p[row][column],
            "n_ids": n,
        }
        return difference_cell(numbers, matrix.measure)
    about = matrix.measure
    return Cell(measured(value, about), value, low, high, interval(low, high, about), n, "number")


def block_of(matrix: Values, languages: Sequence[str], pools: Sequence[str]) -> Matrix:
    """Return rows and columns of a matrix, in the order given, as a block with intervals in its cells."""
    row_of = {language: r for r, language in enumerate(matrix.query_languages)}
    column_of = {pool: c for c, pool in enumerate(matrix.pools)}
    cells = tuple(tuple(cell_of(matrix, row_of[q], column_of[pool]) for pool in pools) for q in languages)
    known = [cell.value for line in cells for cell in line if cell.value is not None]
    about, what, label = matrix.measure, f"{matrix.measure.label} of {matrix.model}", ""
    few = len(languages) == 1  # then what is known of each cell stands with it
    notes = [f"{about.definition}; better: {about.better}."]
    counted = {cell.n for line in cells for cell in line if cell.value is not None and cell.n is not None}
    if counted and (len(counted) == 1 and len(pools) > 1 if few else True):
        notes.append(f"{n_of(min(counted), max(counted))}.")
    if any(cell.interval for line in cells for cell in line):
        notes.append(INTERVALS)
    scale = (min(known, default=0.0), max(known, default=0.0))
    if isinstance(matrix, DifferenceMatrix):
        end = max(map(abs, known), default=0.0)
        what, scale = (
            f"Difference in {about.label}, {matrix.model} minus {_RUN_FILE.sub('', matrix.against)}",
            (-end, end),
        )
        label = f"{DELTA}{about.label}"
        marked = any(MARK in cell.text for line in cells for cell in line)
        notes.append(_paired(marked, few=few, one_training=matrix.one_training))
    if few:
        shape = f": query language {languages[0]}"
        shape += f", passage language {pool_name(pools[0])}" if len(pools) == 1 else ", passage language across"
    else:
        shape = ": query language down, passage language across"
    return Matrix(
        f"{what} on {matrix.task}{shape}",
        about,
        tuple(languages),
        tuple(pool_name(pool) for pool in pools),
        cells,
        scale,
        tuple(notes),
        axes=("query language", "passage language"),
        label=label,
    )


def _paired(marked: bool, *, few: bool, one_training: bool) -> str:
    """Return what the p of differences are, and what the mark is where there is one."""
    once = "; one training each, so that another seed may differ" if one_training else ""
    corrected = "correction over the whole matrix (step-down max-T)"
    if few:
        return f"Paired by query id; p is after {corrected}{f', {MARK} marks p < .05' if marked else ''}{once}."
    return f"Paired by query id; {f'{MARK} marks' if marked else 'no difference has'} p < .05 after {corrected}{once}."
