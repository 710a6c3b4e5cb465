"""Where a training runs and reports to: device, processes, what the base may do there, trackers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch

from xlbias.errors import TrainingError
from xlbias.train.recipe import STATIC, Recipe
from xlbias.train.trainer.distributed import Processes


@dataclass(frozen=True)
class Place:
    """Where a training runs: device (None for the best there is), processes, and whether the base may run code.

    `report_to` names trackers, see `xlbias.train.trainer.trackers`.
    `made` keeps what takes long to make, such as a distilled base, for the other trainings of a grid.
    """

    device: str | None
    processes: Processes
    trust_remote_code: bool
    report_to: tuple[str, ...] = ()
    made: dict[Any, Any] = field(default_factory=dict)

    @property
    def on_cpu(self) -> bool:
        """Whether the CPU computes."""
        return self.device == "cpu" or (self.device is None and not torch.cuda.is_available() and not _has_mps())


def check_device(device: str | None, recipe: Recipe) -> str | None:
    """Return the device to train on: the CPU for ``static``, which has little to compute, unless another is named.

    Raises TrainingError if there is no such device.
    """
    if device is None:
        return "cpu" if recipe.base == STATIC else None
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": _has_mps()}
    if device not in there:
        raise TrainingError(
            f"device {device!r}: expected {', '.join(there)}; of several GPUs, CUDA_VISIBLE_DEVICES chooses one"
        )
    if not there[device]:
        raise TrainingError(f"device {device!r} is not there: PyTorch {torch.__version__} finds none")
    return device


def _has_mps() -> bool:
    return torch.backends.mps.is_available()
