"""A mitigation was learnt from the task's own texts, so that its numbers are not those of new texts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from xlbias.results.caveats.caveat import Caveat

if TYPE_CHECKING:
    from xlbias.results.run import Run

KIND = "mitigation"


def found(run: Run) -> Iterator[Caveat]:
    """Yield a caveat for every encoder with a mitigation."""
    for model in run.models:
        if mitigation := model.get("mitigation"):
            sentence = f"its mitigation, {mitigation}, was learnt from the very texts that it is evaluated on."
            yield Caveat(KIND, None, model["name"], sentence=sentence)
