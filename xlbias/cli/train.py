"""`xlbias train`: fine-tune an encoder with a batch sampler."""

from __future__ import annotations

import click

EXAMPLE = """\b
Examples:
  xlbias train --out out/hybrid
  xlbias train --sampler mono --task parallel:mlqa.jsonl.gz --task bitext:ntrex --out out/mono
  xlbias train --sampler hybrid --alpha 0.25 --base intfloat/multilingual-e5-small --epochs 2 --out out/e5
"""

SAMPLERS = ("mono", "cross", "hybrid")


@click.command(epilog=EXAMPLE)
@click.option(
    "--sampler", "-s", type=click.Choice(SAMPLERS), default="hybrid", show_default=True,
    help="mono: a batch is in one language. cross: query and passage of a pair are in two. hybrid: mono or cross.",
)  # fmt: skip
@click.option("--alpha", type=float, help="Probability of a mono batch of the hybrid sampler.  [default: 0.5]")
@click.option(
    "--task", "-t", "tasks", multiple=True, metavar="TASK",
    help="A task: builtin:NAME or FORMAT:PATH, see `xlbias data list`. Repeatable. "
    "Default: the training part of each embedded task.",
)  # fmt: skip
@click.option(
    "--base", "-b", metavar="ENCODER",
    help="static (trained from nothing), a sentence-transformers folder or a hub name.  [default: the recipe's]",
)  # fmt: skip
@click.option("--out", "-o", required=True, metavar="DIR", help="Folder for the encoder, its card and its loss curve.")
@click.option("--name", help="What reports call the encoder.  [default: the folder's name]")
@click.option(
    "--recipe", "-r", metavar="NAME|FILE",
    help="Settings: a recipe of xlbias or a .toml file.  [default: that of the base, else the paper's]",
)  # fmt: skip
@click.option("--steps", type=int, help="Batches to train on, in place of the recipe's.")
@click.option("--epochs", type=float, help="Passes over as many pairs as there are ids, in place of steps.")
@click.option("--batch-size", type=int, help="Pairs in a batch.")
@click.option("--lr", "learning_rate", type=float, help="Peak learning rate.")
@click.option("--temperature", type=float, help="Temperature of InfoNCE.")
@click.option("--seed", type=int, help="Seed of weights and batches.")
@click.option("--device", help="cpu, cuda or mps.  [default: cpu for static, else the best there is]")
@click.option("--trust-remote-code", is_flag=True, help="Let the base run code of its own.")
@click.option("--overwrite", is_flag=True, help="Replace the encoder that an earlier training left in DIR.")
@click.option("--quiet", "-q", is_flag=True, help="Say nothing on stderr.")
def command(
    sampler: str,
    alpha: float | None,
    tasks: tuple[str, ...],
    base: str | None,
    out: str,
    name: str | None,
    recipe: str | None,
    steps: int | None,
    epochs: float | None,
    device: str | None,
    trust_remote_code: bool,
    overwrite: bool,
    quiet: bool,
    **settings: int | float | None,
) -> None:
    """Train an encoder on the queries and relevant passages of each TASK, with in-batch negatives.

    What a batch holds is up to the sampler; everything else is up to the recipe and the options that override it. DIR
    becomes a standard sentence-transformers folder. Prints what was trained on stdout.
    """
    from xlbias.cli.narrate import StderrNarrator
    from xlbias.data.catalog import builtin_tasks, load_task
    from xlbias.errors import UsageError
    from xlbias.train.recipe import find_recipe, recipe_for

    if alpha is not None and sampler != "hybrid":
        raise UsageError(f"--alpha is for the hybrid sampler, not for {sampler}")
    if steps is not None and epochs is not None:
        raise UsageError("--steps and --epochs contradict each other")
    narrator = StderrNarrator(quiet=quiet)
    chosen = find_recipe(recipe) if recipe else recipe_for(base or "static")
    chosen = chosen.overridden(base=base, steps=steps, epochs=epochs, **settings)
    loaded = [load_task(task) for task in tasks or [f"builtin:{task}[split=train]" for task in builtin_tasks()]]
    narrator.say("loading the libraries")
    from xlbias.train.fit import fit

    trained = fit(
        loaded,
        out,
        chosen,
        sampler=sampler,
        alpha=0.5 if alpha is None else alpha,
        name=name,
        device=device,
        trust_remote_code=trust_remote_code,
        overwrite=overwrite,
        narrator=narrator,
    )
    batches = ", ".join(f"{n:,} {kind}" for kind, n in sorted(trained.card["batches"]["by_kind"].items())[::-1])
    click.echo(f"encoder\t{click.format_filename(trained.path)}")
    click.echo(f"steps\t{trained.steps}")
    click.echo(f"seconds\t{trained.seconds:.1f}")
    click.echo(f"loss\t{trained.loss:.4f}")
    click.echo(f"batches\t{batches}")
