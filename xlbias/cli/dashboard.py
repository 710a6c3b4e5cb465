"""`xlbias dashboard`: a run in the terminal, finished or in progress."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

EXAMPLE = """\b
Examples:
  xlbias dashboard run.parquet
  xlbias dashboard run.parquet --theme xlbias-light
"""


@click.command(epilog=EXAMPLE)
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--theme", help="A colour theme, e.g. xlbias-light; all of them are in the palette (ctrl+p).")
@click.pass_context
def command(ctx: click.Context, run: Path, theme: str | None) -> int:
    """Browse RUN in the terminal: finished, in progress, or about to begin.

    Without a terminal the report is printed instead. Press ? for the keys.
    """
    if not _on_a_terminal():
        from xlbias.cli.report import command as report

        ctx.invoke(report, runs=(str(run),))
        return 0
    from xlbias.dashboard.run import run_dashboard

    return run_dashboard(run, theme=theme)


def _on_a_terminal() -> bool:
    """Whether there is a terminal to read keys from and to draw on (Textual draws on stderr)."""
    streams = (sys.stdin, sys.stdout, sys.stderr)
    return all(stream.isatty() for stream in streams) and os.environ.get("TERM") != "dumb"
