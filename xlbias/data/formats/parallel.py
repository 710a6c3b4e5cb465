"""Reads the plain parallel format: JSON Lines, one object per item and language, gzipped or not.

``{"id": str, "language": str, "query": str?, "passage": str?, "domain": str?, "document": str?}``. Objects with one id
are translations of each other: a passage is relevant to the query with its id in every language. An id may have only a
query or only a passage in a language. Equal passages are merged, see `merging`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from xlbias.data.formats.base import Format
from xlbias.data.formats.merging import merge_equal_passages
from xlbias.data.formats.reading import (
    Rows,
    json_type,
    parse_json,
    plain_name,
    provenance,
    shown,
    string_field,
    text_lines,
)
from xlbias.data.task import RetrievalTask
from xlbias.errors import TaskError
from xlbias.languages import normalise_tag


def read(path: Path, options: Mapping[str, str]) -> RetrievalTask:
    """Read a JSON Lines file as query → passage with the same id."""
    items = _items(path)
    source, licence, domain = provenance(path.parent)
    domains = items["domain"].drop_nulls().unique().to_list()
    if domains:
        domain = domains[0] if len(domains) == 1 else "mixed"
    queries = items.drop_nulls("query").select("language", "origin", query_id="id", text="query")
    passages, pairs = merge_equal_passages(
        items.drop_nulls("passage").select("id", "language", "document", "origin", text="passage")
    )
    return RetrievalTask(
        name=plain_name(path),
        domain=domain,
        source=source,
        licence=licence,
        queries=queries,
        passages=passages,
        qrels=pairs.unique(maintain_order=True)
        .join(queries, on="query_id", how="semi", maintain_order="left")
        .with_columns(relevance=pl.lit(1, dtype=pl.Int32)),
    )


def _items(path: Path) -> pl.DataFrame:
    """Return ``id, language, query, passage, document, domain, origin``, checked, with normalised languages."""
    rows = Rows("id", "language", "query", "passage", "document", "domain", "origin")
    languages: dict[str, str] = {}
    for number, line in text_lines(path):
        if not line.strip():
            continue
        origin = f"{shown(path)}, line {number}"
        item = parse_json(line, origin)
        if not isinstance(item, dict):
            raise TaskError(f"{origin}: expected an object with the fields id and language, not {json_type(item)}")
        fields = {name: string_field(item, name, origin) for name in ("id", "language", *_TEXTS, "document", "domain")}
        for name, value in fields.items():
            if name in ("id", "language") and value is None:
                raise TaskError(f"{origin}: no field {name!r}")
            if value is not None and not value.strip():
                hint = "; leave the field out where there is no text" if name in _TEXTS else ""
                raise TaskError(f"{origin}: field {name!r} is empty{hint}")
        if fields["query"] is None and fields["passage"] is None:
            raise TaskError(f"{origin}: neither a field 'query' nor a field 'passage'")
        tag = str(fields["language"])
        if tag not in languages:
            try:
                languages[tag] = normalise_tag(tag)
            except TaskError as error:
                raise TaskError(f"{origin}: {error}") from error
        rows.add(fields["id"], languages[tag], *(fields[name] for name in (*_TEXTS, "document", "domain")), origin)
    items = rows.frame()
    if items.is_empty():
        raise TaskError(f"{path}: the file holds no items")
    _refuse_doubles(items)
    return items


_TEXTS = ("query", "passage")


def _refuse_doubles(items: pl.DataFrame) -> None:
    """Raise TaskError, naming both lines, if an id is there twice in one language."""
    key = ["id", "language"]
    doubled = items.filter(pl.struct(key).is_duplicated())
    if doubled.is_empty():
        return
    second = doubled.filter(~pl.struct(key).is_first_distinct()).row(0, named=True)
    first = doubled.filter((pl.col("id") == second["id"]) & (pl.col("language") == second["language"]))
    raise TaskError(
        f"{second['origin']}: id {second['id']!r} is there twice in language {second['language']!r}, "
        f"first on {first['origin'][0].rpartition(', ')[2]}"
    )


FORMAT = Format(
    name="parallel",
    summary="query → passage with the same id in every language, from JSON Lines (.jsonl, .jsonl.gz)",
    example="parallel:FILE[split=train;by=id]",
    folder=False,
    options=(),
    read=read,
)
