"""`xlbias evaluate`: zero-shot retrieval over all language pairs, into a run file."""

from __future__ import annotations

import click

from xlbias.cells import TOP_OF, TopOf
from xlbias.cli.groups import Command
from xlbias.cli.prompts import prompt_options
from xlbias.cli.run_out import check_run_out, resumable, run_out_option
from xlbias.cli.several import current_team, let_others_go, several
from xlbias.cli.values import DEVICES, Choice, TaskName, Word, encoders, fixed
from xlbias.cli.watch import dashboard_option, watch_command, watches, words_without_flag
from xlbias.encode.options import DTYPES, POOLINGS, SIMILARITIES

EXAMPLE = """\b
Examples:
  xlbias evaluate out/hybrid --out run.parquet
  xlbias evaluate out/mono out/hybrid --task lareqa:xquad-r --out run.parquet
  xlbias evaluate intfloat/multilingual-e5-small --task 'lareqa:xquad-r[languages=en,de,th]' --device cuda
  xlbias evaluate out/hybrid --task lareqa:xquad-r --out run.parquet --resume
  xlbias evaluate out/hybrid --task lareqa:xquad-r --out run.parquet --dashboard
  xlbias evaluate ./stella --query-prompt s2s_query --passage-prompt '' --out s2s.parquet
  xlbias evaluate out/mono --mitigate mean --mitigate lir:1 --out mitigated.parquet
  torchrun --nproc-per-node 4 --no-python xlbias evaluate out/hybrid --out run.parquet
"""


HEADINGS = {
    "tasks": "What is evaluated",
    "query_prompt": "Encoder",
    "device": "Running",
}
"""Heading of each group of options, by the parameter that it begins with."""

GO_ON = "What was finished is kept: the same command with --resume continues."


