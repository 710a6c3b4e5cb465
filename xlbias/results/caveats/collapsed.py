"""Collapsed: the vectors of an encoder all but coincide, so that rounding decides which passage comes first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from xlbias.measures.registry import SIDES
from xlbias.results.caveats.caveat import Caveat

if TYPE_CHECKING:
    from xlbias.results.run_numbers import RunNumbers

KIND = "collapsed"

LEAST = 1e-5
"""Mean of 1 − cosine of two texts below which there is a caveat. A score in float32 is off by 1e-7 or so, so that of a
hundred passages a query tells hardly one from the next."""


def found(run: RunNumbers) -> Iterator[Caveat]:
    """Yield a caveat for every encoder, task and side whose vectors point the same way.

    Uniformity is log mean exp(−4 (1 − cosine)): near 0 it is −4 times that mean. Encoders that rank by dot products
    or distances are exempt: lengths tell their vectors apart, and distances are taken from the middle of the passages.
    """
    cosine = [model.name for model in run.models if model.similarity in (None, "cosine")]
    for side in SIDES:
        rows = run.summary.filter((pl.col("measure") == f"{side}.uniformity") & pl.col("value").is_not_null())
        widest = rows.group_by("model", "task", maintain_order=True).agg(pl.col("value").min(), pl.col("n").max())
        for model, task, value, n in widest.iter_rows():
            spread = max(0.0, -value / 4)  # rounding may put equal vectors above 1
            if spread < LEAST and model in cosine:
                sentence = (
                    f"the vectors of the {side} all but coincide: 1 − cosine of two of {n:,} is {spread:.1g} "
                    "on average, and float32 tells hardly 1e-7 apart, so that rounding decides the order of passages."
                )
                yield Caveat(KIND, task, model, value=spread, n=n, sentence=sentence)
