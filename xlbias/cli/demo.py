"""`xlbias demo`: the whole loop on embedded data, from batch samplers to the audit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from xlbias.cli.groups import Command
from xlbias.cli.terminal import on_a_terminal
from xlbias.cli.values import Word
from xlbias.samplers import CROSS, HYBRID, MONO

if TYPE_CHECKING:
    from xlbias.results.run import Run

TRAINED = (MONO, CROSS, HYBRID)
"""The samplers that are compared."""
SOURCES = ("builtin:money", "builtin:language")
UNSEEN = "builtin:calendar"

EXAMPLE = """\b
Examples:
  xlbias demo
  xlbias demo --out /tmp/demo --no-dashboard
"""


@click.command(cls=Command, epilog=EXAMPLE)
@click.option(
    "--out", "-o", default="demo", type=Word(paths=()), show_default=True, help="Folder for the encoders and the run."
)
@click.option("--seed", default=0, show_default=True, help="Seed of the trainings.")
@click.option("--no-dashboard", is_flag=True, help="Print the report only, also on a terminal.")
@click.option("--quiet", "-q", is_flag=True, help="Write nothing to stderr.")
def command(out: str, seed: int, no_dashboard: bool, quiet: bool) -> int:
    """Train an encoder with each of three batch samplers on two domains; audit them there and on a third.

    All data is embedded: questions and passages about money, languages and the calendar, in eleven languages. Prints
    the report; on a terminal, opens the dashboard.
    """
    import time
    from pathlib import Path

    from xlbias.cli.narrate import StderrNarrator
    from xlbias.data.catalog import load_task

    narrator = StderrNarrator(quiet=quiet)
    started = time.monotonic()
    sources = [load_task(f"{name}[split=train]") for name in SOURCES]
    held_out = [f"{name}[split=test;name={name.removeprefix('builtin:')} held out]" for name in SOURCES]
    targets = [load_task(f"{UNSEEN}[name={UNSEEN.removeprefix('builtin:')} unseen]"), *map(load_task, held_out)]
    narrator.say("loading the libraries")
    from xlbias.encode.cache import VectorCache
    from xlbias.evaluation import evaluate
    from xlbias.files import make_folder
    from xlbias.narration import Telling
    from xlbias.progress import Course, Step
    from xlbias.report.documents.brief import brief
    from xlbias.report.render import width
    from xlbias.train.recipe import STATIC, recipe_for
    from xlbias.train.trainer.fit import fit

    folder = Path(out)
    make_folder(folder)
    recipe = recipe_for(STATIC).overridden(seed=seed)
    steps = [Step(sampler, "train", sampler, 4.0) for sampler in TRAINED] + [Step("evaluate", "evaluate", "", 12.0)]
    with narrator.watch() as show:
        course = Course(steps, show)
        for sampler in TRAINED:
            with course.stage(sampler, f"{sampler}: training") as stage:
                told = Telling(stage.reach, narrator.say)
                fit(sources, folder / sampler, recipe, sampler=sampler, overwrite=True, narrator=told)
        with course.stage("evaluate", "evaluating") as stage:
            run = evaluate(
                [str(folder / sampler) for sampler in TRAINED],
                targets,
                folder / "run.parquet",
                cache=VectorCache(),
                overwrite=True,
                narrator=Telling(stage.reach, narrator.say),
            )
    click.echo(brief(run, width()), nl=False)
    click.echo()
    click.echo("\n".join(_comparison(run)))
    narrator.say(f"done in {time.monotonic() - started:.0f} s; look again with: xlbias dashboard {run.path}")
    if not no_dashboard and on_a_terminal():
        from xlbias.dashboard.launch import run_dashboard

        return run_dashboard(run.path)
    return 0


def _comparison(run: Run) -> list[str]:
    """Return what the hybrid sampler changed against the monolingual one, a line per task, from the run's numbers."""
    from xlbias.report.numbers import number
    from xlbias.results.overview import overview

    rows = {(row["model"], row["task"]): row for row in overview(run).to_dicts()}
    lines = ["Hybrid against monolingual batches"]
    for task in run.tasks:
        mono, hybrid = rows[MONO, task.name], rows[HYBRID, task.name]
        change = (hybrid["rank_distance"] - mono["rank_distance"]) / mono["rank_distance"]
        changes = "; ".join(
            f"mAP {name} {number(mono[f'map_{name}'])} to {number(hybrid[f'map_{name}'])}" for name in ("mono", "cross")
        )
        lines.append(
            f"  {task.name}: rank distance {mono['rank_distance']:,.0f} to {hybrid['rank_distance']:,.0f} "
            f"({change:+.0%}); {changes}"
        )
    return lines
