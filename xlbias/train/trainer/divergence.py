"""A training that diverges: losses or weights that are no numbers any more."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sentence_transformers import SentenceTransformer

from xlbias.errors import TrainingError

_ADVICE = "training diverged; lower the learning rate or raise the temperature"


def check_losses(losses: npt.NDArray[np.float32], steps: Sequence[int]) -> None:
    """Raise TrainingError naming the first step of `steps` whose loss is not finite."""
    wrong = np.flatnonzero(~np.isfinite(losses))
    if wrong.size:
        raise TrainingError(f"the loss is {losses[wrong[0]]} at step {steps[wrong[0]]}: {_ADVICE}")


def check_weights(model: SentenceTransformer, step: int) -> None:
    """Raise TrainingError if a weight is not finite after step `step`."""
    for name, parameter in model.named_parameters():
        if not bool(parameter.isfinite().all()):
            raise TrainingError(f"the weights {name} are not finite after step {step:,}: {_ADVICE}")
