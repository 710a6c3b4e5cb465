"""`xlbias report`: the audit of runs, in any format."""

from __future__ import annotations

import os
from pathlib import Path

import click

from xlbias.cli.groups import Command
from xlbias.cli.output import print_document
from xlbias.cli.values import Choice, RunPath, Word, matrix_measures, papers
from xlbias.report.forms import REPORT_FORMATS, SECTIONS

EXAMPLE = """\b
Examples:
  xlbias report run.parquet
  xlbias report run.parquet --full
  xlbias report run.parquet --section bias --section texts
  xlbias report run.parquet --by-language --matrix map
  xlbias report run.parquet --format html --out audit.html
  xlbias report base.parquet new.parquet --format html --poster --out poster.html
  xlbias report run.parquet --format latex --matrix single_gold --published 2408.10536
  xlbias report run.parquet --format json | jq '.results[].settings'
"""


@click.command(cls=Command, epilog=EXAMPLE)
@click.argument("runs", nargs=-1, required=True, type=RunPath(), metavar="RUN...")
@click.option(
    "--format", "form", type=Choice(REPORT_FORMATS), default="text", show_default=True,
    help="json and csv hold every number in full precision; csv is one row per number.",
)  # fmt: skip
@click.option(
    "--matrix", "measures", multiple=True, type=Word(matrix_measures), metavar="MEASURE",
    help="Add the full matrix of this measure, e.g. map, recall@10, single_gold. Repeatable. Default for html: map, "
    "single_gold and exposure@10.ratio.",
)  # fmt: skip
@click.option(
    "--full", is_flag=True,
    help="Print the whole audit as text, not one screen of it. What goes to --out is whole in any case. In every "
    "format: list all findings and caveats, however many.",
)  # fmt: skip
@click.option(
    "--section", "sections", multiple=True, type=Choice(SECTIONS), metavar="NAME",
    help=f"Add this section of the audit to that screen: {', '.join(SECTIONS)}. Repeatable.",
)  # fmt: skip
@click.option("--by-language", is_flag=True, help="Add the rank distance and the rank of every language.")
@click.option(
    "--published", multiple=True, type=Word(papers), metavar="ARXIV-ID",
    help="Add what this paper printed for the same data set, e.g. 2408.10536. Repeatable.",
)  # fmt: skip
@click.option(
    "--poster", is_flag=True,
    help="What fits one page, with --format html: findings, the matrices of two encoders with their difference, "
    "profiles of languages.",
)  # fmt: skip
@click.option("--out", "-o", type=click.Path(dir_okay=False), help="Write to this file instead of stdout.")
def command(
    runs: tuple[str, ...],
    form: str,
    full: bool,
    sections: tuple[str, ...],
    measures: tuple[str, ...],
    by_language: bool,
    published: tuple[str, ...],
    poster: bool,
    out: str | None,
) -> None:
    """Print the audit of each RUN, a finished run file or one in progress.

    Text is one screen: what the run says, then a row of numbers per encoder and task. --full, --section and --matrix
    add to it.

    The same number is the same text in every format. json, csv and html hold the numbers of all languages anyway.
    """
    from xlbias.choices import suggestion
    from xlbias.errors import UsageError
    from xlbias.files import check_parent, write_whole
    from xlbias.report.render import render_report
    from xlbias.results.matrix import MATRIX_MEASURES
    from xlbias.results.published import published as printed
    from xlbias.results.run import open_run

    for measure in measures:
        if measure not in MATRIX_MEASURES:
            close = suggestion(measure, MATRIX_MEASURES)
            raise UsageError(f"unknown measure {measure!r}{close}; choose from {', '.join(MATRIX_MEASURES)}")
    for source in published:
        printed(source)
    if published and form == "csv":
        raise UsageError("csv holds the numbers of a run only: choose another format for --published")
    if poster and form != "html":
        raise UsageError(f"--poster is a page of html, not of {form}: add --format html")
    if poster and (measures or published or sections or by_language or full):
        left_out = "--matrix, --published, --section, --by-language and --full"
        raise UsageError(f"--poster has what fits one page: leave out {left_out}")
    taken = {os.path.realpath(run) for run in runs}
    if out is not None and (out.endswith(".parquet") or os.path.realpath(out) in taken):
        raise UsageError(f"{out}: is the name of a run; choose another one for the report")
    if out is not None:
        check_parent(Path(out))

    def render() -> str:
        opened = [open_run(run) for run in runs]
        return render_report(
            opened,
            form,
            matrices=measures,
            by_language=by_language,
            published=published,
            to_file=out is not None,
            full=full or out is not None,
            sections=sections,
            every=full,
            poster=poster,
        )

    try:
        text = render()
    except FileNotFoundError:  # its writer finished while it was being read: now it is the finished file
        text = render()
    if out is None:
        print_document(text, form)
        return
    write_whole(Path(out), text.encode("utf-8", "replace"))
