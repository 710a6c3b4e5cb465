"""From the rows of a file to lists of a task: whose query it is, which passage, and at which place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl

from xlbias.choices import suggestion
from xlbias.data.convert import beir_query_id
from xlbias.data.task import RetrievalTask
from xlbias.errors import RunError
from xlbias.measures.ragged import Bools, Ints
from xlbias.records import quoted
from xlbias.systems.source import Source

Order = Literal["score", "rank"]
"""What a list is ordered by: falling scores, equal ones by falling passage id, as in trec_eval; or the file's ranks."""

IDS = "the ids of `xlbias export qrels`"
_MOST_SUGGESTED = 20_000


@dataclass(frozen=True, eq=False)
class Lists:
    """The lists of one file, end to end: an entry for each passage of each list, by query, then by place.

    Attributes:
        source: the file.
        query: int64 [n], rows of the task's queries, ascending.
        passage: int64 [n], rows of the task's passages.
        score: float32 [n], as trec_eval holds them.
        depth: how long a list can be: where one is shorter, the system found nothing more.
        lengths: int64 [n_queries], passages of each list in the file, of all queries of the task.
        languages: query languages that the file has lists of: a query of them without a list has found nothing.
        n_ignored: rows whose query or passage is not in the task.
        n_misordered: lists whose ranks and scores contradict each other.
    """

    source: Source
    query: Ints
    passage: Ints
    score: Any
    depth: int
    lengths: Ints
    languages: tuple[str, ...]
    n_ignored: int
    n_misordered: int

    @property
    def n_tied(self) -> int:
        """Passages that score the same as the one before them in their list."""
        if len(self.query) < 2:
            return 0
        same = (np.diff(self.query) == 0) & (np.diff(self.score) == 0)
        return int(same.sum())


def lists_of(
    source: Source,
    rows: pl.DataFrame,
    task: RetrievalTask,
    *,
    order: Order = "score",
    depth: int | None = None,
    ignore_unknown: bool = False,
) -> Lists:
    """Return the lists of a file.

    Args:
        source: the file.
        rows: what `read_rankings` read of it.
        task: whose queries and passages they are of.
        order: what they are ordered by.
        depth: how long lists can be: longer ones are cut. By default the longest list's length.
        ignore_unknown: leave out queries and passages that are not in the task; else they are errors.

    Raises RunError with file and line for an id that is not in the task, or a passage of another pool.
    """
    queries = _queries(source, task)
    passages = task.passages.select("language", passage="passage_id").with_row_index("p")
    found = rows.join(queries, on="query", how="left", maintain_order="left").join(
        passages, on="passage", how="left", maintain_order="left"
    )
    known = pl.col("q").is_not_null() & pl.col("p").is_not_null()
    n_ignored = found.height - found.select(known.sum()).item()
    if n_ignored and (not ignore_unknown or n_ignored == found.height):
        raise _unknown(source, found, task, n_ignored)
    if source.pool is not None:
        other = found.filter(pl.col("language") != source.pool)
        if other.height:
            row = other.row(0, named=True)
            raise RunError(
                f"{_where(source, row)}: passage {quoted(row['passage'])} is in {row['language']}; the file is given "
                f"as a ranking of passages in {source.pool}: leave out pool= where it ranks those of several languages"
            )
    if order == "rank" and found["rank"].null_count():
        raise RunError(f"{source.path}: JSON holds scores only: order by score")
    by_id = passages.select("p", pl.col("passage").rank("ordinal", descending=True).alias("place"))
    found = found.join(by_id, on="p", how="left", maintain_order="left").filter(pl.col("q").is_not_null())
    if not task.excluded.is_empty():
        found = _without_excluded(found, task)
    query = found["q"].cast(pl.Int64).to_numpy()
    passage = found["p"].cast(pl.Int64).fill_null(-1).to_numpy()
    score = found["score"].cast(pl.Float32).to_numpy()
    place = found["place"].cast(pl.Int64).fill_null(0).to_numpy()
    rank = found["rank"].fill_null(0).to_numpy()
    sorting = np.lexsort((rank, query)) if order == "rank" else np.lexsort((place, -score, query))
    misordered = _misordered(query, rank, score)
    query, passage, score = (one[sorting] for one in (query, passage, score))
    lengths = np.bincount(query, minlength=task.queries.height).astype(np.int64)
    deepest = depth or int(lengths.max(initial=0))
    at = np.arange(len(query)) - (np.cumsum(lengths) - lengths)[query]
    kept = (at < deepest) & (passage >= 0)
    names = task.queries["language"].to_numpy()[np.flatnonzero(lengths > 0)]
    languages = (source.query,) if source.query else tuple(sorted(set(names.tolist())))
    return Lists(
        source, query[kept], passage[kept], score[kept], deepest, np.minimum(lengths, deepest), languages, n_ignored,
        misordered,
    )  # fmt: skip


