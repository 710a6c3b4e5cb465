"""`xlbias distill`: a static encoder out of a pretrained one."""

from __future__ import annotations

import click

from xlbias.cli.groups import Command
from xlbias.cli.values import DEVICES, Choice, TaskName, Word, encoders, fixed

EXAMPLE = """\b
Examples:
  xlbias distill intfloat/multilingual-e5-small --out out/static
  xlbias distill ./e5-small --tokens seen --task parallel:mlqa.jsonl.gz --out out/static
  xlbias train --base out/static --recipe static-distilled --task parallel:mlqa.jsonl.gz --out out/hybrid
"""

HEADINGS = {"out": "Encoder", "device": "Running"}
"""Heading of each group of options, by the parameter that it begins with."""


@click.command(cls=Command, headings=HEADINGS, epilog=EXAMPLE)
@click.argument("encoder", type=Word(encoders, paths=()), metavar="ENCODER")
@click.option(
    "--out", "-o", required=True, type=Word(paths=()), metavar="DIR", help="Folder for the static encoder and its card."
)
@click.option("--dimension", type=int, default=256, show_default=True, help="Principal components that are kept.")
@click.option(
    "--tokens", type=Choice(["base", "seen", "own"]), default="base", show_default=True,
    help="base: all tokens of ENCODER. seen: those that the texts of TASK hold. own: sub-words learnt from them.",
)  # fmt: skip
@click.option(
    "--token-prompt", metavar="NAME|TEXT", default="",
    help="Put before each token.  [default: nothing, the best between languages]",
)  # fmt: skip
@click.option("--vocabulary", type=int, default=24_000, show_default=True, help="Number of sub-words of own.")
@click.option(
    "--task", "-t", "tasks", multiple=True, type=TaskName(), metavar="TASK", help="Texts for seen and own. Repeatable."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Which texts the sub-words of own come from.")
@click.option("--device", type=Word(fixed(*DEVICES)), help="cpu, cuda or mps.  [default: the best there is]")
@click.option("--trust-remote-code", is_flag=True, help="Let ENCODER run code of its own.")
@click.option("--overwrite", is_flag=True, help="Replace the encoder that an earlier command left in DIR.")
@click.option("--quiet", "-q", is_flag=True, help="Write nothing to stderr.")
def command(
    encoder: str,
    out: str,
    dimension: int,
    tokens: str,
    token_prompt: str,
    vocabulary: int,
    tasks: tuple[str, ...],
    seed: int,
    device: str | None,
    trust_remote_code: bool,
    overwrite: bool,
    quiet: bool,
) -> int:
    """Distil ENCODER, a sentence-transformers folder or hub name, into a static encoder.

    Each token is encoded once; afterwards a text's vector is the mean of its tokens' vectors. DIR becomes an ordinary
    sentence-transformers folder that evaluates in seconds, and that `xlbias train --base DIR` trains on. Prints where
    it is on stdout.
    """
    from pathlib import Path

    from xlbias.cli.narrate import StderrNarrator
    from xlbias.data.catalog import load_task
    from xlbias.encode.load import check_trainable
    from xlbias.text import clean
    from xlbias.train.recipe import distilling
    from xlbias.train.trainer.output_folder import check_folder

    distilling(encoder, dimension, tokens, token_prompt, vocabulary, seed, with_tasks=bool(tasks))
    check_trainable(encoder, done="distilled")  # now, as the libraries that would find it take seconds to load
    check_folder(Path(out), overwrite=overwrite)
    loaded = [load_task(task) for task in tasks]
    narrator = StderrNarrator(quiet=quiet)
    narrator.say("loading the libraries")
    from xlbias.train.trainer.distilled import distil_encoder

    card = distil_encoder(
        encoder,
        out,
        dimension=dimension,
        tokens=tokens,
        token_prompt=token_prompt,
        tasks=loaded,
        vocabulary=vocabulary,
        seed=seed,
        device=device,
        trust_remote_code=trust_remote_code,
        overwrite=overwrite,
        narrator=narrator,
    )
    made = card["distilled"]
    rows = {
        "encoder": clean(out),
        "tokens": f"{made['n_tokens']:,}",
        "dimension": made["dimension"],
        "seconds": f"{card['seconds']:.1f}",
    }
    click.echo("\n".join(f"{name}\t{value}" for name, value in rows.items()))
    return 0
