"""Trains encoders one after another, with one journal for all: what is finished is not trained again."""

from __future__ import annotations

import gc
import hashlib
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from xlbias._version import __version__
from xlbias.encode.card import TRAINING_FILE
from xlbias.errors import TrainingError
from xlbias.files import make_folder
from xlbias.narration import Narrator
from xlbias.progress import Course, Report
from xlbias.runs.journal import Journal, live_folder, parts_of
from xlbias.train.trainer.interrupts import StopRequest
from xlbias.train.trainer.training_job import Training, TrainingJob


class Grid:
    """The trainings of one command, at least one; a context, as its journal is locked until the end.

    Args:
        jobs: the trainings, in their order.
        out: folder of the journal: ``training.parquet`` in it has the loss curves of all.
        overwrite: replace what an earlier command left there.
        resume: go on with that.
        narrator: told about progress.

    All processes must do the same; only the main one has a journal. Raises RunError where `out` holds another training.
    """

    def __init__(
        self, jobs: Sequence[TrainingJob], out: Path, *, overwrite: bool, resume: bool, narrator: Narrator
    ) -> None:
        self.jobs, self.out, self.overwrite, self.resume, self.narrator = jobs, out, overwrite, resume, narrator
        self._is_new = False
        self.processes = jobs[0].place.processes
        self.journal: Journal | None = self.processes.on_main(self._open_journal)
        for part in self.journal.damaged if self.journal else ():
            narrator.say(f"{out}: the part {part} of its loss curve was damaged, and is left out")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.journal is None:
            return
        if error is not None and self._is_new and not self._has_begun():
            self.journal.discard()
            for folder in dict.fromkeys((*(job.out for job in self.jobs), self.out)):
                with suppress(OSError):  # not empty
                    folder.rmdir()
        self.journal.close()

    def _has_begun(self) -> bool:
        """Whether there is anything to go on from: a part of a loss curve, or a checkpoint."""
        return bool(parts_of(live_folder(self.out / TRAINING_FILE)) or next(self.out.rglob("step-*"), None))

    def run(self) -> list[Training]:
        """Train what is not trained yet. Raises KeyboardInterrupt where a signal asked for an end."""
        with StopRequest() as stop, self.narrator.watch() as show:

            def tell(report: Report) -> None:
                show(report)
                if self.journal:
                    self.journal.tell(report)

            course = Course((job.step for job in self.jobs), tell)
            trainings: list[Training] = []
            for number, job in enumerate(self.jobs):
                if trainings and self.processes.any(stop.requested)[0]:
                    self.narrator.say(f"stopped before {job.name}; continue with the same command and --resume")
                    raise KeyboardInterrupt
                trainings.append(self._training(number, job, stop, course))
                self.processes.on_main(lambda: self._write_cards(trainings))
                gc.collect()  # a trainer and its callbacks hold one another, and the model and optimiser with them
            if self.journal:
                self.journal.finish()
            for job in self.jobs:
                job.clean_up()
        return trainings

    def _training(self, number: int, job: TrainingJob, stop: StopRequest, course: Course) -> Training:
        run_id, over = self.processes.from_main(
            (self.journal.metadata["run_id"], self.journal.finished) if self.journal else ("", False)
        )
        done = self.processes.shared(lambda: job.finished(run_id)) if self.resume else None
        if done:
            self.narrator.say(f"{job.name}: is trained already: {job.out}")
            course.skip(job.name)
            return done
        if over:
            raise TrainingError(
                f"{self.out}: the training there is finished, but {job.out} does not hold its encoder: start again "
                "with --overwrite"
            )
        prefix = f"{number:04d}-" if len(self.jobs) > 1 else ""
        return job.run(self.journal, prefix, stop, course, resume=self.resume)

    def _write_cards(self, trainings: Sequence[Training]) -> None:
        if self.journal and not self.journal.finished:
            cards = [training.card for training in trainings] + [job.card for job in self.jobs[len(trainings) :]]
            self.journal.describe("models", [_model(card) for card in cards])

    def _open_journal(self) -> Journal:
        self._is_new = not self.out.exists()
        make_folder(self.out)
        for job in self.jobs:
            job.out.mkdir(exist_ok=True)
        identity = hashlib.sha256("|".join(job.identity for job in self.jobs).encode()).hexdigest()
        metadata = {
            "created": time.time(),
            "xlbias": __version__,
            "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
            "versions": self.jobs[0].card["versions"],
            "device": self.jobs[0].card["device"],
            "models": [_model(job.card) for job in self.jobs],
            "tasks": [],
        }
        journal = Journal.open(
            self.out / TRAINING_FILE, metadata, identity=identity, overwrite=self.overwrite, resume=self.resume
        )
        if self.overwrite:
            for job in self.jobs:
                job.clean_up()  # of checkpoints that a resumption would take for its own
        return journal


def _model(card: dict[str, Any]) -> dict[str, Any]:
    """Return the entry of an encoder in the metadata of a run."""
    return {"name": card["name"], "card": card}
