"""Parallel by number: ids that are counters in every language, which files without any relation share as well."""

from __future__ import annotations

from collections.abc import Iterator

from xlbias.results.caveats.caveat import Caveat
from xlbias.results.run_numbers import RunNumbers

KIND = "counted"


def found(run: RunNumbers) -> Iterator[Caveat]:
    """Yield a caveat for every task whose ids are counters in the file of each language and agree."""
    for task in run.tasks:
        known = task.parallel
        if known is not None and known.counters:
            n, of = known.n_shared or 0, known.n_ids or 0
            sentence = (
                f"{n:,} of {of:,} ids are taken for translations of one another, but they only count from 0 or 1 in "
                "the file of each language: if the files are independent, cross-lingual quality and bias mean "
                "nothing; [parallel=no] keeps the languages apart."
            )
            yield Caveat(KIND, task.name, None, n / of if of else None, n, of, sentence)
