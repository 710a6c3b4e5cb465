"""Reads pairs to train on: a query, a passage that answers it, and passages that do not, one pair a line.

As sentence-transformers (``anchor, positive, negative``), FlagEmbedding (``query, pos, neg``), Tevatron
(``query, positive_passages, negative_passages``) and spreadsheets write them: JSON Lines, CSV, TSV or Parquet.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from xlbias.choices import listed
from xlbias.data.formats.base import Format, Option
from xlbias.data.formats.items import Items, first_field, items_of
from xlbias.data.formats.merging import merge_copies
from xlbias.data.formats.reading import (
    Provenance,
    Rows,
    id_field,
    json_type,
    plain_name,
    provenance,
    string_field,
)
from xlbias.data.notes import Notes
from xlbias.data.task import RetrievalTask
from xlbias.errors import TaskError
from xlbias.folding import canonical
from xlbias.languages import normalise_tag

QUERIES = ("query", "anchor", "question", "sentence1")
PASSAGES = ("passage", "positive", "pos", "positive_passages", "answer", "document", "sentence2")
NEGATIVES = ("negative", "negatives", "neg", "negative_passages")
"""Names of fields, the first of which that is there counts; ``negative_1``, ``negative_2``, ... are negatives too."""

_IDS = ("id", "query_id", "qid")


def read(path: Path, options: Mapping[str, str]) -> RetrievalTask:
    """Read a file of pairs, as `read_pairs` does."""
    language = options["language"] or None
    facts = provenance(path.parent)
    return read_pairs(items_of(path), str(path), language=language, name=plain_name(path), facts=facts)


def read_pairs(items: Items, where: str, *, language: str | None, name: str, facts: Provenance) -> RetrievalTask:
    """Return the task of pairs. Equal queries of a language are one query, equal passages one passage.

    A pair's `id`, where there is one, makes translations of one another of those with the same in several languages.
    `where` names the pairs in errors, `language` is that of all texts that do not say their own.
    """
    queries = Rows("query_id", "language", "text", "origin")
    passages = Rows("passage_id", "language", "text", "document", "origin")
    positives, negatives = Rows("query_id", "passage_id"), Rows("query_id", "passage_id")
    known: dict[tuple[str, str], str] = {}
    n = 0
    for n, (item, origin) in enumerate(items, start=1):
        given = first_field(item, ("language", "lang"), string_field, origin) or language
        if given is None:
            raise TaskError(f"{origin}: the pair does not say its language; give it as [language=en]")
        try:
            tag = normalise_tag(given)
        except TaskError as error:
            raise TaskError(f"{origin}: {error}") from error
        query = first_field(item, QUERIES, string_field, origin)
        positive = _texts(item, PASSAGES, origin)
        if not query or not query.strip():
            raise TaskError(f"{origin}: no query; expected one of the fields {listed(QUERIES)}, found {listed(item)}")
        if not positive:
            raise TaskError(f"{origin}: no passage; expected one of the fields {listed(PASSAGES)}")
        own = next((value for name in _IDS if (value := id_field(item, name, origin))), None)
        key = (tag, own or canonical(query))
        if key not in known:
            known[key] = own or f"{n}"
            queries.add(known[key], tag, query, origin)
        query_id = known[key]
        for kind, texts, pairs in (("+", positive, positives), ("-", _negatives(item, origin), negatives)):
            for place, text in enumerate(texts, start=1):
                passage_id = f"{tag}/{n}{kind}{place}"
                passages.add(passage_id, tag, text, None, origin)
                pairs.add(query_id, passage_id)
    if not n:
        raise TaskError(f"{where}: it holds no pairs")
    merged = merge_copies(passages.frame())
    positive_pairs = _kept(positives.frame(), merged.kept)
    negative_pairs = _kept(negatives.frame(), merged.kept)
    return RetrievalTask(
        name=name,
        **facts,
        queries=queries.frame(),
        passages=merged.passages,
        qrels=positive_pairs.with_columns(relevance=pl.lit(1, dtype=pl.Int32)),
        negatives=negative_pairs.join(positive_pairs, on=["query_id", "passage_id"], how="anti", maintain_order="left"),
        notes=Notes(parallel_by="id", n_copies=merged.n_copies),
    )


def _kept(pairs: pl.DataFrame, kept: pl.DataFrame) -> pl.DataFrame:
    named = pairs.join(kept, on="passage_id", maintain_order="left").select("query_id", passage_id="kept")
    return named.unique(maintain_order=True)


def _texts(item: Mapping[str, Any], names: tuple[str, ...], origin: str) -> list[str]:
    """Return the texts of the first of `names` that is there: a text, a list of them, or of objects with a `text`."""
    name = next((name for name in names if item.get(name) is not None), None)
    if name is None:
        return []
    value = item[name]
    texts = []
    for one in value if isinstance(value, list) else [value]:
        text = f"{one.get('title') or ''} {one.get('text') or ''}".strip() if isinstance(one, dict) else one
        if not isinstance(text, str):
            raise TaskError(f"{origin}: field {name!r} must be a text or a list of texts, not {json_type(one)}")
        if text.strip():
            texts.append(text)
    return texts


def _negatives(item: Mapping[str, Any], origin: str) -> list[str]:
    numbered = sorted(name for name in item if name.startswith("negative_") and name[9:].isdigit())
    more = [text for name in numbered for text in _texts(item, (name,), origin)]
    return [*_texts(item, NEGATIVES, origin), *more]


def looks_like(path: Path) -> bool:
    """Whether the first row of a file has a query and a passage, and is none of `parallel`."""
    if not path.is_file():
        return False
    try:
        first, _ = next(iter(items_of(path)), ({}, ""))
    except TaskError:
        return False
    told = {"id", "language", "query", "passage"} <= first.keys()
    return not told and any(name in first for name in QUERIES) and any(name in first for name in PASSAGES)


FORMAT = Format(
    name="pairs",
    summary="query → passage, with hard negatives, from JSON Lines, CSV, TSV or Parquet with the fields of "
    "sentence-transformers (anchor, positive, negative), FlagEmbedding (query, pos, neg) or Tevatron; to train on",
    example="pairs:FILE[language=en]",
    folder=False,
    options=(Option("language", "language of all texts, where a field 'language' does not say it"),),
    read=read,
    looks_like=looks_like,
)
