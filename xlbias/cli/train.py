"""`xlbias train`: fine-tune an encoder with a batch sampler."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from xlbias.cli.groups import Command
from xlbias.cli.prompts import prompt_options
from xlbias.cli.values import DEVICES, Choice, TaskName, Word, fixed, recipe_settings, recipes
from xlbias.cli.watch import dashboard_option, watch_command, watches, words_without_flag
from xlbias.encode.options import POOLINGS
from xlbias.samplers import CODE_SWITCH_MODES, DEFAULT_ALPHA, DEFAULT_PIVOT, ENGLISH, HYBRID, PAPER, SAMPLERS
from xlbias.text import clean

if TYPE_CHECKING:
    from xlbias.train.recipe import Recipe
    from xlbias.train.sampling.codeswitch import CodeSwitch
    from xlbias.train.trainer.fit import Training

EXAMPLE = """\b
Examples:
  xlbias train --out out/hybrid
  xlbias train --sampler mono --task parallel:mlqa.jsonl.gz --task bitext:ntrex --out out/mono
  xlbias train --base multilingual-e5-small --set precision=bf16 --batch-size 512 --set mini_batch=64 --out out/e5
  xlbias train --base static --set from=./e5-small --task parallel:mlqa.jsonl.gz --out out/distilled
  xlbias train --base ./e5-small --mine-negatives 4 --set lora_rank=8 --out out/lora
  xlbias train --base ./nomic --query-prompt search_query --out out/nomic
  xlbias train --recipe xlm-r --show
  xlbias train --alpha 0,0.25,0.5,0.75,1 --seeds 3 --out out/sweep
  xlbias train --code-switch 0.5 --lexicon cldr:annotations --out out/switched
  xlbias train --out out/hybrid --resume
  xlbias train --out out/hybrid --dashboard
  torchrun --nproc-per-node 4 --no-python xlbias train --base xlm-r --batch-size 400 --out out/xlm-r
