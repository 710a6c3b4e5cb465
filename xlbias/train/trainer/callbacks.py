"""What happens between two steps of a training: rows for the journal, validation, checkpoints, and when to stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from transformers import TrainerCallback

from xlbias.errors import TrainingError
from xlbias.train.recipe import Recipe
from xlbias.train.sampling.batch import Batch
from xlbias.train.sampling.samplers import LanguageBatchSampler
from xlbias.train.trainer.agreement import Agreement
from xlbias.train.trainer.checkpoints import Checkpoints
from xlbias.train.trainer.distributed import Processes
from xlbias.train.trainer.divergence import check_weights
from xlbias.train.trainer.interrupts import StopRequest
from xlbias.train.trainer.journal_rows import RowWriter, Tally
from xlbias.train.trainer.progress import Progress
from xlbias.train.trainer.step_rows import StepRows
from xlbias.train.trainer.trainer import PairTrainer
from xlbias.train.trainer.validation import Validation, monitored


def steps_of_epoch(sampler: LanguageBatchSampler, accumulate: int) -> int:
    """Return the number of steps in an epoch; the last of them may have fewer batches than `accumulate`."""
    return -(-len(sampler) // accumulate)


def batches_of_step(sampler: LanguageBatchSampler, step: int, accumulate: int) -> Iterator[Batch]:
    """Yield the batches of step `step`, counted from 1: `accumulate` of them, or what an epoch has left."""
    epoch, within = divmod(step - 1, steps_of_epoch(sampler, accumulate))
    for number in range(within * accumulate, min((within + 1) * accumulate, len(sampler))):
        yield sampler.batch(epoch, number)


@dataclass(frozen=True)
class Surroundings:
    """What a training reads and writes beside its model.

    Attributes:
        checkpoints: that it saves.
        processes: who trains together; only the main one writes.
        writer: of the journal; None in processes that do not write.
        validates: whether there is something to validate on.
        validation: that, in the main process.
        stop: whether somebody asked for an end.
        step_done: called after each step with its number.
        say: called with lines for the user.
    """

    checkpoints: Checkpoints
    processes: Processes
    writer: RowWriter | None
    validates: bool
    validation: Validation | None
    stop: StopRequest
    step_done: Callable[[int], None]
    say: Callable[[str], None]


class Supervisor(TrainerCallback):  # type: ignore[misc]  # the library is not typed for mypy
    """Watches over the steps of a `PairTrainer`; set `trainer` before it begins.

    Losses are looked at for a row only, as that makes a GPU wait, and always before a checkpoint is written. All
    decisions are the same in all processes, see `Agreement`.

    Raises TrainingError, which ends the training, where a loss or the weights are not finite.
    """

    def __init__(
        self,
        recipe: Recipe,
        steps: int,
        sampler: LanguageBatchSampler,
        tally: Tally,
        around: Surroundings,
        progress: Progress,
    ) -> None:
        self.recipe, self.sampler, self.tally, self.around, self.progress = recipe, sampler, tally, around, progress
        self.validate_every = recipe.validate_every or max(1, steps // 10)
        self.interrupted = False
        """Whether the training ended because somebody asked for it."""
        self.trainer: PairTrainer
        self.rows = StepRows(steps, recipe.batch_size, tally, around.processes.world)
        self.agreement = Agreement(around.processes, around.stop, recipe.checkpoint_every, progress.step)
        self.seconds_before = progress.seconds
        self._rate = 0.0
        self._began = time.monotonic()

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Start the clock; see what the encoder can do before the first step: it is a candidate for the best, too."""
        if args.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(args.device)
        if state.global_step == 0 and self.around.validates:
            self._validate(0)
        self._began = time.monotonic()
        self.rows.start()
        self.agreement.start()

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Note the learning rate of the step that begins; the schedule moves on before it ends."""
        self._rate = float(kwargs["optimizer"].param_groups[0]["lr"])

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Count the step's batches; write, validate, save and stop where it is time to."""
        step, last = int(state.global_step), state.global_step >= state.max_steps
        for batch in batches_of_step(self.sampler, step, self.recipe.accumulate):
            self.tally.add(batch)
            self.rows.drew(step, batch.kind)
        self.progress.step = step
        self.around.step_done(step)
        validating = self.around.validates and (step % self.validate_every == 0 or last)
        stopping, saving = self.agreement.after(step, last=last)
        if validating or saving or stopping or last or self.rows.is_due(step):
            self._write_row(float(state.epoch), args.device)
        better = validating and self._validate(step)
        if saving or stopping or better:
            self._save(state, kwargs["optimizer"], kwargs["lr_scheduler"])
        if validating and not last and self.around.processes.from_main(self.progress.stale(self.recipe.patience)):
            control.should_training_stop = True
            self.around.say(
                f"stopped early after step {step:,}: {self.recipe.patience} validations in a row brought no better "
                f"{self.recipe.monitor} than step {self.progress.best_step or 0:,}"
            )
        if stopping and not last:
            control.should_training_stop = self.interrupted = True

    def seconds(self) -> float:
        """Seconds of training so far, those before a resumption included."""
        return self.seconds_before + time.monotonic() - self._began

    def counts(self) -> dict[str, Any]:
        """Return what was drawn so far, in all processes."""
        words = self.tally.words
        return self.tally.as_dict() | {"words": self.around.processes.sum(words.as_dict()) if words else None}

    def check_weights(self, step: int) -> None:
        """Raise TrainingError if a weight is not finite after step `step`."""
        try:
            check_weights(self.trainer.model, step)
        except TrainingError as error:
            raise TrainingError(f"{error}{self.around.checkpoints.kept()}") from None

    def _write_row(self, epoch: float, device: torch.device) -> None:
        losses = self.trainer.taken_losses().numpy()
        try:
            row = self.rows.row(epoch, self._rate, losses, self.trainer.collator.n_tokens, device)
        except TrainingError as error:
            raise TrainingError(f"{error}{self.around.checkpoints.kept()}") from None
        self.progress.last_loss = row["loss"]
        self.trainer.report({name: value for name, value in row.items() if name != "step" and value is not None})
        if self.around.writer:
            self.around.writer.add(row)

    def _validate(self, step: int) -> bool:
        """Measure; return whether the encoder is the best so far."""
        began = time.monotonic()
        better = self.around.processes.shared(lambda: self._judge(step))
        self.rows.not_training(time.monotonic() - began)
        return better

    def _judge(self, step: int) -> bool:
        """Measure in the main process and write it down; return whether the encoder is the best so far."""
        progress, writer, monitor = self.progress, self.around.writer, self.recipe.monitor
        assert self.around.validation is not None
        assert writer is not None
        self.check_weights(step)
        found = self.around.validation.measure(self.trainer.model, step, min(64, self.recipe.batch_size))
        value = monitored(found, monitor)
        better = progress.best_step is None or value > monitored(progress.of_best(), monitor)
        progress.judged(step, found, better=better)
        writer.flush()
        writer.validated(found)
        for row in found:
            numbers = {name: row[name] for name in row.keys() - {"step", "task", "domain"}}
            self.trainer.report({f"eval_{row['task']}/{name}": value for name, value in sorted(numbers.items())})
        return better

    def _save(self, state: Any, optimizer: Any, scheduler: Any) -> None:
        began, around = time.monotonic(), self.around
        if around.writer:
            around.writer.flush()
        self.progress.seconds = self.seconds()
        self.progress.counts = self.counts()
        around.checkpoints.save(self.progress, self.trainer.model, optimizer, scheduler, state, around.processes)
        self.agreement.saved()
        self.rows.not_training(time.monotonic() - began)
