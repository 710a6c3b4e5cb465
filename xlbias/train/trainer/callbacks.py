"""What happens between two steps of a training: rows for the journal, validation, checkpoints, and when to stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from transformers import TrainerCallback

from xlbias.errors import TrainingError
from xlbias.results.training import KINDS
from xlbias.train.recipe import Recipe
from xlbias.train.sampling.batch import Batch
from xlbias.train.sampling.samplers import LanguageBatchSampler
from xlbias.train.trainer.distributed import Processes
from xlbias.train.trainer.interrupts import StopRequest
from xlbias.train.trainer.journal_rows import Row, RowWriter, Tally
from xlbias.train.trainer.resume_state import DIVERGED, Progress, check_finite, checkpoints, save_state
from xlbias.train.trainer.trainer import PairTrainer
from xlbias.train.trainer.validation import Validation, monitored

_ROW_SECONDS = 2.0  # between two rows where steps are slow, so that a live dashboard moves
_EXCHANGE_SECONDS = 1.0  # between two exchanges of what only one process can know: torchrun waits for half a minute
_SAVE_SECONDS = 300.0  # between two checkpoints where the recipe names no number of steps


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
        out: folder of the checkpoints.
        processes: who trains together; only the main one writes.
        writer: of the journal; None in processes that do not write.
        validates: whether there is something to validate on.
        validation: that, in the main process.
        stop: whether somebody asked for an end.
        step_done: called after each step with its number.
        say: called with lines for the user.
    """

    out: Path
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
    decisions are the same in all processes: what only one of them can know is exchanged about once a second.

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
        self.every = max(1, min(50, steps // 100))
        self.validate_every = recipe.validate_every or max(1, steps // 10)
        self.interrupted = False
        """Whether the training ended because somebody asked for it."""
        self.trainer: PairTrainer
        self._rate = 0.0
        self.seconds_before = progress.seconds
        self._began = self._since = self._saved = time.monotonic()
        self._exchanged, self._exchanged_step, self._next_exchange = self._began, progress.step, 0
        self._steps: list[int] = []  # of the losses that were not looked at yet
        self._tokens = 0

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Start the clock; see what the encoder can do before the first step: it is a candidate for the best, too."""
        if args.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(args.device)
        if state.global_step == 0 and self.around.validates:
            self._validate(0)
        self._began = self._since = self._saved = self._exchanged = time.monotonic()

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Note the learning rate of the step that begins; the schedule moves on before it ends."""
        self._rate = float(kwargs["optimizer"].param_groups[0]["lr"])

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Count the step's batches; write, validate, save and stop where it is time to."""
        step, last = int(state.global_step), state.global_step >= state.max_steps
        for batch in batches_of_step(self.sampler, step, self.recipe.accumulate):
            self.tally.add(batch)
            self._steps.append(step)
        self.progress.step = step
        self.around.step_done(step)
        validating = self.around.validates and (step % self.validate_every == 0 or last)
        stopping, saving = self._asked(step, last)
        if validating or saving or stopping or last or self._row_is_due(step):
            self._write_row(step, float(state.epoch), args.device)
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

    # -- decisions ---------------------------------------------------------------------------------------------------

    def _asked(self, step: int, last: bool) -> tuple[bool, bool]:
        """Return whether to stop and whether to save, the same in all processes."""
        processes, now = self.around.processes, time.monotonic()
        every = self.recipe.checkpoint_every
        by_step = bool(every) and step % every == 0
        if processes.world > 1 and step < self._next_exchange and not last:
            return False, by_step
        stopping, saving = processes.any(self.around.stop.requested, not every and now - self._saved >= _SAVE_SECONDS)
        if processes.world > 1:
            pace = (now - self._exchanged) / max(1, step - self._exchanged_step)
            self._exchanged, self._exchanged_step = now, step
            self._next_exchange = step + processes.from_main(max(1, int(_EXCHANGE_SECONDS / max(pace, 1e-6))))
        return stopping, saving or by_step

    def _row_is_due(self, step: int) -> bool:
        slow = self.around.processes.world == 1 and time.monotonic() - self._since >= _ROW_SECONDS
        return slow or step % self.every == 0

    # -- what is done ------------------------------------------------------------------------------------------------

    def _write_row(self, step: int, epoch: float, device: torch.device) -> None:
        losses = self.trainer.taken_losses().numpy()
        steps, self._steps = self._steps, []
        if not np.isfinite(losses).all():
            first = int(np.flatnonzero(~np.isfinite(losses))[0])
            raise TrainingError(f"the loss is {losses[first]} at step {steps[first]}: {DIVERGED}{self._kept()}")
        self.progress.last_loss = float(losses.mean())
        now = time.monotonic()
        seconds = max(now - self._since, 1e-9)
        world, tokens = self.around.processes.world, self.trainer.collator.n_tokens
        row: Row = {
            "step": step,
            "epoch": epoch,
            "loss": self.progress.last_loss,
            "learning_rate": self._rate,
            "pairs_per_second": len(losses) * self.recipe.batch_size / seconds,
            "tokens_per_second": (tokens - self._tokens) * world / seconds,
            "memory_bytes": _memory(device),
            **{column: self.tally.kinds[kind] for kind, column in KINDS.items()},
        }
        self._since, self._tokens = now, tokens
        if self.around.writer:
            self.around.writer.add(row)

    def _validate(self, step: int) -> bool:
        """Measure; return whether the encoder is the best so far."""
        began = time.monotonic()
        better = self.around.processes.shared(lambda: self._judge(step))
        self._since += time.monotonic() - began  # a validation is no part of the rate of training
        return better

    def _judge(self, step: int) -> bool:
        """Measure in the main process and write it down; return whether the encoder is the best so far."""
        progress, writer = self.progress, self.around.writer
        assert self.around.validation is not None
        assert writer is not None
        self.check_finite(step)
        rows = self.around.validation.measure(self.trainer.model, step, min(64, self.recipe.batch_size))
        value = monitored(rows, self.recipe.monitor)
        better = progress.best_step is None or value > self._best()
        progress.best_step, progress.worse = (step, 0) if better else (progress.best_step, progress.worse + 1)
        progress.validations += rows
        writer.flush()
        writer.validated(rows)
        return better

    def check_finite(self, step: int) -> None:
        """Raise TrainingError if a weight is not finite after step `step`."""
        try:
            check_finite(self.trainer.model, step)
        except TrainingError as error:
            raise TrainingError(f"{error}{self._kept()}") from None

    def _kept(self) -> str:
        kept = checkpoints(self.around.out)
        return f" (the last good checkpoint is kept: {kept[-1]})" if kept else ""

    def _best(self) -> float:
        best = [row for row in self.progress.validations if row["step"] == self.progress.best_step]
        return monitored(best, self.recipe.monitor)

    def _save(self, state: Any, optimizer: Any, scheduler: Any) -> None:
        began = time.monotonic()
        if self.around.writer:
            self.around.writer.flush()
        self.progress.seconds = self.seconds()
        self.progress.counts = self.counts()
        save_state(
            self.around.out, self.progress, self.trainer.model, optimizer, scheduler, state, self.around.processes
        )
        self._saved = time.monotonic()
        self._since += self._saved - began


def _memory(device: torch.device) -> int:
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    return int(psutil.Process().memory_info().rss)
