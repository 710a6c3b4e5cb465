"""Makes one passage of equal texts: what answers a question answers it wherever else it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

import polars as pl

from xlbias.data.notes import Notes
from xlbias.folding import canonical_digests


@dataclass(frozen=True)
class Merged:
    """Passages without copies.

    Attributes:
        passages: the passages that stay, with all columns that they had.
        kept: frame ``passage_id, kept``: for each passage as it was given, the one that it is now.
        more_documents: frame ``passage_id, document``: the documents of copies, but for that of the passage itself.
        n_copies: how many passages are no more.
        n_copies_elsewhere: those of them that stood in another document than the one that stays.
    """

    passages: pl.DataFrame
    kept: pl.DataFrame
    more_documents: pl.DataFrame
    n_copies: int
    n_copies_elsewhere: int


def merge_copies(passages: pl.DataFrame) -> Merged:
    """Merge passages of one language whose texts are equal but for Unicode normalisation and white space.

    `passages` has the columns ``passage_id, language, text, document``. Many questions are asked about one paragraph,
    which converters repeat for each of them, and many are answered by "yes": left apart, a copy of the right answer
    would count as a wrong one, in whatever document it stands. The passage with the smallest id stays, so that nothing
    depends on the order of rows; where it has no document, it gets that of a copy.
    """
    same = ["language", "same", "same_2"]
    named = passages.hstack(canonical_digests(passages["text"]))
    groups = (
        named.filter(pl.struct(same).is_duplicated())
        .sort("passage_id")
        .group_by(same)
        .agg(
            kept=pl.col("passage_id").first(),
            stays=pl.coalesce(pl.col("document").first(), pl.col("document").min()),
        )
    )
    named = named.join(groups, on=same, how="left", maintain_order="left").with_columns(
        pl.coalesce("kept", "passage_id").alias("kept"), pl.coalesce("stays", "document").alias("stays")
    )
    gone = named.filter(pl.col("passage_id") != pl.col("kept"))
    elsewhere = gone.filter(pl.col("document") != pl.col("stays"))
    return Merged(
        passages=named.filter(pl.col("passage_id") == pl.col("kept"))
        .with_columns(document="stays")
        .drop("same", "same_2", "kept", "stays"),
        kept=named.select("passage_id", "kept"),
        more_documents=elsewhere.select("kept", "document")
        .unique()
        .sort("kept", "document")
        .rename({"kept": "passage_id"}),
        n_copies=gone.height,
        n_copies_elsewhere=elsewhere.height,
    )


class Translations(TypedDict):
    """The frames of a task, as its constructor takes them."""

    queries: pl.DataFrame
    passages: pl.DataFrame
    qrels: pl.DataFrame
    more_documents: pl.DataFrame
    notes: Notes


def translations(items: pl.DataFrame, *, parallel_by: str, n_variants: int = 0) -> Translations:
    """Return the frames of a task in which every text is a query and a passage in its language.

    `items` has the columns ``id, language, text, document`` and `origin` if known, with (id, language) unique.
    """
    merged, qrels = merge_items(items)
    return {
        "queries": items.drop("document").rename({"id": "query_id"}),
        "passages": merged.passages,
        "qrels": qrels.unique(maintain_order=True).with_columns(relevance=pl.lit(1, dtype=pl.Int32)),
        "more_documents": merged.more_documents,
        "notes": Notes(
            parallel_by=parallel_by,
            n_copies=merged.n_copies,
            n_copies_elsewhere=merged.n_copies_elsewhere,
            n_variants=n_variants,
        ),
    }


def merge_items(items: pl.DataFrame) -> tuple[Merged, pl.DataFrame]:
    """Turn items into passages, as `merge_copies` does, and the pairs ``query_id, passage_id`` that are relevant.

    `items` has the columns ``id, language, text, document`` and `origin` if known, with (id, language) unique. A
    passage is relevant to the ids of all items with its text. Its own id is the language and the smallest of theirs:
    ``de/0017``.
    """
    named = items.with_columns(passage_id=pl.concat_str("language", pl.lit("/"), "id"))
    merged = merge_copies(named.drop("id"))
    pairs = named.select("passage_id", query_id="id").join(merged.kept, on="passage_id", maintain_order="left")
    return merged, pairs.select("query_id", passage_id="kept")
