"""The rows of a loss curve: means over the steps since the last row, and how fast they were made."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil
import torch

from xlbias.results.training import KINDS, LOSSES
from xlbias.train.trainer.divergence import check_losses
from xlbias.train.trainer.journal_rows import Row, Tally

_ROW_SECONDS = 2.0  # between two rows where steps are slow, so that a live dashboard moves


class StepRows:
    """Makes rows of the `training` record.

    Args:
        steps: of the whole training; at most a hundred rows or so are made of them, more where they are slow.
        batch_size: pairs in a batch.
        tally: what was drawn so far.
        world: processes that train together.
    """

    def __init__(self, steps: int, batch_size: int, tally: Tally, world: int) -> None:
        self.every = max(1, min(50, steps // 100))
        self.batch_size, self.tally, self.world = batch_size, tally, world
        self._since = time.monotonic()
        self._steps: list[int] = []  # of the batches whose losses were not looked at yet
        self._kinds: list[str] = []  # theirs
        self._tokens = 0

    def start(self) -> None:
        """Start the clock: the first step begins."""
        self._since = time.monotonic()

    def drew(self, step: int, kind: str) -> None:
        """Take in that one more batch of `step` was trained on, and of which kind it is."""
        self._steps.append(step)
        self._kinds.append(kind)

    def not_training(self, seconds: float) -> None:
        """Leave so many seconds out of the rate: a validation or a checkpoint took them."""
        self._since += seconds

    def is_due(self, step: int) -> bool:
        """Whether a row is to be made after `step`; alike in all processes."""
        slow = self.world == 1 and time.monotonic() - self._since >= _ROW_SECONDS
        return slow or step % self.every == 0

    def row(self, epoch: float, rate: float, losses: npt.NDArray[np.float32], tokens: int, device: torch.device) -> Row:
        """Return the row of the steps since the last one.

        Args:
            epoch: how many epochs are trained.
            rate: learning rate of the last step.
            losses: of the batches since the last row, means over processes.
            tokens: read so far by this process.
            device: whose memory is measured.

        Raises TrainingError where a loss is not finite.
        """
        steps, self._steps = self._steps, []
        kinds, self._kinds = np.array(self._kinds), []
        check_losses(losses, steps)
        now = time.monotonic()
        seconds = max(now - self._since, 1e-9)
        row: dict[str, Any] = {
            "step": steps[-1],
            "epoch": epoch,
            "loss": float(losses.mean()),
            "learning_rate": rate,
            "pairs_per_second": len(losses) * self.batch_size / seconds,
            "tokens_per_second": (tokens - self._tokens) * self.world / seconds,
            "memory_bytes": _memory(device),
            **{column: self.tally.kinds[kind] for kind, column in KINDS.items()},
            **{column: _mean(losses[kinds == kind]) for kind, column in LOSSES.items()},
        }
        self._since, self._tokens = now, tokens
        return row


def _mean(losses: npt.NDArray[np.float32]) -> float | None:
    return float(losses.mean()) if len(losses) else None


def _memory(device: torch.device) -> int:
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    return int(psutil.Process().memory_info().rss)
