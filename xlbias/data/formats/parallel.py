"""Reads the plain parallel format: JSON Lines, one object per item and language, gzipped or not.

``{"id": str, "language": str, "query": str?, "passage": str?, "negatives": [str, ...]?, "domain": str?,
"document": str?}``. Objects with one id are translations of each other: a passage is relevant to the query with its id
in every language. An id may have only a query or only a passage in a language. Passages of a language with one text
are one passage, relevant to all their ids, whatever their documents are: see `merging`. An id may be a whole number.

`negatives` are texts in the object's language that look like an answer to its query and are none. They are passages of
the task, to be searched like all others, and hard negatives of the id; one that is the passage of another id is that
very passage. `document` says nothing of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from xlbias.choices import listed, suggestion
from xlbias.data.formats.base import Format
from xlbias.data.formats.merging import merge_items
from xlbias.data.formats.reading import (
    Rows,
    id_field,
    json_type,
    parse_json,
    plain_name,
    provenance,
    shown,
    string_field,
    text_lines,
)
from xlbias.data.notes import Notes, changed_tags
from xlbias.data.task import RetrievalTask
from xlbias.errors import TaskError
from xlbias.folding import canonical, canonical_texts
from xlbias.languages import normal_tags, normalise_tag
from xlbias.text import drop_surrogates


def read(path: Path, options: Mapping[str, str]) -> RetrievalTask:
    """Read a JSON Lines file as query → passage with the same id."""
    items, negatives, names, normal = _items(path)
    if items["passage"].is_null().all() and negatives.is_empty():
        raise TaskError(f"{path}: no line has a 'passage'; {_found(names)}")
    if items["query"].is_null().all():
        raise TaskError(f"{path}: no line has a 'query'; {_found(names)}")
    facts = provenance(path.parent)
    domains = items["domain"].drop_nulls().unique().to_list()
    if domains:
        facts["domain"] = domains[0] if len(domains) == 1 else "mixed"
    queries = items.drop_nulls("query").select("language", "origin", query_id="id", text="query")
    merged, pairs = merge_items(
        items.drop_nulls("passage").select("id", "language", "document", "origin", text="passage")
    )
    passages, negatives = _with_negatives(merged.passages, negatives)
    return RetrievalTask(
        name=plain_name(path),
        **facts,
        queries=queries,
        passages=passages,
        qrels=pairs.unique(maintain_order=True)
        .join(queries, on="query_id", how="semi", maintain_order="left")
        .with_columns(relevance=pl.lit(1, dtype=pl.Int32)),
        negatives=negatives.join(queries, on="query_id", how="semi", maintain_order="left"),
        more_documents=merged.more_documents,
        notes=Notes(
            parallel_by="id",
            n_copies=merged.n_copies,
            n_copies_elsewhere=merged.n_copies_elsewhere,
            tags=changed_tags(normal),
        ),
    )


def _with_negatives(passages: pl.DataFrame, negatives: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the passages with those that are negatives only, and the pairs ``query_id, passage_id, origin``.

    `negatives` has the columns ``id, language, number, text, origin``. A text that a passage of its language has
    already is that passage, for a second one would be a wrong answer where the first is right.
    """
    if negatives.is_empty():
        return passages, pl.DataFrame(schema=dict.fromkeys(("passage_id", "origin", "query_id"), pl.String()))
    key = ["language", "same"]
    negatives = negatives.with_columns(same=canonical_texts(pl.col("text")))
    known = passages.select("language", "passage_id", same=canonical_texts(pl.col("text")))
    known = known.group_by(key).agg(pl.col("passage_id").min())
    unknown = negatives.join(known, on=key, how="anti").sort("id", "number").unique(key, keep="first")
    mark = "#"
    while passages["passage_id"].str.contains(mark, literal=True).any():
        mark += "#"
    new = unknown.select(
        *key, "text", "origin", passage_id=pl.concat_str("language", pl.lit("/"), "id", pl.lit(mark), "number")
    )
    named = pl.concat([known, new.select(*key, "passage_id")])
    pairs = negatives.join(named, on=key, maintain_order="left").select("passage_id", "origin", query_id="id")
    return (
        pl.concat([passages, new.drop("same").sort("passage_id")], how="diagonal"),
        pairs.unique(["query_id", "passage_id"], keep="first", maintain_order=True),
    )


