"""The report as plain text: the audit on one screen, readable in a terminal, a log and a mail.

Aligned columns hold numbers and language codes only; names, which come from data, stand last on their line.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

from xlbias.report.tables import MATRIX_MEASURES, Matrix, coverage_notes, matrix, overview
from xlbias.runs.run import Run
from xlbias.runs.schema import MULTILINGUAL_POOL
from xlbias.text import clean, cut
from xlbias.text import width as cells

NOTHING = "·"
"""Shown where there is no number."""

_STATUS = {
    "finished": "finished",
    "running": "in progress (numbers are over what is done so far)",
    "died": "unfinished, its writer died (`xlbias evaluate --resume` goes on)",
    "elsewhere": "unfinished, written from another host",
}


def to_text(run: Run, width: int = 80, *, measures: Sequence[str] = ()) -> str:
    """Return the audit of a run as text of at most `width` columns; `measures` names matrices to add in full."""
    lines = [*_head(run, width), "", *_overview(run, width), "", *_bias(run, width)]
    for measure in measures:
        for model in run.models:
            for task in run.tasks:
                lines += ["", *matrix_lines(matrix(run, measure, model["name"], task["name"]), width)]
    notes = coverage_notes(run)
    if notes:
        lines += ["", "Left out", *(line for note in notes for line in _wrapped(clean(note), width))]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def number(value: float | None, *, unit_range: bool = True) -> str:
    """Return a value as tables show it: ``.573`` in [0, 1], ``10,917`` for ranks, ``·`` for none."""
    if value is None or math.isnan(value):
        return NOTHING
    if not unit_range:
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}"
    text = f"{value:.3f}"
    return text[1:] if text.startswith("0.") else text


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 0) -> list[str]:
    """Return aligned lines; columns are right-aligned but for the last `left` ones. Cells must be cleaned already."""
    widths = [max(len(str(row[i])) for row in [heads, *rows]) for i in range(len(heads))]
    first_left = len(heads) - left

    def line(cells: Sequence[str]) -> str:
        return "  ".join(
            cell.rjust(widths[i]) if i < first_left else (cell if i == len(heads) - 1 else cell.ljust(widths[i]))
            for i, cell in enumerate(cells)
        )

    return [line(heads), *(line(row) for row in rows)]


def name_of(row: dict[str, Any]) -> str:
    """Return an encoder's name with its sampler and α, where known, as one cleaned text."""
    sampler = row.get("sampler")
    alpha = row.get("alpha")
    about = f" ({sampler}{f' α={alpha:g}' if sampler == 'hybrid' and alpha is not None else ''})" if sampler else ""
    return clean(f"{row['model']}{'' if sampler and str(row['model']) == sampler else about}")


def _head(run: Run, width: int) -> list[str]:
    created = run.metadata.get("created")
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(created)) if isinstance(created, (int, float)) else "?"
    lines = [cut(f"Run of {when}, {_STATUS[run.state.status]}: {clean(str(run.path))}", width)]
    for task in run.tasks:
        n_queries, pool = sum(task["n_queries"].values()), sum(task["pool_sizes"].values())
        about = (
            f"Task {task['name']} ({task['domain']}): {len(task['pool_sizes'])} languages, {task['n_ids']:,} ids, "
            f"{n_queries:,} queries, {pool:,} passages"
        )
        lines.append(cut(clean(about), width))
    return lines


def _overview(run: Run, width: int) -> list[str]:
    rows = overview(run).to_dicts()
    if not any(row["n_rankings"] for row in rows):
        return ["Nothing has been ranked yet."]
    heads = ["mono", "cross", "multi", "rank dist.", "norm."]
    wide = width >= 76
    if wide:
        heads += ["worst pair", "best pair"]
    body = []
    for row in rows:
        cells = [
            number(row["map_mono"]),
            number(row["map_cross"]),
            number(row["map_multi"]),
            number(row["rank_distance"], unit_range=False),
            number(row["rank_distance_normalised"]),
        ]
        if wide:
            cells += [_pair(row, "worst"), _pair(row, "best")]
        unfinished = row["n_cells"] < row["n_cells_expected"] and run.state.status != "finished"
        done = f" [{row['n_cells']} of {row['n_cells_expected']} cells]" if unfinished else ""
        body.append([*cells, f"{name_of(row)} on {clean(row['task'])}{done}"])
    lines = table([*heads, "encoder on task"], body, left=1)
    return [
        cut("mAP (macro average over cells) and rank distance", width),
        *(cut(line, width) for line in lines),
    ]


def _pair(row: dict[str, Any], which: str) -> str:
    return f"{row[f'{which}_pair']} {number(row[which])}" if row[f"{which}_pair"] else NOTHING


def _bias(run: Run, width: int) -> list[str]:
    """Return rank distance per query language, a block of columns per line where the languages do not fit one."""
    by_language = run.bias()
    if by_language.is_empty():
        return []
    languages = by_language["query_language"].unique().sort().to_list()
    mean = {(m, t, ql): (value, n) for m, t, ql, value, n in by_language.select(
        "model", "task", "query_language", "mean", "n").iter_rows()}  # fmt: skip
    per_line = max(1, (width - 24) // 8)
    lines = [cut("Rank distance by query language (mean; fewer is fairer)", width)]
    for start in range(0, len(languages), per_line):
        part = languages[start : start + per_line]
        body = []
        for model in run.models:
            for task in run.tasks:
                values = [mean.get((model["name"], task["name"], ql), (None, 0))[0] for ql in part]
                if any(value is not None for value in values):
                    cells = [number(value, unit_range=False) for value in values]
                    body.append([*cells, clean(f"{model['name']} on {task['name']}")])
        lines += [cut(line, width) for line in table([*part, "encoder on task"], body, left=1)]
    return lines


def matrix_lines(m: Matrix, width: int) -> list[str]:
    """Return a matrix as aligned text: query languages down, pools across, ``all`` for the multilingual pool."""
    measure = MATRIX_MEASURES[m.measure.name]
    title = clean(f"{measure.label} of {m.model} on {m.task}: query language down, passage language across")
    heads = ["all" if pool == MULTILINGUAL_POOL else pool for pool in m.pools]
    body = [[number(value, unit_range=measure.unit_range) for value in row] for row in m.values]
    first = max((len(ql) for ql in m.query_languages), default=0)
    widest = max(len(cell) for row in [heads, *body] for cell in row) + 2
    per_line = max(1, (width - first) // widest)
    lines = [cut(title, width)]
    for start in range(0, len(heads), per_line):
        part = slice(start, start + per_line)
        rows = [[ql, *row[part]] for ql, row in zip(m.query_languages, body, strict=True)]
        lines += table(["", *heads[part]], rows)
    smallest = min((n for row in m.n for n in row if n), default=0)
    largest = max((n for row in m.n for n in row), default=0)
    n = f"n = {largest:,} queries a cell" if smallest == largest else f"n = {smallest:,} to {largest:,} queries a cell"
    return [*lines, *_wrapped(f"{n}; {measure.definition}", width)]


def _wrapped(text: str, width: int) -> list[str]:
    """Return `text` in indented lines of at most `width` cells; a word that is longer is cut."""
    lines: list[str] = []
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines else ""
        if lines and cells(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(cut(f"  {word}", width))
    return lines
