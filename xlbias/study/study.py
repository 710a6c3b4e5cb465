"""Runs a study: trains and evaluates what is not done yet and merges the results; killed, it goes on where it was."""

from __future__ import annotations

import shutil
import time
from collections.abc import Collection, Generator
from contextlib import closing, nullcontext
from pathlib import Path

from xlbias.errors import UsageError
from xlbias.narration import Narrator, Silent
from xlbias.runs.journal import live_folder
from xlbias.runs.run import Run, open_run
from xlbias.study.bench import Bench, Done
from xlbias.study.layout import KINDS, Kind, Layout, Step, steps_of
from xlbias.study.merge import StudyRun
from xlbias.study.plan import Plan
from xlbias.study.workers import work_in_parallel
from xlbias.train.folder import check_folder

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
    inner: Narrator | None = None,
) -> Run | None:
    """Train every encoder of the plan, evaluate each as soon as it is trained, and merge all results into one run.

    Args:
        plan: what to do, see `xlbias.study.reading.read_plan`.
        out: folder of the study: ``encoders/NAME``, ``runs/NAME.parquet`` and the merged ``run.parquet``, which can be
            read while the study runs.
        jobs: how many encoders to work on at a time; more than one in processes of their own.
        only_train: evaluate nothing.
        overwrite: remove the plan's encoders and runs in `out` first.
        device: torch device to train and evaluate on, as in `fit` and `evaluate`.
        narrator: told of every step that is finished, with how many there are, the pace and what is left.
        inner: told of what happens within a step, where `jobs` is 1.

    Returns the merged run, or None with `only_train`. What is finished in `out` is not made again, by whichever
    command it was made. Raises the error of the step that fails, with the encoder's name before it; then, and when
    interrupted, everything finished stays, and calling this again goes on.
    """
    if jobs < 1:
        raise UsageError(f"jobs is {jobs}: expected at least 1")
    layout, narrator = Layout(Path(out)), narrator or Silent()
    kinds: tuple[Kind, ...] = ("train",) if only_train else KINDS
    layout.check()
    bench = Bench(plan, layout, device, inner or Silent())
    bench.load(kinds)
    layout.make()
    with nullcontext() if only_train else StudyRun(plan, layout, bench.targets, overwrite=overwrite) as merged:
        if overwrite:
            _remove_old(plan, layout)
        steps = steps_of(plan, kinds)
        pace = _Pace(len(steps), sum(map(layout.done, steps)), narrator)
        begun: dict[Step, str] = {}
        if merged:
            merged.progress(pace.done, pace.total)
        with closing(_work(bench, kinds, jobs)) as work:
            for event in work:
                if isinstance(event, Step):
                    begun[event] = f"{_DOING[event.kind]} {event.encoder}"
                else:
                    begun.pop(event.step, None)
                    if event.made:
                        pace.made(event)
                    if merged and event.step.kind == "evaluate":
                        merged.add(event.step.encoder)
                if merged:
                    merged.progress(pace.done, pace.total, ", ".join(begun.values()))
        pace.finished()
        if merged is None:
            return None
        merged.finish()
    return open_run(layout.run)


def _work(bench: Bench, kinds: Collection[Kind], jobs: int) -> Generator[Step | Done]:
    encoders = bench.plan.encoders()
    if jobs > 1:
        yield from work_in_parallel(bench.plan, bench.layout, bench.device, encoders, kinds, jobs)
    else:
        for encoder in encoders:
            yield from bench.work(encoder, kinds)


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


class _Pace:
    """Says how far a study is: a line for every step that was made."""

    def __init__(self, total: int, done: int, narrator: Narrator) -> None:
        self.total, self.done, self.narrator = total, done, narrator
        self.before, self.started = done, time.monotonic()
        if done:
            narrator.say(f"{done:,} of {total:,} steps are done already")

    def made(self, done: Done) -> None:
        self.done += 1
        each = (time.monotonic() - self.started) / (self.done - self.before)
        left = (self.total - self.done) * each
        self.narrator.say(
            f"{self.done:,} of {self.total:,}: {done.step.encoder} {_WORDS[done.step.kind]} in "
            f"{duration(done.seconds)} ({duration(each)} a step"
            + (f", {duration(left)} left)" if self.done < self.total else ")")
        )

    def finished(self) -> None:
        if self.done == self.before:
            self.narrator.say("nothing is left to do")


def duration(seconds: float) -> str:
    """Return a span of time in words, to two digits or so: ``0.4 s``, ``36 s``, ``12 min``, ``3.5 h``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
