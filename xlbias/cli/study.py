"""`xlbias study`: samplers × sources × seeds × targets, into one run file and one report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from xlbias.cli.groups import Command
from xlbias.cli.several import current_team, let_others_go, several
from xlbias.cli.values import DEVICES, RunPath, Word, fixed, recipes
from xlbias.cli.watch import dashboard_option, watch_command, watches, words_without_flag
from xlbias.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable

    from xlbias.study.plan import Plan

EXAMPLE = """\b
Examples:
  xlbias study plan.toml
  xlbias study plan.toml --dry-run
  xlbias study plan.toml --power earlier/run.parquet
  xlbias study plan.toml --dashboard
  xlbias study plan.toml --out /data/study --data /data/corpora --jobs 4
  xlbias study plan.toml --base ./e5-small
  xlbias study plan.toml --only mlqa-mono-seed0
  xlbias dashboard plan/run.parquet
  torchrun --nproc-per-node 4 --no-python xlbias study plan.toml

\b
A plan:
  samplers = ["mono", "cross", "hybrid"]
  alphas = [0.25, 0.5, 0.75]
  seeds = 3
  data = "data"
  [settings]
  batch_size = 64
  [sources]
  mlqa = "parallel:{data}/mlqa.jsonl[split=train;name=mlqa]"
  [targets]
  xquad-r = "lareqa:{data}/xquad-r"
  mlqa-test = "parallel:{data}/mlqa.jsonl[split=test]"
  [in_domain]
  mlqa-test = "mlqa"

