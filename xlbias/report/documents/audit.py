"""The audit of a run as a document: for every task who finds what, for whom it is worse, and over how many queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from itertools import chain

from xlbias.choices import listed
from xlbias.folders import from_here
from xlbias.measures.measure import Measure
from xlbias.measures.registry import SIDES, all_measures, measures
from xlbias.report.document import Block, Document, Fold, MatrixBlock, Paragraph, Section, Table, Terms
from xlbias.report.documents.caveats import section as doubted
from xlbias.report.documents.encoders import LONGEST_NAME, EncoderOnTask, by_run, encoders_by_task
from xlbias.report.documents.figures import (
    differences_by_task,
    domains,
    language_tables,
    profiles,
    training_figures,
)
from xlbias.report.documents.findings import section as findings_section
from xlbias.report.documents.levels import chance_note
from xlbias.report.documents.matrices import matrix_panels
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
from xlbias.results.by_key import keys_of
from xlbias.results.caveats import caveats
from xlbias.results.findings import QUESTIONS, Finding, findings
from xlbias.results.matching import matched
from xlbias.results.per_query import Key
from xlbias.results.run import Run
from xlbias.results.wide import RANK_DISTANCES
from xlbias.runs.run_info import TaskInfo
from xlbias.text import as_argument, one_line

DEFAULT_MATRICES = ("map", "single_gold", "exposure@10.ratio")
"""Shown as heat maps where there is room for them."""

_NAMED = 3  # encoders or tasks that a title names


def audit(
    first: Run,
    *others: Run,
    matrices: Sequence[str] = (),
    by_language: bool = False,
    published: Sequence[str] = (),
    every: bool = False,
    all_of: bool = False,
) -> Document:
    """Return the audit of a run, or of several in one document: encoders on the same task stand beside each other.

    Args:
        first: finished or in progress.
        others: further runs; tasks are the same by their fingerprints, and have their names in the first run.
        matrices: measures to show in full, of `xlbias.results.matrix.MATRIX_MEASURES`.
        by_language: whether to add the numbers of every language.
        published: arXiv ids whose printed results of the same data set to add; see `xlbias.results.published`.
        every: whether all findings and caveats are listed, however many.
        all_of: whether all encoders have matrices, however many.
    """
    runs = matched_runs(first, others)
    found = encoders_by_task(*runs)
    tasks = {task.name: task for run in runs for task in run.tasks if task.name in found}
    answers = answers_of(runs, every=every)
    doubts = doubted([one for run in runs for one in caveats(run)], full=every)
    if doubts is not None:
        doubts = replace(doubts, folded=answers is not None)
    differences = differences_by_task(runs)
    sections = [
        _section(task, found[name], differences.get(name, {}), matrices, by_language, published, all_of)
        for name, task in tasks.items()
    ]
    if len(sections) > 1:
        sections.insert(0, domains(found, tasks))
    if trained := training_figures(runs):
        sections.append(Section("Training", trained))
    if not found:
        sections.append(Section("Nothing yet", (Paragraph("Nothing has been ranked yet."),)))
    else:
        everyone = [one for some in found.values() for one in some]
        abouts = dict.fromkeys(about for run in runs for model in run.models if (about := about_encoder(model)))
        if abouts:
            sections.append(Section("Encoders", tuple(map(Paragraph, abouts)), folded=True))
        notes = dict.fromkeys(
            note
            for run in runs
            for note in (intervals(run), *training_notes(run), *leak_notes(run), *coverage_notes(run))
        )
        sections += [
            Section("Notes", tuple(map(Paragraph, notes))),
            Section("Measures", (_glossary(everyone, matrices),), folded=True),
        ]
    sections = [*(one for one in (answers, doubts) if one is not None), *sections]
    return Document(title_of(found), "; ".join(about_run(run) for run in runs), tuple(sections))


def matched_runs(first: Run, others: Sequence[Run]) -> list[Run]:
    """Return runs whose tasks have one name where they are the same data, and none where they are not."""
    runs = [first]
    for other in others:
        runs.append(reduce(lambda run, earlier: matched(run, earlier).run, runs, other))
    return runs


def title_of(found: Mapping[str, Sequence[EncoderOnTask]]) -> str:
    """Return who is reported on, and on what, where these are few."""
    encoders = list(dict.fromkeys(one.name for some in found.values() for one in some))
    if not encoders:
        return "Language bias of multilingual encoders"
    who = listed(encoders, _NAMED) if len(encoders) <= _NAMED + 1 else f"{len(encoders):,} encoders"
    on = listed(list(found), _NAMED) if len(found) <= _NAMED + 1 else f"{len(found):,} tasks"
    return one_line(f"Quality and language bias: {who} on {on}", LONGEST_NAME)


def answers_of(runs: Sequence[Run], *, every: bool = False, room: int | None = None) -> Section | None:
    """Return what the runs say, of several with their names; with `room` only what fits so many lines."""
    answers = [one for run in runs for one in _named_by_run(run, runs)]
    ordered = sorted(answers, key=lambda one: (QUESTIONS.index(one.question), -one.weight))
    several = {name: len({getattr(one, of) for one in ordered if getattr(one, of)}) > 1
               for name, of in (("encoders", "encoder"), ("tasks", "task"))}  # fmt: skip
    where = f"xlbias findings {as_argument(from_here(runs[0].path))}"
    return findings_section(ordered, full=every, where=where, room=room, **several)


def _named_by_run(run: Run, runs: Sequence[Run]) -> Iterable[Finding]:
    """Yield what a run says; of several, against the first of them, with its name behind those of encoders."""
    first = runs[0]
    for one in findings(run) if run is first else findings(run, first):
        if len(runs) == 1:
            yield one
        else:
            stem, of_base = run.path.stem, first.path.stem
            base = f"{one.base} ({of_base})" if one.base is not None and run is not first else one.base
            yield replace(one, encoder=f"{one.encoder} ({stem})" if one.encoder is not None else stem, base=base)


def _section(
    task: TaskInfo,
    found: Sequence[EncoderOnTask],
    differences: Mapping[str, Sequence[MatrixBlock]],
    matrices: Sequence[str],
    by_language: bool,
    published: Sequence[str],
    all_of: bool,
) -> Section:
    blocks: list[Block | None] = [Paragraph(about_task(task)), _overview(task, found)]
    further: list[Block] = []
    for measure in matrices:
        panels = matrix_panels(found, measure, differences.get(measure, ()), all_of=all_of)
        (further if further or len(blocks) > 2 else blocks).extend(panels)
    if by_language:
        blocks.append(profiles(task, found))
    if further:
        named = listed([all_measures()[measure].label for measure in matrices[1:]])
        blocks.append(Fold(f"Matrices of {named}", tuple(further)))
    blocks += [_bias(found), _alignment(found), _texts(found)]
    if by_language:
        blocks.append(language_tables(task, found))
    blocks += [published_table(source, task) for source in published]
    title = one_line(f"{task.name} ({task.domain})", LONGEST_NAME)
    return Section(title, tuple(block for block in blocks if block is not None))


def _overview(task: TaskInfo, found: Sequence[EncoderOnTask]) -> Table:
    rows = []
    for one in found:
        unfinished = one.row["n_cells"] < one.row["n_cells_expected"] and one.run.state.status != "finished"
        done = f" [{one.row['n_cells']} of {one.row['n_cells_expected']} cells]" if unfinished else ""
        rows.append(
            (
                Entry(one.marked + done, kind="name"),
                *overview_entries(one.row, one.numbers, tuple(RANK_DISTANCES.values())),
            )
        )
    heads = ("encoder", *overview_heads(("rank dist.", "median", "normalised")))
    notes = (
        *dict.fromkeys(note for run, some in by_run(found) for note in counts(run, [one.row for one in some])),
        MEAN_OF_CELLS,
        *chance_note(found[0].run, task),
    )
    return Table(f"Overview: {_whom(found)}", heads, tuple(rows), notes)


def _bias(found: Sequence[EncoderOnTask]) -> Table | None:
    wanted = list(overall_bias([one.numbers for one in found]))
    title = f"Bias in the pool of all languages: {_whom(found)}"
    return _overall(title, found, wanted)


def _alignment(found: Sequence[EncoderOnTask]) -> Table | None:
    wanted = list(overall_alignment([one.numbers for one in found]))
    by_side = [(f"{measure.label} of {side}", measure, keys[side]) for measure, keys in wanted for side in SIDES]
    return _overall(f"Alignment of translations: {_whom(found)}", found, by_side)


def _overall(title: str, found: Sequence[EncoderOnTask], wanted: Sequence[tuple[str, Measure, Key]]) -> Table | None:
    """Return a row for each number over all languages, a column for each encoder; and why a number has no value."""
    if not wanted:
        return None
    rows = tuple(
        (
            Entry(label),
            *(one.entry(key, measure) for one in found),
            *(_counted(found, key, of) for of in ("n", "n_excluded")),
            Entry(BETTER[measure.better]),
        )
        for label, measure, key in wanted
    )
    notes = tuple(undefined_notes([one.numbers for one in found], list(wanted)))
    return Table(title, ("measure", *_encoders(found), "n", "excluded", "better"), rows, notes)


def _counted(found: Sequence[EncoderOnTask], key: Key, of: str) -> Entry:
    """Return how many values a number is taken over, from the least to the most of all encoders."""
    counts = [n for one in found if key in one.numbers and (n := getattr(one.numbers[key], of)) is not None]
    if len(set(counts)) > 1:
        return numeric(f"{min(counts):,} to {max(counts):,}")
    return count(counts[0] if counts else None)


def _encoders(found: Sequence[EncoderOnTask]) -> tuple[str, ...]:
    """Return the heads of the columns of encoders."""
    return tuple(one.marked for one in found) if len(found) > 1 else ("value",)


def _texts(found: Sequence[EncoderOnTask]) -> Table | None:
    """Return what encoders read of the texts: overall, and in the language with the highest number."""
    rows = []
    for measure, keys in overall_of_sides("texts", [one.numbers for one in found]):
        for side, key in keys.items():
            label = f"{measure.label} of {side}"
            rows.append((Entry(label), *(one.entry(key, measure) for one in found)))
            most = [_most(one, key, measure) for one in found]
            if any(entry.value is not None for entry in most):
                rows.append((Entry(f"{label}, most"), *most))
    if not rows:
        return None
    note = "most: the language with the highest number."
    return Table(f"Texts as they are read: {_whom(found)}", ("measure", *_encoders(found)), tuple(rows), (note,))


def _most(one: EncoderOnTask, key: Key, measure: Measure) -> Entry:
    of_language = {
        k.query_language: value
        for k in keys_of(one.numbers, key.measure)
        if k.query_language and (value := one.numbers[k].value) is not None
    }
    if not of_language or not any(of_language.values()):
        return Entry(NOTHING)
    language = max(sorted(of_language), key=lambda name: of_language[name])
    return numeric(f"{language} {measured(of_language[language], measure)}", of_language[language])


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
