"""Partial numbers: a task that is still being evaluated, of which a part of the queries is ranked."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from xlbias.results.caveats.caveat import Caveat
from xlbias.results.run_numbers import RunNumbers
from xlbias.runs.schema import MULTILINGUAL_POOL

KIND = "partial"


def found(run: RunNumbers) -> Iterator[Caveat]:
    """Yield a caveat for every encoder and task that has numbers, but whose evaluation is not complete."""
    if not run.incomplete:
        return
    expected = {task.name: sum(task.n_queries.values()) for task in run.tasks}
    ranked = run.cells.filter(pl.col("pool") == MULTILINGUAL_POOL).group_by("model", "task", maintain_order=True)
    for model, task, n in ranked.agg(pl.col("n").sum() + pl.col("n_excluded").sum()).iter_rows():
        if (model, task) not in run.incomplete:
            continue
        of = expected[task]
        sentence = (
            f"partial: {n:,} of {of:,} queries are ranked so far, and these numbers will change."
            if n < of
            else "partial: all queries are ranked, but the audit is not finished, so intervals are missing."
        )
        yield Caveat(KIND, task, model, value=n / of if of else None, n=n, of=of, sentence=sentence)
