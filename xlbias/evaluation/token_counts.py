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

_TEXTS = 65_536
"""Held as Python's texts at a time."""

_SIDES: dict[Kind, str] = {"passage": "passages", "query": "queries"}


def text_rows(encoder: Encoder | CountsTokens, texts: pl.DataFrame, kind: Kind) -> list[SummaryRow]:
    """Return rows of a summary, measures named ``passages.NAME`` or ``queries.NAME``: over all texts and by language.

    `texts` has ``language, text``. Nothing is returned where the encoder cannot count: it has no `count_tokens`, or
    that gives None.
    """
    count = getattr(encoder, "count_tokens", None)
    if count is None or not texts.height:
        return []
    found = []
    for start in range(0, texts.height, _TEXTS):
        some = texts["text"][start : start + _TEXTS]
        distinct = some.unique(maintain_order=True)
        counted = count(distinct.to_list(), kind)
        if counted is None:
            return []
        columns = {"text": distinct, "tokens": counted.tokens, "unknown": counted.unknown, "cut": counted.cut}
        of_some = some.to_frame("text").join(pl.DataFrame(columns), on="text", how="left", maintain_order="left")
        found.append(of_some.drop("text"))
    all_found = pl.concat(found).with_columns(texts["language"])
    rows = _rows(_SIDES[kind], None, all_found)
    for language in sorted(all_found["language"].unique()):
        rows += _rows(_SIDES[kind], language, all_found.filter(pl.col("language") == language))
    return rows


def _rows(side: str, language: str | None, found: pl.DataFrame) -> list[SummaryRow]:
    counts = Counts(*(found[name].to_numpy() for name in ("tokens", "unknown", "cut")))
    nan, n = float("nan"), found.height
    values = {name: computed(one, counts, shapes=((), (n,))) for name, one in measures("texts").items()}
    return [
        SummaryRow(Key(f"{side}.{name}", None, language), float(np.mean(value)), nan, nan, None, n, n, 0, 1, 0, 0)
        for name, value in values.items()
    ]
