"""Topics inside one task as domains of their own: SIB-200's topics, XQuAD-R's articles."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import polars as pl

from xlbias.errors import RunError
from xlbias.results.per_query import Ranked, bias_values, quality_values
from xlbias.results.run_numbers import RunNumbers
from xlbias.results.summary import OVERALL, SUMMARY_SCHEMA, as_frame, joined, rows_of
from xlbias.runs.schema import MULTILINGUAL_POOL

MEASURES = ("map", "rank_distance", "rank_distance.normalised")


def topics(run: RunNumbers, task: str) -> pl.DataFrame:
    """Return ``query_id, topic`` of a task: the document of a query's relevant passages, the first where they differ.

    Raises RunError where the task names no documents, so that there are no topics.
    """
    passages = run.passages.filter(pl.col("task") == task).select("passage_id", "document").drop_nulls()
    one_model = run.models[0].name if run.models else None
    relevants = (
        run.rankings.filter(
            (pl.col("task") == task) & (pl.col("pool") == MULTILINGUAL_POOL) & (pl.col("model") == one_model)
        )
        .select("query_id", pl.col("relevants").list.eval(pl.element().struct.field("passage_id")).alias("passage_id"))
        .explode("passage_id", empty_as_null=True, keep_nulls=True)
        .unique()
    )
    found = (
        relevants.join(passages, on="passage_id")
        .group_by("query_id")
        .agg(pl.col("document").min().alias("topic"))
        .sort("query_id")
        .collect()
    )
    if found.is_empty():
        raise RunError(f"{run.path}: the passages of {task!r} name no documents, so that it has no topics")
    return found


def by_topic(
    run: RunNumbers,
    model: str,
    task: str,
    measures: Collection[str] = MEASURES,
    *,
    of_ids: pl.DataFrame | None = None,
    intervals: bool = True,
    seed: int = 0,
) -> pl.DataFrame:
    """Return the numbers of settings and overall for every topic of a task: ``topic`` and SUMMARY_SCHEMA.

    `of_ids` is what `topics` gives, where it is known already. The pools are those of the whole task; only the queries
    are those of the topic. Topics are in the order of their names.
    """
    chosen = (pl.col("model") == model) & (pl.col("task") == task)
    rankings = run.rankings.filter(chosen).collect()
    if rankings.is_empty():
        raise RunError(f"{run.path}: {model!r} has not been evaluated on {task!r}")
    ranked = Ranked(rankings, run.pool_sizes[task])
    table = joined([*quality_values(ranked, measures), *bias_values(ranked, measures)])
    of_id = dict((topics(run, task) if of_ids is None else of_ids).iter_rows())
    labels = np.array([of_id.get(one, "") for one in table.ids], dtype=object)
    parts = [pl.DataFrame(schema={"topic": pl.String(), **SUMMARY_SCHEMA})]
    for topic in sorted({label for label in labels if label}):
        rows = np.flatnonzero(labels == topic)
        most = None if table.most is None else table.most[rows]
        part = replace(table, ids=tuple(table.ids[i] for i in rows), values=table.values[rows], most=most)
        summary = as_frame(rows_of(part, intervals, seed)).filter(OVERALL)
        # How many queries a cell leaves out is known for the whole task only.
        missing = pl.lit(None, dtype=pl.Int64).alias("n_excluded")
        parts.append(summary.with_columns(missing).select(pl.lit(topic).alias("topic"), *SUMMARY_SCHEMA))
    return pl.concat(parts)
