"""Splits a task into train and test so that nothing of one side can be learnt from the other.

What must not be torn apart hangs together in a group: a query with all its relevant passages, the passages of one
document, the translations under one `parallel_id`, and passages of a language with the same text (but for Unicode
normalisation and white space). A passage of several documents ties these together. Groups are the
connected components of these ties, and go to one side whole. A negative is no tie: mined ones would chain the whole
task together. It stays where its query and its passage come to be on one side.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Literal, get_args

import polars as pl

from xlbias.data.components import connected_components
from xlbias.data.task import RetrievalTask
from xlbias.errors import TaskError, UsageError
from xlbias.folding import canonical_texts

Part = Literal["train", "test"]
By = Literal["auto", "document", "id"]

_HASH_RANGE = 2.0**64


def split_task(
    task: RetrievalTask, part: Part, *, by: By = "auto", test_fraction: float = 0.2, seed: int = 0
) -> RetrievalTask:
    """Return one side of a leak-free split of `task`, under the same name.

    Both sides depend only on what is in the task, `by`, `test_fraction` and `seed`, not on the order of rows. Groups
    are taken into the test part in the order of a seeded hash of their documents (else query ids), each that still
    fits, until `test_fraction` of the query ids that have a relevant passage is reached; the test part is never larger
    than that. Passages and queries tied to no pair are shared out by the same hash.

    Args:
        task: the whole task. Select languages afterwards: the split of a selection is another split, and so is that
            of another task cut from the same corpus. Take both sides from one task.
        part: ``train`` or ``test``.
        by: ``document`` keeps the passages of a document together; ``id`` only what a query or a text ties together;
            ``auto`` is ``document`` where the task names documents.
        test_fraction: share of query ids, between 0 and 1.
        seed: another seed gives another split.

    Raises TaskError if the groups are so large that the test part would not reach half of what was asked for, or if
    `by` is ``document`` and the task names none; UsageError for a part, `by` or fraction that does not exist.
    """
    if part not in get_args(Part):
        raise UsageError(f"unknown part {part!r} of a split: expected 'train' or 'test'")
    if not 0 < test_fraction < 1:
        raise UsageError(f"the test part of a split must be between 0 and 1 of the query ids, not {test_fraction}")
    queries, passages = groups(task, by)
    answered = queries.join(task.qrels, on="query_id", how="semi")
    sizes = answered.group_by("group").agg(size=pl.len())
    order = _hashed(queries, passages, _effective(task, by) == "document", seed).join(sizes, on="group", how="left")
    side = pl.col("group").is_in(_test_groups(task.name, order, test_fraction).implode())
    if part == "train":
        side = ~side
    kept_queries = queries.filter(side).select("query_id")
    kept_passages = passages.filter(side).select("passage_id")
    return task.changed(
        queries=task.queries.join(kept_queries, on="query_id", how="semi", maintain_order="left"),
        passages=task.passages.join(kept_passages, on="passage_id", how="semi", maintain_order="left"),
        qrels=task.qrels.join(kept_queries, on="query_id", how="semi", maintain_order="left"),
        negatives=task.negatives.join(kept_queries, on="query_id", how="semi", maintain_order="left").join(
            kept_passages, on="passage_id", how="semi", maintain_order="left"
        ),
        more_documents=task.more_documents.join(kept_passages, on="passage_id", how="semi", maintain_order="left"),
        excluded=task.excluded.join(kept_queries, on="query_id", how="semi", maintain_order="left").join(
            kept_passages, on="passage_id", how="semi", maintain_order="left"
        ),
    )


def groups(task: RetrievalTask, by: By = "auto") -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return what hangs together: frames ``query_id, group`` and ``passage_id, document, group``.

    Every query id and every passage is in exactly one group; group numbers mean nothing beyond equality. Passages that
    hang together with no query join that of the first query id (by name) that has one of them as a negative.
    """
    queries = task.queries.select("query_id").unique(maintain_order=True).with_row_index("node")
    offset = queries.height
    passages = task.passages.with_row_index("node", offset=offset)
    ties = [
        task.qrels.join(queries, on="query_id")
        .join(passages.select("passage_id", other="node"), on="passage_id")
        .select("node", "other")
    ]
    nodes = passages.select(
        "node", "document", "parallel_id", copies=pl.struct("language", canonical_texts(pl.col("text"))).rank("dense")
    )
    keys = ["copies", "parallel_id"]
    if _effective(task, by) == "document":
        keys.append("document")
        more = task.more_documents.join(passages.select("passage_id", "node"), on="passage_id")
        nodes = pl.concat([nodes, more.select("node", "document")], how="diagonal")
    for key in keys:
        tied = nodes.drop_nulls(key)
        ties.append(tied.select("node", other=pl.col("node").first().over(key)))
    tie = pl.concat(ties)
    labels = connected_components(
        offset + passages.height, tie["node"].cast(pl.Int64).to_numpy(), tie["other"].cast(pl.Int64).to_numpy()
    )
    of_queries = queries.select("query_id", group=pl.Series(labels[:offset]))
    of_passages = passages.select("passage_id", "document", group=pl.Series(labels[offset:]))
    return of_queries, _with_first_query(of_passages, of_queries, task.negatives)


