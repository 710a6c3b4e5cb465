"""Texts cut: an encoder reads so many tokens, and in some languages that is less than the texts have."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from xlbias.results.caveats.caveat import Caveat
from xlbias.results.run_numbers import RunNumbers

KIND = "cut"

MOST = 0.01
"""Share of a language's texts that may be cut without a word."""

_NAMED = 3  # languages at most, the worst ones


def found(run: RunNumbers) -> Iterator[Caveat]:
    """Yield a caveat for every encoder, task and side where more than `MOST` of a language's texts are cut."""
    rows = run.summary.filter(
        pl.col("measure").is_in(["passages.truncated", "queries.truncated"]) & pl.col("value").is_not_null()
    )
    for (model, task, measure), part in rows.group_by("model", "task", "measure", maintain_order=True):
        languages = part.filter(pl.col("query_language").is_not_null() & (pl.col("value") > MOST))
        if languages.is_empty():
            continue
        worst = languages.sort("value", "query_language", descending=[True, False])
        named = [f"{100 * row['value']:.3g} % in {row['query_language']}" for row in worst.head(_NAMED).to_dicts()]
        more = f" and more than {100 * MOST:g} % in {worst.height - _NAMED} others" if worst.height > _NAMED else ""
        of_all = part.filter(pl.col("query_language").is_null())
        n = int(of_all["n"][0]) if of_all.height else None
        share = float(of_all["value"][0]) if of_all.height else None
        side = str(measure).partition(".")[0]
        yield Caveat(
            KIND,
            str(task),
            str(model),
            value=share,
            n=round(share * n) if share is not None and n is not None else None,
            of=n,
            sentence=f"{side} are longer than the encoder reads, so their end is missing: {', '.join(named)}{more}.",
        )
