"""sentence-transformers' trainer on drawn pairs: what it needs to accept them, to share them out and to go on."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import torch
import transformers
from sentence_transformers import SentenceTransformerTrainer
from torch.utils.data import DataLoader, Dataset, Sampler
from transformers.trainer_callback import PrinterCallback

from xlbias.train.sampling.batch import Batch
from xlbias.train.sampling.samplers import LanguageBatchSampler
from xlbias.train.trainer.checkpoints import restore_optimiser
from xlbias.train.trainer.collate import PairCollator, token_cache
from xlbias.train.trainer.distributed import Processes
from xlbias.train.trainer.resume_state import load_random_state


class ProcessBatches(Sampler[Batch]):
    """One process's share of every batch of a sampler: all shares of a step are of one kind and one task."""

    def __init__(self, batches: LanguageBatchSampler, processes: Processes) -> None:
        self.batches, self.processes = batches, processes

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[Batch]:
        for batch in self.batches:
            yield batch.part(self.processes.rank, self.processes.world)

    def set_epoch(self, epoch: int) -> None:
        """Draw the batches of another epoch."""
        self.batches.set_epoch(epoch)


class PairLoader(DataLoader[dict[str, str]]):
    """A data loader that tells its sampler the epoch, which the trainer does through a loader of accelerate's only."""

    def set_epoch(self, epoch: int) -> None:
        """Draw the batches of another epoch."""
        cast(ProcessBatches, self.batch_sampler).set_epoch(epoch)


class PairTrainer(SentenceTransformerTrainer):  # type: ignore[misc]  # the library is not typed for mypy
    """The library's trainer on the batches of a `LanguageBatchSampler`, silent, keeping the loss of every step.

    The library builds data loaders for `datasets.Dataset` only, which would have to list every pair; overriding
    `get_train_dataloader` is its documented way to bring another one. Its own checkpoints are pickles and appear file
    by file, so those of `xlbias.train.trainer.checkpoints` stand in for them: `train(resume_from_checkpoint=...)`
    takes one.
    """

    control: Any

    def __init__(self, batches: LanguageBatchSampler, processes: Processes, **kwargs: Any) -> None:
        self.batches, self.processes = batches, processes
        self.losses: list[torch.Tensor] = []
        super().__init__(train_dataset=batches.dataset, **kwargs)
        self.remove_callback(PrinterCallback)
        cache = token_cache(self.model)
        if cache:
            self.data_collator.preprocess_fn = cache.preprocess
        self.collator = PairCollator(self.data_collator)

    def get_train_dataloader(self) -> PairLoader:
        """Return a data loader over this process's share of what the sampler draws."""
        dataset = cast(Dataset[dict[str, str]], self.batches.dataset)  # map-style by its methods
        sampler = cast(Sampler[list[int]], ProcessBatches(self.batches, self.processes))  # a batch is such a sequence
        return PairLoader(dataset, batch_sampler=sampler, collate_fn=self.collator)

    def training_step(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        """Compute the gradients of one batch and keep its loss on the device; it comes as a share of a step's mean."""
        loss: torch.Tensor = super().training_step(*args, **kwargs)
        self.losses.append(loss.detach() * self.current_gradient_accumulation_steps)
        return loss

    def taken_losses(self) -> torch.Tensor:
        """Return the losses of the batches since the last call, means over processes; float32 on the CPU."""
        losses = torch.stack(self.losses).float()
        self.losses.clear()
        return self.processes.mean(losses).cpu()

    def report(self, numbers: Mapping[str, float | None]) -> None:
        """Tell the trackers numbers of the step just made, those that there are; ``eval_`` begins a validation's."""
        logs = {name: value for name, value in numbers.items() if value is not None}
        self.control = self.callback_handler.on_log(self.args, self.state, self.control, logs)

    def add_model_card_callback(self, default_args_dict: dict[str, Any]) -> None:
        """Do nothing: the library's card looks into a `datasets.Dataset`, and ours says more."""

    def _get_grad_norm(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing: the norm would be computed for a log that is not kept, a tenth of a static encoder's step."""

    # What the library would read from pickles:

    def _load_from_checkpoint(self, checkpoint_path: str) -> None:
        """Do nothing: the model came from the checkpoint, see `BaseEncoder.resumed`."""

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint is not None:
            restore_optimiser(Path(checkpoint), self.optimizer, self.lr_scheduler)

    def _load_rng_state(self, checkpoint: str | None) -> None:
        if checkpoint is not None:
            load_random_state(Path(checkpoint), self.processes.rank)

    def _load_scaler(self, checkpoint: str | None) -> None:
        """Do nothing: there is no loss scaling in float32 and bfloat16."""


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
