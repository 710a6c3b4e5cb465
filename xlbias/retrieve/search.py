"""One block of queries against all passages of a task: vectors in, `ranking` rows of a run out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace

import numpy as np
import polars as pl

from xlbias.cells import TopOf
from xlbias.data.task import RetrievalTask
from xlbias.retrieve.index import Int64s, PassageOrder, Queries, Vectors
from xlbias.retrieve.left_out import top_without, without
from xlbias.retrieve.ranking_rows import ranking_rows
from xlbias.retrieve.ranks import Asked, PairRanks, rank
from xlbias.retrieve.topk import TopK

Ranker = Callable[[PassageOrder, Asked], tuple[PairRanks, list[TopK]]]
"""Called as `xlbias.retrieve.ranks.rank` is."""


def in_index_order(passages: pl.DataFrame) -> pl.DataFrame:
    """Return passages in the order in which a `PassageIndex` holds them best: by language, then by declared order."""
    return passages.sort("language", "passage_id", descending=[False, True])


def relevant_pairs(task: RetrievalTask, passages: pl.DataFrame) -> pl.DataFrame:
    """Return ``query_id, passage_row, relevance``: qrels by the position of the passage in `passages`."""
    rows = passages.select("passage_id").with_row_index("passage_row")
    return task.qrels.join(rows, on="passage_id", how="inner").select("query_id", "passage_row", "relevance")


def search(
    queries: pl.DataFrame,
    vectors: Queries,
    passages: pl.DataFrame,
    index: PassageOrder,
    relevant: pl.DataFrame,
    top_k: int,
    top_of: TopOf = "all",
    score_of: Callable[[Vectors, Int64s], Vectors] = lambda products, _: products,
    left_out: pl.DataFrame | None = None,
    ranker: Ranker = rank,
) -> pl.DataFrame:
    """Return the ranking rows of `queries` in every pool of `index`.

    Args:
        queries: ``query_id, language``, one row per query.
        vectors: what `index` scores, float32 [n_queries, d] or int64 [n_queries].
        passages: ``passage_id, language, parallel_id``, in the order given to the index.
        index: the index of those passages.
        relevant: from `relevant_pairs` for those passages.
        top_k: passages of each ranking to keep; 0 for none, which spares that search.
        top_of: pools of which they are kept.
        score_of: from dot products, float32 [n], with the queries of so many rows to the scores that are kept.
        left_out: from `left_out_pairs` for those passages: what is not in the pools of a query.
        ranker: `xlbias.retrieve.ranks.rank`, or what does the same with others.
    """
    rows = queries.select("query_id", "language").with_row_index("row")
    pairs = _relevant_of(rows, relevant).with_columns(out=False)
    if left_out is not None and left_out.height:
        own = rows.join(left_out, on=["query_id", "language"], how="inner").select("row", "passage_row")
        pairs = pl.concat(
            [
                pairs.join(own, on=["row", "passage_row"], how="anti"),
                own.with_columns(relevance=pl.lit(0, pairs.schema["relevance"]), out=True),
            ]
        )
    pairs = pairs.sort("row", "passage_row")
    query, passage = (pairs[name].cast(pl.Int64).to_numpy() for name in ("row", "passage_row"))
    relevance, out = pairs["relevance"].cast(pl.Int64).to_numpy(), pairs["out"].to_numpy()
    index.hold(vectors)
    more = int(np.bincount(query[out]).max()) if out.any() else 0
    k = top_k + more if top_k else 0
    ranks, top = ranker(index, Asked(vectors, query, passage, queries["query_id"].to_list(), k, top_of))
    if more:
        of_out = PairRanks(**{each.name: getattr(ranks, each.name)[out] for each in fields(PairRanks)})
        top = top_without(index, top, of_out, query[out], passage[out], top_k)
        ranks = without(index, ranks, query, passage, out)
        query, passage, relevance = query[~out], passage[~out], relevance[~out]
    ranks = replace(ranks, score=score_of(ranks.score, query))
    top = [replace(found, scores=_of_rows(found.scores, score_of)) for found in top]
    return ranking_rows(queries, passages, index, query, passage, relevance, ranks, top)


def pairs_of(queries: pl.DataFrame, relevant: pl.DataFrame) -> tuple[Int64s, Int64s]:
    """Return the pairs that `search` ranks of queries that leave nothing out: row and passage, both int64 [n]."""
    pairs = _relevant_of(queries.select("query_id").with_row_index("row"), relevant).sort("row", "passage_row")
    query, passage = (pairs[name].cast(pl.Int64).to_numpy() for name in ("row", "passage_row"))
    return query, passage


def _relevant_of(rows: pl.DataFrame, relevant: pl.DataFrame) -> pl.DataFrame:
    return rows.join(relevant, on="query_id", how="inner").select("row", "passage_row", "relevance")


def _of_rows(products: Vectors, score_of: Callable[[Vectors, Int64s], Vectors]) -> Vectors:
    """Return the scores of products [n_queries, k]."""
    rows = np.repeat(np.arange(len(products)), products.shape[1])
    return score_of(products.reshape(-1), rows).reshape(products.shape)
