"""The report as plain text: the audit on one screen, readable in a terminal, a log and a mail.

Aligned columns hold numbers and language codes only; names, which come from data, stand last on their line.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

import polars as pl

from xlbias.report.layout import blocks, cut_all, table, wrapped
from xlbias.report.tables import MATRIX_MEASURES, SETTING_COLUMN, Matrix, coverage_notes, matrix, overview
from xlbias.report.training import trained, training_lines
from xlbias.runs.run import Run
from xlbias.runs.schema import MULTILINGUAL_POOL
from xlbias.text import clean, cut

NOTHING = "·"
"""Shown where there is no number."""

_STATUS = {
    "finished": "finished",
    "running": "in progress (numbers are over what is done so far)",
    "died": "unfinished, its writer died",
    "elsewhere": "unfinished, written from another host",
}


def to_text(run: Run, width: int = 80, *, measures: Sequence[str] = (), by_language: bool = False) -> str:
    """Return the audit of a run as text of at most `width` columns, with what was drawn to train its encoders.

    `measures` names matrices to add in full; `by_language` adds the rank distance of every query language.
    """
    rows = overview(run).to_dicts()
    trainings = trained(run)
    ranked = any(row["n_rankings"] for row in rows)
    lines = _head(run, width) if ranked or run.tasks else _head(run, width)[:1]
    if not ranked and (run.tasks or not trainings):
        lines += ["", "Nothing has been ranked yet."]
    for task in run.tasks:
        of_task = [row for row in rows if row["task"] == task["name"] and row["n_rankings"]]
        if of_task:
            lines += ["", _about(task, width), *_overview(run, of_task, width), "", *_bias(run, of_task, width)]
    if by_language:
        lines += ["", *by_language_lines(run, rows, width)]
    for measure in measures:
        for model in run.models:
            for task in run.tasks:
                lines += ["", *matrix_lines(matrix(run, measure, model["name"], task["name"]), width)]
    for training in trainings:
        lines += ["", *training_lines(training, width, matrix=not ranked)]
    notes = coverage_notes(run)
    if notes:
        lines += ["", "Note", *(line for note in notes for line in wrapped(clean(note), width))]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def number(value: float | None, *, unit_range: bool = True) -> str:
    """Return a value as tables show it: ``.573`` in [0, 1], ``10,917`` for ranks, ``·`` for none."""
    if value is None or math.isnan(value):
        return NOTHING
    if not unit_range:
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}"
    text = f"{value:.3f}"
    return text[1:] if text.startswith("0.") else text


def name_of(row: dict[str, Any]) -> str:
    """Return an encoder's name with its sampler and α, where known, as one cleaned text."""
    sampler = row.get("sampler")
    alpha = row.get("alpha")
    about = f" ({sampler}{f' α={alpha:g}' if sampler == 'hybrid' and alpha is not None else ''})" if sampler else ""
    return clean(f"{row['model']}{'' if sampler and str(row['model']) == sampler else about}")


def _head(run: Run, width: int) -> list[str]:
    created = run.metadata.get("created")
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(created)) if isinstance(created, (int, float)) else "?"
    return [
        cut(f"Run of {when}, {_STATUS[run.state.status]}: {clean(str(run.path))}", width),
        cut("mAP: mean over cells of a setting; rank dist.: in the pool of all languages", width),
    ]


def _about(task: dict[str, Any], width: int) -> str:
    n_queries, pool = sum(task["n_queries"].values()), sum(task["pool_sizes"].values())
    sizes = f"{len(task['pool_sizes'])} languages, {n_queries:,} queries, {pool:,} passages"
    return cut(clean(f"{task['name']} ({task['domain']}): {sizes}"), width)


def _overview(run: Run, rows: list[dict[str, Any]], width: int) -> list[str]:
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
        body.append([*cells, f"{name_of(row)}{done}"])
    return [*cut_all(table([*heads, "encoder"], body, left=1), width), *_counts(run, rows, width)]


