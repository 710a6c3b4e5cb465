"""`xlbias report`: the audit of a run, printed."""

from __future__ import annotations

import os
import shutil

import click

EXAMPLE = """\b
Examples:
  xlbias report run.parquet
  xlbias report run.parquet --by-language --matrix map
  xlbias report run.parquet --format json | jq '.results[].settings'
"""


@click.command(epilog=EXAMPLE)
@click.argument("run")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option(
    "--matrix", "measures", multiple=True, metavar="MEASURE",
    help="Add the full matrix of this measure (text only), e.g. map, recall@10, ndcg@10, rank_distance. Repeatable.",
)  # fmt: skip
@click.option("--by-language", is_flag=True, help="Add the rank distance of every query language (text only).")
@click.option("--out", type=click.Path(dir_okay=False), help="Write to this file instead of stdout.")
def command(run: str, form: str, measures: tuple[str, ...], by_language: bool, out: str | None) -> None:
    """Print the audit of RUN, a finished run file or one in progress."""
    from xlbias.errors import UsageError
    from xlbias.report.json import to_json
    from xlbias.report.tables import MATRIX_MEASURES
    from xlbias.report.text import to_text
    from xlbias.runs.run import open_run

    for measure in measures:
        if measure not in MATRIX_MEASURES:
            raise UsageError(f"unknown measure {measure!r}; there are {', '.join(MATRIX_MEASURES)}")
    if out is not None and (out.endswith(".parquet") or os.path.realpath(out) == os.path.realpath(run)):
        raise UsageError(f"{out}: is the name of a run; choose another one for the report")

    def render() -> str:
        opened = open_run(run)
        if form == "json":
            return to_json(opened) + "\n"
        width = 120 if out else max(60, shutil.get_terminal_size((100, 24)).columns)
        return to_text(opened, width, measures=measures, by_language=by_language)

    try:
        text = render()
    except FileNotFoundError:  # its writer finished while it was being read: now it is the finished file
        text = render()
    if out is None:
        click.echo(text, nl=False)
        return
    from pathlib import Path

    from xlbias.runs.parquet import write_whole

    write_whole(Path(out), text.encode())
