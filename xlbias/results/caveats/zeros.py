"""Zeros: texts for which an encoder gives a vector of zeros, which is as near to one text as to any other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from xlbias.measures.registry import SIDES
from xlbias.results.caveats.caveat import Caveat
from xlbias.results.summary import OVERALL

if TYPE_CHECKING:
    from xlbias.results.run_numbers import RunNumbers

KIND = "zero"


def found(run: RunNumbers) -> Iterator[Caveat]:
    """Yield a caveat for every encoder, task and side with vectors of zeros."""
    for side in SIDES:
        rows = run.summary.filter((pl.col("measure") == f"{side}.uniformity") & OVERALL & (pl.col("n_excluded") > 0))
        for model, task, n, left_out in rows.select("model", "task", "n", "n_excluded").iter_rows():
            of = n + left_out
            sentence = (
                f"{left_out:,} of {of:,} {side} have a vector of zeros, as near to one text as to any other: they are "
                "left out of alignment."
            )
            yield Caveat(KIND, task, model, value=left_out / of, n=left_out, of=of, sentence=sentence)
