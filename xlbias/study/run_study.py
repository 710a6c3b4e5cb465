"""Runs a study: trains and evaluates what is not done yet and merges the results; killed, it goes on where it was."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import closing, nullcontext
from dataclasses import replace
from pathlib import Path

from xlbias import progress
from xlbias.errors import UsageError
from xlbias.narration import Narrator, Silent, Tell
from xlbias.progress import Course, Report, Stage
from xlbias.results.run import Run, open_run
from xlbias.runs.journal import live_folder
from xlbias.study.folder import KINDS, Kind, Layout, Step, steps_of
from xlbias.study.merged_run import StudyRun
from xlbias.study.plan import Plan
from xlbias.study.steps import Bench, Done, Reached
from xlbias.study.workers import work_in_parallel
from xlbias.train.trainer.output_folder import check_folder

_WORDS: dict[Kind, str] = {"train": "trained", "evaluate": "evaluated"}
_DOING: dict[Kind, str] = {"train": "training", "evaluate": "evaluating"}


def run_study(
    plan: Plan,
    out: str | Path,
    *,
    jobs: int = 1,
    only_train: bool = False,
    overwrite: bool = False,
    device: str | None = None,
    narrator: Narrator | None = None,
) -> Run | None:
    """Train every encoder of the plan, evaluate each as soon as it is trained, and merge all results into one run.

    Args:
        plan: what to do, see `xlbias.study.plan_reader.read_plan`.
        out: folder of the study: ``encoders/NAME``, ``runs/NAME.parquet`` and the merged ``run.parquet``, which can be
            read while the study runs.
        jobs: how many encoders to work on at a time; more than one in processes of their own.
        only_train: evaluate nothing.
        overwrite: remove the plan's encoders and runs in `out` first.
        device: torch device to train and evaluate on, as in `fit` and `evaluate`.
        narrator: told of every step that is finished, and how far the whole study is.

    Returns the merged run, or None with `only_train`. What is finished in `out` is not made again, by whichever
    command it was made. Raises the error of the step that fails, with the encoder's name before it; then, and when
    interrupted, everything finished stays, and calling this again goes on.
    """
    if jobs < 1:
        raise UsageError(f"jobs is {jobs}: expected at least 1")
    layout, narrator = Layout(Path(out)), narrator or Silent()
    kinds: tuple[Kind, ...] = ("train",) if only_train else KINDS
    layout.check()
    bench = Bench(plan, layout, device)
    bench.load(kinds)
    layout.make()
    with nullcontext() if only_train else StudyRun(plan, layout, bench.targets, overwrite=overwrite) as merged:
        if overwrite:
            _remove_old(plan, layout)
        with narrator.watch() as show:
            pace = _Pace(steps_of(plan, kinds), layout, jobs, narrator, _listeners(show, merged))
            bench.tell = pace.reached
            with closing(_work(bench, kinds, jobs)) as work:
                for event in work:
                    if isinstance(event, Step):
                        pace.begun(event)
                    elif isinstance(event, Reached):
                        pace.reached(event.step, event.report)
                    else:
                        pace.made(event)
                        if merged and event.step.kind == "evaluate":
                            merged.add(event.step.encoder)
            pace.finished()
        if merged is None:
            return None
        merged.finish()
    return open_run(layout.run)


def _work(bench: Bench, kinds: Collection[Kind], jobs: int) -> Generator[Step | Done | Reached]:
    encoders = bench.plan.encoders()
    if jobs > 1:
        yield from work_in_parallel(bench.plan, bench.layout, bench.device, encoders, kinds, jobs)
    else:
        for encoder in encoders:
            yield from bench.work(encoder, kinds)


_Listener = Callable[[Report, int, int, str], None]
"""Told how far a study is, how many of its steps are done, how many there are, and what is done now."""


def _listeners(show: Tell, merged: StudyRun | None) -> list[_Listener]:
    found: list[_Listener] = [lambda report, *_: show(report)]
    if merged is not None:
        run = merged
        found.append(
            lambda report, done, total, doing: run.progress(done, total, doing, share=report.share, left=report.left)
        )
    return found


def _remove_old(plan: Plan, layout: Layout) -> None:
    """Remove the encoders and runs that this plan makes, and nothing else; all are looked at before one is removed."""
    names = [encoder.name for encoder in plan.encoders()]
    for name in names:
        check_folder(layout.encoder(name), overwrite=True)
    for name in names:
        path = layout.run_of(name)
        path.unlink(missing_ok=True)
        for folder in (live_folder(path), layout.encoder(name)):
            if folder.is_dir():
                shutil.rmtree(folder)


_SECONDS: dict[Kind, float] = {"train": 30.0, "evaluate": 15.0}


class _Pace:
    """How far a study is: a line for every step that was made, and one share of all of it."""

    def __init__(
        self, steps: Sequence[Step], layout: Layout, jobs: int, narrator: Narrator, listeners: Sequence[_Listener]
    ) -> None:
        self._steps, self._narrator, self._listeners = steps, narrator, listeners
        self._course = Course(
            (progress.Step(step, step.kind, step.encoder, _SECONDS[step.kind]) for step in steps), at_a_time=jobs
        )
        self._stages: dict[Step, Stage] = {}
        self._done = 0
        for step in filter(layout.done, steps):
            self._course.skip(step)
            self._done += 1
        self._before = self._done
        if self._done:
            narrator.say(f"{self._done:,} of {len(steps):,} steps are done already")
        self._tell()

    def begun(self, step: Step) -> None:
        """Take in that a step is begun."""
        self._stages[step] = self._course.stage(step, f"{_DOING[step.kind]} {step.encoder}")
        self._tell()

    def reached(self, step: Step, report: Report) -> None:
        """Take in how far a step is."""
        if step in self._stages:
            self._stages[step].reach(report)
            self._tell()

    def made(self, done: Done) -> None:
        """Take in that a step is done, and say so."""
        stage = self._stages.pop(done.step, None)
        if stage is not None:
            stage.finish()
        if done.made:
            self._done += 1
            left = self._course.left()
            self._narrator.say(
                f"{self._done:,} of {len(self._steps):,}: {done.step.encoder} {_WORDS[done.step.kind]} in "
                f"{duration(done.seconds)}"
                + (f" ({duration(left)} left)" if left and self._done < len(self._steps) else "")
            )
        self._tell()

    def finished(self) -> None:
        """Say so where there was nothing to do."""
        if self._done == self._before:
            self._narrator.say("nothing is left to do")

    def _tell(self) -> None:
        stages = list(self._stages.values())
        doing = ", ".join(stage.phase for stage in stages)
        report = self._course.report(doing or "study")
        if len(stages) == 1:
            only = stages[0]
            report = replace(report, done=only.done, total=only.total, unit=only.unit)
        for listener in self._listeners:
            listener(report, self._done, len(self._steps), doing)


def duration(seconds: float) -> str:
    """Return a span of time in words, to two digits or so: ``0.4 s``, ``36 s``, ``12 min``, ``3.5 h``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
