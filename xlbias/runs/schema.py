"""The run file's schema: which records there are, what their columns mean, and what its metadata says.

A run is one Parquet file. `record` says what a row is; columns that do not belong to a record are null in it.

==========  ============================================================================================
record      one row is
==========  ============================================================================================
ranking     one query in one pool (one cell): where its relevant passages ranked, and the top k
query       one query's text, once per task
passage     one passage's text, once per task
alignment   one query id's alignment of its translations in one measure, where the measure has such values
summary     one number of the audit: a measure of a cell, a language, a setting or all, with its interval and its n
training    one logged step of a training
validation  one task of one validation during a training
==========  ============================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import polars as pl

SCHEMA_VERSION = 2
"""1 ordered equal scores by passage id in measures of bias too, and called the two sides of such a measure by names of
settings; see `xlbias.runs.earlier`."""

METADATA_KEY = "xlbias"
RECORDS = ("ranking", "query", "passage", "alignment", "summary", "training", "validation")

MULTILINGUAL_POOL = "multilingual"
"""The name of the union of all languages' pools; no language tag, as those have at most eight letters."""

SETTING_SHORT = {"monolingual": "mono", "cross-lingual": "cross", "multilingual": "multi"}
"""The settings in a word that fits a table's head."""

SETTINGS = tuple(SETTING_SHORT)

OWN, OTHER = "own-language", "other-language"
"""The two sides of a measure of bias by query and answer language: answers in the query's language, and in others."""

RELEVANT = pl.Struct(
    {
        "passage_id": pl.String,
        "language": pl.String,
        "parallel_id": pl.String,
        "relevance": pl.Int32,
        "rank": pl.UInt32,
        "score": pl.Float32,
        "tied_before": pl.UInt32,  # others of the pool with the same score, before it by id; null: not counted
        "tied_after": pl.UInt32,
    }
)
TIED = pl.Struct({"language": pl.String, "n": pl.UInt32})
TOP = pl.Struct({"passage_id": pl.String, "language": pl.String, "score": pl.Float32})

COLUMNS: dict[str, Any] = {
    "record": pl.String,
    "model": pl.String,  # name of the encoder within the run
    "task": pl.String,
    "domain": pl.String,
    # ranking: `query_id` in `query_language` searched in `pool` (a language, or "multilingual")
    "query_id": pl.String,
    "query_language": pl.String,
    "pool": pl.String,
    "setting": pl.String,
    "n_relevant": pl.UInt32,  # relevant passages in the pool; 0: the query is excluded from every mean
    "ap": pl.Float64,  # average precision without cut-off; null where n_relevant is 0, and where it is censored
    "first_rank": pl.UInt32,  # best and worst rank of a relevant passage in the pool; null where censored
    "last_rank": pl.UInt32,
    "relevants": pl.List(RELEVANT),  # by rank
    "top": pl.List(TOP),  # the first k of the pool, by rank
    "tied_with_last": pl.List(TIED),  # beyond `top`: passages that score the same as its last one, by language; null:
    # not counted, as for every pool but the multilingual one
    "known_to": pl.UInt32,  # ranks down to here are known, those beyond are censored: a relevant passage that was not
    # found has the worst rank that it can have; null: all ranks are known
    "consistency": pl.Float32,  # of a query in the multilingual pool: mean Spearman with its translations' rankings
    # query and passage: texts
    "passage_id": pl.String,
    "language": pl.String,
    "text": pl.String,
    "document": pl.String,
    # alignment and summary, beside the columns above: see xlbias.results.summary. `value` is NaN-free, null: undefined
    "measure": pl.String,
    "passage_language": pl.String,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "least": pl.Float64,  # the bounds of a number of censored ranks, whose `value` is null
    "most": pl.Float64,
    "weighted": pl.Float64,
    "n": pl.Int64,
    "n_ids": pl.Int64,
    "n_cells": pl.Int64,
    "n_cells_empty": pl.Int64,
    "n_excluded": pl.Int64,
    "made_from": pl.String,  # digest of the rankings, see xlbias.results.binding
    # training
    "step": pl.Int64,
    "epoch": pl.Float64,
    "loss": pl.Float64,
    "learning_rate": pl.Float64,
    "pairs_per_second": pl.Float64,
    "tokens_per_second": pl.Float64,
    "memory_bytes": pl.Int64,  # peak on the device, or resident size on a CPU
    "n_monolingual_batches": pl.Int64,  # drawn so far
    "n_cross_lingual_batches": pl.Int64,
    "n_mixed_batches": pl.Int64,
    "loss_monolingual": pl.Float64,  # `loss` over the batches of one kind since the last row; null: none was drawn
    "loss_cross_lingual": pl.Float64,
    "loss_mixed": pl.Float64,
    # validation, beside model, task, domain, step and loss: means over the cells of a setting, over query languages
    "n_queries": pl.Int64,
    "map_monolingual": pl.Float64,
    "map_cross_lingual": pl.Float64,
    "map_multilingual": pl.Float64,
    "rank_distance": pl.Float64,
    "rank_distance_normalised": pl.Float64,
}

