"""sentence-transformers' trainer on drawn pairs: what it needs to accept them, and what is recorded while it runs."""

from __future__ import annotations

import logging
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import numpy as np
import polars as pl
import psutil
import torch
import transformers
from sentence_transformers import SentenceTransformerTrainer
from torch.utils.data import DataLoader, Dataset
from transformers import TrainerCallback
from transformers.trainer_callback import PrinterCallback

from xlbias.errors import TrainingError
from xlbias.runs.journal import Journal
from xlbias.train.batch import Batch
from xlbias.train.pairs import PairTexts
from xlbias.train.samplers import LanguageBatchSampler

Row = dict[str, float | int]

_ROW_SECONDS = 2.0  # between two rows where steps are slow, so that a live dashboard moves


class PairTrainer(SentenceTransformerTrainer):  # type: ignore[misc]  # the library is not typed for mypy
    """The library's trainer on the batches of a `LanguageBatchSampler`, silent, keeping the loss of every step.

    The library builds data loaders for `datasets.Dataset` only, which would have to list every pair; overriding
    `get_train_dataloader` is its documented way to bring another one.
    """

    def __init__(self, batches: LanguageBatchSampler, **kwargs: Any) -> None:
        self.batches = batches
        self.losses: list[torch.Tensor] = []
        super().__init__(train_dataset=batches.dataset, **kwargs)
        self.remove_callback(PrinterCallback)

    def get_train_dataloader(self) -> DataLoader[dict[str, str]]:
        """Return a data loader over the pairs that the sampler draws."""
        dataset = cast(Dataset[dict[str, str]], self.batches.dataset)  # map-style by its methods
        loader = DataLoader(dataset, batch_sampler=self.batches, collate_fn=self.data_collator)
        prepared: DataLoader[dict[str, str]] = self.accelerator.prepare(loader)
        return prepared

    def training_step(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        """Make one step and keep its loss on the device."""
        loss: torch.Tensor = super().training_step(*args, **kwargs)
        self.losses.append(loss.detach())
        return loss

    def add_model_card_callback(self, default_args_dict: dict[str, Any]) -> None:
        """Do nothing: the library's card looks into a `datasets.Dataset`, and ours says more."""


class Tally:
    """Counts what was drawn: batches by kind and by task, pairs by language pair."""

    def __init__(self, texts: PairTexts) -> None:
        self.languages = texts.languages
        self.task_names = [task.name for task in texts.tasks]
        self.kinds: Counter[str] = Counter()
        self.tasks: Counter[str] = Counter()
        self.pairs = np.zeros((len(self.languages),) * 2, dtype=np.int64)

    def add(self, batch: Batch) -> None:
        """Count one batch."""
        self.kinds[batch.kind] += 1
        self.tasks[self.task_names[batch.task]] += 1
        np.add.at(self.pairs, (batch.query_language, batch.passage_language), 1)

    def as_dict(self) -> dict[str, Any]:
        """Return ``by_kind``, ``by_task`` and ``pairs`` ({query language: {passage language: count}})."""
        pairs: dict[str, dict[str, int]] = {}
        for query, passage in zip(*(axis.tolist() for axis in np.nonzero(self.pairs)), strict=True):
            of_query = pairs.setdefault(self.languages[query], {})
            of_query[self.languages[passage]] = int(self.pairs[query, passage])
        return {"by_kind": dict(self.kinds), "by_task": dict(self.tasks), "pairs": pairs}


class Recorder(TrainerCallback):  # type: ignore[misc]  # the library is not typed for mypy
    """Counts steps and hands over rows of the `training` record: every `every` steps, and at least every 2 seconds.

    The loss is looked at for a row only, as that makes a GPU wait.

    Raises TrainingError, which ends the training, where a loss is not finite.
    """

    def __init__(
        self,
        sampler: LanguageBatchSampler,
        tally: Tally,
        every: int,
        on_row: Callable[[Row], None],
        on_step: Callable[[], None],
    ) -> None:
        self.sampler, self.tally, self.every = sampler, tally, every
        self.on_row, self.on_step_done = on_row, on_step
        self.trainer: PairTrainer | None = None
        self._rate = 0.0
        self._since = time.monotonic()
        self._last_step = 0

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Start the clock."""
        self._since = time.monotonic()

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Note the learning rate of the step that begins; the schedule moves on before it ends."""
        self._rate = float(kwargs["optimizer"].param_groups[0]["lr"])

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Count the step's batch; hand over a row where one is due."""
        step = int(state.global_step)
        self.tally.add(self.sampler.batch(*divmod(step - 1, len(self.sampler))))
        self.on_step_done()
        slow = time.monotonic() - self._since >= _ROW_SECONDS
        if slow or step % self.every == 0 or step == state.max_steps:
            self.on_row(self._row(step, float(state.epoch), args.device))

    def _row(self, step: int, epoch: float, device: torch.device) -> Row:
        assert self.trainer is not None
        losses = torch.stack(self.trainer.losses).float().cpu().numpy()
        self.trainer.losses.clear()
        if not np.isfinite(losses).all():
            first = self._last_step + 1 + int(np.flatnonzero(~np.isfinite(losses))[0])
            raise TrainingError(
                f"the loss is {losses[first - self._last_step - 1]} at step {first}: training diverged; "
                "lower the learning rate or raise the temperature"
            )
        now = time.monotonic()
        steps, seconds = step - self._last_step, max(now - self._since, 1e-9)
        self._last_step, self._since = step, now
        return {
            "step": step,
            "epoch": epoch,
            "loss": float(losses.mean()),
            "learning_rate": self._rate,
            "pairs_per_second": steps * self.sampler.batch_size / seconds,
            "memory_bytes": _memory(device),
            "n_monolingual_batches": self.tally.kinds["monolingual"],
            "n_cross_lingual_batches": self.tally.kinds["cross-lingual"],
            "n_mixed_batches": self.tally.kinds["mixed"],
        }


class RowWriter:
    """Writes rows of the `training` record as parts, ever more rarely, so that a long training has few of them."""

    def __init__(self, journal: Journal, name: str) -> None:
        self.journal, self.name = journal, name
        self.rows: list[Row] = []
        self.last_loss = float("nan")
        self.began = self.written = time.monotonic()

    def add(self, row: Row) -> None:
        """Take a row, and write a part where one is due."""
        self.rows.append(row)
        self.last_loss = row["loss"]
        now = time.monotonic()
        if now - self.written >= max(1.0, (now - self.began) / 200):
            self.flush()

    def flush(self) -> None:
        """Write what has not been written yet."""
        if self.rows:
            key = f"{self.rows[0]['step']:012d}"
            self.journal.write("training", key, pl.DataFrame(self.rows).with_columns(pl.lit(self.name).alias("model")))
            self.rows.clear()
            self.written = time.monotonic()


def _memory(device: torch.device) -> int:
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    return int(psutil.Process().memory_info().rss)


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keep the training libraries from writing to the terminal; restores their settings afterwards."""
    of_transformers = transformers.utils.logging.get_verbosity()
    logger = logging.getLogger("sentence_transformers")
    level = logger.level
    transformers.utils.logging.set_verbosity_error()
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        transformers.utils.logging.set_verbosity(of_transformers)
        logger.setLevel(level)
