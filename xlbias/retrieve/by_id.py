"""All queries of a task ranked with their translations beside them, so that rank consistency takes the same scores.

A block of a run holds the queries of one language, and consistency needs those of all. Where there are few enough
scores, all queries are ranked before the first block is written, and each block is given its part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from functools import partial
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from xlbias.cells import TopOf
from xlbias.measures.ragged import Floats
from xlbias.retrieve.consistency import correlating, whole_ids
from xlbias.retrieve.index import Int64s, PassageIndex, PassageOrder, Queries
from xlbias.retrieve.ranks import PairRanks, rank
from xlbias.retrieve.search import Ranker
from xlbias.retrieve.topk import TopK

Found = TypeVar("Found", PairRanks, TopK)

MOST_SCORES = 1 << 29
"""Queries times passages that are ranked before anything is written: some seconds of work, which a kill would lose."""

_MOST_PAIRS = 1 << 21  # relevant passages of all queries: a hundred megabytes of their ranks


def can_be_ranked_by_id(index: PassageOrder, n_queries: int, n_pairs: int) -> bool:
    """Return whether so many queries with so many relevant passages may be ranked before the first is written."""
    few = isinstance(index, PassageIndex) and index.few and index.device.type == "cpu"
    return few and n_queries * index.n_passages <= MOST_SCORES and n_pairs <= _MOST_PAIRS


class RankedById:
    """Ranks of relevant passages, lists of the best, and rank consistency, of all queries.

    Attributes:
        consistency: float64 [n_queries], see `xlbias.retrieve.consistency.rank_consistency`.
    """

    def __init__(
        self,
        index: PassageOrder,
        queries: Queries,
        query_ids: Sequence[str],
        pair_query: Int64s,
        pair_passage: Int64s,
        k: int = 0,
        top_of: TopOf = "all",
        advance: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Rank them; arguments as of `xlbias.retrieve.ranks.rank`, `advance` is called with numbers of queries done."""
        self.consistency: Floats = np.full(len(queries), np.nan)
        self._starts = np.searchsorted(pair_query, np.arange(len(queries) + 1))
        self._asked = k, top_of
        nothing = rank(index, queries[:0], pair_query[:0], pair_passage[:0], k=k, top_of=top_of)
        self._ranks = _each(nothing[0], partial(_room_like, len(pair_query)))
        self._top = [_each(one, partial(_room_like, len(queries))) for one in nothing[1]]
        with correlating() as correlations:
            for rows in whole_ids(query_ids):
                ids = [query_ids[row] for row in rows]
                scores = np.empty((len(rows), index.n_passages), dtype=np.float32)
                pairs, of_row = self._pairs(rows)
                ranks, top = rank(
                    index, queries[rows], of_row, pair_passage[pairs], query_ids=ids, k=k, top_of=top_of,
                    look=lambda one, scores=scores: one.keep(scores),  # type: ignore[misc]
                )  # fmt: skip
                _fill(self._ranks, pairs, ranks)
                for kept, found in zip(self._top, top, strict=True):
                    _fill(kept, rows, found)
                self.consistency[rows] = correlations(scores, ids)
                advance(len(rows))

    def of(self, rows: Int64s) -> Ranker:
        """Return what ranks the queries of these rows, which ascend, with the same relevant passages: as was found."""

        def ranked(
            index: PassageOrder,
            queries: Queries,
            pair_query: Int64s,
            pair_passage: Int64s,
            *,
            query_ids: Sequence[str] = (),
            k: int = 0,
            top_of: TopOf = "all",
        ) -> tuple[PairRanks, list[TopK]]:
            pairs, of_row = self._pairs(rows)
            if not ((k, top_of) == self._asked and np.array_equal(of_row, pair_query)):
                raise ValueError("other pairs, or other lists, than were ranked")
            return _each(self._ranks, lambda array: array[pairs]), [
                _each(one, lambda array: array[rows]) for one in self._top
            ]

        return ranked

    def _pairs(self, rows: Int64s) -> tuple[Int64s, Int64s]:
        """Return the pairs of some queries, in the order of these, and which of them each is of, both int64 [n]."""
        counts = self._starts[rows + 1] - self._starts[rows]
        of_row = np.repeat(np.arange(len(rows)), counts)
        before = np.cumsum(counts) - counts
        return self._starts[rows][of_row] + np.arange(len(of_row)) - before[of_row], of_row


def _arrays(found: PairRanks | TopK) -> dict[str, npt.NDArray[Any]]:
    """Return what is known of each pair, or of each query."""
    values = {each.name: getattr(found, each.name) for each in fields(found)}
    return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}


def _each(found: Found, change: Callable[[npt.NDArray[Any]], npt.NDArray[Any]]) -> Found:
    changed: dict[str, Any] = {name: change(array) for name, array in _arrays(found).items()}
    return replace(found, **changed)


def _fill(kept: Found, rows: Int64s, found: Found) -> None:
    arrays = _arrays(found)
    for name, array in _arrays(kept).items():
        array[rows] = arrays[name]


def _room_like(n: int, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.zeros((n, *array.shape[1:]), dtype=array.dtype)
