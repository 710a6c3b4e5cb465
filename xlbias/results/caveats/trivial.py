"""Found by itself: queries that are passages of their own pool, which no encoder can miss."""

from __future__ import annotations

from collections.abc import Iterator

from xlbias.results.caveats.caveat import Caveat
from xlbias.results.run_numbers import RunNumbers

KIND = "trivial"

_SHARE = 0.01
"""Below this share of the queries nothing is said: some short texts are question and answer by chance."""


def found(run: RunNumbers) -> Iterator[Caveat]:
    """Yield a caveat for every task of which queries are passages of their own pool and are ranked there."""
    for task in run.tasks:
        known = task.selves
        if known is None or known.left_out:
            continue
        of = known.of or 0
        for n, sentence in (
            (
                known.n_relevant or 0,
                "are passages of their own pool and find themselves first: monolingual quality is 1 by construction, "
                "and in the multilingual pool their own language leads; [self=ignore] leaves them out.",
            ),
            (
                known.n_other or 0,
                "are passages of their own pool that are not relevant, and stand before what is; [self=ignore] leaves "
                "them out.",
            ),
        ):
            if 0 < n <= of and n >= _SHARE * of:
                yield Caveat(KIND, task.name, None, n / of, n, of, f"{n:,} of {of:,} queries {sentence}")