def _with_first_query(passages: pl.DataFrame, queries: pl.DataFrame, negatives: pl.DataFrame) -> pl.DataFrame:
    """Let groups of passages without a query join a query that they are negatives of, as many as can without a tie."""
    if negatives.is_empty():
        return passages
    joined = (
        passages.join(queries, on="group", how="anti")
        .join(negatives, on="passage_id")
        .join(queries.rename({"group": "joins"}), on="query_id")
        .group_by("group")
        .agg(pl.col("joins").sort_by("query_id").first())
    )
    return passages.join(joined, on="group", how="left", maintain_order="left").select(
        "passage_id", "document", group=pl.coalesce("joins", "group")
    )


def _effective(task: RetrievalTask, by: By) -> Literal["document", "id"]:
    if by not in get_args(By):
        raise UsageError(f"cannot split by {by!r}: expected 'document', 'id' or 'auto'")
    if by == "id":
        return "id"
    if task.passages["document"].null_count() < task.passages.height:
        return "document"
    if by == "document":
        raise TaskError(f"{task.name}: cannot split by document: the task names no documents; use by=id")
    return "id"


def _test_groups(name: str, groups: pl.DataFrame, test_fraction: float) -> pl.Series:
    """Choose the groups of the test part out of ``group, hash, size``; size is null where no pair is in the group."""
    sizes = [size for size in groups["size"].to_list() if size is not None]
    total = sum(sizes)
    target = max(1, round(test_fraction * total))
    taken, chosen = 0, []
    for group, size, place in groups.select("group", "size", "hash").sort("hash", "group").iter_rows():
        if size is None:
            if place / _HASH_RANGE < test_fraction:
                chosen.append(group)
        elif taken + size <= target:
            taken += size
            chosen.append(group)
    if 2 * taken < target or taken == total:
        raise TaskError(
            f"{name}: cannot put {test_fraction:.0%} of {total:,} query ids into a test part: documents, shared "
            f"passages and equal texts tie them into {len(sizes):,} groups of {min(sizes):,} to {max(sizes):,} ids, "
            "which must not be torn apart; try by=id or another share"
        )
    return pl.Series(chosen, dtype=pl.Int64)


def _hashed(queries: pl.DataFrame, passages: pl.DataFrame, by_document: bool, seed: int) -> pl.DataFrame:
    """Return ``group, hash``: the smallest seeded hash of the group's documents, else of its query or passage ids.

    Documents come first so that two tasks cut from one corpus (sentence → translation, headline → sentence) put their
    documents into nearly the same order.
    """
    names = [
        queries.select("group", name=pl.lit("query ") + pl.col("query_id"), rank=pl.lit(1)),
        passages.select("group", name=pl.lit("passage ") + pl.col("passage_id"), rank=pl.lit(2)),
    ]
    if by_document:
        named = passages.drop_nulls("document").select("group", "document").unique()
        names.append(named.select("group", name=pl.lit("document ") + pl.col("document"), rank=pl.lit(0)))
    best = pl.concat(names).filter(pl.col("rank") == pl.col("rank").min().over("group"))
    key = str(seed).encode()
    hashes = [
        int.from_bytes(blake2b(name.encode(), digest_size=8, key=key[:64]).digest(), "big") for name in best["name"]
    ]
    return best.with_columns(hash=pl.Series(hashes, dtype=pl.UInt64)).group_by("group").agg(pl.col("hash").min())
