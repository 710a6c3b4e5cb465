"""Experiment trackers that a training reports to beside its journal: light, so that a command can ask before it loads.

The trainer's own callbacks write to them. They get every row of the loss curve (``loss``, ``n_monolingual_batches``,
...) and every validation (``eval_TASK/map_multilingual``, ...).
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec

from xlbias.choices import suggestion
from xlbias.errors import TrainingError

_MODULES = {"tensorboard": ("tensorboard", "tensorboardX"), "wandb": ("wandb",), "mlflow": ("mlflow",)}

TRACKERS = tuple(_MODULES)
"""What the option `report_to` takes."""


def check_trackers(names: Sequence[str]) -> None:
    """Raise TrainingError unless these are trackers, each with its package installed."""
    for name in names:
        if name not in TRACKERS:
            raise TrainingError(f"unknown tracker {name!r}{suggestion(name, TRACKERS)}: expected {', '.join(TRACKERS)}")
        if not any(find_spec(module) for module in _MODULES[name]):
            raise TrainingError(f"reporting to {name} needs the package {name}: pip install 'xlbias[{name}]'")


def leave_trackers(names: Sequence[str]) -> None:
    """End what the trainer leaves open: the run of W&B, so that the next training of this process has its own."""
    if "wandb" in names:
        import_module("wandb").finish()
