"""Makes a collection of the three tables of BEIR-like data, wherever their rows come from: corpus, queries, qrels.

Languages, documents and parallel ids, which BEIR has no fields for, stand in an object ``metadata`` of each row, as
`xlbias data convert --format beir` writes them.
"""

from __future__ import annotations

import polars as pl

from xlbias.data.formats.items import Item, Items
from xlbias.data.formats.judged import Collection
from xlbias.data.formats.reading import id_field, string_field
from xlbias.data.formats.texts import Given, texts_of


def collection(
    name: str,
    corpus: Items,
    queries: Items,
    judgements: pl.DataFrame,
    *,
    language: str | None,
    query_language: str | None = None,
    titles: bool = True,
) -> tuple[Collection, pl.DataFrame]:
    """Return the collection of three tables, and the further documents of its passages (``passage_id, document``).

    Args:
        name: how an error calls it.
        corpus: rows with ``_id`` (or another name of `texts.IDS`), ``text``, ``title`` and ``metadata``.
        queries: rows with ``_id``, ``text`` and ``metadata``; ``metadata.query_id`` makes several rows one query.
        judgements: frame of `judgements`.
        language: of all texts; None where each row must say its own.
        query_language: that of the queries, where it is another one.
        titles: whether a title stands before its text.

    Raises TaskError with file and line.
    """
    documents: list[tuple[str, str]] = []
    ids: dict[str, str] = {}

    def of_passage(item: Item, given: Given, origin: str) -> None:
        metadata = _metadata(item)
        given["language"] = given["language"] or string_field(metadata, "language", f"{origin}, metadata")
        given["document"] = id_field(metadata, "document", f"{origin}, metadata")
        given["parallel_id"] = id_field(metadata, "parallel_id", f"{origin}, metadata")
        more = metadata.get("documents")
        if isinstance(more, list):
            documents.extend((given["id"] or "", one) for one in more if isinstance(one, str))

    def of_query(item: Item, given: Given, origin: str) -> None:
        metadata = _metadata(item)
        own = id_field(metadata, "query_id", f"{origin}, metadata")
        given["language"] = given["language"] or string_field(metadata, "language", f"{origin}, metadata")
        if own and given["id"]:
            ids[given["id"]] = own

    passages = texts_of(corpus, language=language, titles=titles, more=of_passage)
    asked = texts_of(queries, language=query_language or language, more=of_query)
    if ids:  # several rows are one query in several languages, each judged like the others
        asked = asked.with_columns(written="id", id=pl.col("id").replace(ids))
        judged = asked.join(judgements.select(written="query"), on="written", how="semi", maintain_order="left")
        asked = judged.drop("written")
        pairs = judgements.with_columns(pl.col("query").replace(ids))
        judgements = pairs.unique(["query", "passage", "relevance"], keep="first", maintain_order=True)
    schema = {"passage_id": pl.String(), "document": pl.String()}
    return Collection(name, asked, passages, judgements), pl.DataFrame(documents, schema=schema, orient="row")


def _metadata(item: Item) -> Item:
    found = item.get("metadata")
    return found if isinstance(found, dict) else {}
