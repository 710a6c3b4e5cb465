"""Few: so few query ids that intervals hold the truth less often than they say, or that there are none."""

from __future__ import annotations

from collections.abc import Iterator

from xlbias.results.caveats.caveat import Caveat
from xlbias.results.run_numbers import RunNumbers
from xlbias.stats.bootstrap import FEWEST_UNITS

KIND = "few"

ENOUGH = 50
"""Query ids from which intervals hold the truth as often as they say, skewed values included."""


def found(run: RunNumbers) -> Iterator[Caveat]:
    """Yield a caveat for every task of fewer than `ENOUGH` query ids."""
    for task in run.tasks:
        n = task.n_ids
        if n is None:
            continue
        if n < FEWEST_UNITS:
            sentence = f"it has {n:,} query ids; below {FEWEST_UNITS} there are no intervals."
            yield Caveat(KIND, task.name, None, n=n, sentence=sentence, marks=False)
        elif n < ENOUGH:
            sentence = (
                f"it has {n:,} query ids; below {ENOUGH} intervals hold the truth less often than they say, and only "
                "large differences are significant."
            )
            yield Caveat(KIND, task.name, None, n=n, sentence=sentence, marks=False)
