"""Changed: the rankings of a run are not those that its stored numbers were made from."""

from __future__ import annotations

from collections.abc import Iterator

from xlbias.results.caveats.caveat import Caveat
from xlbias.results.run_numbers import RunNumbers

KIND = "changed"


def found(run: RunNumbers) -> Iterator[Caveat]:
    """Yield a caveat for every encoder and task whose rankings have changed since their numbers were stored."""
    for model, task in run.changed:
        sentence = (
            "the rankings are not those that the stored numbers were made from: rows, their order or values have been "
            "changed since, and its numbers are computed again from what is there, without intervals."
        )
        yield Caveat(KIND, task, model, sentence=sentence)
