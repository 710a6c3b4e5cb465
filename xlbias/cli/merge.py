"""`xlbias merge`: runs of the same tasks as one run."""

from __future__ import annotations

import click

from xlbias.cli.groups import Command
from xlbias.cli.run_out import check_run_out, run_out_option
from xlbias.cli.values import RunPath

EXAMPLE = """\b
Examples:
  xlbias merge dense.parquet bm25.parquet --out both.parquet
  xlbias dashboard both.parquet
"""


@click.command(cls=Command, epilog=EXAMPLE)
@click.argument("runs", metavar="RUN RUN...", nargs=-1, required=True, type=RunPath())
@run_out_option("merged.parquet")
@click.option("--overwrite", is_flag=True, help="Replace the run at --out.")
@click.option("--quiet", "-q", is_flag=True, help="Write nothing to stderr.")
def command(runs: tuple[str, ...], out: str, overwrite: bool, quiet: bool) -> None:
    """Put the encoders and systems of several runs of the same tasks into one run.

    Tasks are matched by what is in them, whatever they are called. Numbers are taken over as they are. Prints the
    report on stdout.
    """
    import os

    from xlbias.cli.narrate import StderrNarrator
    from xlbias.errors import UsageError

    if any(os.path.realpath(run) == os.path.realpath(out) for run in runs):
        raise UsageError(f"{out}: is one of the runs to merge; choose another --out")
    check_run_out(out, overwrite=overwrite)
    from xlbias.report.documents.brief import brief
    from xlbias.report.render import width
    from xlbias.systems.merge_runs import merge_runs

    made = merge_runs(runs, out, overwrite=overwrite)
    click.echo(brief(made, width()), nl=False)
    StderrNarrator(quiet=quiet).say(f"run: {made.path}; look at it with: xlbias dashboard {made.path}")
