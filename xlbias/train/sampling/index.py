"""From the frames of a task to the arrays that pairs and hard negatives are drawn from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from xlbias.data import components
from xlbias.data.task import RetrievalTask
from xlbias.train.sampling.batch import Ints
from xlbias.train.sampling.candidates import TaskPairs
from xlbias.train.sampling.language_rows import LanguageRows
from xlbias.train.sampling.negatives import HardNegatives


def index_task(task: RetrievalTask, languages: Sequence[str]) -> tuple[TaskPairs, pl.Series, pl.Series]:
    """Return the drawable pairs of `task`, its query texts by query row and its passage texts by passage row.

    `languages` holds at least the task's. Rows are in the order of ids, so the same task gives the same rows whatever
    the order of its frames. Queries without a relevant passage, and passages that nothing asks for and that are no
    hard negatives, are left out.
    """
    code = pl.col("language").replace_strict(
        dict(zip(languages, range(len(languages)), strict=True)), return_dtype=pl.Int16
    )
    ids = task.qrels.select("query_id").unique().sort("query_id").with_row_index("id")
    queries = task.queries.join(ids, on="query_id").with_columns(code.alias("code")).sort("id", "code")
    coded = task.passages.select("passage_id", "parallel_id", "text", code.alias("code"))
    relevants = task.qrels.join(ids, on="query_id").join(coded, on="passage_id").sort("id", "code", "passage_id")
    negatives = _drawable_negatives(task, ids, coded)
    # Passages stand in the order of the pairs, so that a passage's place is its row wherever no passage is shared.
    passages = pl.concat([relevants["passage_id"], negatives["passage_id"].sort()]).unique(maintain_order=True)
    rows = passages.to_frame().with_row_index("passage")
    relevants = relevants.join(rows, on="passage_id", maintain_order="left")
    negatives = negatives.join(rows, on="passage_id").sort("id", "code", "passage")
    entries = negatives.select("passage", "code", "text", "parallel_id").unique("passage").sort("passage")
    group = _groups(queries, relevants, entries, ids.height)
    runs = relevants.group_by("id", "code", maintain_order=True).len()
    size = (ids.height, len(languages))
    pairs = TaskPairs(
        name=task.name,
        languages=tuple(languages),
        queries=LanguageRows.of(queries["id"].to_numpy(), queries["code"].to_numpy(), *size),
        runs=LanguageRows.of(runs["id"].to_numpy(), runs["code"].to_numpy(), *size),
        relevant_offsets=None if runs.height == relevants.height else _offsets(runs["len"]),
        relevant_passage=_unless_counting(relevants["passage"].to_numpy()),
        group=_unless_counting(group[: ids.height]),
        negatives=_hard_negatives(negatives, entries, group[ids.height :], size) if negatives.height else None,
    )
    return pairs, queries["text"], rows.join(coded, on="passage_id", maintain_order="left")["text"]


def _drawable_negatives(task: RetrievalTask, ids: pl.DataFrame, passages: pl.DataFrame) -> pl.DataFrame:
    """Return ``id, passage_id, parallel_id, text, code``: the negatives of each id, each text of a language once.

    Left out is a negative that says what a relevant passage of its id says: one with its text, a translation of it, or
    (in so many steps) a translation of a text equal to it. Passages are translations of one another that share a
    parallel id, or are relevant to one id that has no two in one language.
    """
    negatives = task.negatives.join(ids, on="query_id").join(passages, on="passage_id")
    if negatives.is_empty():
        return negatives.drop("query_id")
    nodes = passages.with_row_index("node")
    relevants = task.qrels.join(nodes, on="passage_id")
    single = ~pl.struct("query_id", "code").is_duplicated().any().over("query_id")
    ties = [
        nodes.select("node", key=pl.concat_str(pl.lit("text "), "text")),
        nodes.drop_nulls("parallel_id").select("node", key=pl.concat_str(pl.lit("parallel "), "parallel_id")),
        relevants.filter(single).select("node", key=pl.concat_str(pl.lit("query "), "query_id")),
    ]
    meaning = nodes.select("passage_id", meaning=pl.Series(_components(pl.concat(ties), "node", nodes.height)))
    answered = task.qrels.join(meaning, on="passage_id").select("query_id", "meaning").unique()
    return (
        negatives.join(meaning, on="passage_id")
        .join(answered, on=["query_id", "meaning"], how="anti")
        .sort("id", "code", "passage_id")
        .unique(["id", "code", "text"], keep="first", maintain_order=True)
        .drop("query_id", "meaning")
    )


def _hard_negatives(
    negatives: pl.DataFrame, entries: pl.DataFrame, group: Ints, size: tuple[int, int]
) -> HardNegatives:
    """Return the lists of `negatives` (sorted by id, code and passage) over `entries` (sorted by passage)."""
    lists = negatives.group_by("id", "code", maintain_order=True).len()
    passage = entries["passage"].to_numpy()
    return HardNegatives(
        lists=LanguageRows.of(lists["id"].to_numpy(), lists["code"].to_numpy(), *size),
        offsets=_offsets(lists["len"]),
        entries=np.searchsorted(passage, negatives["passage"].to_numpy()).astype(np.uint32),
        passage=passage,
        language=entries["code"].to_numpy(),
        text=entries["text"].rank("dense").to_numpy(),
        group=group,
    )


def _groups(queries: pl.DataFrame, relevants: pl.DataFrame, negatives: pl.DataFrame, n_ids: int) -> Ints:
    """Group of each id, then of each of `negatives`: int [n_ids + n_negatives].

    Ids stand in one group if a passage or query text, or a parallel group, of one is the other's: then a passage of
    one, in whatever language, answers the other, and as a negative it would be a false one. A negative stands in the
    group of the ids that it answers in that sense. The relation is closed transitively, which keeps a group to one
    number for each id.
    """
    columns = ["item", "text", "parallel_id"]
    items = pl.concat(
        [
            queries.select("text", item="id", parallel_id=pl.lit(None, dtype=pl.String)).select(columns),
            relevants.rename({"id": "item"}).select(columns),
            negatives.with_row_index("item", offset=n_ids).select(columns),
        ]
    )
    links = [items.select("item", key=pl.col("text").rank("dense").cast(pl.Int64))]
    parallel = items.drop_nulls("parallel_id")
    if parallel.height:
        # negative, so that no parallel id is taken for a text
        links.append(parallel.select("item", key=-pl.col("parallel_id").rank("dense").cast(pl.Int64)))
    return _components(pl.concat(links), "item", n_ids + negatives.height)


def _components(links: pl.DataFrame, item: str, n_items: int) -> Ints:
    """Number the components of items 0..n-1, where two hang together if they share a `key` in `links`."""
    shared = links.unique().filter(pl.len().over("key") > 1).with_columns(key=pl.col("key").rank("dense"))
    shared = shared.sort("key", item)
    return connected_components(
        shared[item].cast(pl.Int64).to_numpy(), shared["key"].cast(pl.Int64).to_numpy(), n_items
    )


def connected_components(items: Ints, keys: Ints, n_items: int) -> Ints:
    """Number the connected components of items 0..n-1, where two items are connected if they share a key.

    `items` and `keys` belong together and are sorted by key. Returns int32 or int64 [n_items], numbers from 0 without
    gaps.
    """
    starts = np.flatnonzero(np.diff(keys, prepend=keys[:1] - 1))
    first = np.repeat(items[starts], np.diff(np.append(starts, len(keys))))  # of the key: all its items hang on it
    labels = components.connected_components(n_items, items, first)
    return _compact(np.append(np.unique(labels, return_inverse=True)[1], n_items))[:-1]


def _unless_counting(values: Ints) -> Ints | None:
    """Return `values`, or None where they are 0, 1, 2, ..."""
    return None if np.array_equal(values, np.arange(len(values), dtype=values.dtype)) else values


def _offsets(lengths: pl.Series) -> Ints:
    """Where each of so many long lists begins, and where the last ends."""
    return _compact(np.concatenate(([0], np.cumsum(lengths.to_numpy(), dtype=np.int64))))


def _compact(offsets: Ints) -> Ints:
    return offsets.astype(np.int32 if offsets[-1] < np.iinfo(np.int32).max else np.int64)