def _without_excluded(found: pl.DataFrame, task: RetrievalTask) -> pl.DataFrame:
    """Return the rows, no passage in those that are left out of their query's pool."""
    out = (
        task.excluded.join(task.queries.with_row_index("q"), on=["query_id", "language"])
        .join(task.passages.select("passage_id").with_row_index("p"), on="passage_id")
        .select("q", "p", out=pl.lit(True))
    )
    marked = found.join(out, on=["q", "p"], how="left", maintain_order="left")
    return marked.with_columns(p=pl.when(pl.col("out").is_null()).then("p")).drop("out")


def _queries(source: Source, task: RetrievalTask) -> pl.DataFrame:
    """Return ``query, q``: ids as a file may have them, and their row in the task's queries."""
    outside = task.queries.with_row_index("q").with_columns(query=beir_query_id(task))
    if source.query is None:
        return outside.select("query", "q")
    own = outside.filter(pl.col("language") == source.query)
    plain = own.select(query="query_id", q="q")
    return pl.concat([plain, own.select("query", "q")]).unique("query", keep="first", maintain_order=True)


def _misordered(query: Ints, rank: Ints, score: Any) -> int:
    """Return in how many lists a score is greater than that of an entry with a better rank."""
    by_rank = np.lexsort((-score, rank, query))
    rises = (np.diff(query[by_rank]) == 0) & (np.diff(rank[by_rank]) > 0) & (np.diff(score[by_rank]) > 0)
    return len(np.unique(query[by_rank][1:][rises]))


def _unknown(source: Source, found: pl.DataFrame, task: RetrievalTask, n: int) -> RunError:
    no_query = found.filter(pl.col("q").is_null())
    rows = no_query if no_query.height else found.filter(pl.col("p").is_null())
    row = rows.row(0, named=True)
    more = f" ({n:,} rows have such ids)" if n > 1 else ""
    if no_query.height:
        asked = sorted(task.queries.filter(pl.col("query_id") == row["query"])["language"].to_list())
        if asked and source.query is None:
            return RunError(
                f"{_where(source, row)}: query {quoted(row['query'])} is asked in {len(asked)} languages: say which "
                f"one the file is of, as in {source.path}[query={asked[0]}], or write ids such as "
                f"{asked[0] + '/' + row['query']!r}"
            )
        ids = task.queries.select(beir_query_id(task)).to_series()
    else:
        ids = task.passages["passage_id"]
    kind = "query" if no_query.height else "passage"
    wanted = str(row[kind])
    close = suggestion(wanted, ids.head(_MOST_SUGGESTED).to_list())
    return RunError(
        f"{_where(source, row)}: {kind} {quoted(wanted)} is not in {task.name}{close}{more}: expected {IDS}, such as "
        f"{ids[0]!r}; --ignore-unknown leaves out what is not in the task"
    )


def _where(source: Source, row: dict[str, Any]) -> str:
    return f"{source.path}, line {row['line']}" if row.get("line") else str(source.path)


def truncated(lists: Lists) -> Bools:
    """Return for each query of the task whether its list goes on where the file ends, bool [n_queries]."""
    return lists.lengths >= lists.depth
