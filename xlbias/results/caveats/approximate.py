"""Approximate search: ranks are those of an index that may miss passages, not of all scores."""

from __future__ import annotations

from collections.abc import Iterator

from xlbias.results.caveats.caveat import Caveat
from xlbias.results.run_numbers import RunNumbers

KIND = "approximate"


def found(run: RunNumbers) -> Iterator[Caveat]:
    """Yield a caveat for a run whose search was approximate."""
    if run.metadata.get("approximate"):
        sentence = "its search was approximate: ranks are not exact, and passages may be missing from its lists."
        yield Caveat(KIND, None, None, sentence=sentence)