OF_RECORD: dict[str, tuple[str, ...]] = {
    "ranking": (
        "model", "task", "domain", "query_id", "query_language", "pool", "setting", "n_relevant", "ap", "first_rank",
        "last_rank", "relevants", "top", "tied_with_last", "known_to", "consistency",
    ),
    "query": ("task", "domain", "query_id", "language", "text"),
    "passage": ("task", "domain", "passage_id", "language", "text", "document"),
    "alignment": ("model", "task", "domain", "measure", "query_id", "value"),
    "summary": (
        "model", "task", "domain", "measure", "setting", "query_language", "passage_language", "value", "low", "high",
        "weighted", "n", "n_queries", "n_ids", "n_cells", "n_cells_empty", "n_excluded", "least", "most",
        "made_from",
    ),
    "training": (
        "model", "step", "epoch", "loss", "learning_rate", "pairs_per_second", "tokens_per_second", "memory_bytes",
        "n_monolingual_batches", "n_cross_lingual_batches", "n_mixed_batches", "loss_monolingual", "loss_cross_lingual",
        "loss_mixed",
    ),
    "validation": (
        "model", "task", "domain", "step", "loss", "n_queries", "map_monolingual", "map_cross_lingual",
        "map_multilingual", "rank_distance", "rank_distance_normalised",
    ),
}  # fmt: skip


def as_record(frame: pl.DataFrame, record: str) -> pl.DataFrame:
    """Return `frame` with exactly the columns of the schema, `record` filled in and foreign columns null."""
    return frame.select(_columns_of(record, tuple(frame.schema.items())))


@lru_cache(maxsize=64)
def _columns_of(record: str, there: tuple[tuple[str, pl.DataType], ...]) -> list[pl.Expr]:
    """Return the columns of the schema for a frame that has the columns `there`: an evaluation asks a hundred times."""
    own, columns = OF_RECORD[record], dict(there)
    return [
        pl.lit(record).alias(name)
        if name == "record"
        else (completed(name, columns).cast(dtype) if name in own else pl.lit(None, dtype=dtype).alias(name))
        for name, dtype in COLUMNS.items()
    ]


def completed(name: str, there: Mapping[str, Any]) -> pl.Expr:
    """Return a column of a frame that has the columns `there`: null, or with null fields, where it lacks them."""
    wanted = COLUMNS[name]
    if name not in there:
        return pl.lit(None, dtype=wanted).alias(name)
    if is_whole(name, there):
        return pl.col(name)
    known = {field.name for field in there[name].inner.fields}
    fields = [
        pl.element().struct.field(field.name)
        if field.name in known
        else pl.lit(None, dtype=field.dtype).alias(field.name)
        for field in wanted.inner.fields
    ]
    return pl.col(name).list.eval(pl.struct(fields))


def is_whole(name: str, there: Mapping[str, Any]) -> bool:
    """Whether a frame that has the columns `there` has this one, with all fields of its structs."""
    if name not in there:
        return False
    inner, given = getattr(COLUMNS[name], "inner", None), getattr(there[name], "inner", None)
    if not isinstance(inner, pl.Struct) or not isinstance(given, pl.Struct):
        return True
    return {field.name for field in given.fields} >= {field.name for field in inner.fields}


def setting_of(query_language: str, pool: str) -> str:
    """``monolingual``, ``cross-lingual`` or ``multilingual``: the setting of the cell (query language, pool)."""
    if pool == MULTILINGUAL_POOL:
        return "multilingual"
    return "monolingual" if query_language == pool else "cross-lingual"