Further keys: title, recipe, reference, fewer_seeds, primary, top_k, top_of,
baseline.
"""


HEADINGS = {"out": "Plan", "dry_run": "Without training", "overwrite": "Running"}
"""Heading of each group of options, by the parameter that it begins with."""

LINES = 20
"""Of findings by encoder behind the report; `xlbias findings` has all."""

GO_ON = "What was finished is kept: the same command continues."


@click.command(cls=Command, headings=HEADINGS, epilog=EXAMPLE)
@click.argument("plan", type=Word(paths=(".toml",)), metavar="PLAN.toml")
@click.option(
    "--out",
    "-o",
    type=Word(paths=()),
    metavar="DIR",
    help="Folder for encoders, runs and report.  [default: PLAN without .toml]",
)
@click.option(
    "--data", type=Word(paths=()), metavar="DIR", help="Folder to put for {data} in tasks, instead of the plan's."
)
@click.option(
    "--base", "-b", type=Word(recipes, paths=()), metavar="ENCODER", help="Encoder to train, instead of the plan's."
)
@click.option(
    "--jobs", "-j", type=click.IntRange(min=1), default=1, show_default=True,
    help="How many encoders to work on at once; they share the cores.",
)  # fmt: skip
@click.option("--full", is_flag=True, help="List every caveat in the report, not one line for each kind.")
@click.option(
    "--only", multiple=True, metavar="ENCODER",
    help="Make this encoder of the plan and its run, and no report; may be repeated.",
)  # fmt: skip
@click.option("--only-train", is_flag=True, help="Train only; evaluate nothing.")
@click.option("--dry-run", is_flag=True, help="Print the steps and which are done, then stop.")
@click.option(
    "--power", type=RunPath(), metavar="RUN",
    help="Print how large a difference the plan can find with more or fewer seeds, judged by the variances of RUN, a "
    "study that is finished; then stop.",
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Remove the plan's encoders and runs in DIR, and start again.")
@click.option(
    "--device", type=Word(fixed(*DEVICES)), help="Torch device: cpu, cuda, mps.  [default: as of train and evaluate]"
)
@dashboard_option
@click.option("--quiet", "-q", is_flag=True, help="Write nothing to stderr.")
@click.pass_context
@several
def command(
    ctx: click.Context,
    plan: str,
    out: str | None,
    data: str | None,
    base: str | None,
    jobs: int,
    full: bool,
    only: tuple[str, ...],
    only_train: bool,
    dry_run: bool,
    power: str | None,
    overwrite: bool,
    device: str | None,
    dashboard: bool,
    quiet: bool,
) -> int:
    """Train an encoder for each sampler, source and seed of the plan, and evaluate each on all its targets.

    The same command continues a killed study. Encoders and runs that `xlbias train` and `xlbias evaluate` made of the
    same tasks and settings count as done. DIR/run.parquet holds all results; the dashboard follows it. Prints the
    report, and writes it to DIR/report.md.
    """
    from pathlib import Path

    from xlbias.cli.narrate import StderrNarrator
    from xlbias.cli.run_out import interruptible
    from xlbias.errors import UsageError
    from xlbias.study.folder import StudyFolder
    from xlbias.study.plan import encoders_called
    from xlbias.study.plan_reader import check_base_of, read_plan
    from xlbias.study.steps import KINDS, steps_of

    if jobs > 1 and current_team() is not None:
        raise UsageError(
            f"--jobs {jobs}: the processes that a launcher has started work on one encoder at a time, all together: "
            "leave --jobs out"
        )
    path = Path(plan)
    study = read_plan(path, Path(data) if data is not None else None, base)
    if power is not None:
        click.echo(_power(study, power, StderrNarrator(quiet=quiet).say))
        return 0
    if out is None and path.suffix != ".toml":
        raise UsageError(f"{path}: a plan whose name does not end in .toml needs --out")
    folder = StudyFolder(Path(out) if out is not None else path.with_suffix(""))
    steps = steps_of(encoders_called(study, only), ("train",) if only_train else KINDS)
    if dry_run:
        check_base_of(study)
        folder.check()
        rows = [(step.kind, step.encoder, "done" if folder.done(step) else "to do") for step in steps]
        click.echo("\n".join("\t".join(map(clean, row)) for row in [("step", "encoder", "state"), *rows]))
        return 0
    if dashboard and (only_train or only):
        option = "--only-train" if only_train else "--only"
        raise UsageError(f"--dashboard shows the results of a study, which {option} does not make")
    if dashboard and watches(quiet=quiet):
        return watch_command(words_without_flag(ctx), folder.run, folder.path, again=GO_ON)
    narrator = StderrNarrator(quiet=quiet)
    narrator.say("loading the libraries")
    from xlbias.study.run_study import run_study

    def kept() -> str:
        done = sum(map(folder.done, steps))
        return f"{done:,} of {len(steps):,} steps are finished and kept; the same command continues"

    with interruptible(narrator, kept):
        run = run_study(
            study,
            folder.path,
            jobs=jobs,
            only_train=only_train,
            only=only,
            overwrite=overwrite,
            device=device,
            narrator=narrator,
            team=current_team(),
        )
    let_others_go()
    if run is not None:
        from xlbias.files import write_whole
        from xlbias.report.documents.findings import TITLE, as_many_as_fit, lines
        from xlbias.report.documents.study import study_report
        from xlbias.report.render import width
        from xlbias.results.findings import of_encoders

        narrator.say("every step is done: writing the report")
        report = study_report(run, full=full, tell=narrator.say)
        write_whole(folder.report, report.encode("utf-8", "replace"))
        click.echo(report, nl=False)
        shown = lines(as_many_as_fit(of_encoders(run), LINES, width()), width())
        click.echo("".join(f"{line.rstrip()}\n" for line in ["", TITLE, *shown]), nl=False)
        narrator.say(f"report: {folder.report}; look at the results with: xlbias dashboard {folder.run}")
    return 0


SEEDS = (3, 5, 8, 12, 20)
"""Numbers of seeds of which `--power` tells, beside the plan's own."""


def _power(plan: Plan, earlier: str, tell: Callable[[str], None]) -> str:
    """Return a table: a row per question and number, a column per number of seeds."""
    from xlbias.cells import PAIRS
    from xlbias.report.documents.study import power_document
    from xlbias.report.render import render
    from xlbias.results.run import open_run

    seeds = sorted({*SEEDS, len(plan.seeds)} - {1})
    family = sum(one.over != PAIRS for one in plan.primary) or 1
    return render(power_document(open_run(earlier), seeds, family, tell=tell), "text").rstrip("\n")
