"""Exact ranks of relevant passages, in their own language's pool and in the union of all pools, by counting.

``rank(d | q, pool) = 1 + |{x : s(q,x) > s(q,d)}| + |{x before d : s(q,x) = s(q,d)}|``, where equal scores are ordered
by passage id descending, as trec_eval does. How many score the same is kept too: quality follows that order, measures
of bias are expectations over a random one. Nothing is sorted: after the scores of the relevant passages, one pass over
all tiles counts what is better, and keeps the best.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch

from xlbias.cells import TopOf
from xlbias.errors import EncoderError
from xlbias.retrieve.counting import ABOVE, COUNTS, TIED_BEFORE, as_numpy, count_better_cpu, count_better_torch
from xlbias.retrieve.index import (
    PASSAGE_TILE,
    QUERY_TILE,
    Int64s,
    PassageOrder,
    Queries,
    ScoredTile,
    Vectors,
    exact_products,
)
from xlbias.retrieve.row_threads import over_rows
from xlbias.retrieve.shares import Alone, Shares
from xlbias.retrieve.topk import Best, TopK


@dataclass(frozen=True)
class PairRanks:
    """Where relevant passages rank: one entry per (query, relevant passage) pair, in the order of the pairs asked for.

    Attributes:
        score: float32, similarity of query and passage.
        in_pool: int64, rank from 1 in the pool of the passage's language.
        in_union: int64, rank from 1 in the union of all pools.
        tied_in_pool: int64 [n_pairs, 2], others of that pool with the same score: before it in the declared order, and
            after it.
        tied_in_union: int64 [n_pairs, 2], the same in the union.
    """

    score: npt.NDArray[np.float32]
    in_pool: Int64s
    in_union: Int64s
    tied_in_pool: Int64s
    tied_in_union: Int64s


@dataclass(frozen=True)
class Asked:
    """Queries with their relevant passages, whose ranks are asked for.

    Attributes:
        queries: what an index scores: float32 [n_queries, d], or int64 [n_queries].
        pair_query: int64 [n_pairs], ascending: the row of each pair's query in `queries`.
        pair_passage: int64 [n_pairs]: each pair's relevant passage, by its position as given to the index.
        query_ids: of the queries, which translations share; for error messages.
        k: how many of the best to find; 0 for none.
        top_of: the pools of which they are found.
    """

    queries: Queries
    pair_query: Int64s
    pair_passage: Int64s
    query_ids: Sequence[str] = ()
    k: int = 0
    top_of: TopOf = "all"

    @cached_property
    def starts(self) -> Int64s:
        """int64 [n_queries + 1], where the pairs of each query begin."""
        return np.searchsorted(self.pair_query, np.arange(len(self.queries) + 1)).astype(np.int64)

    def pairs(self, rows: Int64s) -> tuple[Int64s, Int64s]:
        """Return the pairs of some queries, in the order of these, and which of them each is of, both int64 [n]."""
        counts = self.starts[rows + 1] - self.starts[rows]
        of_row = np.repeat(np.arange(len(rows)), counts)
        before = np.cumsum(counts) - counts
        return self.starts[rows][of_row] + np.arange(len(of_row)) - before[of_row], of_row


def rank(
    index: PassageOrder,
    asked: Asked,
    *,
    shares: Shares | None = None,
    look: Callable[[ScoredTile], None] = lambda _: None,
) -> tuple[PairRanks, list[TopK]]:
    """Rank relevant passages exactly, and find the best of every pool, in one pass over the passages.

    Args:
        index: the passages, or a share of them.
        asked: what is to be ranked.
        shares: puts together what the holders of all shares found; None where `index` is all there is.
        look: called with all scores that are made here, a tile at a time.

    Returns a PairRanks with one entry per pair, and the lists, as `xlbias.retrieve.topk.top_k` does, but for a holder
    that `shares` tells of none. Raises
    EncoderError naming the query whose vector is not finite, or where a product of two vectors would overflow.
    """
    queries, pair_query, k = asked.queries, asked.pair_query, asked.k
    index.check(queries, asked.query_ids)
    if pair_query.size and (np.diff(pair_query) < 0).any():
        raise ValueError("pairs must be ordered by query")
    together = shares or Alone()
    columns = index.column_of[asked.pair_passage].astype(np.int64)
    with exact_products():
        score = together.sum(index.pair_scores(queries, pair_query, columns))
        counts = _Counts(index, pair_query, columns, score)
        best = Best(index, len(queries), k) if k else None
        for one in index.scored(queries):
            counts.add(one)
            if best:
                best.add(one)
            look(one)
    own, union = together.sum(np.stack([counts.own, counts.union]))
    in_pool, in_union = (1 + found[:, ABOVE] + found[:, TIED_BEFORE] for found in (own, union))
    best = together.best(best) if best else None
    top = best.lists(asked.top_of) if best else []
    return PairRanks(score, in_pool, in_union, own[:, TIED_BEFORE:], union[:, TIED_BEFORE:]), top


def rank_pairs(
    index: PassageOrder, queries: Queries, pair_query: Int64s, pair_passage: Int64s, *, query_ids: Sequence[str] = ()
) -> PairRanks:
    """Return the ranks of relevant passages, and look for nothing else; see `rank`."""
    return rank(index, Asked(queries, pair_query, pair_passage, query_ids))[0]


def _order(index: PassageOrder, columns: Int64s) -> Int64s:
    return index.order[columns].astype(np.int64)


class _Counts:
    """Counts, tile by tile, the passages above and beside the relevant one of each pair.

    Attributes:
        own: int64 [n_pairs, 3], in its pool, by what is counted.
        union: int64 [n_pairs, 3], in all pools.
    """

    def __init__(self, index: PassageOrder, pair_query: Int64s, columns: Int64s, score: Vectors) -> None:
        self._index, self._pair_query, self._columns, self._score = index, pair_query, columns, score
        self.own = np.zeros((len(columns), len(COUNTS)), dtype=np.int64)
        self.union = np.zeros_like(self.own)
        self._pools = index.pools(columns)
        self._before = index.before(columns)
        self._tile = columns // PASSAGE_TILE
        self._indptr: dict[int, Int64s] = {}

    def add(self, one: ScoredTile) -> None:
        """Take in the scores of some queries with a tile of passages."""
        indptr = self._indptr.get(one.start)
        if indptr is None:
            rows = one.start + np.arange(QUERY_TILE + 1)
            rows[one.n :] = one.start + one.n
            indptr = self._indptr[one.start] = np.searchsorted(self._pair_query, rows)
        pairs = slice(indptr[0], indptr[-1])
        if pairs.start == pairs.stop:
            return
        index, first = self._index, one.tile * PASSAGE_TILE
        width = index.columns_of_tile(one.tile)
        if index.device.type == "cpu":
            scores, starts = one.scores.numpy(), indptr - indptr[0]

            def count(begin: int, end: int) -> int:
                return count_better_cpu(
                    scores[begin:end], first, width, starts[begin : end + 1], self._score[pairs], self._pools[pairs],
                    index.pool_starts, self._before[pairs], self.own[pairs], self.union[pairs],
                )  # fmt: skip

            _refuse(sum(over_rows(one.n, count)))
            return
        _refuse(self._other_scores(one, pairs))

        def there(array: npt.NDArray[np.generic]) -> torch.Tensor:
            return torch.from_numpy(np.ascontiguousarray(array)).to(index.device)

        places = np.arange(first, first + width)
        of_tile = (there(np.arange(width)), there(_order(index, places)), there(index.pools(places)))
        rows, score = self._pair_query[pairs] - one.start, self._score[pairs]
        of_pairs = (there(rows), there(score), there(_order(index, self._columns[pairs])), there(self._pools[pairs]))
        own, union = count_better_torch(one.scores, *of_tile, *of_pairs)
        self.own[pairs] += as_numpy(own)
        self.union[pairs] += as_numpy(union)

    def _other_scores(self, one: ScoredTile, pairs: slice) -> int:
        """Return how many relevant passages of a tile score otherwise there than they did by themselves."""
        here = pairs.start + np.flatnonzero(self._tile[pairs] == one.tile)
        rows, places = self._pair_query[here] - one.start, self._columns[here] - one.tile * PASSAGE_TILE
        at = (torch.from_numpy(rows).to(one.scores.device), torch.from_numpy(places).to(one.scores.device))
        return int((as_numpy(one.scores[at]) != self._score[here]).sum())


def _refuse(others: int) -> None:
    """Raise EncoderError where relevant passages score otherwise among their neighbours than they did before.

    Counting rests on products whose last bits do not depend on where a passage stands.
    """
    if others:
        raise EncoderError(
            "this machine's matrix products depend on where a row stands, so ties cannot be told: rank on another "
            "device (--device cpu), or with another number of threads"
        )
