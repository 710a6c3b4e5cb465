"""What is drawn of an audit: differences in the cells, profiles of languages, domains and the curves of trainings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from xlbias.choices import listed
from xlbias.colour import MAX_SERIES
from xlbias.report.document import Curves, Dots, Fold, Level, Line, MatrixBlock, Panels, Section
from xlbias.report.documents.comparison import difference_block
from xlbias.report.documents.encoders import EncoderOnTask
from xlbias.report.documents.matrices import leading
from xlbias.results.cell import Cell
from xlbias.results.findings import Thresholds
from xlbias.results.findings.context import COMPARED, Context, few_enough
from xlbias.results.levels import chance_levels
from xlbias.results.matrix import MATRIX_MEASURES, by_task, profile
from xlbias.results.per_query import Key
from xlbias.results.run import Run
from xlbias.results.training import MAPS, curves
from xlbias.results.training import Curves as Logged
from xlbias.runs.run_info import TaskInfo
from xlbias.runs.schema import SETTING_SHORT, SETTINGS
from xlbias.text import one_line

_NAMED = 2  # trainings of one side that a title names
_LONGEST = 40  # cells of a name in the head of a panel

ASKED = ("rank_distance", "rank_distance.normalised", "same_language@1", "single_gold.gap")
"""What is told of queries in each language."""

FOUND = ("language_rank", "exposure@10.ratio", "single_gold")
"""What is told of passages in each language."""


class _Profile(NamedTuple):
    measure: str
    answers: bool
    title: str


_PROFILES = (
    _Profile("map", False, "mAP in all languages, by query language"),
    _Profile("rank_distance.normalised", False, "Rank distance / pool, by query language"),
    _Profile("exposure@10.ratio", True, "Exposure@10 / pool share, by passage language"),
)
_DOMAINS = (("map", SETTINGS[1]), ("map", SETTINGS[2]), ("rank_distance.normalised", SETTINGS[2]))


def differences_by_task(runs: Sequence[Run]) -> dict[str, dict[str, list[MatrixBlock]]]:
    """Return by task and measure the differences of the encoders that findings compare: within a run, with the first.

    Of several runs, those of each with the first one.
    """
    found: dict[str, dict[str, list[MatrixBlock]]] = {}
    contexts = [Context(run, None if run is runs[0] else runs[0], Thresholds()) for run in runs]
    for context in contexts:
        for task, base, new, frame in context.compared():
            sides = [listed(side.models, _NAMED) for side in (base, new)]
            if sides[0] == sides[1]:
                sides = [f"{name} ({side.run.path.stem})" for name, side in zip(sides, (base, new), strict=True)]
            names = [one_line(name, _LONGEST) for name in sides]
            for measure in COMPARED:
                if (block := difference_block(frame, measure, names[0], names[1], task)) is not None:
                    n_significant, *_ = block.notes  # the matrices beside it say what the measure is
                    block = replace(block, notes=(n_significant,), intervals=False)
                    found.setdefault(task, {}).setdefault(measure, []).append(block)
    return found


def profiles(task: TaskInfo, found: Sequence[EncoderOnTask], *, most: int | None = None) -> Panels | None:
    """Return what is good and bad for which language, as dots with intervals, in one order of the languages.

    Of many encoders those of `leading` are drawn, of more than `most` languages those whose queries find least.
    """
    shown = found if len(found) <= MAX_SERIES else leading(found)
    numbers = {one.name: one.numbers for one in shown}
    ordered = _ordered(task, shown)
    languages = ordered[:most]
    blocks = []
    for measure, answers, title in _PROFILES:
        matrix = profile(measure, numbers, languages, task.name, answers=answers)
        matrix = matrix.part([row for row in matrix.rows if any(c.value is not None for c in matrix.of_row(row))],
                             matrix.columns)  # fmt: skip
        if matrix.rows:
            blocks.append(Dots(title, matrix, tuple(_levels(shown[0].run, task, measure)), _direction(measure)))
    if not blocks:
        return None
    few = f" of {len(shown)} of {len(found)} encoders" if len(shown) < len(found) else ""
    least = (
        f", the {len(languages)} of {len(ordered)} whose queries find least" if len(languages) < len(ordered) else ""
    )
    return Panels(f"Profiles of languages{least}{few}", tuple(blocks))


def _ordered(task: TaskInfo, found: Sequence[EncoderOnTask]) -> list[str]:
    """Return the languages, those whose queries find least first."""
    languages = sorted({*task.n_queries, *task.pool_sizes})
    of_map = profile("map", {one.name: one.numbers for one in found}, languages, task.name)
    means = {}
    for language in languages:
        values = [cell.value for cell in of_map.of_row(language) if cell.value is not None]
        means[language] = sum(values) / len(values) if values else float("inf")
    return sorted(languages, key=lambda language: (means[language], language))


def _levels(run: Run, task: TaskInfo, measure: str) -> list[Level]:
    if measure == "exposure@10.ratio":
        return [Level("its share", 1.0)]
    if not few_enough(run):
        return []
    found = chance_levels(run, task, (measure,))
    return [Level("chance", one.value) for one in found if one.setting == SETTINGS[2]]


def _direction(measure: str) -> str:
    better = MATRIX_MEASURES[measure].better
    said = {"high": "right is better", "low": "left is better", "neither": "neither way is better"}[better]
    return f"Bars: 95 % intervals; {said}."


def language_tables(task: TaskInfo, found: Sequence[EncoderOnTask]) -> Fold:
    """Return what is known of every language, a table for each measure with a column for each encoder."""
    numbers = {one.marked: one.numbers for one in found}
    languages = sorted({*task.n_queries, *task.pool_sizes})
    on = one_line(task.name, _LONGEST)
    tables = []
    for names, answers, side in ((ASKED, False, "query"), (FOUND, True, "passage")):
        for name in names:
            matrix = profile(name, numbers, languages, task.name, answers=answers)
            about = matrix.measure
            whatever = ", whatever the query's language" if answers else ""
            note = f"{about.definition}; of {'passages' if answers else 'queries'} in the language{whatever}."
            if matrix.values:
                tables.append(MatrixBlock(f"{about.label} by {side} language on {on}", matrix, (note,)).as_table())
    return Fold(f"By language: {len(tables)} measures on {on}", tuple(tables))


def domains(found: Mapping[str, Sequence[EncoderOnTask]], tasks: Mapping[str, TaskInfo]) -> Section:
    """Return quality and fairness by encoder and task: what a change of domain does."""
    of: dict[str, dict[str, Mapping[Key, Cell]]] = {}
    for task, some in found.items():
        for one in some:
            of.setdefault(one.name, {})[task] = one.numbers
    blocks = []
    for measure, setting in _DOMAINS:
        numbers = by_task(measure, setting, of, list(tasks))
        if numbers.values:
            about = f"{numbers.measure.label} {SETTING_SHORT[setting] if measure == 'map' else ''}".strip()
            title = f"{about}: encoder down, task across"
            blocks.append(MatrixBlock(title, numbers, (), label=about, intervals=False, head=about))
    note = "; ".join(f"{name}: {task.domain}" for name, task in tasks.items())
    return Section("Domains", (Panels("Encoders by task", tuple(blocks), (f"Domains: {note}.",)),))


def training_figures(runs: Sequence[Run]) -> tuple[Panels, ...]:
    """Return loss and validation over the steps of the trainings that runs hold; of very many only those that fit."""
    trainings = [one for run in runs for one in curves(run)]
    shown = trainings[:MAX_SERIES]
    losses = [line for i, one in enumerate(shown) for line in _losses(one, i)]
    validated = {
        title: [Line(one.model, points, i) for i, one in enumerate(shown) if len(points := one.validated(column)) > 1]
        for title, column in {
            **{f"mAP {short} of validations": column for short, column in MAPS.items()},
            "Validation loss": "loss",
        }.items()
    }
    blocks = [Curves("Loss of training batches", tuple(losses), _of_kinds(losses))] if losses else []
    blocks += [Curves(title, tuple(lines)) for title, lines in validated.items() if lines]
    if not blocks:
        return ()
    left = f" of {len(shown)} of {len(trainings)} encoders" if len(shown) < len(trainings) else ""
    return (Panels(f"Curves{left}", tuple(blocks)),)


def _losses(training: Logged, series: int) -> list[Line]:
    """Return the loss of each kind of batches, where several are drawn, else that of all."""
    name, kinds = one_line(training.model, _LONGEST), training.loss_by_kind
    if len(kinds) > 1:
        return [Line(name, points, series, kind, dashed=i > 0) for i, (kind, points) in enumerate(kinds.items())]
    points = training.logged("loss")
    return [Line(name, points, series)] if len(points) > 1 else []


def _of_kinds(lines: Sequence[Line]) -> str:
    """Return which line is of which kind of batches, where an encoder has several."""
    whole, broken = (
        dict.fromkeys(one.part for one in lines if one.part and one.dashed == way) for way in (False, True)
    )
    return f"Whole: {listed(whole)} batches; broken: {listed(broken)} batches." if broken else ""
