"""The report as plain text: the audit on one screen, readable in a terminal, a log and a mail.

Aligned columns hold numbers and language codes only; names, which come from data, stand last on their line.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import polars as pl

from xlbias.report.document import MatrixBlock
from xlbias.report.documents.bias_text import alignment_lines, bias_lines, texts_lines
from xlbias.report.documents.caveats import TITLE, mark_of
from xlbias.report.documents.caveats import lines as lines_of
from xlbias.report.documents.encoders import encoders_by_task
from xlbias.report.documents.levels import chance_note
from xlbias.report.documents.matrices import with_pool_names
from xlbias.report.documents.published import published_table
from xlbias.report.documents.training import training_lines
from xlbias.report.documents.wording import (
    about_encoder,
    about_run,
    about_task,
    counts,
    coverage_notes,
    intervals,
    leak_notes,
    n_of,
    name_of,
    training_notes,
)
from xlbias.report.formats.columns import blocks, cut_all, table, wrapped
from xlbias.report.formats.text import matrix_lines as block_lines
from xlbias.report.formats.text import table_lines
from xlbias.report.numbers import NO_NUMBER, NOTHING, entry, measured, number
from xlbias.results.caveats import caveats
from xlbias.results.matrix import MATRIX_MEASURES, Matrix, matrix
from xlbias.results.overview import overview
from xlbias.results.per_query import Key
from xlbias.results.run import Run
from xlbias.results.training import trained
from xlbias.runs.run_info import TaskInfo
from xlbias.runs.schema import SETTINGS
from xlbias.text import clean, cut

Part = tuple[str, TaskInfo | None, list[str]]


def to_text(
    run: Run,
    width: int = 80,
    *,
    measures: Sequence[str] = (),
    by_language: bool = False,
    published: Sequence[str] = (),
) -> str:
    """Return the audit of a run as text of at most `width` columns, with what was drawn to train its encoders.

    `measures` names matrices to add in full; `by_language` adds the rank distance of every query language and the mean
    rank of every language's answers; `published` adds what papers printed for the same data set, by arXiv id.
    """
    ranked, trainings = _ranked(run), trained(run)
    lines = _head(run, width) if ranked or run.tasks else _head(run, width)[:1]
    if not ranked and (run.tasks or not trainings):
        lines += ["", "Nothing has been ranked yet."]
    for _, _, part in _parts(run, width, measures, by_language, published):
        lines += ["", *part]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def named_parts(
    run: Run,
    width: int,
    sections: Collection[str] = (),
    *,
    measures: Sequence[str] = (),
    by_language: bool = False,
    published: Sequence[str] = (),
) -> str:
    """Return the parts of the audit that are asked for by name, as text that follows the short report.

    `sections` are some of `xlbias.report.forms.SECTIONS`; the others are as in `to_text`.
    """
    if not (sections or measures or by_language or published):
        return ""  # what nobody asked for takes its time in large runs
    wanted = {*sections, "by-language", "matrix", "published"}
    lines: list[str] = []
    about = None if "overview" in wanted else ""
    for name, task, part in _parts(run, width, measures, by_language, published):
        if name in wanted:
            if task is not None and about not in (None, task.name):
                lines += ["", cut(about_task(task), width)]
                about = task.name
            lines += ["", *part]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _ranked(run: Run) -> bool:
    return bool(overview(run)["n_rankings"].sum())


def _parts(
    run: Run, width: int, measures: Sequence[str], by_language: bool, published: Sequence[str]
) -> Iterator[Part]:
    """Yield the parts of the audit: which section each belongs to, what task it is about, and its lines."""
    yield from _of_tasks(run, width, published)
    rows, ranked = overview(run).to_dicts(), _ranked(run)
    if by_language:
        yield "by-language", None, by_language_lines(run, rows, width)
    for measure in measures:
        for model in run.models:
            for task in run.tasks:
                yield "matrix", None, matrix_lines(matrix(run, measure, model.name, task.name), width)
    for training in trained(run):
        yield "training", None, training_lines(training, width, matrix=not ranked)
    if encoders := [about for model in run.models if (about := about_encoder(model))]:
        yield "encoders", None, ["Encoders", *(line for about in encoders for line in wrapped(about, width))]
    if doubts := lines_of(caveats(run)):
        yield "caveats", None, [TITLE, *(line for text in doubts for line in wrapped(text, width))]
    notes = [*([intervals(run)] if ranked else []), *training_notes(run), *leak_notes(run), *coverage_notes(run)]
    if notes:
        yield "notes", None, ["Note", *(line for note in notes for line in wrapped(clean(note), width))]


def _of_tasks(run: Run, width: int, published: Sequence[str]) -> Iterator[Part]:
    rows, found = overview(run).to_dicts(), encoders_by_task(run)
    for task in run.tasks:
        of_task = [row for row in rows if row["task"] == task.name and row["n_rankings"]]
        if not of_task:
            continue
        yield "overview", task, [cut(about_task(task), width), *_overview(run, task, of_task, width)]
        if extremes := _extremes(run, of_task, width):
            yield "overview", task, extremes
        for name, lines_of_part in (("bias", bias_lines), ("alignment", alignment_lines), ("texts", texts_lines)):
            if part := lines_of_part(found[task.name], width):
                yield name, task, part
        for source in published:
            if (printed := published_table(source, task)) is not None:
                yield "published", task, table_lines(printed, width)


def _head(run: Run, width: int) -> list[str]:
    return [
        cut(about_run(run), width),
        cut("mAP: mean over cells of a setting; rank dist.: in the pool of all languages", width),
    ]


def _overview(run: Run, task: TaskInfo, rows: list[dict[str, Any]], width: int) -> list[str]:
    heads = ["mono", "cross", "multi", "rank dist.", "norm."]
    wide = width >= 76
    if wide:
        heads += ["worst pair", "best pair"]
    body, doubts, numbers = [], caveats(run), run.numbers
    for row in rows:
        found = numbers.of(row["model"], row["task"])
        cells = [
            entry(found.get(Key(name, setting), NO_NUMBER), MATRIX_MEASURES[name]).text
            for name, setting in (
                *(("map", setting) for setting in SETTINGS),
                ("rank_distance", SETTINGS[2]),
                ("rank_distance.normalised", SETTINGS[2]),
            )
        ]
        if wide:
            cells += [_pair(row, "worst"), _pair(row, "best")]
        unfinished = row["n_cells"] < row["n_cells_expected"] and run.state.status != "finished"
        done = f" [{row['n_cells']} of {row['n_cells_expected']} cells]" if unfinished else ""
        body.append([*cells, f"{mark_of(doubts, row['model'], row['task'])}{name_of(row)}{done}"])
    lines = cut_all(table([*heads, "encoder"], body, left=1), width)
    return [*lines, *(line for text in (*counts(run, rows), *chance_note(run, task)) for line in wrapped(text, width))]


def _pair(row: dict[str, Any], which: str) -> str:
    return f"{row[f'{which}_pair']} {number(row[which])}" if row[f"{which}_pair"] else NOTHING


def _extremes(run: Run, rows: list[dict[str, Any]], width: int) -> list[str]:
    """Return rank distance over query languages, a line per encoder: whom it serves best and worst."""
    body = []
    for row in rows:
        languages = run.bias().filter(
            (pl.col("model") == row["model"]) & (pl.col("task") == row["task"]) & pl.col("mean").is_not_null()
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
    """Return mean rank distance of every query language, and the mean rank of every language's answers.

    In blocks of columns where they do not fit one line.
    """
    by_language = run.bias()
    counts = by_language["n"]
    fewest, most = min(counts.to_list()), max(counts.to_list())
    n = f"{most:,}" if fewest == most else f"{fewest:,} to {most:,}"
    title = f"Rank distance of every query language (mean over {n} queries each)"
    asked = by_language.select("model", "task", "query_language", "mean")
    lines = _language_columns(rows, asked, "rank_distance", title, width)
    answered = run.summary.filter(
        (pl.col("measure") == "language_rank")
        & pl.col("query_language").is_null()
        & pl.col("passage_language").is_not_null()
    ).select("model", "task", "passage_language", "value")
    if answered["value"].is_not_null().any():
        title = "Mean rank of every language's answers among the answers to one query"
        lines += ["", *_language_columns(rows, answered, "language_rank", title, width)]
    return lines


def _language_columns(
    rows: list[dict[str, Any]], values: pl.DataFrame, measure: str, title: str, width: int
) -> list[str]:
    """Return ``model, task, language, value`` as text, a column per language."""
    found = {(m, t, language): value for m, t, language, value in values.iter_rows()}
    languages = sorted({language for _, _, language in found})
    per_line = max(1, (width - 24) // 8)
    lines = [cut(title, width)]
    for start in range(0, len(languages), per_line):
        part = languages[start : start + per_line]
        body = []
        for row in rows:
            of_row = [found.get((row["model"], row["task"], language)) for language in part]
            if any(value is not None for value in of_row):
                name = f"{name_of(row)} on {clean(row['task'])}"
                body.append([*(measured(value, MATRIX_MEASURES[measure]) for value in of_row), name])
        lines += cut_all(table([*part, "encoder on task"], body, left=1), width)
    return lines


def matrix_lines(m: Matrix, width: int) -> list[str]:
    """Return a matrix as aligned text: query languages down, pools across, ``all`` for the multilingual pool."""
    n = [[cell.n or 0 for cell in row] for row in m.cells]
    smallest = min((one for row in n for one in row if one), default=0)
    largest = max((one for row in n for one in row), default=0)
    title = f"{m.measure.label} of {m.model} on {m.task}: query language down, passage language across"
    block = MatrixBlock(title, with_pool_names(m), (f"{n_of(smallest, largest)}; {m.measure.definition}",))
    lines = block_lines(block, width)
    if smallest != largest:
        counts = [[f"{one:,}" for one in row] for row in n]
        lines += ["n of every cell", *blocks(m.rows, block.columns, counts, width)]
    return lines
