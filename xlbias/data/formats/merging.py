"""Makes one passage of equal texts, where a format gives each item a passage of its own."""

from __future__ import annotations

import polars as pl


def merge_equal_passages(items: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Turn items into passages and the ids that each is relevant to.

    `items` has the columns ``id, language, text, document`` and `origin` if known, with (id, language) unique. Items
    with the same language, text and document become ONE passage, relevant to all their ids: several MLQA questions
    are asked about one paragraph, and many MKQA questions are answered by "yes". Left apart, a copy of the right
    answer would count as a wrong one. Equal texts in different documents stay apart, so that a passage has one
    document.

    Returns the passages ``passage_id, language, text, document`` (and `origin`), where the passage id is the language
    and the smallest of the ids, ``de/0017``, and the pairs ``query_id, passage_id``. Both are independent of the order
    of `items` but for their own order.
    """
    key = ["language", "text", "document"]
    smallest = pl.col("id").min().over(key)
    named = items.with_columns(passage_id=pl.concat_str("language", pl.lit("/"), smallest))
    passages = named.filter(smallest == pl.col("id")).drop("id")
    return passages, named.select(pl.col("id").alias("query_id"), "passage_id")
