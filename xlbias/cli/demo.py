"""`xlbias demo`: the whole loop on embedded data, from batch samplers to the audit."""

from __future__ import annotations

import click

SAMPLERS = ("mono", "cross", "hybrid")
SOURCES = ("builtin:money", "builtin:language")
UNSEEN = "builtin:calendar"

EXAMPLE = """\b
Examples:
  xlbias demo
  xlbias demo --out /tmp/demo --no-dashboard
"""


@click.command(epilog=EXAMPLE)
@click.option("--out", "-o", default="demo", show_default=True, help="Folder for the encoders and the run.")
@click.option("--seed", default=0, show_default=True, help="Seed of the trainings.")
@click.option("--no-dashboard", is_flag=True, help="Only print the audit, also on a terminal.")
@click.option("--quiet", "-q", is_flag=True, help="Say nothing on stderr.")
def command(out: str, seed: int, no_dashboard: bool, quiet: bool) -> None:
    """Train with three batch samplers on two domains, audit the encoders there and on an unseen third.

    All data is embedded: questions and passages about money, languages and the calendar in eleven languages. Prints
    the audit; on a terminal, opens the dashboard on it.
    """
    import shutil
    import sys
    import time
    from dataclasses import replace
    from pathlib import Path

    from xlbias.cli.narrate import StderrNarrator
    from xlbias.data.catalog import load_task

    narrator = StderrNarrator(quiet=quiet)
    started = time.monotonic()
    sources = [load_task(f"{name}[split=train]") for name in SOURCES]
    targets = [load_task(UNSEEN), *(load_task(f"{name}[split=test]") for name in SOURCES)]
    narrator.say("loading the libraries")
    from xlbias.encode.cache import VectorCache
    from xlbias.evaluation import evaluate
    from xlbias.report.text import to_text
    from xlbias.train.fit import fit
    from xlbias.train.recipe import recipe_for

    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    recipe = replace(recipe_for("static"), seed=seed)
    for sampler in SAMPLERS:
        fit(sources, folder / sampler, recipe, sampler=sampler, overwrite=True, narrator=narrator)
    run = evaluate(
        [str(folder / sampler) for sampler in SAMPLERS],
        targets,
        folder / "run.parquet",
        cache=VectorCache(),
        overwrite=True,
        narrator=narrator,
    )
    click.echo(to_text(run, max(60, shutil.get_terminal_size((100, 24)).columns)), nl=False)
    narrator.say(f"done in {time.monotonic() - started:.0f} s; look again with: xlbias dashboard {run.path}")
    if not no_dashboard and sys.stdin.isatty() and sys.stdout.isatty():
        from xlbias.dashboard.app import run_dashboard

        run_dashboard(run.path)
