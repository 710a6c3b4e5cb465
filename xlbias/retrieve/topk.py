"""The top k of every pool, for browsing, kept while all scores pass. Ranks never come from here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from xlbias.cells import TopOf
from xlbias.retrieve.best import best_of_pools, best_of_union, merge_pools
from xlbias.retrieve.counting import as_numpy
from xlbias.retrieve.index import PASSAGE_TILE, Int64s, PassageOrder, Queries, ScoredTile, Vectors, exact_products
from xlbias.retrieve.row_threads import over_rows


@dataclass(frozen=True)
class TopK:
    """The first passages of one pool for each query.

    Attributes:
        pool: the pool's language, or None for the union of all.
        rows: int64 [n_queries, <= k], positions of passages as given to the index, best first; equal scores in the
            declared order.
        scores: float32, same shape.
        tied: of the union: int64 [n_queries, n_languages], passages that score the same as the last one of the list and
            do not stand in it: which of them stand there is a matter of their ids. None where it was not counted.
    """

    pool: str | None
    rows: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float32]
    tied: Int64s | None = None


def top_k(index: PassageOrder, queries: Queries, k: int, of: TopOf = "all") -> list[TopK]:
    """Return the top k of every pool and, last, of the union, in one pass over the passages.

    With `of` ``multilingual`` only the union has any. A pool with fewer than k passages gives all it has.
    """
    best = Best(index, len(queries), k)
    with exact_products():
        for one in index.scored(queries):
            best.add(one)
    return best.lists(of)


class Best:
    """The best of each pool for some queries, of the passages that have passed.

    Of each list it is known how many scored the same as its last one and are not in it. That is enough for the union:
    where its last one scores less than the last of a pool's full list, it would hold k of that pool's alone.
    """

    def __init__(self, index: PassageOrder, n_queries: int, k: int) -> None:
        self._index = index
        self._sizes = np.minimum(np.diff(index.pool_starts), k)
        self._starts = np.cumsum(self._sizes) - self._sizes
        self._size_of_union = min(k, index.n_passages)
        shape = (n_queries, int(self._sizes.sum()))
        self.columns: Int64s = np.full(shape, -1, dtype=np.int64)
        self.scores: Vectors = np.zeros(shape, dtype=np.float32)
        self.held: Int64s = np.zeros((n_queries, len(self._sizes)), dtype=np.int64)
        self.dropped: Int64s = np.zeros_like(self.held)

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process is told: to be `merged` into one that has the passages."""
        return {name: value for name, value in self.__dict__.items() if name != "_index"}

    def add(self, one: ScoredTile) -> None:
        """Take in the scores of some queries with a tile of passages; for a query, tiles come in their order."""
        scores, first, width = as_numpy(one.scores), one.tile * PASSAGE_TILE, self._index.columns_of_tile(one.tile)

        def take(begin: int, end: int) -> None:
            best_of_pools(
                scores[begin:end], one.start + begin, end - begin, first, width, self._index.pool_starts, self._starts,
                self._sizes, self.columns, self.scores, self.held, self.dropped,
            )  # fmt: skip

        over_rows(one.n, take)

    def merged(self, other: Best) -> Best:
        """Return the best of this and of what another holder found of later passages."""
        both = Best(self._index, 0, 0)
        both.__dict__ |= self.__dict__
        both.columns, both.scores = self.columns.copy(), self.scores.copy()
        both.held, both.dropped = self.held.copy(), self.dropped.copy()
        merge_pools(
            self._starts, self._sizes, other.columns, other.scores, other.held, other.dropped, both.columns,
            both.scores, both.held, both.dropped,
        )  # fmt: skip
        return both

    def lists(self, of: TopOf) -> list[TopK]:
        """Return the lists of all pools and, last, of the union, once all passages have passed."""
        n, index = len(self.columns), self._index
        union = np.empty((n, self._size_of_union), dtype=np.int64)
        scores = np.empty(union.shape, dtype=np.float32)
        tied = np.zeros((n, len(self._sizes)), dtype=np.int64)

        def merge(begin: int, end: int) -> None:
            part = slice(begin, end)
            best_of_union(
                index.order, self._starts, self._sizes, self.columns[part], self.scores[part], self.dropped[part],
                union[part], scores[part], tied[part],
            )  # fmt: skip

        over_rows(n, merge)
        found = []
        for language, start, size in zip(index.languages, self._starts, self._sizes, strict=True):
            part = slice(start, start + size if of == "all" else start)
            found.append(TopK(language, self._rows(self.columns[:, part]), self.scores[:, part].copy()))
        return [*found, TopK(None, self._rows(union), scores, tied)]

    def _rows(self, columns: Int64s) -> Int64s:
        return self._index.rows[columns].astype(np.int64)
