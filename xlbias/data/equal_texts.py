"""Equal texts that stay apart: passages that score the same for every query, some of them right and some wrong."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from xlbias.data.task import RetrievalTask
from xlbias.folding import canonical_texts


@dataclass(frozen=True)
class EqualTexts:
    """Passages of a task that have the text of another one, of their own or another language.

    Attributes:
        n: how many passages these are.
        n_relevant: those whose text answers the same queries wherever it stands: translations that are the same string,
            such as names and numbers.
        n_rivals: the others: their text answers a query in one place, and in another it does not, or another query.
    """

    n: int
    n_relevant: int
    n_rivals: int


def equal_texts(task: RetrievalTask) -> EqualTexts:
    """Return how many passages have the text of another one, but for Unicode normalisation and white space."""
    answers = task.qrels.group_by("passage_id").agg(pl.col("query_id").sort().str.join("\n").alias("answers"))
    named = task.passages.select("passage_id", same=canonical_texts(pl.col("text")))
    equal = named.filter(pl.col("same").is_duplicated()).join(answers, on="passage_id", how="left")
    groups = equal.with_columns(
        alike=(pl.col("answers").n_unique() == 1).over("same") & pl.col("answers").is_not_null()
    )
    n, n_relevant = groups.height, int(groups["alike"].sum())
    return EqualTexts(n, n_relevant, n - n_relevant)