@click.command(cls=Command, headings=HEADINGS, epilog=EXAMPLE)
@click.argument("models", nargs=-1, required=True, type=Word(encoders, paths=()), metavar="ENCODER...")
@click.option(
    "--task", "-t", "tasks", multiple=True, type=TaskName(), metavar="TASK",
    help="A task: builtin:NAME or FORMAT:PATH, see `xlbias data list`. Repeatable. "
    "Default: the held-out part of each embedded task.",
)  # fmt: skip
@run_out_option("run.parquet")
@click.option("--resume", is_flag=True, help="Continue the unfinished run at --out.")
@click.option("--overwrite", is_flag=True, help="Replace the run at --out.")
@click.option(
    "--top-k",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="How many passages of each ranking to keep for browsing.",
)
@click.option(
    "--top-of", type=Choice(TOP_OF), default="all", show_default=True,
    help="Pools to keep them for; multilingual makes the run a third the size.",
)  # fmt: skip
@click.option(
    "--texts", type=Choice(("all", "found")),
    help="Texts of passages to keep in the run; found: those relevant to a query or in a top k.  [default: all of "
    "tasks with up to 100,000 passages, else found]",
)  # fmt: skip
@click.option(
    "--mitigate", multiple=True, type=Word(fixed("mean", "lir:")), metavar="mean|lir:R",
    help="Also evaluate without language means (mean), or without the first R components of each language (lir:R). "
    "Repeatable.",
)  # fmt: skip
@prompt_options("query", "passage")
@click.option(
    "--similarity", type=Choice(SIMILARITIES),
    help="Similarity of vectors.  [default: the encoder's own]",
)  # fmt: skip
@click.option(
    "--truncate-dim", type=click.IntRange(min=1), metavar="N",
    help="Use the first N dimensions of each vector (Matryoshka).",
)  # fmt: skip
@click.option(
    "--max-length", type=click.IntRange(min=1), metavar="N",
    help="Read N tokens of each text.  [default: as many as the encoder says]",
)  # fmt: skip
@click.option(
    "--dtype", type=Choice(DTYPES),
    help="Type of the weights; int8: round vectors to 256 steps a dimension.  [default: as they are stored]",
)  # fmt: skip
@click.option(
    "--device", type=Word(fixed(*DEVICES)), help="Torch device: cpu, cuda, cuda:1, mps. Default: the best available."
)
@click.option(
    "--batch-size", type=click.IntRange(min=1), help="Texts encoded at a time.  [default: as many as fill the device]"
)
@click.option("--no-cache", is_flag=True, help="Do not use the vector cache.")
@click.option(
    "--trust-remote-code",
    is_flag=True,
    help="Let an encoder run its own code. Weights that this code draws at random are not noticed.",
)
@click.option(
    "--pooling", type=Choice(POOLINGS), metavar="mean|cls|...",
    help="Add this pooling to a bare transformer.",
)  # fmt: skip
@dashboard_option
@click.option("--quiet", "-q", is_flag=True, help="Write nothing to stderr.")
@click.pass_context
@several
def command(
    ctx: click.Context,
    models: tuple[str, ...],
    tasks: tuple[str, ...],
    out: str,
    resume: bool,
    overwrite: bool,
    top_k: int,
    top_of: TopOf,
    texts: str | None,
    mitigate: tuple[str, ...],
    query_prompt: str | None,
    passage_prompt: str | None,
    similarity: str | None,
    truncate_dim: int | None,
    max_length: int | None,
    dtype: str | None,
    device: str | None,
    batch_size: int | None,
    no_cache: bool,
    trust_remote_code: bool,
    pooling: str | None,
    dashboard: bool,
    quiet: bool,
) -> int:
    """Search every query of every TASK in each language and in all languages together, with each ENCODER.

    ENCODER is a sentence-transformers folder, a hub name, static-small, which comes with xlbias, or another kind, such
    as an endpoint or a Python object: see `xlbias encoders`. Follow the run with `xlbias dashboard RUN` from another
    terminal; a killed evaluation goes on with --resume. Prints what the run says on stdout, with its numbers on one
    screen; `xlbias report RUN --full` prints all of them.
    """
    from pathlib import Path

    from xlbias.cli.narrate import StderrNarrator
    from xlbias.encode.load import check_encoder
    from xlbias.encode.mitigate import parse_mitigation

    for text in mitigate:
        parse_mitigation(text)  # now, as the libraries that would find it take seconds to load
    check_run_out(out, resume=resume, overwrite=overwrite)
    for model in models:
        check_encoder(
            model,
            pooling=pooling,
            query_prompt=query_prompt,
            passage_prompt=passage_prompt,
            similarity=similarity,
            truncate_dim=truncate_dim,
            max_length=max_length,
            dtype=dtype,
            device=device,
            batch_size=batch_size,
        )
    if dashboard and watches(quiet=quiet):
        path = Path(out)
        return watch_command(words_without_flag(ctx), path, path, again=GO_ON)
    narrator = StderrNarrator(quiet=quiet)
    from xlbias.data.catalog import default_tasks, load_task

    loaded = [load_task(name) for name in tasks or default_tasks("test")]
    narrator.say("loading the libraries")
    from xlbias.encode.cache import VectorCache
    from xlbias.evaluation import evaluate
    from xlbias.report.documents.brief import brief
    from xlbias.report.render import width

    with resumable(narrator, out):
        run = evaluate(
            list(models),
            loaded,
            out,
            top_k=top_k,
            top_of=top_of,
            texts=texts,
            mitigate=mitigate,
            query_prompt=query_prompt,
            passage_prompt=passage_prompt,
            similarity=similarity,
            truncate_dim=truncate_dim,
            max_length=max_length,
            dtype=dtype,
            device=device,
            batch_size=batch_size,
            trust_remote_code=trust_remote_code,
            pooling=pooling,
            cache=None if no_cache else VectorCache(),
            resume=resume,
            overwrite=overwrite,
            narrator=narrator,
            team=current_team(),
        )

    let_others_go()
    click.echo(brief(run, width()), nl=False)
    return 0
