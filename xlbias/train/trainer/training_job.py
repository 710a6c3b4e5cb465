"""One training from its base to its encoder: checks it, runs the trainer, saves the best of it."""

from __future__ import annotations

import hashlib
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sentence_transformers import SentenceTransformer

from xlbias.encode.card import read_card
from xlbias.narration import Narrator
from xlbias.progress import Course, Stage, Step
from xlbias.runs.journal import Journal
from xlbias.train.card import DID_NOT_HELP, describe
from xlbias.train.recipe import STATIC, Recipe
from xlbias.train.sampling.samplers import LanguageBatchSampler
from xlbias.train.trainer.arguments import training_arguments
from xlbias.train.trainer.base import BaseEncoder
from xlbias.train.trainer.callbacks import Supervisor, Surroundings, steps_of_epoch
from xlbias.train.trainer.checkpoints import Checkpoints, read_progress
from xlbias.train.trainer.held_out import TrainingData
from xlbias.train.trainer.interrupts import StopRequest
from xlbias.train.trainer.journal_rows import RowWriter, Tally
from xlbias.train.trainer.loss import infonce
from xlbias.train.trainer.memory import keep_freed_memory
from xlbias.train.trainer.place import Place
from xlbias.train.trainer.progress import Progress
from xlbias.train.trainer.saved_encoder import save_encoder
from xlbias.train.trainer.seen_texts import seen_in_training
from xlbias.train.trainer.trackers import leave_trackers
from xlbias.train.trainer.trainer import PairTrainer, quiet_libraries
from xlbias.train.trainer.validation import Validation


@dataclass(frozen=True)
class Training:
    """What a training did: the encoder's folder, its card (as in ``xlbias.json``) and the headline figures."""

    path: Path
    card: dict[str, Any]
    steps: int
    seconds: float
    loss: float

    @classmethod
    def of(cls, path: Path, card: dict[str, Any]) -> Training:
        """Return what the card of a finished training says."""
        return cls(path, card, card["steps"], card["seconds"], card["loss"])


