"""`xlbias export`: a run for other tools, a command for each format."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from xlbias.cli.groups import Group
from xlbias.cli.narrate import StderrNarrator
from xlbias.cli.values import RunOrTask, RunPath, Word, measures, of_run

if TYPE_CHECKING:
    from xlbias.results.run import Run

EXAMPLE = """\b
Examples:
  xlbias export run run.parquet --encoder mine --out mine.trec.gz
  xlbias export qrels run.parquet --out qrels.txt
  xlbias export csv run.parquet --measure ndcg@10 --out values.csv
  xlbias export model-index run.parquet --encoder mine
"""


@click.group(cls=Group, epilog=EXAMPLE)
def command() -> None:
    """Write what RUN holds for other tools. Queries and passages have the same ids in all of these files.

    A task itself is written by `xlbias data convert`, for beir, mteb and datasets.
    """


def _one(kind: Literal["encoder", "task"], note: str) -> Callable[[Any], Any]:
    return click.option(
        f"--{kind}",
        f"-{kind[0]}",
        type=Word(of_run(kind, "run", "source")),
        metavar="NAME",
        help=f"{'Encoder' if kind == 'encoder' else 'Task'} of the run. {note}",
    )


_ONLY = "It may be left out where there is one only."
_ALL = "Default: all."
_OUT = click.option("--out", "-o", required=True, metavar="FILE", help="File to write; gzipped if it ends in .gz.")
_POOL = click.option(
    "--pool", default="multilingual", show_default=True, metavar="LANG", help="Passages of this language only."
)
_QUIET = click.option("--quiet", "-q", is_flag=True, help="Write nothing to stderr.")
_MEASURE = click.option(
    "--measure",
    "-m",
    "measures",
    multiple=True,
    type=Word(measures),
    metavar="MEASURE",
    help="This measure only. Repeatable. Default: all.",
)


@command.command("run", short_help="A TREC run.")
@click.argument("run", type=RunPath())
@_one("encoder", _ONLY)
@_one("task", _ONLY)
@_POOL
@_OUT
@_QUIET
def trec_run(run: str, encoder: str | None, task: str | None, pool: str, out: str, quiet: bool) -> None:
    """Write a TREC run: the first passages of each ranking, as many as RUN keeps (`evaluate --top-k`)."""
    from xlbias.export.trec import export_run

    opened = _opened(run, out)
    written = export_run(opened, out, encoder=encoder, task=task, pool=pool)
    StderrNarrator(quiet=quiet).say(
        f"wrote {out}: {written.n_queries:,} queries, {written.depth:,} passages of each at most; measures that look "
        "deeper need a run of more (evaluate --top-k)"
    )


@command.command(short_help="TREC qrels, of a run or of a task.")
@click.argument("source", type=RunOrTask(), metavar="RUN|TASK")
@_one("task", _ONLY)
@_POOL
@_OUT
@_QUIET
def qrels(source: str, task: str | None, pool: str, out: str, quiet: bool) -> None:
    """Write TREC qrels: the passages relevant to each query, of a run or of a task.

    Of a TASK, those judged not relevant are written too, as 0.
    """
    from xlbias.errors import UsageError
    from xlbias.export.trec import export_qrels

    if os.path.lexists(source) or source.endswith((".parquet", ".live")):
        n = export_qrels(_opened(source, out), out, task=task, pool=pool)
    else:
        from xlbias.data.catalog import load_task

        if task is not None:
            raise UsageError("--task is for a run that has several; here a task is given")
        n = export_qrels(load_task(source), out, pool=pool)
    StderrNarrator(quiet=quiet).say(f"wrote {out}: {n:,} lines")


def _of_values(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the argument and options of per-query values."""
    for option in (
        _QUIET,
        _OUT,
        _MEASURE,
        _one("task", _ALL),
        _one("encoder", _ALL),
        click.argument("run", type=RunPath()),
    ):
        function = option(function)
    return function


@command.command(short_help="Values of measures by query, as CSV.")
@_of_values
def csv(**given: Any) -> None:
    """Write the values of every measure by query as CSV, a row each; docs/export.md has the columns."""
    _write_values(("csv", "csv.gz"), **given)


@command.command(short_help="Values of measures by query, as Parquet.")
@_of_values
def parquet(**given: Any) -> None:
    """Write the values of every measure by query as Parquet, a row each, whose columns are described in it."""
    _write_values(("parquet",), **given)


def _write_values(
    endings: Sequence[str],
    run: str,
    encoder: str | None,
    task: str | None,
    measures: tuple[str, ...],
    out: str,
    quiet: bool,
) -> None:
    from xlbias.errors import UsageError
    from xlbias.export.values import export_values

    if not out.endswith(tuple(f".{ending}" for ending in endings)):
        raise UsageError(f"{out}: expected a name that ends in .{' or .'.join(endings)}")
    n = export_values(_opened(run, out), out, encoder=encoder, task=task, measures=measures)
    StderrNarrator(quiet=quiet).say(f"wrote {out}: {n:,} values")


@command.command(short_help="Results for mteb.")
@click.argument("run", type=RunPath())
@_one("encoder", _ALL)
@_one("task", _ALL)
@click.option("--out", "-o", required=True, metavar="DIR", help="Folder, which mteb.ResultCache reads.")
@_QUIET
def results(run: str, encoder: str | None, task: str | None, out: str, quiet: bool) -> None:
    """Write results as mteb keeps them: a JSON file for each encoder and task, settings as splits, cells as subsets."""
    from xlbias.export.mteb_results import export_results

    written = export_results(_opened(run, out), out, encoder=encoder, task=task)
    narrator = StderrNarrator(quiet=quiet)
    for path in written:
        narrator.say(f"wrote {path}")


@command.command("model-index", short_help="The model-index block of a model card.")
@click.argument("run", type=RunPath())
@_one("encoder", _ONLY)
@_one("task", _ALL)
@click.option("--name", default="", help="What the card calls the encoder.  [default: its name in the run]")
@click.option("--out", "-o", metavar="FILE", help="Write to this file instead of stdout.")
def model_index(run: str, encoder: str | None, task: str | None, name: str, out: str | None) -> None:
    """Print the model-index block of a model card, with intervals: paste it between the --- of its README.md."""
    from xlbias.export.model_index import export_model_index

    text = export_model_index(_opened(run, out), encoder=encoder, task=task, name=name)
    if out is None:
        click.echo(text, nl=False)
        return
    from xlbias.files import write_whole

    write_whole(Path(out), text.encode())


def _opened(path: str, out: str | None) -> Run:
    """Open a run. Raises UsageError where `out` would replace it."""
    from xlbias.errors import UsageError
    from xlbias.results.run import open_run

    if out is not None and os.path.realpath(out) == os.path.realpath(path):
        raise UsageError(f"{out}: is the run itself; choose another name")
    return open_run(path)
