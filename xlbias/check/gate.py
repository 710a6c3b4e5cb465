"""The gate: every requirement on every encoder of a run and every task, beside a baseline where there is one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from xlbias.check.requirement import Outcome, Requirement
from xlbias.check.run_fields import AmbiguousFieldError, RunFields
from xlbias.choices import listed, suggestion
from xlbias.errors import RunError, UsageError
from xlbias.results.findings import DEFAULTS, Thresholds
from xlbias.results.matching import matched
from xlbias.results.run import Run, open_run
from xlbias.text import clean, one_line


@dataclass(frozen=True)
class Baseline:
    """The run that ``baseline.`` in requirements means, and its encoder to compare with.

    `model` is None for the encoder of the same name, or the run's only one.
    """

    run: Run
    model: str | None = None


@dataclass(frozen=True)
class Verdict:
    """What a requirement came to for one encoder on one task, whose names are `about`, safe to print."""

    about: str
    outcome: Outcome


def check_run(
    requirements: Sequence[Requirement],
    run: Run,
    baseline: Baseline | None = None,
    *,
    models: Sequence[str] = (),
    tasks: Sequence[str] = (),
    thresholds: Thresholds = DEFAULTS,
) -> Iterator[Verdict]:
    """Yield the verdict of every requirement on every encoder of `run` on every task, or on those named.

    `thresholds` are those of findings, in the run and in the baseline.

    Raises UsageError, naming encoder and task, for what cannot be checked: a name, field or language that is not there,
    a task of which the baseline has other data, or several encoders of the baseline and none named.
    """
    for model in _chosen(run, "encoder", models):
        for task in _chosen(run, "task", tasks):
            about = f"{clean(model)} on {clean(task)}"
            fields = RunFields(run, model, task, thresholds)
            before = None if baseline is None else _baseline_fields(baseline, run, model, task, thresholds)
            for requirement in requirements:
                yield Verdict(about, _outcome(about, requirement, fields, before))


def open_whole(path: str, *, partial: bool) -> Run:
    """Open a run whose numbers are to be checked. Raises RunError unless it is finished or `partial` is set."""
    run = open_run(path)
    if run.state.status != "finished" and not partial:
        raise RunError(f"{path}: is not finished, so its numbers are partial: finish it, or check them with --partial")
    try:
        _ = run.summary
    except FileNotFoundError:  # its writer finished while it was being read: now it is the finished file
        run = open_run(path)
    return run


def _chosen(run: Run, kind: str, wanted: Sequence[str]) -> list[str]:
    """Return the names of the run's encoders or tasks, of those that are wanted."""
    names = [entry.name for entry in (run.models if kind == "encoder" else run.tasks)]
    for name in wanted:
        if name not in names:
            there = f"{suggestion(name, names)}: choose from {listed(names)}"
            raise UsageError(f"{run.path}: has no {kind} {name!r}{there}")
    if not names:
        raise UsageError(f"{run.path}: has no {kind}, so there is nothing to check")
    return [name for name in names if not wanted or name in wanted]


def _outcome(about: str, requirement: Requirement, fields: RunFields, baseline: RunFields | None) -> Outcome:
    try:
        return requirement.check(fields, baseline)
    except AmbiguousFieldError as error:
        place = f"{requirement.place}: " if requirement.place else ""
        raise UsageError(f"{about}: {place}{one_line(requirement.expression, 80)!r}: {error}") from error
    except UsageError as error:
        raise UsageError(f"{about}: {error}") from error


def _baseline_fields(baseline: Baseline, run: Run, model: str, task: str, thresholds: Thresholds) -> RunFields:
    """Return the baseline's numbers on the very same task, of the model to compare with."""
    before, wanted = baseline.run, baseline.model
    found = matched(before, run)
    if task in found.differing:
        raise UsageError(found.why_not(task))
    if task not in found.own:
        there = listed(entry.name for entry in before.tasks)
        raise UsageError(f"{before.path}: the baseline has no task {task!r}: choose with --task among {there}")
    before = found.run
    if wanted is not None:
        return RunFields(before, _chosen(before, "encoder", [wanted])[0], task, thresholds)
    names = _chosen(before, "encoder", [])
    if model not in names and len(names) > 1:
        raise UsageError(
            f"{before.path}: the baseline has no encoder {model!r}: name one with --baseline-model, of {listed(names)}"
        )
    return RunFields(before, model if model in names else names[0], task, thresholds)
