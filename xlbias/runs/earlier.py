"""Runs of earlier schemas, brought to the names of this one while they are read.

Schema 1 kept no counts of equal scores: they are null, and measures of bias take its ranks as they are, ties ordered by
passage id. It called the sides of a measure of bias by query and answer language ``monolingual`` and ``cross-lingual``,
which are names of settings.
"""

from __future__ import annotations

import polars as pl

from xlbias.measures.registry import measures
from xlbias.runs.schema import OTHER, OWN

_SIDES = {"monolingual": OWN, "cross-lingual": OTHER}


def renamed(summary: pl.LazyFrame, schema: int) -> pl.LazyFrame:
    """Return rows of a `summary` record that was written with that schema, with the names of this one."""
    if schema > 1:
        return summary
    side = pl.col("setting").replace(_SIDES)
    return summary.with_columns(
        pl.when(pl.col("measure").is_in(list(measures("bias")))).then(side).otherwise("setting").alias("setting")
    )
