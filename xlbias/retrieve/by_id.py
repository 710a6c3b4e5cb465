"""All queries of a task ranked with their translations beside them, so that rank consistency takes the same scores.

A block of a run holds the queries of one language, and consistency needs those of all. Where there are few enough
scores, all queries are ranked before the first block is written, and each block is given its part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from xlbias.measures.ragged import Floats
from xlbias.retrieve.consistency import correlating, shared_ids
from xlbias.retrieve.index import Int64s, PassageIndex, PassageOrder
from xlbias.retrieve.ranks import Asked, PairRanks, rank
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


@dataclass(frozen=True)
class Part:
    """What was found of some query ids, all translations of each.

    Attributes:
        rows: int64 [n], the queries.
        ranks: of their pairs, in the order of `rows`.
        top: their lists.
        consistency: float64 [n].
    """

    rows: Int64s
    ranks: PairRanks
    top: list[TopK]
    consistency: Floats


def ranked_parts(
    index: PassageOrder,
    asked: Asked,
    advance: Callable[[int], None] = lambda _: None,
    share: tuple[int, int] = (0, 1),
) -> Iterator[Part]:
    """Yield what is found of all queries, or of a share of the query ids, some ids at a time.

    Args:
        index: all passages.
        asked: what is to be ranked.
        advance: called with numbers of queries done.
        share: which of how many processes this is, each of which takes a part of the query ids.
    """
    with correlating() as correlations:
        for rows in shared_ids(asked.query_ids, advance, share):
            ids = [asked.query_ids[row] for row in rows]
            scores = np.empty((len(rows), index.n_passages), dtype=np.float32)
            pairs, of_row = asked.pairs(rows)
            some = Asked(asked.queries[rows], of_row, asked.pair_passage[pairs], ids, asked.k, asked.top_of)
            ranks, top = rank(index, some, look=lambda one, scores=scores: one.keep(scores))  # type: ignore[misc]
            yield Part(rows, ranks, top, correlations(scores, ids))


class RankedById:
    """Ranks of relevant passages, lists of the best, and rank consistency, of all queries.

    Args:
        index: the passages.
        asked: what was ranked.
        parts: what was found, of all query ids.

    Attributes:
        consistency: float64 [n_queries], see `xlbias.retrieve.consistency.rank_consistency`.
    """

    def __init__(self, index: PassageOrder, asked: Asked, parts: Iterable[Part]) -> None:
        self._asked = asked
        self.consistency: Floats = np.full(len(asked.queries), np.nan)
        none = asked.pair_query[:0]
        nothing = rank(index, Asked(asked.queries[:0], none, none, k=asked.k, top_of=asked.top_of))
        self._ranks = _each(nothing[0], partial(_room_like, len(asked.pair_query)))
        self._top = [_each(one, partial(_room_like, len(asked.queries))) for one in nothing[1]]
        for part in parts:
            _fill(self._ranks, asked.pairs(part.rows)[0], part.ranks)
            for kept, found in zip(self._top, part.top, strict=True):
                _fill(kept, part.rows, found)
            self.consistency[part.rows] = part.consistency

    def of(self, rows: Int64s) -> Ranker:
        """Return what ranks the queries of these rows, which ascend, with the same relevant passages: as was found."""

        def ranked(_: PassageOrder, again: Asked) -> tuple[PairRanks, list[TopK]]:
            pairs, of_row = self._asked.pairs(rows)
            same = (again.k, again.top_of) == (self._asked.k, self._asked.top_of)
            if not (same and np.array_equal(of_row, again.pair_query)):
                raise ValueError("other pairs, or other lists, than were ranked")
            return _each(self._ranks, lambda array: array[pairs]), [
                _each(one, lambda array: array[rows]) for one in self._top
            ]

        return ranked


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
