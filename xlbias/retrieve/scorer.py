"""Scores that are no dot products of vectors: of sparse weights, of late interaction, and of manhattan distance.

Each scores a query against all distinct passages at once, in one way whatever stands beside it, so that equal passages
tie exactly and a score depends on its query and its passages alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import polars as pl
import torch
from scipy.sparse import csr_array

from xlbias.encode.ragged import Ragged
from xlbias.errors import EncoderError
from xlbias.retrieve.index import PASSAGE_TILE, QUERY_TILE, Int64s, PassageOrder, Queries, ScoredTile, Vectors

MOST_OPERATIONS = 1e15
"""Multiplications up to which all scores are taken: hours on a few cores."""

MOST_PASSAGES = 1 << 20
_KEPT = 1 << 28  # bytes of scores kept, so that ranking and browsing take them once
_EMPTY = np.float32(-1e9)
"""The score of a passage without a token, as sentence-transformers gives it."""


class Scorer(Protocol):
    """Scores of queries with all passages.

    Attributes:
        n_queries: how many queries it knows.
        operations: multiplications that the scores of all queries take, about.
    """

    n_queries: int
    operations: float

    def scores(self, rows: Int64s) -> Vectors:
        """Return float32 [len(rows), n_passages]: the scores of these queries, passages as they were given."""


class SparseScorer:
    """Scores of sparse weights: dot product, cosine, or minus the euclidean distance, summed in float64."""

    def __init__(
        self, queries: Ragged, of_query: Int64s, passages: Ragged, of_passage: Int64s, dimension: int, similarity: str
    ) -> None:
        self.n_queries = len(of_query)
        self._of_query, self._of_passage, self._similarity = of_query, of_passage, similarity
        self._queries, self._passages = (_matrix(some, dimension) for some in (queries, passages))
        both = (self._queries, self._passages)
        self._squares = [np.asarray(some.multiply(some).sum(axis=1)).ravel() for some in both]
        if similarity == "cosine":
            for some, squares in zip(both, self._squares, strict=True):
                some.data /= np.repeat(np.sqrt(np.where(squares > 0, squares, 1.0)), np.diff(some.indptr))
        self._transposed = self._passages.T.tocsr()
        frequency = np.diff(self._transposed.indptr)
        self.operations = float(frequency[self._queries.indices].sum()) * len(of_query) / max(1, len(queries))

    def scores(self, rows: Int64s) -> Vectors:
        """See `Scorer`."""
        queries = self._of_query[rows]
        products = (self._queries[queries] @ self._transposed).toarray()
        if self._similarity == "euclidean":
            squared = self._squares[0][queries][:, None] - 2.0 * products + self._squares[1][None, :]
            products = -np.sqrt(np.maximum(squared, 0.0))
        found: Vectors = products.astype(np.float32)[:, self._of_passage]
        return found


class MaxSimScorer:
    """Scores of late interaction: for each token of a query its best product with a passage's tokens, summed.

    With `mean` the sum is divided by the query's tokens.
    """

    def __init__(
        self, queries: Ragged, of_query: Int64s, passages: Ragged, of_passage: Int64s, *, mean: bool = False
    ) -> None:
        self.n_queries = len(of_query)
        self._of_query, self._of_passage, self._mean, self._queries = of_query, of_passage, mean, queries
        self._starts = queries.starts
        self._empty = passages.lengths == 0
        self._firsts = passages.starts[:-1][~self._empty]
        self._tokens = torch.from_numpy(np.ascontiguousarray(passages.values))
        per_token = float(passages.values.size)
        self.operations = per_token * float(queries.lengths[of_query].sum())

    def scores(self, rows: Int64s) -> Vectors:
        """See `Scorer`."""
        distinct, inverse = np.unique(self._of_query[rows], return_inverse=True)
        found = np.stack([self._of_one(query) for query in distinct]) if len(distinct) else np.empty((0, 0), np.float32)
        scores: Vectors = found[inverse][:, self._of_passage]
        return scores

    def _of_one(self, query: int) -> Vectors:
        tokens = self._queries.values[self._starts[query] : self._starts[query + 1]]
        result = np.full(len(self._empty), _EMPTY, dtype=np.float32)
        if len(self._firsts):
            products = torch.mm(self._tokens, torch.from_numpy(np.ascontiguousarray(tokens)).T).numpy()
            best = np.maximum.reduceat(products, self._firsts, axis=0).sum(axis=1, dtype=np.float32)
            result[~self._empty] = best / np.float32(max(1, len(tokens))) if self._mean else best
        return result


class ManhattanScorer:
    """Minus the manhattan distance of dense vectors, which has no form as a product."""

    def __init__(self, queries: Vectors, passages: Vectors) -> None:
        self._queries, self._passages = torch.from_numpy(queries), torch.from_numpy(passages)
        self.n_queries = len(queries)
        self.operations = float(len(queries)) * float(passages.size)

    def scores(self, rows: Int64s) -> Vectors:
        """See `Scorer`."""
        distances: Vectors = torch.cdist(self._queries[torch.from_numpy(rows)], self._passages, p=1.0).numpy()
        return -distances


class ScoredIndex(PassageOrder):
    """Passages that are ranked by a `Scorer`; queries are the rows that it knows them by, int64 [n].

    Raises EncoderError, naming what to do instead, where scores of all queries and passages are not affordable.
    """

    def __init__(
        self,
        scorer: Scorer,
        passage_ids: Sequence[str] | pl.Series,
        languages: Sequence[str] | pl.Series,
        *,
        encoder: str = "the encoder",
    ) -> None:
        super().__init__(passage_ids, languages)
        if scorer.operations > MOST_OPERATIONS or self.n_passages > MOST_PASSAGES:
            raise EncoderError(
                f"{encoder}: scores of all queries with all {self.n_passages:,} passages take {scorer.operations:.0e} "
                "multiplications, too many here: rank with a search engine, and audit its rankings with "
                "`xlbias import run`"
            )
        self._scorer = scorer
        self._rows, self._kept = np.empty(0, dtype=np.int64), np.empty((0, self.n_passages), dtype=np.float32)

    def hold(self, queries: Queries) -> None:
        """Keep the scores of these queries, which ascend, until others are held; of too many, none."""
        queries = queries.astype(np.int64)
        few = len(queries) * self.n_passages * 4 <= _KEPT
        self._rows = queries if few else queries[:0]
        self._kept = self._fresh(self._rows)

    def scores(self, queries: Queries) -> Vectors:
        """Return float32 [n, n_passages], passages by column."""
        rows = queries.astype(np.int64)
        at = np.searchsorted(self._rows, rows)
        held = len(self._rows) > 0 and bool((self._rows[np.minimum(at, len(self._rows) - 1)] == rows).all())
        return self._kept[at] if held else self._fresh(rows)

    def _fresh(self, rows: Int64s) -> Vectors:
        if not len(rows):
            return np.empty((0, self.n_passages), dtype=np.float32)
        return np.ascontiguousarray(self._scorer.scores(rows)[:, self.rows])

    def check(self, queries: Queries, query_ids: Sequence[str]) -> None:
        """Raise nothing: what an encoder gave was checked when it came."""

    def pair_scores(self, queries: Queries, rows: Int64s, columns: Int64s) -> Vectors:
        """See `PassageOrder.pair_scores`."""
        found = np.empty(len(rows), dtype=np.float32)
        for start in range(0, len(queries), QUERY_TILE):
            first, last = np.searchsorted(rows, [start, start + QUERY_TILE])
            block = self.scores(queries[start : start + QUERY_TILE])
            found[first:last] = block[rows[first:last] - start, columns[first:last]]
        return found

    def scored(self, queries: Queries) -> Iterator[ScoredTile]:
        """See `PassageOrder.scored`."""
        tile = np.zeros((QUERY_TILE, PASSAGE_TILE), dtype=np.float32)
        for start in range(0, len(queries), QUERY_TILE):
            block = self.scores(queries[start : start + QUERY_TILE])
            for t in self.tiles:
                part = block[:, t * PASSAGE_TILE : (t + 1) * PASSAGE_TILE]
                tile[: part.shape[0], : part.shape[1]] = part
                yield ScoredTile(t, start, len(block), torch.from_numpy(tile))


def _matrix(some: Ragged, dimension: int) -> csr_array:
    return csr_array((some.values.astype(np.float64), some.places, some.starts), shape=(len(some), dimension))
