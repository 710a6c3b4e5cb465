"""What every column of every record means, for the run file to say itself and for docs/run-file.md.

A finished run file holds them twice: as ``description`` in the Arrow metadata of its fields, and as JSON under the
metadata key COLUMNS_KEY, which tools without Arrow read too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from xlbias.runs.schema import COLUMNS, OF_RECORD

COLUMNS_KEY = "xlbias.columns"
DESCRIPTION = b"description"

ONE_ROW: dict[str, str] = {
    "ranking": "one query in one pool: where its relevant passages ranked, and the first passages",
    "query": "the text of a query, once per task",
    "passage": "the text of a passage, once per task",
    "alignment": "the alignment of the translations of one query id in one measure",
    "summary": "one number of the report: a measure of a cell, of a language, of a setting, or of the whole task",
    "training": "one logged training step",
    "validation": "one task in one validation during a training",
}
"""What a row of each record is."""

_OF_ANY: dict[str, str] = {
    "record": "what the row is: ranking, query, passage, alignment, summary, training or validation",
    "model": "name of the encoder in this run",
    "task": "name of the task in this run",
    "domain": "what the task is about",
    "query_id": "id of the query, which its translations share",
    "language": "language of the text (BCP 47)",
    "text": "the text as it was read",
    "measure": "name of the measure, see `xlbias measures`",
    "step": "batches trained on so far",
}

_OF_RECORD: dict[str, dict[str, str]] = {
    "ranking": {
        "query_language": "language that the query is asked in (BCP 47)",
        "pool": "passages that were searched: those of a language, or `multilingual` for all",
        "setting": "`monolingual` (pool in the query's language), `cross-lingual` (in another) or `multilingual`",
        "n_relevant": "relevant passages in the pool; 0: the query counts in no mean of this pool",
        "ap": "average precision without cut-off; null without relevant passages, or where ranks are not all known",
        "first_rank": "rank of the best relevant passage, from 1; null: there is none, or its rank is not known",
        "last_rank": "rank of the worst relevant passage; null: there is none, or its rank is not known",
        "relevants": "the relevant passages in the pool, by rank",
        "top": "the first passages of the pool, by rank: as many as `top_k` of the metadata says",
        "tied_with_last": "passages beyond `top` that score the same as its last one, by language; null: not counted",
        "known_to": "ranks are known down to here, and censored beyond; null: all are known",
        "consistency": "mean Spearman correlation with the rankings that translations of the query give in the "
        "multilingual pool; null in other pools",
    },
    "passage": {
        "passage_id": "id of the passage, unique in the task",
        "document": "what it is a part of, such as an article; null: not known",
    },
    "alignment": {"value": "the measure of this query id; null: undefined"},
    "summary": {
        "setting": "setting, or side of a measure of bias (`own-language`, `other-language`); null: of none",
        "query_language": "language of the queries; null: of all of them",
        "passage_language": "pool of a measure of quality, language of the answers of a measure of bias; null: of all",
        "value": "the number; null: undefined. Rows with both languages are cells, the others means and other numbers "
        "of several cells: never average over both",
        "low": "lower end of the 95% interval over query ids; null: none was drawn",
        "high": "upper end of the 95% interval over query ids; null: none was drawn",
        "least": "lower bound of a number whose ranks are censored; null: `value` is exact, or there is none",
        "most": "upper bound of a number whose ranks are censored; null: `value` is exact, or there is none",
        "weighted": "of a setting: the mean over rankings, where `value` is the mean over cells",
        "n": "values that it is over",
        "n_queries": "distinct queries among them",
        "n_ids": "distinct query ids among them",
        "n_cells": "cells with values among them",
        "n_cells_empty": "cells without values, which are left out",
        "n_excluded": "queries that are left out, as the measure is undefined for them",
        "made_from": "digest of the rankings that it was made from",
    },
    "training": {
        "epoch": "passes over the training ids so far",
        "loss": "mean InfoNCE of the steps since the last row",
        "learning_rate": "learning rate of this step",
        "pairs_per_second": "pairs trained on per second since the last row",
        "tokens_per_second": "tokens read per second since the last row",
        "memory_bytes": "peak memory on the device, or resident size on a CPU",
        "n_monolingual_batches": "monolingual batches drawn so far",
        "n_cross_lingual_batches": "cross-lingual batches drawn so far",
        "n_mixed_batches": "batches of several languages drawn so far",
        "loss_monolingual": "`loss` of monolingual batches alone; null: none since the last row, or unknown",
        "loss_cross_lingual": "`loss` of cross-lingual batches alone; null: none since the last row, or unknown",
        "loss_mixed": "`loss` of batches of several languages alone; null: none since the last row, or unknown",
    },
    "validation": {
        "loss": "InfoNCE of batches of the task; null: none was computed",
        "n_queries": "queries validated on",
        "map_monolingual": "mAP in the monolingual setting, mean over cells; null: undefined",
        "map_cross_lingual": "mAP in the cross-lingual setting, mean over cells; null: undefined",
        "map_multilingual": "mAP in the multilingual pool, mean over query languages; null: undefined",
        "rank_distance": "mean rank distance over queries; null: undefined",
        "rank_distance_normalised": "the same between 0 (translations stand together) and 1; null: undefined",
    },
}

_OF_FIELD: dict[str, dict[str, str]] = {
    "relevants": {
        "passage_id": "id of the passage",
        "language": "its language",
        "parallel_id": "shared by its translations; null: it has none",
        "relevance": "how relevant it is, from 1",
        "rank": "its rank in the pool, from 1; beyond `known_to` the worst that it can have",
        "score": "its similarity to the query",
        "tied_before": "others of the pool with its score that stand before it; null: not counted",
        "tied_after": "others of the pool with its score that stand after it; null: not counted",
    },
    "top": {"passage_id": "id of the passage", "language": "its language", "score": "its similarity to the query"},
    "tied_with_last": {"language": "a language", "n": "passages in it"},
}


def described(record: str) -> dict[str, str]:
    """Return the description of every column of a record, in their order, `record` left out."""
    own = _OF_RECORD.get(record, {})
    return {column: own[column] if column in own else _OF_ANY[column] for column in OF_RECORD[record]}


def described_fields(column: str) -> dict[str, str]:
    """Return the description of every field of a column of structs; of none for other columns."""
    return _OF_FIELD.get(column, {})


def explained(column: str) -> str:
    """Return what a column means in each of its records: one sentence where that is the same."""
    texts = {record: described(record)[column] for record in OF_RECORD if column in OF_RECORD[record]}
    if len(set(texts.values())) <= 1:
        return next(iter(texts.values()), _OF_ANY.get(column, ""))
    return "; ".join(f"{record}: {text}" for record, text in texts.items())


def described_schema(metadata: dict[str, str]) -> Any:
    """Return the Arrow schema of a run file, its fields and itself described, with `metadata`."""
    import polars as pl
    import pyarrow as pa

    plain = pl.DataFrame(schema=COLUMNS).to_arrow().schema
    fields = [_with_description(field, explained(field.name), described_fields(field.name)) for field in plain]
    return pa.schema(fields, {**metadata, COLUMNS_KEY: as_json()})


def _with_description(field: Any, text: str, parts: dict[str, str]) -> Any:
    import pyarrow as pa

    if parts:
        struct = field.type.value_type
        inner = pa.struct([part.with_metadata({DESCRIPTION: parts[part.name]}) for part in struct])
        item = field.type.value_field.with_type(inner)
        field = field.with_type(pa.large_list(item) if pa.types.is_large_list(field.type) else pa.list_(item))
    return field.with_metadata({DESCRIPTION: text})


def as_json() -> str:
    """Return all descriptions: ``{record: {"row": text, "columns": {column: text}}}``, fields as ``column.field``."""
    found = {record: {"row": ONE_ROW[record], "columns": dict(_with_fields(record))} for record in OF_RECORD}
    return json.dumps(found, ensure_ascii=False)


def as_markdown() -> str:
    """Return the tables of docs/run-file.md: one for each record."""
    parts = []
    for record in OF_RECORD:
        rows = [f"| `{name}` | {text} |" for name, text in _with_fields(record)]
        parts.append("\n".join([f"### `{record}`: {ONE_ROW[record]}", "", "| column | is |", "|---|---|", *rows]))
    return "\n\n".join(parts) + "\n"


def _with_fields(record: str) -> Iterator[tuple[str, str]]:
    for column, text in described(record).items():
        yield column, text
        for name, of_field in described_fields(column).items():
            yield f"{column}.{name}", of_field