def _counts(run: Run, rows: list[dict[str, Any]], width: int) -> list[str]:
    """Return over how many queries the means above are taken, a line for each encoder where they differ.

    With the query-weighted average beside the macro average where the two are not the same number.
    """
    lines: dict[str, list[str]] = {}
    for row in rows:
        counts, weighted = [], []
        of_row = run.settings.filter((pl.col("model") == row["model"]) & (pl.col("task") == row["task"]))
        for setting in of_row.iter_rows(named=True):
            short = SETTING_COLUMN[setting["setting"]]
            counts.append(f"{short} {setting['n_rankings']:,} queries in {setting['n_cells']} cells")
            if number(setting["map"]) != number(setting["map_weighted"]):
                weighted.append(f"{short} {number(setting['map_weighted'])}")
        if weighted:
            lines.setdefault(f"weighted by queries: {', '.join(weighted)}", []).append(name_of(row))
        lines.setdefault(f"n: {', '.join(counts)}", []).append(name_of(row))
    everyone = len(rows)
    return [
        line
        for text, who in lines.items()
        for line in wrapped(text if len(who) == everyone else f"{text} ({', '.join(who)})", width)
    ]


def _pair(row: dict[str, Any], which: str) -> str:
    return f"{row[f'{which}_pair']} {number(row[which])}" if row[f"{which}_pair"] else NOTHING


def _bias(run: Run, rows: list[dict[str, Any]], width: int) -> list[str]:
    """Return rank distance over query languages, a line per encoder: whom it serves best and worst."""
    body = []
    for row in rows:
        languages = run.bias().filter(
            (pl.col("model") == row["model"]) & (pl.col("task") == row["task"]) & (pl.col("n") > 0)
        )
        if languages.is_empty():
            continue
        ordered = languages.sort("mean", "query_language").select("query_language", "mean").rows()
        fairest, least = (f"{ql} {number(value, unit_range=False)}" for ql, value in (ordered[0], ordered[-1]))
        body.append(
            [
                number(row["rank_distance"], unit_range=False),
                number(row["rank_distance_median"], unit_range=False),
                fairest,
                least,
                f"{languages['n'].sum():,}",
                name_of(row),
            ]
        )
    heads = ["rank dist.", "median", "fairest for", "least fair for", "queries", "encoder"]
    return cut_all(table(heads, body, left=1), width) if body else []


def by_language_lines(run: Run, rows: list[dict[str, Any]], width: int) -> list[str]:
    """Return mean rank distance of every query language, in blocks of columns where they do not fit one line."""
    by_language = run.bias()
    mean = {
        (m, t, ql): value
        for m, t, ql, value in by_language.select("model", "task", "query_language", "mean").iter_rows()
    }
    languages = by_language["query_language"].unique().sort().to_list()
    per_line = max(1, (width - 24) // 8)
    counts = by_language["n"]
    fewest, most = min(counts.to_list()), max(counts.to_list())
    n = f"{most:,}" if fewest == most else f"{fewest:,} to {most:,}"
    lines = [cut(f"Rank distance of every query language (mean over {n} queries each)", width)]
    for start in range(0, len(languages), per_line):
        part = languages[start : start + per_line]
        body = []
        for row in rows:
            values = [mean.get((row["model"], row["task"], ql)) for ql in part]
            if any(value is not None for value in values):
                name = f"{name_of(row)} on {clean(row['task'])}"
                body.append([*(number(value, unit_range=False) for value in values), name])
        lines += cut_all(table([*part, "encoder on task"], body, left=1), width)
    return lines


def matrix_lines(m: Matrix, width: int) -> list[str]:
    """Return a matrix as aligned text: query languages down, pools across, ``all`` for the multilingual pool."""
    measure = MATRIX_MEASURES[m.measure.name]
    title = clean(f"{measure.label} of {m.model} on {m.task}: query language down, passage language across")
    heads = ["all" if pool == MULTILINGUAL_POOL else pool for pool in m.pools]
    body = [[number(value, unit_range=measure.unit_range) for value in row] for row in m.values]
    lines = [cut(title, width), *blocks(m.query_languages, heads, body, width)]
    smallest = min((n for row in m.n for n in row if n), default=0)
    largest = max((n for row in m.n for n in row), default=0)
    n = f"n = {largest:,} queries a cell" if smallest == largest else f"n = {smallest:,} to {largest:,} queries a cell"
    lines += wrapped(f"{n}; {measure.definition}", width)
    if smallest != largest:
        counts = [[f"{count:,}" for count in row] for row in m.n]
        lines += ["n of every cell", *blocks(m.query_languages, heads, counts, width)]
    return lines
