"""`xlbias compare`: two encoders on the same tasks, paired, with significance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import click

from xlbias.cli.groups import Command
from xlbias.cli.output import print_document
from xlbias.cli.values import Choice, RunPath, Word, matrix_measures, measures, of_run
from xlbias.report.forms import COMPARISON_FORMATS

if TYPE_CHECKING:
    from xlbias.results.compare import Side
    from xlbias.results.matching import Matched
    from xlbias.results.run import Run

EXAMPLE = """\b
Examples:
  xlbias compare base.parquet new.parquet
  xlbias compare run.parquet --base mono --new hybrid --task xquad-r
  xlbias compare run.parquet --base mono --new hybrid --full
  xlbias compare run.parquet --base mono-seed0,mono-seed1 --new hybrid-seed0,hybrid-seed1
  xlbias compare base.parquet new.parquet --format csv > differences.csv

Several encoders on a side, separated by commas, are seeds of one training. With several on both sides, query ids and
seeds are crossed random factors: only then can anything be said of samplers.
"""

HEADINGS = {"base_model": "What is compared", "unit": "Tests", "full": "Output"}
"""Heading of each group of options, by the parameter that it begins with."""


@click.command(cls=Command, headings=HEADINGS, epilog=EXAMPLE)
@click.argument("base_run", type=RunPath(), metavar="BASE")
@click.argument("new_run", type=RunPath(), metavar="[NEW]", required=False)
@click.option(
    "--base", "base_model", type=Word(of_run("encoder", "base_run"), commas=True), metavar="ENCODER[,ENCODER...]",
    help="Encoder of BASE. Default: its only one.",
)  # fmt: skip
@click.option(
    "--new", "new_model", type=Word(of_run("encoder", "new_run", "base_run"), commas=True),
    metavar="ENCODER[,ENCODER...]", help="Encoder of NEW. Default: its only one.",
)  # fmt: skip
@click.option(
    "--task", "-t", "tasks", multiple=True, type=Word(of_run("task", "base_run")), metavar="TASK",
    help="Only this task. Repeatable. Default: all.",
)  # fmt: skip
@click.option(
    "--measure", "-m", "measures", multiple=True, type=Word(measures), metavar="MEASURE",
    help="Only this measure; see `xlbias measures`. Repeatable. Default: all.",
)  # fmt: skip
@click.option(
    "--matrix", multiple=True, type=Word(matrix_measures), metavar="MEASURE",
    help="Show every cell's difference in this measure.  [default: map]",
)  # fmt: skip
@click.option(
    "--cluster",
    "unit",
    type=Choice(("id", "document")),
    default="id",
    show_default=True,
    help="What is drawn and flipped: query ids, or the documents that hold their answers.",
)
@click.option("--permutations", type=click.IntRange(min=2_000), default=10_000, show_default=True, help="Sign flips.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of sign flips and bootstrap.")
@click.option(
    "--full", is_flag=True,
    help="All numbers, effect sizes and findings as text. What goes to --out is full in any case.",
)  # fmt: skip
@click.option("--format", "form", type=Choice(COMPARISON_FORMATS), default="text", show_default=True)
@click.option("--out", "-o", type=click.Path(dir_okay=False), help="Write to this file instead of stdout.")
def command(
    base_run: str,
    new_run: str | None,
    base_model: str | None,
    new_model: str | None,
    tasks: tuple[str, ...],
    measures: tuple[str, ...],
    matrix: tuple[str, ...],
    unit: Literal["id", "document"],
    permutations: int,
    seed: int,
    full: bool,
    form: str,
    out: str | None,
) -> None:
    """Compare the encoder of run NEW with that of run BASE, or two encoders of one run, on the tasks of both.

    Text is what the comparison says, the settings, and the matrix of differences; --full adds all else. Tasks are
    matched by what is in them, whatever they are called.

    Differences are paired by query id, as translations of a question are not independent: sign-flip permutation test,
    bootstrap interval, effect size. p-values are corrected over all cells of a matrix, or all overall numbers, by
    step-down max-T, whatever of them is shown; Holm and Benjamini-Hochberg stand beside them in CSV and JSON.
    """
    import os
    from pathlib import Path

    from xlbias.errors import UsageError
    from xlbias.files import check_parent, write_whole
    from xlbias.report.render import render_comparison
    from xlbias.results.caveats import of_side
    from xlbias.results.compare import compare
    from xlbias.results.findings import of_comparison
    from xlbias.results.identity import changes_of
    from xlbias.results.matching import matched
    from xlbias.results.run import open_run
    from xlbias.text import clean

    runs = [base_run, new_run or base_run]
    for run in runs:
        if out is not None and (out.endswith(".parquet") or os.path.realpath(out) == os.path.realpath(run)):
            raise UsageError(f"{out}: is the name of a run; choose another one for the comparison")
    if out is not None:
        check_parent(Path(out))
    opened = [open_run(path) for path in runs]
    found = matched(opened[1], opened[0])
    opened[1] = found.run
    sides = [
        _side(run, given, option, one_run=new_run is None)
        for run, given, option in zip(opened, (base_model, new_model), ("--base", "--new"), strict=True)
    ]
    if os.path.realpath(runs[0]) == os.path.realpath(runs[1]) and set(sides[0].models) == set(sides[1].models):
        same = ", ".join(sides[0].models)
        raise UsageError(f"{runs[0]}: base and new are the same, {same}: name another encoder with --new")
    shared = _tasks(found, tasks)
    for note in found.notes():
        click.echo(clean(note), err=True)
    cells = True if form in ("csv", "json") else {*(matrix or ("map",)), "map"}  # findings are of mAP
    frames = {
        task: compare(
            sides[0],
            sides[1],
            task,
            measures=measures or None,
            cells=cells,
            permutations=permutations,
            seed=seed,
            unit=unit,
        )
        for task in shared
    }
    labels = [", ".join(side.models) for side in sides]
    if (said := changes_of(sides[0], sides[1])) is not None:
        click.echo(clean(said), err=True)
    if labels[0] == labels[1]:
        labels = [f"{label} ({Path(path).name})" for label, path in zip(labels, runs, strict=True)]
    text = render_comparison(
        frames,
        labels[0],
        labels[1],
        form,
        matrices=matrix,
        seed=seed,
        permutations=permutations,
        doubts={task: (of_side(sides[0], task), of_side(sides[1], task)) for task in shared},
        unit=unit,
        to_file=out is not None,
        full=full or out is not None,
        found=of_comparison(sides[0], sides[1], frames) if form != "csv" else (),
    )
    if out is None:
        print_document(text, form)
        return

    write_whole(Path(out), text.encode("utf-8", "replace"))


def _side(run: Run, given: str | None, option: str, *, one_run: bool) -> Side:
    from xlbias.choices import listed
    from xlbias.errors import UsageError
    from xlbias.results.compare import Side

    known = [model.name for model in run.models]
    if given is None:
        if len(known) == 1 and not one_run:
            return Side(run, (known[0],))
        raise UsageError(f"{run.path}: name an encoder with {option}; choose from {listed(known) or 'none'}")
    names = (given,) if given in known else tuple(name.strip() for name in given.split(","))
    return Side(run, names)


def _tasks(found: Matched[Run], wanted: tuple[str, ...]) -> list[str]:
    """Return the tasks to compare on, by their names in the base run; they may be asked for by either run's names."""
    from xlbias.choices import listed, suggestion
    from xlbias.errors import UsageError

    of_base = {own: name for name, own in found.own.items()} | {name: name for name in found.own}
    for task in wanted:
        if task in found.differing:
            raise UsageError(found.why_not(task))
        if task not in of_base:
            close = suggestion(task, of_base)
            raise UsageError(f"both runs must have the task {task!r}{close}; they share {listed(found.own) or 'none'}")
    if not found.own:
        differing = "; ".join(found.why_not(name) for name in found.differing)
        raise UsageError(differing or "the two runs have no task in common, whatever their tasks are called")
    chosen = {of_base[task] for task in wanted}
    return [name for name in found.own if not wanted or name in chosen]
