"""Ties: more than a few answers score the same as another passage, or nobody has counted how many do."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from xlbias.results.caveats.caveat import Caveat
from xlbias.results.run_numbers import RunNumbers

KIND = "ties"

MOST = 0.01
"""Share of the answers that may tie without a word."""


def found(run: RunNumbers) -> Iterator[Caveat]:
    """Yield a caveat for every encoder and task where more than `MOST` of the answers tie, or where it is not known."""
    overall = pl.col("query_language").is_null() & pl.col("passage_language").is_null()
    rows = run.summary.filter(pl.col("measure").is_in(["tied", "tied.answers"]) & overall)
    shares = {(row["model"], row["task"], row["measure"]): row["value"] for row in rows.iter_rows(named=True)}
    for model, task in run.summary.select("model", "task").unique(maintain_order=True).iter_rows():
        share = shares.get((model, task, "tied"))
        if run.metadata["schema"] < 2:
            sentence = (
                "an earlier version made this run, which did not count equal scores and ordered them by passage id in "
                "measures of bias too: evaluate again to see whether they tie."
            )
            yield Caveat(KIND, task, model, sentence=sentence)
        elif share is not None and share > MOST:
            other = shares.get((model, task, "tied.answers")) or 0.0
            sentence = (
                f"{100 * share:.3g} % of answers score the same as another passage, {100 * other:.3g} % as one in "
                "another language: quality orders them by passage id, bias is a mean over random orders."
            )
            yield Caveat(KIND, task, model, value=share, sentence=sentence)
