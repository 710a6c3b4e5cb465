"""The top k of every pool, for browsing: FAISS per language, merged for the union. Ranks never come from here."""

from __future__ import annotations

from dataclasses import dataclass

import faiss
import numpy as np
import numpy.typing as npt

from xlbias.retrieve.ranks import PassageIndex, Vectors

_SPARE = 8
"""Looked up beyond k, so that ties at the cut are settled by the declared order rather than by a heap's."""


@dataclass(frozen=True)
class TopK:
    """The first passages of one pool for each query.

    Attributes:
        pool: the pool's language, or None for the union of all.
        rows: int64 [n_queries, <= k], positions of passages as given to the index, best first; equal scores in the
            declared order.
        scores: float32, same shape.
    """

    pool: str | None
    rows: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float32]


def top_k(index: PassageIndex, queries: Vectors, k: int) -> list[TopK]:
    """Return the top k of every pool and, last, of the union: one matrix product of queries and passages in all.

    A pool with fewer than k passages gives all it has. Scores come from FAISS's own product and may differ from those
    of the ranks in the last bit.
    """
    queries = np.ascontiguousarray(queries, dtype=np.float32)
    found: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]] = []
    for p in range(len(index.languages)):
        start, stop = int(index.pool_starts[p]), int(index.pool_starts[p + 1])
        wanted = min(k + _SPARE, stop - start)
        scores, at = faiss.knn(queries, index.vectors[start:stop], wanted, metric=faiss.METRIC_INNER_PRODUCT)
        found.append(_best(index, at.astype(np.int64) + start, scores, k + _SPARE))
    union = _best(index, np.hstack([c for c, _ in found]), np.hstack([s for _, s in found]), k)
    pools = [TopK(index.languages[p], index.rows[c[:, :k]], s[:, :k]) for p, (c, s) in enumerate(found)]
    return [*pools, TopK(None, index.rows[union[0]], union[1])]


def _best(
    index: PassageIndex, columns: npt.NDArray[np.int64], scores: npt.NDArray[np.float32], k: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Return columns and scores sorted by score, then by the declared order, cut at k."""
    order = np.lexsort((index.order[columns], -scores), axis=1)[:, :k]
    return np.take_along_axis(columns, order, axis=1), np.take_along_axis(scores, order, axis=1)
