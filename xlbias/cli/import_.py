"""`xlbias import`: what other programs have made, as a run file."""

from __future__ import annotations

from typing import Literal

import click

from xlbias.cli.groups import Group
from xlbias.cli.run_out import check_run_out, run_out_option
from xlbias.cli.values import Choice, TaskName, Word

EXAMPLE = """\b
Examples:
  xlbias import run --run bm25.trec --task lareqa:xquad-r --out bm25.parquet
  xlbias import run --run bm25.trec.gz --task lareqa:xquad-r --depth 1000 --name BM25 --out bm25.parquet
  xlbias import run --run 'en.trec[query=en]' --run 'de.trec[query=de]' --task lareqa:xquad-r --out bm25.parquet
  xlbias import run --run all.trec --run 'of-de.trec[pool=de]' --task lareqa:xquad-r --out bm25.parquet
  xlbias import run --run run.json --task beir:scifact --out vendor.parquet
"""

HEADINGS = {"runs": "What is imported", "out": "Output", "top_k": "Output"}
"""Heading of each group of options, by the parameter that it begins with."""


@click.group(cls=Group, epilog=EXAMPLE)
def command() -> None:
    """Import what other programs have made, as a run file."""


@command.command("run", headings=HEADINGS, epilog=EXAMPLE)
@click.option(
    "--run", "runs", multiple=True, required=True, type=Word(paths=("",)), metavar="FILE[options]",
    help="A TREC run (query Q0 passage rank score tag) or JSON {query: {passage: score}}, compressed or not. Options "
    "in brackets: query=LANGUAGE, pool=LANGUAGE. Repeatable: all files are of one system.",
)  # fmt: skip
@click.option(
    "--task", "-t", required=True, type=TaskName(), metavar="TASK", help="What was searched, see `xlbias data list`."
)
@run_out_option("run.parquet")
@click.option("--name", metavar="NAME", help="What to call the system.  [default: the tag of its run, or its file]")
@click.option(
    "--order", type=Choice(("score", "rank")), default="score", show_default=True,
    help="score: falling scores, equal ones by falling passage id, as trec_eval orders them. rank: the file's ranks.",
)  # fmt: skip
@click.option(
    "--depth", type=click.IntRange(min=1), metavar="N",
    help="How many passages the system was asked for: longer lists are cut, shorter ones are complete.  [default: the "
    "longest list of each file]",
)  # fmt: skip
@click.option(
    "--top-k", type=click.IntRange(min=1), default=10, show_default=True,
    help="How many passages of each ranking to keep for browsing.",
)  # fmt: skip
@click.option("--ignore-unknown", is_flag=True, help="Leave out queries and passages that are not in the task.")
@click.option("--overwrite", is_flag=True, help="Replace the run at --out.")
@click.option("--quiet", "-q", is_flag=True, help="Write nothing to stderr.")
def import_run_command(
    runs: tuple[str, ...],
    task: str,
    out: str,
    name: str | None,
    order: Literal["score", "rank"],
    depth: int | None,
    top_k: int,
    ignore_unknown: bool,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Import rankings of any system: BM25, a hybrid, a re-ranker, the API of a vendor.

    A file ranks the passages of all languages together, or those of one with [pool=LANGUAGE]. Query ids are those of
    `xlbias export qrels`: the task's, or LANGUAGE/ID where queries of several languages share ids; with
    [query=LANGUAGE] the task's. Ranks are known as far as the lists go. What needs more is shown as bounds, such as
    .412–.437; what has a cut-off within them is exact and equals trec_eval. Prints the report on stdout.
    """
    from xlbias.cli.narrate import StderrNarrator

    check_run_out(out, overwrite=overwrite)
    from xlbias.data.catalog import load_task
    from xlbias.report.documents.brief import brief
    from xlbias.report.render import width
    from xlbias.systems import import_run

    run = import_run(
        runs,
        load_task(task),
        out,
        name=name,
        order=order,
        depth=depth,
        top_k=top_k,
        ignore_unknown=ignore_unknown,
        overwrite=overwrite,
        narrator=StderrNarrator(quiet=quiet),
    )
    click.echo(brief(run, width()), nl=False)
