"""No vectors: an encoder has no single vector for a text, so that nothing is known of the space they would lie in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from xlbias.results.caveats.caveat import Caveat

if TYPE_CHECKING:
    from xlbias.results.run_numbers import RunNumbers

KIND = "no_vectors"

_HAS = {"sparse": "a weight for each word", "late interaction": "a vector for each token"}


def found(run: RunNumbers) -> Iterator[Caveat]:
    """Yield a caveat for every encoder that scores without a single vector for a text, on every task."""
    for model in run.models:
        has = _HAS.get(str(model.representation))
        for task in run.tasks if has else ():
            sentence = (
                f"it has {has} of a text in place of one vector, so that every measure of alignment is undefined; "
                "ranks are exact, from its own scores."
            )
            yield Caveat(KIND, task.name, model.name, sentence=sentence)
