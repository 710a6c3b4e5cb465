"""`xlbias check`: a run held against requirements, a gate for CI."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from xlbias.check.requirement import Outcome, Requirement
    from xlbias.check.run_fields import RunFields
    from xlbias.results.run import Run

EXIT_FAILED = 1

HELP = """\b
A requirement compares numbers of the run:
  map.multilingual >= 0.3         or map.monolingual, map.cross_lingual
  map[th,de] > 10%                languages of query and passages
  min(map[*,*]) >= 0.1            any language; max mean count abs + - * /
  rank_distance[*] <= 500         must hold for each language
  rank_distance.high <= 500       95% interval: low, high; n, n_excluded
  exposure@10.ratio.by_answer[*] >= 0.5    by language of the answer
  single_gold.own_language - single_gold.other_language <= 0.1
  passages.cka[de,en] > 0.8 or queries.parallel_accuracy[de,en] > 0.9
  map.multilingual >= baseline.map.multilingual - 0.01 or not peer < 0.1
  caveats == 0 or caveats[seen] == 0   a failure names each caveat
What is undefined passes nothing. `xlbias measures` lists all measures.

\b
Examples:
  xlbias check run.parquet --require 'rank_distance.normalised <= 0.05'
  xlbias check new.parquet --rules gate.txt --baseline old.parquet

\b
Exit code: 0 all hold, 1 one does not, 2 one cannot be checked.
"""


@click.command(epilog=HELP)
@click.argument("run")
@click.option("--require", "-r", "texts", multiple=True, metavar="EXPR", help="What must hold. Repeatable.")
@click.option(
    "--rules", multiple=True, metavar="FILE", help="Requirements, one a line; # begins a comment. Repeatable."
)
@click.option("--baseline", metavar="RUN", help="The run that `baseline.` in requirements means: of the same tasks.")
@click.option(
    "--baseline-model", metavar="NAME",
    help="Its encoder to compare with. Default: the one of the same name, or its only one.",
)  # fmt: skip
@click.option("--model", "models", multiple=True, metavar="NAME", help="Check this encoder only. Repeatable.")
@click.option("--task", "tasks", multiple=True, metavar="NAME", help="Check on this task only. Repeatable.")
@click.option("--partial", is_flag=True, help="Check the numbers so far of an unfinished run.")
@click.option("--quiet", "-q", is_flag=True, help="Print what fails only, and no summary on stderr.")
def command(
    run: str,
    texts: tuple[str, ...],
    rules: tuple[str, ...],
    baseline: str | None,
    baseline_model: str | None,
    models: tuple[str, ...],
    tasks: tuple[str, ...],
    partial: bool,
    quiet: bool,
) -> int:
    """Check that every requirement holds for every encoder of RUN on every task: exit code 1 if one does not."""
    from xlbias.check.requirement import parse, parse_file
    from xlbias.errors import UsageError
    from xlbias.text import clean

    requirements = [parse(text) for text in texts] + [one for path in rules for one in parse_file(path)]
    if not requirements:
        raise UsageError("nothing to check: expected --require or --rules, such as --require 'map.multilingual >= 0.3'")
    if baseline_model is not None and baseline is None:
        raise UsageError("--baseline-model needs --baseline")
    opened, before = _open(run, partial), _open(baseline, partial) if baseline is not None else None
    lines: list[str] = []
    failed = total = 0
    for model in _chosen(opened, "model", models):
        for task in _chosen(opened, "task", tasks):
            name = f"{clean(model)} on {clean(task)}"
            for outcome in _outcomes(name, requirements, opened, before, model, task, baseline_model):
                total, failed = total + 1, failed + (not outcome.passed)
                if not (quiet and outcome.passed):
                    place = f" ({outcome.place})" if outcome.place else ""
                    lines.append(f"{'ok  ' if outcome.passed else 'FAIL'}  {name}: {outcome.expression}{place}")
                    lines += [f"        {line}" for line in outcome.failures]
    _print(lines)
    if not quiet:
        click.echo(f"{total:,} {'check' if total == 1 else 'checks'}, {failed:,} failed", err=True)
    return EXIT_FAILED if failed else 0


def _open(path: str, partial: bool) -> Run:
    from xlbias.errors import RunError
    from xlbias.results.run import open_run

    run = open_run(path)
    if run.state.status != "finished" and not partial:
        raise RunError(f"{path}: is not finished, so its numbers are partial: finish it, or check them with --partial")
    try:
        _ = run.summary
    except FileNotFoundError:  # its writer finished while it was being read: now it is the finished file
        run = open_run(path)
    return run


def _chosen(run: Run, kind: str, wanted: Sequence[str]) -> list[str]:
    """Return the names of the run's models or tasks, of those that are wanted."""
    from xlbias.choices import listed, suggestion
    from xlbias.errors import UsageError

    names = [str(entry["name"]) for entry in (run.models if kind == "model" else run.tasks)]
    for name in wanted:
        if name not in names:
            there = f"{suggestion(name, names)}: there are {listed(names)}"
            raise UsageError(f"{run.path}: has no {kind} {name!r}{there}")
    if not names:
        raise UsageError(f"{run.path}: has no {kind}, so there is nothing to check")
    return [name for name in names if not wanted or name in wanted]


def _outcomes(
    name: str,
    requirements: Sequence[Requirement],
    run: Run,
    before: Run | None,
    model: str,
    task: str,
    baseline_model: str | None,
) -> list[Outcome]:
    from xlbias.check.run_fields import AmbiguousFieldError, RunFields
    from xlbias.errors import UsageError
    from xlbias.text import one_line

    fields = RunFields(run, model, task)
    baseline = _baseline_fields(before, run, model, task, baseline_model) if before is not None else None
    outcomes = []
    for requirement in requirements:
        try:
            outcomes.append(requirement.check(fields, baseline))
        except AmbiguousFieldError as error:
            place = f"{requirement.place}: " if requirement.place else ""
            raise UsageError(f"{name}: {place}{one_line(requirement.expression, 80)!r}: {error}") from error
        except UsageError as error:
            raise UsageError(f"{name}: {error}") from error
    return outcomes


def _baseline_fields(before: Run, run: Run, model: str, task: str, wanted: str | None) -> RunFields:
    """Return the baseline's numbers on the very same task, of the model to compare with."""
    from xlbias.check.run_fields import RunFields
    from xlbias.choices import listed
    from xlbias.errors import UsageError
    from xlbias.results.matching import matched

    found = matched(before, run)
    if task in found.differing:
        raise UsageError(found.why_not(task))
    if task not in found.own:
        there = listed(entry["name"] for entry in before.tasks)
        raise UsageError(f"{before.path}: the baseline has no task {task!r}: choose with --task among {there}")
    before = found.run
    if wanted is not None:
        return RunFields(before, _chosen(before, "model", [wanted])[0], task)
    names = _chosen(before, "model", [])
    if model not in names and len(names) > 1:
        raise UsageError(
            f"{before.path}: the baseline has no model {model!r}: name one with --baseline-model, of {listed(names)}"
        )
    return RunFields(before, model if model in names else names[0], task)


def _print(lines: Sequence[str]) -> None:
    """Print lines; a reader that leaves early, as `| head` does, does not change the exit code."""
    try:
        click.echo("".join(f"{line}\n" for line in lines), nl=False)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
