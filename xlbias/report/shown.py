"""A matrix or a table as a dashboard shows it, as a block of a report: what is copied is what a report would print."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from xlbias.measures.registry import measures
from xlbias.report.cells import Numbers, cell
from xlbias.report.comparison import MARK, difference_cell
from xlbias.report.document import Cell, Matrix, Table
from xlbias.report.layout import interval, measured
from xlbias.report.phrases import n_of
from xlbias.report.tables import DifferenceMatrix
from xlbias.report.tables import Matrix as Values
from xlbias.runs.run import Run
from xlbias.runs.schema import MULTILINGUAL_POOL, SETTING_SHORT, SETTINGS
from xlbias.runs.values import Key

INTERVALS = "[low, high]: 95 % percentile bootstrap over query ids."
"""What the intervals in a table are."""

_RANK_DISTANCES = ("rank_distance", "rank_distance.normalised")


def cell_of(matrix: Values, row: int, column: int) -> Cell:
    """Return one cell of a matrix, with its interval and n; a difference with its mark."""
    value, n = matrix.values[row][column], matrix.n[row][column]
    low, high = matrix.low[row][column], matrix.high[row][column]
    if isinstance(matrix, DifferenceMatrix):
        numbers: dict[str, object] = {
            "difference": value,
            "low": low,
            "high": high,
            "p_holm": matrix.p[row][column],
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
    about, what = matrix.measure, f"{matrix.measure.label} of {matrix.model}"
    notes = [f"{about.definition}; better: {about.better}."]
    if counted := [cell.n for line in cells for cell in line if cell.value is not None and cell.n is not None]:
        notes.append(f"{n_of(min(counted), max(counted))}.")
    if any(cell.interval for line in cells for cell in line):
        notes.append(INTERVALS)
    scale = (min(known, default=0.0), max(known, default=0.0))
    if isinstance(matrix, DifferenceMatrix):
        end = max(map(abs, known), default=0.0)
        what, scale = f"Difference in {matrix.measure.label}, {matrix.model} minus {matrix.against}", (-end, end)
        notes.append(f"Paired by query id; {MARK} marks p < .05 after Holm's correction over the whole matrix.")
    shape = ": query language down, passage language across" if len(languages) > 1 else ""
    return Matrix(
        f"{what} on {matrix.task}{shape}",
        about,
        tuple(languages),
        tuple("all" if pool == MULTILINGUAL_POOL else pool for pool in pools),
        cells,
        scale,
        tuple(notes),
        axes=("query language", "passage language"),
    )


def overview_table(run: Run, rows: pl.DataFrame) -> Table:
    """Return rows of `xlbias.report.tables.overview` as a table, with intervals."""
    numbers, quality, bias = Numbers(run.summary), measures("quality")["map"], measures("bias")
    lines = []
    for row in rows.iter_rows(named=True):
        found = numbers.of(row["model"], row["task"])
        lines.append(
            (
                Cell(row["model"], kind="name"),
                Cell(row["task"], kind="name"),
                *(cell(found, Key("map", setting), quality) for setting in SETTINGS),
                *(cell(found, Key(name, SETTINGS[2]), bias[name]) for name in _RANK_DISTANCES),
                *(
                    Cell(f"{row[f'{end}_pair']} {measured(row[end], quality)}", row[end])
                    if row[f"{end}_pair"]
                    else Cell("·")
                    for end in ("worst", "best")
                ),
            )
        )
    settings = [f"mAP {SETTING_SHORT[setting]}" for setting in SETTINGS]
    heads = ("encoder", "task", *settings, *(bias[name].label for name in _RANK_DISTANCES), "worst pair", "best pair")
    notes = ["mAP: mean over the cells of a setting."]
    if any(cell.interval for line in lines for cell in line):
        notes.append(INTERVALS)
    return Table("Encoders and tasks", heads, tuple(lines), tuple(notes), 2)
