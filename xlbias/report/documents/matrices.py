"""The full matrix of a measure, query language by passage language, for every encoder on a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from xlbias.report.document import Block, Cell, Matrix, Table
from xlbias.report.documents.cells import cell, count
from xlbias.report.documents.encoders import LONGEST_NAME, Subject
from xlbias.report.documents.wording import BETTER, n_of
from xlbias.results.overview import MATRIX_MEASURES
from xlbias.results.per_query import Key
from xlbias.runs.schema import MULTILINGUAL_POOL
from xlbias.text import one_line


def grids(task: Mapping[str, Any], found: Sequence[Subject], measure: str) -> list[Block]:
    """Return the matrix of a measure for each encoder, on one scale; with one of n where n is not the same everywhere.

    Rows are the task's query languages, columns its passage languages and the multilingual pool (``all``), as far as
    the measure has such numbers.
    """
    about = MATRIX_MEASURES[measure]
    rows = sorted(task["n_queries"])
    tables = [_cells(one, measure) for one in found]
    there = {pool for table in tables for _, pool in table}
    columns = [pool for pool in (*sorted(task["pool_sizes"]), MULTILINGUAL_POOL) if pool in there]
    blocks: list[Block] = []
    everything = [c.value for table in tables for c in table.values() if c.value is not None]
    scale = (min(everything), max(everything)) if everything else (0.0, 0.0)
    heads = tuple("all" if pool == MULTILINGUAL_POOL else pool for pool in columns)
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


def _cells(one: Subject, measure: str) -> dict[tuple[str, str], Cell]:
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