"""

GO_ON = "What was finished is kept: the same command with --resume continues."


HEADINGS = {
    "sampler": "What a batch is",
    "tasks": "Data",
    "base": "Encoder",
    "recipe": "Settings",
    "code_switch": "Code-switching",
    "device": "Running",
}
"""Heading of each group of options, by the parameter that it begins with."""


@click.command(cls=Command, headings=HEADINGS, epilog=EXAMPLE)
@click.option(
    "--sampler", "-s", type=Choice(list(SAMPLERS)), default=HYBRID, show_default=True,
    help=" ".join(f"{sampler.name}: {sampler.about}." for sampler in SAMPLERS.values()),
)  # fmt: skip
@click.option(
    "--alpha", metavar="P[,P...]",
    help="Probability of a mono batch of the hybrid sampler; several train an encoder each.  "
    f"[default: {DEFAULT_ALPHA:g}]",
)  # fmt: skip
@click.option("--seeds", type=int, default=1, show_default=True, help="Train an encoder for each of so many seeds.")
@click.option("--pivot", metavar="LANG", help=f"Language of the english sampler.  [default: {DEFAULT_PIVOT}]")
@click.option(
    "--task", "-t", "tasks", multiple=True, type=TaskName(), metavar="TASK",
    help="A task: builtin:NAME or FORMAT:PATH, see `xlbias data list`. Repeatable. "
    "Default: the training part of each embedded task.",
)  # fmt: skip
@click.option(
    "--validate", "validation", multiple=True, type=TaskName(), metavar="TASK|none",
    help="Validate on this task instead of a held-out slice of the training tasks; none disables validation. "
    "Repeatable.",
)  # fmt: skip
@click.option(
    "--base", "-b", type=Word(recipes, paths=()), metavar="ENCODER",
    help="static (from nothing, or distilled with --set from=ENCODER), a recipe's name, a sentence-transformers folder "
    "or a hub name.  "
    "[default: the recipe's]",
)  # fmt: skip
@click.option(
    "--out",
    "-o",
    type=Word(paths=()),
    metavar="DIR",
    help="Folder for the encoder, its card and its loss curve.  [required]",
)
@click.option("--name", help="What reports call the encoder.  [default: the folder's name]")
@click.option(
    "--recipe", type=Word(recipes, paths=(".toml",)), metavar="NAME|FILE",
    help="Settings: a recipe of xlbias or a .toml file.  [default: that of the base; without one, "
    f"batch size, learning rate and weight decay of {PAPER}, the rest ours]",
)  # fmt: skip
@click.option(
    "--show", is_flag=True,
    help=f"Print the recipe with all that overrides it, the settings of {PAPER} marked, and stop.",
)  # fmt: skip
@click.option(
    "--set",
    "settings",
    multiple=True,
    type=Word(recipe_settings),
    metavar="KEY=VALUE",
    help="Override any setting of the recipe.",
)
@click.option("--steps", type=int, help="Batches to train on, in place of the recipe's.")
@click.option("--epochs", type=float, help="Passes over as many pairs as there are ids, in place of steps.")
@click.option("--batch-size", type=int, help="Pairs in a batch.")
@click.option("--lr", "learning_rate", type=float, help="Peak learning rate.")
@click.option(
    "--pooling", type=Choice(POOLINGS), metavar="mean|cls|...",
    help="Make an encoder of a base that is a bare transformer, without pooling of its own.",
)  # fmt: skip
@click.option(
    "--mine-negatives", type=int, metavar="N",
    help="Let the base find N hard negatives for each query, one of which goes with each pair "
    "(--set hard_negatives=M for more).",
)  # fmt: skip
@click.option("--temperature", type=float, help="Temperature of InfoNCE.")
@prompt_options("query", "passage", default="the recipe's, else what the base registers for them")
@click.option("--seed", type=int, help="Seed of weights and batches.")
@click.option(
    "--code-switch", type=float, metavar="P", help="Replace words by translations from --lexicon with probability P."
)
@click.option(
    "--code-switch-mode", type=Choice(CODE_SWITCH_MODES), default=CODE_SWITCH_MODES[0], show_default=True,
    help="multilingual: a target language is drawn for each text. bilingual: --code-switch-to for all.",
)  # fmt: skip
@click.option("--code-switch-to", metavar="LANG", help="Target language of bilingual code-switching.")
@click.option(
    "--lexicon", "lexicons", multiple=True, type=Word(paths=("",)), metavar="FILE|DIR",
    help="Translations of words: a TSV file (source, word, target, translation; or en-de.tsv with two columns), or a "
    "folder of CLDR annotations (cldr:DIR). Repeatable.",
)  # fmt: skip
@click.option(
    "--device", type=Word(fixed(*DEVICES)), help="cpu, cuda or mps.  [default: cpu for static, else the best there is]"
)
@click.option(
    "--trust-remote-code",
    is_flag=True,
    help="Let the base run its own code. Weights that this code draws at random are not noticed.",
)
@click.option(
    "--report-to", type=Word(fixed("tensorboard", "wandb", "mlflow"), commas=True), metavar="TRACKER,...",
    callback=lambda _context, _option, given: _trackers(given),
    help="Report loss, batches and validations to tensorboard (files in DIR/runs), wandb or mlflow, too.",
)  # fmt: skip
@click.option("--resume", is_flag=True, help="Go on with the unfinished training in DIR.")
@click.option("--overwrite", is_flag=True, help="Replace the encoder that an earlier training left in DIR.")
@dashboard_option
@click.option("--quiet", "-q", is_flag=True, help="Write nothing to stderr.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    sampler: str,
    alpha: str | None,
    seeds: int,
    pivot: str | None,
    tasks: tuple[str, ...],
    validation: tuple[str, ...],
    base: str | None,
    out: str | None,
    name: str | None,
    recipe: str | None,
    show: bool,
    settings: tuple[str, ...],
    query_prompt: str | None,
    passage_prompt: str | None,
    code_switch: float | None,
    code_switch_mode: str,
    code_switch_to: str | None,
    lexicons: tuple[str, ...],
    device: str | None,
    trust_remote_code: bool,
    report_to: list[str],
    resume: bool,
    overwrite: bool,
    dashboard: bool,
    quiet: bool,
    **shortcuts: int | float | str | None,
) -> int:
    """Train an encoder on the queries and relevant passages of each TASK, with in-batch negatives.

    The sampler decides what a batch holds; the recipe, and options that override it, decide the rest. DIR
    becomes a standard sentence-transformers folder. Ctrl-C saves a checkpoint, and --resume goes on from it with
    exactly the batches of an unbroken training. Several values of --alpha, or --seeds, train a grid: an encoder in a
    folder of DIR each. Prints what was trained on stdout.
    """
    from pathlib import Path

    from xlbias.cli.narrate import StderrNarrator
    from xlbias.cli.run_out import check_choice
    from xlbias.data.catalog import default_tasks, load_task
    from xlbias.encode.card import TRAINING_FILE
    from xlbias.errors import UsageError
    from xlbias.processes.launched import is_first
    from xlbias.train.recipe import check_base, check_grid

    prefixes = {"query_prefix": query_prompt, "passage_prefix": passage_prompt}
    chosen = _recipe(recipe, base, settings, {**shortcuts, **prefixes})
    if show:
        click.echo(chosen.as_toml(), nl=False)
        return 0
    if out is None:
        raise click.UsageError("Missing option '--out' / '-o'.")
    check_choice(resume=resume, overwrite=overwrite)
    if alpha is not None and sampler != HYBRID:
        raise UsageError(f"--alpha is for the hybrid sampler, not for {sampler}")
    if pivot is not None and sampler != ENGLISH:
        raise UsageError(f"--pivot is for the english sampler, not for {sampler}")
    alphas = _alphas(alpha)
    check_grid(alphas, seeds)  # now, as the libraries that would find it take seconds to load
    check_base(chosen)
    grid = len(alphas) > 1 or seeds != 1
    if grid and name is not None:
        raise UsageError("--name is for one encoder: those of a grid are named after sampler, alpha and seed")
    if dashboard and watches(quiet=quiet):
        folder = Path(out)
        return watch_command(words_without_flag(ctx), folder / TRAINING_FILE, folder, again=GO_ON)
    if is_first():
        from xlbias.train.trainer.output_folder import check_folder

        check_folder(Path(out), overwrite=overwrite, resume=resume)
    switch = _code_switch(code_switch, code_switch_mode, code_switch_to, lexicons, chosen.seed)
    narrator = StderrNarrator(quiet=quiet or not is_first())
    loaded = [load_task(task) for task in tasks or default_tasks("train")]
    if "none" in validation and len(validation) > 1:
        raise UsageError("--validate none contradicts the other --validate")
    held = None if not validation else [load_task(task) for task in validation if task != "none"]
    narrator.say("loading the libraries")
    from xlbias.train.trainer.distributed import leave_processes, lost_where_one_is_gone
    from xlbias.train.trainer.fit import Options, fit, fit_grid

    options = Options(
        switch=switch,
        validation=held,
        device=device,
        trust_remote_code=trust_remote_code,
        report_to=report_to,
        overwrite=overwrite,
        resume=resume,
        narrator=narrator,
    )
    pivot = pivot or DEFAULT_PIVOT
    with lost_where_one_is_gone():
        if grid:
            trained = fit_grid(loaded, out, chosen, sampler=sampler, alphas=alphas, seeds=seeds, pivot=pivot, **options)
        else:
            trained = [fit(loaded, out, chosen, name=name, sampler=sampler, alpha=alphas[0], pivot=pivot, **options)]
    if is_first():
        click.echo("\n".join(_table(trained) if grid else _lines(trained[0])))
    leave_processes()
    return 0


def _trackers(given: str | None) -> list[str]:
    """Return the trackers of ``--report-to``. Raises TrainingError where one cannot be reported to."""
    from xlbias.train.trainer.trackers import check_trackers

    names = [word.strip() for word in (given or "").split(",") if word.strip()]
    check_trackers(names)
    return names


def _recipe(
    name: str | None, base: str | None, settings: tuple[str, ...], shortcuts: Mapping[str, int | float | str | None]
) -> Recipe:
    """Return the recipe with all that overrides it."""
    from xlbias.errors import UsageError
    from xlbias.train.recipe import DISTILLED, STATIC, find_recipe, parse_settings, recipe_for

    if shortcuts["steps"] is not None and shortcuts["epochs"] is not None:
        raise UsageError("--steps and --epochs contradict each other")
    parsed = parse_settings(settings)
    default = DISTILLED if "distilled_from" in parsed and base in (None, STATIC) else base or STATIC
    chosen = find_recipe(name) if name else recipe_for(default)
    if shortcuts["mine_negatives"] and not chosen.hard_negatives:
        parsed.setdefault("hard_negatives", 1)
    return chosen.based_on(base, parsed).overridden(**shortcuts)


def _alphas(given: str | None) -> list[float]:
    from xlbias.errors import UsageError

    try:
        return [float(alpha) for alpha in (given or str(DEFAULT_ALPHA)).split(",")]
    except ValueError:
        raise UsageError(f"--alpha {given}: expected probabilities such as 0.5 or 0,0.5,1") from None


def _code_switch(
    probability: float | None, mode: str, target: str | None, lexicons: tuple[str, ...], seed: int
) -> CodeSwitch | None:
    from xlbias.errors import UsageError

    if probability is None:
        if lexicons or target:
            raise UsageError("--lexicon and --code-switch-to are for --code-switch")
        return None
    if not lexicons:
        raise UsageError("--code-switch needs translations of words: give --lexicon")
    from xlbias.data.lexicons.load import load_lexicon
    from xlbias.train.sampling.codeswitch import CodeSwitch

    return CodeSwitch(load_lexicon(lexicons), probability, mode, target, seed)


def _lines(training: Training) -> list[str]:
    """Return what one training did, a line each: name, tab, value."""
    card = training.card
    batches = ", ".join(f"{n:,} {kind}" for kind, n in sorted(card["batches"]["by_kind"].items())[::-1])
    rows = {
        "encoder": clean(str(training.path)),
        "prompts": _prompts(card),
        "steps": training.steps,
        "seconds": f"{training.seconds:.1f}",
        "loss": f"{training.loss:.4f}",
        "batches": batches,
    }
    if card["best_step"] is not None:
        rows["best step"] = card["best_step"]
        rows["validation"] = ", ".join(f"{name} {_number(name, value)}" for name, value in _validated(card).items())
    if words := card["batches"]["words"]:
        rows["code-switched"] = (
            f"{words['replaced']:,} of {words['translatable']:,} translatable words, of {words['words']:,} words"
        )
    return [f"{name}\t{value}" for name, value in rows.items()]


def _prompts(card: dict[str, Any]) -> str:
    """Return what was put before queries and passages."""
    prompts = card.get("prompts", {})
    return ", ".join(f"{side} {prompts[side]!r}" for side in ("query", "passage") if prompts.get(side)) or "none"


def _table(trained: list[Training]) -> list[str]:
    """Return what the trainings of a grid did, a line each, as TSV with a header."""
    header = ["encoder", "alpha", "seed", "steps", "seconds", "loss", "best step", *_MEASURES.values()]
    rows = []
    for training in trained:
        card = training.card
        rows.append(
            [
                clean(str(training.path)),
                f"{card['alpha']:g}",
                str(card["seed"]),
                str(training.steps),
                f"{training.seconds:.1f}",
                f"{training.loss:.4f}",
                "" if card["best_step"] is None else str(card["best_step"]),
                *(_number(name, value) for name, value in _validated(card).items()),
            ]
        )
    return ["\t".join(row) for row in [header, *rows]]


_MEASURES = {
    "map_monolingual": "mAP mono",
    "map_cross_lingual": "mAP cross",
    "map_multilingual": "mAP multi",
    "rank_distance": "rank distance",
}


def _validated(card: dict[str, Any]) -> dict[str, float | None]:
    """Return the means over validation tasks at the step that was saved."""
    rows = [row for row in card["validation"] if row["step"] == card["best_step"]]
    means: dict[str, float | None] = {}
    for key, name in _MEASURES.items():
        values = [row[key] for row in rows if row[key] is not None]
        means[name] = sum(values) / len(values) if values else None
    return means


def _number(name: str, value: float | None) -> str:
    """Return a measure of `_MEASURES` as reports show it."""
    from xlbias.report.numbers import number

    return number(value, unit_range=name != _MEASURES["rank_distance"], nothing="")