class TrainingJob:
    """One training, checked and ready to run.

    Args:
        name: what reports call the encoder.
        out: folder that it is saved to.
        recipe: the settings.
        sampling: keyword arguments of `LanguageBatchSampler`.
        data: what is trained and validated on.
        place: where it runs.
        narrator: told about progress.

    Raises TrainingError where the sampler cannot make a batch.
    """

    def __init__(
        self,
        name: str,
        out: Path,
        recipe: Recipe,
        sampling: dict[str, Any],
        data: TrainingData,
        place: Place,
        narrator: Narrator,
    ) -> None:
        self.name, self.out, self.recipe, self.data, self.place = name, out, recipe, data, place
        self.narrator, self.sampling = narrator, sampling
        place.processes.share_of(recipe.batch_size)
        self.checkpoints = Checkpoints(out)
        self.switch = data.switch.seeded(recipe.seed) if data.switch else None
        self.texts = data.texts.switched_by(self.switch)
        self.base = BaseEncoder(name, recipe, self.texts, place, narrator)
        self.batches = LanguageBatchSampler(self.texts, recipe.batch_size, seed=recipe.seed, **sampling)
        per_epoch = steps_of_epoch(self.batches, recipe.accumulate)
        self.steps = recipe.steps or max(1, round(recipe.epochs * per_epoch))
        self.card = describe(name, data.tasks, self.texts, recipe, sampling, self.batches, place.device)
        self.card |= {
            "processes": place.processes.world,
            "languages_left_out": self.batches.languages_left_out(),
            "validated_on": [{"name": task.name, "fingerprint": task.fingerprint} for task in data.validation],
            "code_switch": self.switch.describe() if self.switch else None,
        }
        same = {key: value for key, value in self.card.items() if key not in {"device", "versions", "processes"}}
        self.identity = hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()
        """What a training must share with this one to be gone on with: all but where and with what versions it ran."""

    def finished(self, run_id: str) -> Training | None:
        """Return this very training, of the run `run_id`, if its encoder is in its folder."""
        card = read_card(self.out)
        if (card.get("identity"), card.get("run_id")) != (self.identity, run_id):
            return None  # another training, or what one that is being overwritten has left
        return Training.of(self.out, card)

    @property
    def step(self) -> Step:
        """The training as a step of a command: seconds in proportion to those of others of its kind."""
        return Step(self.name, "train", self.name, 0.02 * self.steps)

    def run(self, journal: Journal | None, prefix: str, stop: StopRequest, course: Course, *, resume: bool) -> Training:
        """Train, from the last checkpoint on with `resume`, and save the best encoder to the folder.

        `journal` is the main process's; `prefix` keeps parts of several trainings apart. Raises KeyboardInterrupt
        where `stop` asked for an end before the last step: a checkpoint is saved then.
        """
        started, processes = time.monotonic(), self.place.processes
        found = processes.shared(lambda: self.checkpoints.all()[-1:]) if resume else []
        checkpoint = found[0] if found else None
        progress = read_progress(checkpoint) if checkpoint else Progress()
        writer = RowWriter(journal, self.name, prefix) if journal else None
        if not checkpoint:
            self.clean_up()
        if writer:
            writer.go_back(progress.step)
        if self.recipe.base == STATIC:
            keep_freed_memory()
        with quiet_libraries():
            model = self.base.resumed(checkpoint) if checkpoint else self.base.load()
            self.card |= {"prompts": self.base.prompts}
            if self.base.distilled:
                self.card |= {"distilled": self.base.distilled}
            with course.stage(self.name, f"{self.name}: training", self.steps, "steps") as stage:
                stage.advance(progress.step, measured=False)
                trainer, supervisor = self._trainer(model, writer, progress, stop, stage)
                over = progress.step >= self.steps or progress.stale(self.recipe.patience)
                try:
                    if not processes.from_main(over):  # killed between the last checkpoint and the encoder
                        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
                finally:
                    leave_trackers(self.place.report_to)
                    if writer:
                        writer.flush()
                        self.checkpoints.remove_if_empty()
                if supervisor.interrupted:
                    self.narrator.say(
                        f"{self.name}: stopped after {progress.step:,} of {self.steps:,} steps; "
                        "continue with the same command and --resume"
                    )
                    raise KeyboardInterrupt
            self.card |= self._result(trainer, supervisor, journal) | {
                "seconds": supervisor.seconds_before + time.monotonic() - started
            }
            saved = processes.on_main(lambda: self._save(model, supervisor))
        self.card = saved or self.card
        return Training.of(self.out, self.card)

    def clean_up(self) -> None:
        """Remove the checkpoints of a training that is finished, or begun anew."""
        if self.place.processes.main:
            self.checkpoints.remove()

    def _save(self, model: SentenceTransformer, supervisor: Supervisor) -> dict[str, Any]:
        """Save the encoder of the best validation, else the last one; return its card.

        That may be the base, where no step has improved it.
        """
        best = supervisor.progress.best_step
        drawn = self.card["batches"]["pairs"]
        languages = {*drawn, *(language for of_query in drawn.values() for language in of_query)}
        if best == 0:
            self.narrator.say(f"{self.name}: {DID_NOT_HELP}")
            model = self.base.again()
            languages = set()  # it has seen none of the texts
        elif best in (None, supervisor.progress.step):
            supervisor.check_weights(supervisor.progress.step)
        else:
            model = self.base.of_checkpoint(self.checkpoints.at(best))
        began_from = self.recipe.distilled_from or self.recipe.base
        seen = seen_in_training(self.data.tasks, self.texts, self.data.validation, began_from, languages)
        return save_encoder(model, self.card, self.out, seen)

    def _trainer(
        self,
        model: SentenceTransformer,
        writer: RowWriter | None,
        progress: Progress,
        stop: StopRequest,
        stage: Stage,
    ) -> tuple[PairTrainer, Supervisor]:
        recipe, processes = self.recipe, self.place.processes
        tally = Tally(self.texts, processes.world)
        if progress.counts:
            tally.restore(progress.counts, main=processes.main)
        around = Surroundings(
            self.checkpoints,
            processes,
            writer,
            bool(self.data.validation),
            processes.on_main(self._validation),
            stop,
            lambda _: advance(stage, progress),
            lambda text: self.narrator.say(f"{self.name}: {text}"),
        )
        supervisor = Supervisor(recipe, self.steps, self.batches, tally, around, progress)
        trainer = PairTrainer(
            self.batches,
            processes,
            model=model,
            args=training_arguments(
                self.name, recipe, self.steps, self.base.prompts, self.out, self.place, self.narrator.say
            ),
            loss=infonce(
                model,
                recipe.temperature,
                mini_batch=recipe.mini_batch,
                gather=processes.world > 1,
                symmetric=recipe.symmetric,
                matryoshka=recipe.matryoshka,
            ),
            callbacks=[supervisor],
        )
        supervisor.trainer = trainer
        return trainer, supervisor

    def _validation(self) -> Validation | None:
        if not self.data.validation:
            return None
        return Validation(
            self.data.validation,
            batch_size=self.recipe.batch_size,
            sampling=self.sampling,
            temperature=self.recipe.temperature,
        )

    def _result(self, trainer: PairTrainer, supervisor: Supervisor, journal: Journal | None) -> dict[str, Any]:
        """Return what the card says of a training that is over."""
        progress = supervisor.progress
        return {
            "steps": progress.step,
            "best_step": progress.best_step,
            "loss": progress.last_loss,
            "training_seconds": supervisor.seconds(),
            "batches": supervisor.counts(),
            "validation": progress.validations,
            "device": str(trainer.args.device),
            "identity": self.identity,
            "run_id": journal.metadata["run_id"] if journal else None,
        }


def advance(stage: Stage, progress: Progress) -> None:
    """Say that a step more is done, with the mean loss of the last ones that were logged."""
    if math.isfinite(progress.last_loss):
        stage.note = f"loss {progress.last_loss:.3f}"
    stage.advance()
