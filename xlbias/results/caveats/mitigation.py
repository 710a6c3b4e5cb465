"""A mitigation was learnt from the task's own texts, so that its numbers are not those of new texts."""

from __future__ import annotations

from collections.abc import Iterator

from xlbias.results.caveats.caveat import Caveat
from xlbias.results.run_numbers import RunNumbers

KIND = "mitigation"


def found(run: RunNumbers) -> Iterator[Caveat]:
    """Yield a caveat for every encoder with a mitigation."""
    for model in run.models:
        if mitigation := model.mitigation:
            sentence = f"its mitigation, {mitigation}, was learnt from the very texts that it is evaluated on."
            yield Caveat(KIND, None, model.name, sentence=sentence)
