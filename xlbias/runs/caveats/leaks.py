"""Trained on this: an encoder has seen in training what it is evaluated on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from xlbias.runs.caveats.caveat import Caveat

if TYPE_CHECKING:
    from xlbias.runs.run import Run

KIND = "seen"


def found(run: Run) -> Iterator[Caveat]:
    """Yield a caveat for every encoder that was trained on the very task it is evaluated on."""
    for model in run.models:
        for task in run.tasks:
            for source in model.get("card", {}).get("sources", []):
                if isinstance(source, dict) and source.get("fingerprint") == task.get("fingerprint") is not None:
                    sentence = "was trained on this task itself: its numbers there are no zero-shot retrieval."
                    yield Caveat(KIND, task["name"], model["name"], sentence=sentence)
