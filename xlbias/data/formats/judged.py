"""Puts collections together that were judged: queries, passages and who is relevant to whom, a language or several.

Readers of BEIR folders, MIRACL, Mr. TyDi, mMARCO and TREC files give `Collection`s; `together` makes one task of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from xlbias.data.formats.base import Option
from xlbias.data.notes import Notes
from xlbias.data.task import RetrievalTask
from xlbias.errors import TaskError

PASSAGE_COLUMNS = ("id", "text", "language", "document", "parallel_id", "origin")
JUDGEMENT_COLUMNS = ("query", "passage", "relevance", "origin")

TITLE = Option("title", "whether the title stands before a passage's text", choices=("yes", "no"), default="yes")
"""The option of every format whose passages have titles."""


def parallel_option(where: str) -> Option:
    """Return the option of a format whose ids may be shared by `where`, such as several subsets."""
    return Option(
        "parallel", f"whether equal ids in {where} are translations of one another", choices=("id", "no"), default="no"
    )


@dataclass(frozen=True)
class Collection:
    """What belongs together: the ids of its judgements are those of its queries and passages.

    Attributes:
        name: how an error calls it.
        queries: frame ``id, text, language, origin`` of strings.
        passages: frame ``id, text, language, document, parallel_id, origin`` of strings; the last three may be null.
        judgements: frame ``query, passage, relevance, origin``; relevance is a whole number, above 0 for relevant.
    """

    name: str
    queries: pl.DataFrame
    passages: pl.DataFrame
    judgements: pl.DataFrame


def together(
    collections: Sequence[Collection], *, name: str, domain: str, source: str, licence: str, parallel: bool
) -> RetrievalTask:
    """Return the task of collections, one for each language, or one that holds several.

    Args:
        collections: at least one.
        name: the task's plain name.
        domain: what it is about.
        source: where it comes from.
        licence: under which licence.
        parallel: whether equal ids in different collections are translations of one another. Then a passage that is
            relevant to a query is so in every language. If not, ids say nothing across collections.

    The ids of a single collection stay as they are written. Where there are several, passages become ``LANGUAGE/ID``,
    and so do queries that are not parallel; a query or passage that stands in several collections is there once. Kept
    are the queries that are judged. Passages without text, and judgements of queries or passages that are not there,
    are left out and counted in the notes. Raises TaskError where nothing relevant is left, or where one query and
    passage are judged in two ways.
    """
    several = len(collections) > 1
    queries, passages, judgements = [], [], []
    n_empty = n_unknown = 0
    for one in collections:
        there = one.passages.filter(pl.col("text").str.contains(r"\S"))
        judged = one.judgements.join(there.select(passage="id"), on="passage", how="semi", maintain_order="left")
        known = judged.join(one.queries.select(query="id"), on="query", how="semi", maintain_order="left")
        n_empty += one.passages.height - there.height
        n_unknown += one.judgements.height - known.height
        _refuse_contradictions(one.name, known)
        asked = one.queries.join(known.select(id="query"), on="id", how="semi", maintain_order="left")
        own = pl.concat_str("language", pl.lit("/"), "id") if several else pl.col("id")
        queries.append(asked.with_columns(query_id=pl.col("id") if parallel else own))
        passages.append(
            there.with_columns(
                passage_id=own,
                parallel_id=pl.coalesce("parallel_id", "id") if parallel and several else pl.col("parallel_id"),
            )
        )
        judgements.append(
            known.join(asked.select(query="id", query_id=pl.col("id") if parallel else own).unique(), on="query")
            .join(there.select(passage="id", passage_id=own), on="passage")
            .select("query_id", "passage_id", "relevance", "origin", written="passage")
        )
    all_queries, all_passages, qrels = pl.concat(queries), pl.concat(passages), pl.concat(judgements)
    if several:  # collections may have queries in common, or passages
        all_queries = all_queries.unique(["query_id", "language", "text"], keep="first", maintain_order=True)
        all_passages = _distinct(all_passages)
        qrels = qrels.unique(["query_id", "passage_id", "relevance"], keep="first", maintain_order=True)
    if parallel and several:
        qrels = _in_every_language(qrels, all_passages)
    if not qrels.is_empty() and (qrels["relevance"] <= 0).all():
        raise TaskError(f"{name}: all {qrels.height:,} judgements are 0 or less; expected some of 1 or more: relevant")
    if qrels.is_empty():
        raise TaskError(f"{name}: no judgement is of a query and a passage that are there; {_counted(collections)}")
    return RetrievalTask(
        name=name,
        domain=domain,
        source=source,
        licence=licence,
        queries=all_queries.select("query_id", "language", "text", "origin"),
        passages=all_passages.select("passage_id", "language", "text", "document", "parallel_id", "origin"),
        qrels=qrels.select("query_id", "passage_id", pl.col("relevance").cast(pl.Int32), "origin"),
        notes=Notes(
            parallel_by="query id" if parallel or not several else "",
            n_empty=n_empty,
            n_unknown_judgements=n_unknown,
        ),
    )


def _distinct(passages: pl.DataFrame) -> pl.DataFrame:
    """Return passages of several collections, each once: of those with one id, the first with a text and document."""
    twice = passages["passage_id"].is_duplicated()
    if not twice.any():
        return passages
    rows = passages.with_row_index("row")
    kept = rows.filter(twice).unique(["passage_id", "text", "document"], keep="first", maintain_order=True)
    return pl.concat([rows.filter(~twice), kept]).sort("row").drop("row")


def _in_every_language(qrels: pl.DataFrame, passages: pl.DataFrame) -> pl.DataFrame:
    """Return judgements of an id as judgements of the passages with that id in all languages."""
    of_ids = qrels.group_by("query_id", "written", maintain_order=True).agg(
        pl.col("relevance").first(), pl.col("relevance").n_unique().alias("kinds"), pl.col("origin").first()
    )
    contradicted = of_ids.filter(pl.col("kinds") > 1)
    if not contradicted.is_empty():
        row = contradicted.row(0, named=True)
        raise TaskError(
            f"{row['origin']}: query {row['query_id']!r} and passage {row['written']!r} are judged in another way in "
            "another language; without parallel=id each language keeps its own judgements"
        )
    named = passages.select("passage_id", written="id")
    return of_ids.join(named, on="written", maintain_order="left").select(
        "query_id", "passage_id", "relevance", "origin", "written"
    )


def _refuse_contradictions(name: str, judgements: pl.DataFrame) -> None:
    pair = ["query", "passage"]
    doubled = judgements.filter(pl.struct(pair).is_duplicated()).sort(pair, maintain_order=True)
    if not doubled.is_empty():
        query, passage, relevance, origin = doubled.select(JUDGEMENT_COLUMNS).row(1)
        raise TaskError(f"{origin or name}: query {query!r} and passage {passage!r} are judged twice ({relevance})")


def _counted(collections: Sequence[Collection]) -> str:
    counts = (
        sum(one.queries.height for one in collections),
        sum(one.passages.height for one in collections),
        sum(one.judgements.height for one in collections),
    )
    return "there are {:,} queries, {:,} passages and {:,} judgements: do their ids agree?".format(*counts)
