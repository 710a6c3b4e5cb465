"""What a summary says of the texts that an encoder reads: tokens, and how many texts it cuts, by language."""

from __future__ import annotations

import numpy as np
import polars as pl

from xlbias.encode.encoder import CountsTokens, Encoder, Kind
from xlbias.measures.measure import computed
from xlbias.measures.registry import measures
from xlbias.measures.texts.tokens import Counts
from xlbias.results.per_query import Key
from xlbias.results.summary import SummaryRow

_SIDES: dict[Kind, str] = {"passage": "passages", "query": "queries"}


def text_rows(encoder: Encoder | CountsTokens, texts: pl.DataFrame, kind: Kind) -> list[SummaryRow]:
    """Return rows of a summary, measures named ``passages.NAME`` or ``queries.NAME``: over all texts and by language.

    `texts` has ``language, text``. Nothing is returned where the encoder cannot count: it has no `count_tokens`, or
    that gives None.
    """
    count = getattr(encoder, "count_tokens", None)
    distinct = texts["text"].unique(maintain_order=True)
    counted = count(distinct.to_list(), kind) if count is not None and len(distinct) else None
    if counted is None:
        return []
    found = texts.select("language", "text").join(
        pl.DataFrame({"text": distinct, "tokens": counted.tokens, "unknown": counted.unknown, "cut": counted.cut}),
        on="text",
        how="left",
        maintain_order="left",
    )
    rows = _rows(_SIDES[kind], None, found)
    for language in sorted(found["language"].unique()):
        rows += _rows(_SIDES[kind], language, found.filter(pl.col("language") == language))
    return rows


def _rows(side: str, language: str | None, found: pl.DataFrame) -> list[SummaryRow]:
    counts = Counts(*(found[name].to_numpy() for name in ("tokens", "unknown", "cut")))
    nan, n = float("nan"), found.height
    values = {name: computed(one, counts, shapes=((), (n,))) for name, one in measures("texts").items()}
    return [
        SummaryRow(Key(f"{side}.{name}", None, language), float(np.mean(value)), nan, nan, None, n, n, 0, 1, 0, 0)
        for name, value in values.items()
    ]
