"""`xlbias rerank`: the first passages of a run re-ranked by a cross-encoder."""

from __future__ import annotations

import click

from xlbias.cells import TOP_OF, TopOf
from xlbias.cli.groups import Command
from xlbias.cli.run_out import check_run_out, resumable, run_out_option
from xlbias.cli.values import DEVICES, Choice, RunPath, Word, fixed, of_run

EXAMPLE = """\b
Examples:
  xlbias evaluate out/hybrid --top-k 100 --out hybrid.parquet
  xlbias rerank hybrid.parquet --encoder ./cross --top 100 --out reranked.parquet
  xlbias compare hybrid.parquet reranked.parquet
  xlbias rerank bm25.parquet --encoder cross-encoder/mmarco-mMiniLMv2-L12-H384-v1 --top-of multilingual --top 50
"""

HEADINGS = {"encoder": "What is re-ranked", "device": "Running"}
"""Heading of each group of options, by the parameter that it begins with."""


@click.command(cls=Command, headings=HEADINGS, epilog=EXAMPLE)
@click.argument("run", type=RunPath(), metavar="RUN")
@click.option(
    "--encoder",
    "-e",
    required=True,
    type=Word(paths=()),
    metavar="FOLDER",
    help="A cross-encoder of sentence-transformers: folder or hub name.",
)
@run_out_option("reranked.parquet")
@click.option("--top", type=click.IntRange(min=1), default=100, show_default=True, help="How many passages to re-rank.")
@click.option(
    "--top-of", type=Choice(TOP_OF), default="all", show_default=True,
    help="Pools whose rankings are re-ranked; with multilingual the new run has no others.",
)  # fmt: skip
@click.option(
    "--model",
    type=Word(of_run("encoder", "run")),
    metavar="NAME",
    help="The encoder of RUN whose rankings are taken.  [default: its only one]",
)
@click.option(
    "--device", type=Word(fixed(*DEVICES)), help="Torch device: cpu, cuda, cuda:1, mps. Default: the best available."
)
@click.option("--batch-size", type=click.IntRange(min=1), default=32, show_default=True, help="Pairs scored at a time.")
@click.option("--resume", is_flag=True, help="Continue the unfinished run at --out.")
@click.option("--overwrite", is_flag=True, help="Replace the run at --out.")
@click.option("--quiet", "-q", is_flag=True, help="Write nothing to stderr.")
def command(
    run: str,
    encoder: str,
    out: str,
    top: int,
    top_of: TopOf,
    model: str | None,
    device: str | None,
    batch_size: int,
    resume: bool,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Re-rank the first passages of each ranking of RUN with a cross-encoder, into a new run.

    What stands below them stays, so that ranks are exact where those of RUN are. RUN must keep as many passages of each
    ranking: `xlbias evaluate --top-k 100`. A killed command goes on with --resume. Prints the report on stdout.
    """
    import os

    from xlbias.cli.narrate import StderrNarrator
    from xlbias.errors import UsageError

    if os.path.realpath(run) == os.path.realpath(out):
        raise UsageError(f"{out}: is the run to re-rank; choose another --out")
    check_run_out(out, resume=resume, overwrite=overwrite)
    from xlbias.report.documents.brief import brief
    from xlbias.report.render import width
    from xlbias.systems.rerank import rerank

    narrator = StderrNarrator(quiet=quiet)
    with resumable(narrator, out):
        made = rerank(
            run,
            encoder,
            out,
            top=top,
            top_of=top_of,
            model=model,
            device=device,
            batch_size=batch_size,
            resume=resume,
            overwrite=overwrite,
            narrator=narrator,
        )
    click.echo(brief(made, width()), nl=False)
