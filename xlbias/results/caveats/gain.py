"""A training that did not help: no step improved the base, so that what is called trained is the base."""

from __future__ import annotations

from collections.abc import Iterator

from xlbias.results.caveats.caveat import Caveat
from xlbias.results.run_numbers import RunNumbers

KIND = "no_gain"


def found(run: RunNumbers) -> Iterator[Caveat]:
    """Yield a caveat for every encoder whose best validation was that before its first training step."""
    for model in run.models:
        if model.card.saved_step == 0:
            sentence = "its training did not help: no step validated better than its base, which is what was saved."
            yield Caveat(KIND, None, model.name, sentence=sentence)
