"""`xlbias check`: a run held against requirements, a gate for CI."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from xlbias.cli.groups import Command
from xlbias.cli.values import RunPath, Word, of_run, thresholds

if TYPE_CHECKING:
    from xlbias.check.gate import Verdict

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
  findings[query_language] == 0        no query language is served worse; see `xlbias findings`,
                                       and --set language_gap=0.2 for what counts as worse
What is undefined passes nothing. `xlbias measures` lists all measures.

\b
Examples:
  xlbias check run.parquet --require 'rank_distance.normalised <= 0.05'
  xlbias check new.parquet --rules gate.txt --baseline old.parquet
  xlbias check run.parquet --require 'findings[query_language] == 0' --set language_gap=0.2

\b
Exit code: 0 all hold, 1 one does not, 2 one cannot be checked.
"""

HEADINGS = {"texts": "What must hold", "models": "Where", "quiet": "Output"}
"""Heading of each group of options, by the parameter that it begins with."""


@click.command(cls=Command, headings=HEADINGS, epilog=HELP)
@click.argument("run", type=RunPath())
@click.option("--require", "-r", "texts", multiple=True, metavar="EXPR", help="What must hold. Repeatable.")
@click.option(
    "--rules",
    multiple=True,
    type=Word(paths=("",)),
    metavar="FILE",
    help="Requirements, one a line; # begins a comment. Repeatable.",
)
@click.option(
    "--baseline", type=RunPath(), metavar="RUN",
    help="The run that `baseline.` in requirements means: of the same tasks.",
)  # fmt: skip
@click.option(
    "--baseline-model", type=Word(of_run("encoder", "baseline")), metavar="NAME",
    help="Its encoder to compare with. Default: the one of the same name, or its only one.",
)  # fmt: skip
@click.option(
    "--model", "models", multiple=True, type=Word(of_run("encoder", "run")), metavar="NAME",
    help="Check this encoder only. Repeatable.",
)  # fmt: skip
@click.option(
    "--task", "-t", "tasks", multiple=True, type=Word(of_run("task", "run")), metavar="NAME",
    help="Check on this task only. Repeatable.",
)  # fmt: skip
@click.option(
    "--set", "settings", multiple=True, type=Word(thresholds), metavar="THRESHOLD=NUMBER",
    help="Set a threshold of findings; see `xlbias findings --thresholds`. Repeatable.",
)  # fmt: skip
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
    settings: tuple[str, ...],
    partial: bool,
    quiet: bool,
) -> int:
    """Check that every requirement holds for every encoder of RUN on every task: exit code 1 if one does not."""
    from xlbias.check.gate import Baseline, check_run, open_whole
    from xlbias.check.requirement import parse, parse_file
    from xlbias.errors import UsageError
    from xlbias.results.findings import Thresholds

    limits = Thresholds().with_set(settings)
    requirements = [parse(text) for text in texts] + [one for path in rules for one in parse_file(path)]
    if not requirements:
        raise UsageError("nothing to check: expected --require or --rules, such as --require 'map.multilingual >= 0.3'")
    if baseline_model is not None and baseline is None:
        raise UsageError("--baseline-model needs --baseline")
    opened = open_whole(run, partial=partial)
    before = Baseline(open_whole(baseline, partial=partial), baseline_model) if baseline is not None else None
    verdicts = list(check_run(requirements, opened, before, models=models, tasks=tasks, thresholds=limits))
    failed = [one for one in verdicts if not one.outcome.passed]
    _print([line for one in (failed if quiet else verdicts) for line in _lines(one)])
    if not quiet:
        click.echo(f"{len(verdicts):,} {'check' if len(verdicts) == 1 else 'checks'}, {len(failed):,} failed", err=True)
    return EXIT_FAILED if failed else 0


def _lines(verdict: Verdict) -> list[str]:
    """Return a verdict as lines: what was checked, and below it why it does not hold."""
    outcome = verdict.outcome
    place = f" ({outcome.place})" if outcome.place else ""
    word = "ok  " if outcome.passed else "FAIL"
    return [f"{word}  {verdict.about}: {outcome.expression}{place}", *(f"        {line}" for line in outcome.failures)]


def _print(lines: Sequence[str]) -> None:
    """Print lines; a reader that leaves early, as `| head` does, does not change the exit code."""
    try:
        click.echo("".join(f"{line}\n" for line in lines), nl=False)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
