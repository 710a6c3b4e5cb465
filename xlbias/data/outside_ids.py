"""What a query is called in files that other tools read or write: BEIR folders, TREC runs and qrels."""

from __future__ import annotations

import polars as pl


def outside_query_id(queries: pl.DataFrame) -> pl.Expr:
    """Return the id of each of all `queries` of a task outside: its own, or ``LANGUAGE/ID`` where languages share ids.

    `queries` has columns ``query_id, language``, and so has the frame that the expression is for.
    """
    if queries["query_id"].is_duplicated().any():
        return pl.concat_str("language", pl.lit("/"), "query_id")
    return pl.col("query_id")
