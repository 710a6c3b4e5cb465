"""A matrix or a table as a dashboard shows it, as a block of a report: what is copied is what a report would print."""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

from xlbias.measures.registry import measures
from xlbias.report.document import Cell, Matrix, Table
from xlbias.report.documents.caveats import lines as lines_of
from xlbias.report.documents.caveats import mark_of
from xlbias.report.documents.cells import Numbers, cell
from xlbias.report.documents.comparison import MARK, difference_cell
from xlbias.report.documents.wording import n_of
from xlbias.report.numbers import interval, measured
from xlbias.results.caveats import caveats
from xlbias.results.overview import DifferenceMatrix
from xlbias.results.overview import Matrix as Values
from xlbias.results.per_query import Key
from xlbias.results.run import Run
from xlbias.runs.schema import MULTILINGUAL_POOL, SETTING_SHORT, SETTINGS

DELTA = "Δ "
"""Before the name of a measure whose differences are shown."""

INTERVALS = "[low, high]: 95 % bootstrap over query ids."
"""What the intervals in a table are."""

_RUN_FILE = re.compile(r"\.parquet(?=$|\W)")
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
        notes.append(_paired(any(MARK in cell.text for line in cells for cell in line), few=few))
    if few:
        shape = f": query language {languages[0]}"
        shape += f", passage language {_name(pools[0])}" if len(pools) == 1 else ", passage language across"
    else:
        shape = ": query language down, passage language across"
    return Matrix(
        f"{what} on {matrix.task}{shape}",
        about,
        tuple(languages),
        tuple(_name(pool) for pool in pools),
        cells,
        scale,
        tuple(notes),
        axes=("query language", "passage language"),
        label=label,
    )


def _name(pool: str) -> str:
    return "all" if pool == MULTILINGUAL_POOL else pool


def _paired(marked: bool, *, few: bool) -> str:
    """Return what the p of differences are, and what the mark is where there is one."""
    corrected = "correction over the whole matrix (step-down max-T)"
    if few:
        return f"Paired by query id; p is after {corrected}{f', {MARK} marks p < .05' if marked else ''}."
    return f"Paired by query id; {f'{MARK} marks' if marked else 'no difference has'} p < .05 after {corrected}."


def overview_table(run: Run, rows: pl.DataFrame) -> Table:
    """Return rows of `xlbias.results.overview.overview` as a table, with intervals."""
    numbers, quality, bias = Numbers(run.summary), measures("quality")["map"], measures("bias")
    lines, doubts = [], caveats(run)
    for row in rows.iter_rows(named=True):
        found = numbers.of(row["model"], row["task"])
        lines.append(
            (
                Cell(f"{mark_of(doubts, row['model'], row['task'])}{row['model']}", kind="name"),
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
    shown = rows.select("model", "task").rows()
    notes += lines_of([one for one in doubts if any(one.concerns(*who) for who in shown)])
    return Table("Encoders and tasks", heads, tuple(lines), tuple(notes), 2)