def _items(path: Path) -> tuple[pl.DataFrame, pl.DataFrame, list[str], Mapping[str, str]]:
    """Return items ``id, language, query, passage, document, domain, origin``, negatives, names of fields, and tags.

    Negatives are ``id, language, number, text, origin``, where `number` is the place in the item's list. All is
    checked, and languages are normalised.
    """
    rows = Rows("id", "language", "query", "passage", "document", "domain", "origin")
    of_negatives = Rows("id", "language", "number", "text", "origin")
    languages: set[str] = set()
    names: dict[str, None] = {}
    for number, line in text_lines(path):
        if not line.strip():
            continue
        origin = f"{shown(path)}, line {number}"
        item = parse_json(line, origin)
        if not isinstance(item, dict):
            raise TaskError(f"{origin}: expected an object with the fields id and language, not {json_type(item)}")
        fields = {name: id_field(item, name, origin) for name in ("id", "document")}
        fields |= {name: string_field(item, name, origin) for name in ("language", *_TEXTS, "domain")}
        for name in ("id", "language", *_TEXTS, "document", "domain"):
            value = fields[name]
            if name in ("id", "language") and value is None:
                raise TaskError(f"{origin}: no field {name!r}")
            if value is not None and not value.strip():
                hint = "; leave the field out where there is no text" if name in _TEXTS else ""
                raise TaskError(f"{origin}: field {name!r} is empty{hint}")
        negatives = _negatives(item, fields["passage"], origin)
        if fields["query"] is None and fields["passage"] is None and not negatives:
            raise TaskError(f"{origin}: neither a field 'query' nor a field 'passage'; {_found(item)}")
        if len(names) < _MOST_NAMES:
            names.update(dict.fromkeys(item))
        tag = str(fields["language"])
        if tag not in languages:
            try:
                normalise_tag(tag)
            except TaskError as error:
                raise TaskError(f"{origin}: {error}") from error
            languages.add(tag)
        rows.add(fields["id"], tag, *(fields[name] for name in (*_TEXTS, "document", "domain")), origin)
        for place, text in enumerate(negatives, start=1):
            of_negatives.add(fields["id"], tag, str(place), text, origin)
    tags = normal_tags(languages)
    normal = pl.col("language").replace_strict(tags, return_dtype=pl.String)
    items = rows.frame().with_columns(normal)
    if items.is_empty():
        raise TaskError(f"{path}: the file holds no items")
    _refuse_doubles(items)
    negatives_frame = of_negatives.frame().with_columns(normal, pl.col("number").cast(pl.Int64))
    return items, negatives_frame, list(names), tags


_TEXTS = ("query", "passage")
_FIELDS = ("id", "language", *_TEXTS, "negatives", "domain", "document")
_MOST_NAMES = 100  # of fields that are remembered to be told
_LONGEST_NAME = 40  # characters


def _found(names: Iterable[str]) -> str:
    """Return which fields there are, with what an unknown one may have been meant to be, and which are known."""
    there = [
        repr(name[:_LONGEST_NAME]) + ("" if name in _FIELDS else suggestion(name, _FIELDS)) for name in map(str, names)
    ]
    return f"the fields there are {listed(there)}; expected {', '.join(_FIELDS)}"


def _negatives(item: Mapping[str, Any], passage: str | None, origin: str) -> list[str]:
    """Return the texts of `negatives`; TaskError for a wrong type, an empty text or the item's own passage."""
    value = item.get("negatives")
    if value is None:
        return []
    if not isinstance(value, list):
        raise TaskError(f"{origin}: field 'negatives' must be a list of strings, not {json_type(value)}")
    texts = []
    for place, text in enumerate(value, start=1):
        if not isinstance(text, str):
            raise TaskError(f"{origin}: field 'negatives': entry {place} must be a string, not {json_type(text)}")
        if not text.strip():
            raise TaskError(f"{origin}: field 'negatives': entry {place} is empty; leave it out")
        texts.append(drop_surrogates(text))
        if passage is not None and canonical(texts[-1]) == canonical(passage):
            raise TaskError(f"{origin}: field 'negatives': entry {place} is the item's own passage, which is relevant")
    return texts


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


def looks_like(path: Path) -> bool:
    """Whether the first line of a file is an object with an id, a language, and a query or a passage."""
    if not path.is_file():
        return False
    try:
        _, line = next(text_lines(path), (0, ""))
        item = json.loads(line)
    except (TaskError, ValueError, RecursionError):
        return False
    return isinstance(item, dict) and {"id", "language"} <= item.keys() and bool({"query", "passage"} & item.keys())


FORMAT = Format(
    name="parallel",
    summary="query → passage with the same id in every language, from JSON Lines (.jsonl, .jsonl.gz): id, language, "
    "and any of query, passage, negatives (a list of texts that look like an answer and are none), domain, document",
    example="parallel:FILE[split=train;by=id]",
    folder=False,
    options=(),
    read=read,
    looks_like=looks_like,
)
