"""The audit of a run as a document: for every task who finds what, for whom it is worse, and over how many queries."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from xlbias.measures.measure import Measure
from xlbias.measures.registry import SIDES, measures
from xlbias.report.document import Block, Document, Paragraph, Section, Table, Terms
from xlbias.report.documents.caveats import section as doubted
from xlbias.report.documents.encoders import LONGEST_NAME, EncoderOnTask, encoders_by_task
from xlbias.report.documents.findings import section as findings_section
from xlbias.report.documents.levels import chance_note
from xlbias.report.documents.matrices import matrix_blocks
from xlbias.report.documents.overall import (
    bias_measures,
    overall_alignment,
    overall_bias,
    overall_of_sides,
    undefined_notes,
)
from xlbias.report.documents.overview import MEAN_OF_CELLS, overview_entries, overview_heads
from xlbias.report.documents.published import published_table
from xlbias.report.documents.wording import (
    BETTER,
    about_encoder,
    about_run,
    about_task,
    counts,
    coverage_notes,
    intervals,
    leak_notes,
    training_notes,
)
from xlbias.report.numbers import NOTHING, Entry, count, measured, numeric
from xlbias.results.caveats import caveats
from xlbias.results.findings import findings
from xlbias.results.per_query import Key
from xlbias.results.run import Run
from xlbias.results.wide import RANK_DISTANCES
from xlbias.runs.run_info import TaskInfo
from xlbias.runs.schema import SETTINGS
from xlbias.text import one_line

DEFAULT_MATRICES = ("map", "single_gold", "exposure@10.ratio")
"""Shown as heat maps where there is room for them."""

_ASKED = ("rank_distance", "rank_distance.normalised", "same_language@1", "single_gold.gap")
_FOUND = ("language_rank", "exposure@10.ratio", "single_gold")


def audit(
    run: Run, *, matrices: Sequence[str] = (), by_language: bool = False, published: Sequence[str] = ()
) -> Document:
    """Return the audit of a run.

    Args:
        run: finished or in progress.
        matrices: measures to show in full, of `xlbias.results.matrix.MATRIX_MEASURES`.
        by_language: whether to add the numbers of every language.
        published: arXiv ids whose printed results of the same data set to add; see `xlbias.results.published`.
    """
    found = encoders_by_task(run)
    doubts = doubted(caveats(run))
    sections = [
        _section(run, task, found[task.name], matrices, by_language, published)
        for task in run.tasks
        if task.name in found
    ]
    if not sections:
        sections.append(Section("Nothing yet", (Paragraph("Nothing has been ranked yet."),)))
    else:
        everyone = [one for some in found.values() for one in some]
        if encoders := [Paragraph(about) for model in run.models if (about := about_encoder(model))]:
            sections.append(Section("Encoders", tuple(encoders)))
        notes = [intervals(run), *training_notes(run), *leak_notes(run), *coverage_notes(run)]
        sections += [
            Section("Notes", tuple(Paragraph(note) for note in notes)),
            Section("Measures", (_glossary(everyone, matrices),)),
        ]
    answers = findings_section(findings(run))
    sections = [*(one for one in (answers, doubts) if one is not None), *sections]
    return Document("Language bias of multilingual encoders", about_run(run), tuple(sections))


def _section(
    run: Run,
    task: TaskInfo,
    found: Sequence[EncoderOnTask],
    matrices: Sequence[str],
    by_language: bool,
    published: Sequence[str],
) -> Section:
    tables = [_overview(run, task, found), _bias(found), _alignment(found), _texts(found)]
    if by_language:
        tables.append(_by_language(task, found))
    blocks: list[Block | None] = [Paragraph(about_task(task)), *tables]
    for measure in matrices:
        blocks += matrix_blocks(run, found, measure)
    blocks += [published_table(source, task) for source in published]
    title = one_line(f"{task.name} ({task.domain})", LONGEST_NAME)
    return Section(title, tuple(block for block in blocks if block is not None))


def _overview(run: Run, task: TaskInfo, found: Sequence[EncoderOnTask]) -> Table:
    rows = []
    for one in found:
        unfinished = one.row["n_cells"] < one.row["n_cells_expected"] and run.state.status != "finished"
        done = f" [{one.row['n_cells']} of {one.row['n_cells_expected']} cells]" if unfinished else ""
        rows.append(
            (
                Entry(one.marked + done, kind="name"),
                *overview_entries(one.row, one.numbers, tuple(RANK_DISTANCES.values())),
            )
        )
    heads = ("encoder", *overview_heads(("rank dist.", "median", "normalised")))
    notes = (
        *counts(run, [one.row for one in found]),
        MEAN_OF_CELLS,
        *chance_note(run, task),
    )
    return Table(f"Overview: {_whom(found)}", heads, tuple(rows), notes)


def _bias(found: Sequence[EncoderOnTask]) -> Table | None:
    numbers = [one.numbers for one in found]
    wanted = list(overall_bias(numbers))
    rows = [
        (
            Entry(label),
            *_who(one, found),
            one.entry(key, measure),
            count(one.numbers[key].n),
            count(one.numbers[key].n_excluded),
            Entry(BETTER[measure.better]),
        )
        for label, measure, key in wanted
        for one in found
        if key in one.numbers
    ]
    if not rows:
        return None
    title = f"Bias in the pool of all languages: {_whom(found)}"
    labels = ("measure", *_encoder(found))
    notes = tuple(undefined_notes(numbers, wanted))
    return Table(title, (*labels, "value", "n", "excluded", "better"), tuple(rows), notes, len(labels))


def _alignment(found: Sequence[EncoderOnTask]) -> Table | None:
    numbers = [one.numbers for one in found]
    wanted = list(overall_alignment(numbers))
    rows = []
    for measure, keys in wanted:
        for one in found:
            cells = [
                part
                for key in keys.values()
                for part in (one.entry(key, measure), count(one.numbers[key].n if key in one.numbers else None))
            ]
            rows.append((Entry(measure.label), *_who(one, found), *cells, Entry(BETTER[measure.better])))
    if not rows:
        return None
    labels = ("measure", *_encoder(found))
    heads = (*labels, *(head for side in SIDES for head in (side, "n")), "better")
    by_side = [(f"{measure.label} of {side}", measure, keys[side]) for measure, keys in wanted for side in SIDES]
    title = f"Alignment of translations: {_whom(found)}"
    return Table(title, heads, tuple(rows), tuple(undefined_notes(numbers, by_side)), len(labels))


def _texts(found: Sequence[EncoderOnTask]) -> Table | None:
    """Return what encoders read of the texts: overall, and in the language with the highest number."""
    numbers = [one.numbers for one in found]
    rows = []
    for measure, keys in overall_of_sides("texts", numbers):
        for one in found:
            cells = [part for key in keys.values() for part in (one.entry(key, measure), _most(one, key, measure))]
            rows.append((Entry(measure.label), *_who(one, found), *cells))
    if not rows:
        return None
    labels = ("measure", *_encoder(found))
    heads = (*labels, *(head for side in SIDES for head in (side, "most")))
    note = "most: the language with the highest number."
    return Table(f"Texts as they are read: {_whom(found)}", heads, tuple(rows), (note,), len(labels))


def _most(one: EncoderOnTask, key: Key, measure: Measure) -> Entry:
    of_language = {
        k.query_language: row.value
        for k, row in one.numbers.items()
        if k.measure == key.measure and k.query_language and row.value is not None
    }
    if not of_language or not any(of_language.values()):
        return Entry(NOTHING)
    language = max(sorted(of_language), key=lambda name: of_language[name])
    return numeric(f"{language} {measured(of_language[language], measure)}", of_language[language])


def _by_language(task: TaskInfo, found: Sequence[EncoderOnTask]) -> Table:
    bias = measures("bias")
    languages = sorted({*task.n_queries, *task.pool_sizes})
    rows = [
        (
            *_who(one, found),
            Entry(language, kind="name"),
            *(one.entry(Key(name, SETTINGS[2], language), bias[name]) for name in _ASKED),
            *(one.entry(Key(name, SETTINGS[2], None, language), bias[name]) for name in _FOUND),
            count(row.n if (row := one.numbers.get(Key("rank_distance", SETTINGS[2], language))) else None),
        )
        for one in found
        for language in languages
    ]
    asked, answered = ([bias[name].label for name in names] for names in (_ASKED, _FOUND))
    notes = (
        f"{', '.join(asked)}: of queries in the language, n of them.",
        f"{', '.join(answered)}: of passages in the language, whatever the query's language.",
    )
    labels = (*_encoder(found), "language")
    return Table(f"By language: {_whom(found)}", (*labels, *asked, *answered, "n"), tuple(rows), notes, len(labels))


def _who(one: EncoderOnTask, found: Sequence[EncoderOnTask]) -> tuple[Entry, ...]:
    """Return the cell that names the encoder of a row, where there are several."""
    return (Entry(one.marked, kind="name"),) if len(found) > 1 else ()


def _encoder(found: Sequence[EncoderOnTask]) -> tuple[str, ...]:
    return ("encoder",) if len(found) > 1 else ()


def _whom(found: Sequence[EncoderOnTask]) -> str:
    """Return the encoder and the task that a table is about."""
    task = one_line(str(found[0].row["task"]), LONGEST_NAME)
    return f"{found[0].name} on {task}" if len(found) == 1 else f"{len(found)} encoders on {task}"


def _glossary(found: Sequence[EncoderOnTask], matrices: Sequence[str]) -> Terms:
    """Return what the measures are that the document shows."""
    numbers = [one.numbers for one in found]
    wanted = {
        "map",
        *matrices,
        *(measure.name for _, measure, _ in overall_bias(numbers)),
        *(measure.name for measure, _ in overall_alignment(numbers)),
        *(measure.name for measure, _ in overall_of_sides("texts", numbers)),
    }
    families = [measures(family).values() for family in ("alignment", "texts")]
    ordered = [*measures("quality").values(), *bias_measures(), *chain(*families)]
    return Terms("What they are", tuple((one.label, _meaning(one)) for one in ordered if one.name in wanted))


def _meaning(measure: Measure) -> str:
    unit = f" {measure.unit}" if measure.unit else ""
    return f"{measure.definition}. {measure.range}{unit}, better: {BETTER[measure.better]}. {measure.source}."
