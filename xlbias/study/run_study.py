"""Runs a study: every encoder trained and evaluated, and all results merged into one run that can be watched."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Generator
from contextlib import closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from xlbias.errors import UsageError
from xlbias.narration import Narrator, Silent
from xlbias.results.run import Run, open_run
from xlbias.runs.journal import live_folder
from xlbias.study.folder import StudyFolder
from xlbias.study.merged_run import MergedRun
from xlbias.study.plan import Plan, PlannedEncoder, encoders_called
from xlbias.study.progress import StudyProgress
from xlbias.study.step_runner import StepRunner
from xlbias.study.steps import KINDS, Done, Event, Kind, steps_of
from xlbias.study.workers import work_in_parallel
from xlbias.train.trainer.output_folder import check_folder
from xlbias.train.trainer.place import check_device

if TYPE_CHECKING:
    from xlbias.processes.team import Team


def run_study(
    plan: Plan,
    out: str | Path,
    *,
    jobs: int = 1,
    only_train: bool = False,
    only: Collection[str] = (),
    overwrite: bool = False,
    device: str | None = None,
    narrator: Narrator | None = None,
    team: Team | None = None,
) -> Run | None:
    """Train every encoder of the plan, evaluate each as soon as it is trained, and merge all results into one run.

    Args:
        plan: what to do, see `xlbias.study.plan_reader.read_plan`.
        out: folder of the study: ``encoders/NAME``, ``runs/NAME.parquet`` and the merged ``run.parquet``, which can be
            read while the study runs.
        jobs: how many encoders to work on at a time; more than one in processes of their own.
        only_train: evaluate nothing.
        only: names of encoders to make, by default all; with some there is no merged run.
        overwrite: remove the plan's encoders and runs in `out` first.
        device: torch device to train and evaluate on, as in `fit` and `evaluate`.
        narrator: told of every step that is finished, and how far the whole study is.
        team: processes that do each step together, of which this is the first; None where it is the only one. They
            train as `fit` does in several processes, and evaluate as `evaluate` does.

    Returns the merged run, or None with `only_train` or `only`. What is finished in `out` is not made again, by
    whichever command it was made. Raises the error of the step that fails, with the encoder's name before it; then, and
    when interrupted, everything finished stays, and calling this again goes on.
    """
    if jobs < 1:
        raise UsageError(f"jobs is {jobs}: expected at least 1")
    if jobs > 1 and team is not None:
        raise UsageError(f"jobs is {jobs}: expected 1 where several processes do each step together")
    encoders = encoders_called(plan, only)
    folder, narrator = StudyFolder(Path(out)), narrator or Silent()
    kinds: tuple[Kind, ...] = ("train",) if only_train else KINDS
    folder.check()
    check_device(device, plan.recipe)
    runner = StepRunner(plan, folder, device, team=team)
    runner.load(kinds)
    folder.make()
    merging = not only_train and not only
    with MergedRun(plan, folder, runner.targets, overwrite=overwrite) if merging else nullcontext() as merged:
        if overwrite:
            _remove_old(encoders, folder)
        with narrator.watch() as show:
            progress = StudyProgress(steps_of(encoders, kinds), folder.done, jobs, narrator)
            progress.listen(lambda report, *_: show(report))
            if merged is not None:
                progress.listen(merged.progress)
            runner.tell = progress.reached
            with closing(_events(runner, encoders, kinds, jobs)) as events:
                for event in events:
                    progress.take(event)
                    if merged and isinstance(event, Done) and event.step.kind == "evaluate":
                        merged.add(event.step.encoder)
            progress.finished()
        if merged is None:
            return None
        merged.finish()
    return open_run(folder.run)


def _events(runner: StepRunner, encoders: list[PlannedEncoder], kinds: Collection[Kind], jobs: int) -> Generator[Event]:
    if jobs > 1:
        yield from work_in_parallel(runner.plan, runner.folder, runner.device, encoders, kinds, jobs)
    else:
        for encoder in encoders:
            yield from runner.work(encoder, kinds)


def _remove_old(encoders: list[PlannedEncoder], folder: StudyFolder) -> None:
    """Remove these encoders and their runs, and nothing else; all are looked at before one is removed."""
    names = [encoder.name for encoder in encoders]
    for name in names:
        check_folder(folder.encoder(name), overwrite=True)
    for name in names:
        path = folder.run_of(name)
        path.unlink(missing_ok=True)
        for old in (live_folder(path), folder.encoder(name)):
            if old.is_dir():
                shutil.rmtree(old)
