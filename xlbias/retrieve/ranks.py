"""Exact ranks of relevant passages, in their own language's pool and in the union of all pools, by counting.

``rank(d | q, pool) = 1 + |{x : s(q,x) > s(q,d)}| + |{x before d : s(q,x) = s(q,d)}|``, where equal scores are ordered
by passage id descending, as trec_eval does. How many score the same is kept too: quality follows that order, measures
of bias are expectations over a random one. Nothing is sorted and no score matrix is kept: a tile of queries times a
tile of passages is one matrix product, and counts add up over tiles, over pools and, by the same two steps
(`relevant_scores`, then `count_better`), over machines that each hold a part of the passages.

Every product has the same shape, zero-padded at the edges, and a pair of vectors always meets at the same place of a
tile. So a score does not depend on how many queries or how much memory there are, and equal vectors tie exactly.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch

from xlbias.errors import EncoderError, TaskError
from xlbias.retrieve.counting import ABOVE, COUNTS, TIED_BEFORE, as_numpy, count_better_cpu, count_better_torch

Vectors = npt.NDArray[np.float32]
Int64s = npt.NDArray[np.int64]
Queries = Vectors | Int64s
"""What an index scores: vectors, float32 [n, d], or the rows that a scorer knows queries by, int64 [n]."""

QUERY_TILE = 256
PASSAGE_TILE = 2048
DEFAULT_MEMORY = 32 << 20
"""Bytes of scores kept at a time, by default. Where a tile of queries times all passages does not fit, each product is
done twice: once to score the relevant passages, once to count."""


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


class Tiles(Protocol):
    """Scores of a tile of queries, by tiles of passages."""

    def __getitem__(self, t: int) -> torch.Tensor:
        """Return float32 [QUERY_TILE, PASSAGE_TILE], C-contiguous; what stands for no query or passage is anything."""


class PassageOrder:
    """Passages of all languages in the order in which they are counted, however they are scored.

    Passages are kept grouped by language and by id descending within each, so that a tie is settled by position.

    Attributes:
        languages: of the pools, sorted.
        rows: int64 [n], the given position of the passage in each column.
        column_of: int64 [n], the column of each given passage.
        pool: int64 [n], the number of each column's language.
        order: int64 [n], the place of each column's passage in the declared order.
        pool_starts: int64 [n_pools + 1], where each pool begins.
        before: int32 [n, n_pools], for each column's passage, the passages of each pool before it in the order.
    """

    device = torch.device("cpu")

    def __init__(self, passage_ids: Sequence[str], languages: Sequence[str]) -> None:
        """Raise TaskError where ids are not distinct."""
        ids = np.asarray(passage_ids, dtype=object)
        if len(set(passage_ids)) != len(passage_ids):
            raise TaskError("passage ids are not distinct")
        self.languages: list[str] = sorted(set(languages))
        self.n_passages = len(ids)

        code = {language: i for i, language in enumerate(self.languages)}
        pool = np.fromiter((code[language] for language in languages), dtype=np.int64, count=len(languages))
        descending = np.argsort(ids, kind="stable")[::-1]
        place = np.empty(self.n_passages, dtype=np.int64)
        place[descending] = np.arange(self.n_passages)

        self.rows = np.lexsort((place, pool))
        self.column_of = np.empty(self.n_passages, dtype=np.int64)
        self.column_of[self.rows] = np.arange(self.n_passages)
        self.pool = pool[self.rows]
        self.order = place[self.rows]
        self.pool_starts = np.searchsorted(self.pool, np.arange(len(self.languages) + 1))
        self.before = self._count_before(pool[descending])

    def _count_before(self, pool_by_order: Int64s) -> npt.NDArray[np.int32]:
        before = np.empty((self.n_passages, len(self.languages)), dtype=np.int32)
        for p in range(len(self.languages)):
            hits = pool_by_order == p
            before[:, p] = (np.cumsum(hits, dtype=np.int32) - hits)[self.order]
        return before

    @property
    def n_tiles(self) -> int:
        """Number of tiles of PASSAGE_TILE passages."""
        return -(-self.n_passages // PASSAGE_TILE)

    def columns_of_tile(self, t: int) -> int:
        """Return how many columns of tile `t` are passages."""
        return int(min(PASSAGE_TILE, self.n_passages - t * PASSAGE_TILE))

    def check(self, queries: Queries, query_ids: Sequence[str]) -> None:
        """Raise EncoderError where queries cannot be scored."""
        raise NotImplementedError

    def hold(self, queries: Queries) -> None:
        """Make ready for several looks at the scores of these queries."""

    def tiled(self, queries: Queries) -> Iterator[tuple[int, int, Tiles]]:
        """Yield QUERY_TILE queries at a time: the first, how many there are, and their scores."""
        raise NotImplementedError

    def scores(self, queries: Queries) -> Vectors:
        """Return the scores of queries with all passages, float32 [n, n_passages], by column."""
        raise NotImplementedError


class PassageIndex(PassageOrder):
    """Passages with a vector each, ready to be ranked; vectors that come in its order already are not copied."""

    def __init__(
        self,
        vectors: Vectors,
        passage_ids: Sequence[str],
        languages: Sequence[str],
        *,
        device: str = "cpu",
        memory: int = DEFAULT_MEMORY,
    ) -> None:
        """Take float32 `vectors` [n, d]; `memory` is how many bytes of scores may be kept at a time.

        Raises EncoderError naming the passage whose vector is not finite, TaskError where ids are not distinct.
        """
        if not len(vectors) == len(passage_ids) == len(languages):
            raise TaskError(f"{len(vectors)} vectors, {len(passage_ids)} ids and {len(languages)} languages")
        _refuse_not_finite(vectors, "passage", passage_ids)
        super().__init__(passage_ids, languages)
        self.dimension = int(vectors.shape[1])
        self.device = torch.device(device)
        self.memory = memory
        in_order = bool((self.rows == np.arange(self.n_passages)).all())
        self.vectors: Vectors = np.ascontiguousarray(vectors if in_order else vectors[self.rows])
        self.largest_norm = _largest_norm(self.vectors)
        self._matrix = torch.from_numpy(self.vectors).to(self.device)
        self._last_tile = self._padded_last_tile()

    def _padded_last_tile(self) -> torch.Tensor:
        start = (self.n_tiles - 1) * PASSAGE_TILE
        tile = torch.zeros(PASSAGE_TILE, self.dimension, device=self.device)
        tile[: self.n_passages - start] = self._matrix[start:]
        return tile

    def tile(self, t: int) -> torch.Tensor:
        """Return the passages of tile `t`, float32 [PASSAGE_TILE, d], zero rows at the end of the last one."""
        if t == self.n_tiles - 1:
            return self._last_tile
        return self._matrix[t * PASSAGE_TILE : (t + 1) * PASSAGE_TILE]

    def check(self, queries: Queries, query_ids: Sequence[str]) -> None:
        """See `PassageOrder.check`."""
        vectors = queries.astype(np.float32, copy=False)
        _refuse_not_finite(vectors, "query", query_ids)
        if _largest_norm(vectors) * self.largest_norm > float(np.finfo(np.float32).max):
            raise EncoderError("vectors are so long that their dot products overflow")

    def tiled(self, queries: Queries) -> Iterator[tuple[int, int, Tiles]]:
        """See `PassageOrder.tiled`."""
        tile_bytes = 4 * QUERY_TILE * PASSAGE_TILE
        slots = self.n_tiles if self.n_tiles * tile_bytes <= self.memory else 1
        buffer = torch.empty(slots, QUERY_TILE, PASSAGE_TILE, device=self.device)
        padded = torch.zeros(QUERY_TILE, self.dimension, device=self.device)
        for start in range(0, len(queries), QUERY_TILE):
            block = torch.from_numpy(np.ascontiguousarray(queries[start : start + QUERY_TILE], dtype=np.float32))
            padded.zero_()
            padded[: len(block)] = block.to(self.device)
            yield start, len(block), _ScoreTiles(self, padded, buffer)

    def scores(self, queries: Queries) -> Vectors:
        """See `PassageOrder.scores`: one product, on the CPU."""
        vectors = torch.from_numpy(np.ascontiguousarray(queries, dtype=np.float32))
        found: Vectors = torch.mm(vectors, torch.from_numpy(self.vectors).T).numpy()
        return found


class _ScoreTiles:
    """Scores of one query tile, computed tile by tile: kept where they fit the memory, else computed each time."""

    def __init__(self, index: PassageIndex, queries: torch.Tensor, buffer: torch.Tensor) -> None:
        self.index, self.queries, self.buffer = index, queries, buffer
        self.keeps_all = len(buffer) == index.n_tiles
        self.filled = [False] * len(buffer)

    def __getitem__(self, t: int) -> torch.Tensor:
        slot = t if self.keeps_all else 0
        if not (self.keeps_all and self.filled[slot]):
            torch.mm(self.queries, self.index.tile(t).T, out=self.buffer[slot])
            self.filled[slot] = True
        return self.buffer[slot]


def rank_pairs(
    index: PassageOrder, queries: Queries, pair_query: Int64s, pair_passage: Int64s, *, query_ids: Sequence[str] = ()
) -> PairRanks:
    """Rank relevant passages exactly.

    Args:
        index: the passages.
        queries: what `index` scores: float32 [n_queries, d], or int64 [n_queries].
        pair_query: int64 [n_pairs], ascending: the row of each pair's query in `queries`.
        pair_passage: int64 [n_pairs]: each pair's relevant passage, by its position as given to the index.
        query_ids: for error messages.

    Returns a PairRanks with one entry per pair. Raises EncoderError naming the query whose vector is not finite, or
    where a product of two vectors would overflow.
    """
    index.check(queries, query_ids)
    if pair_query.size and (np.diff(pair_query) < 0).any():
        raise ValueError("pairs must be ordered by query")
    columns = index.column_of[pair_passage]
    score = np.empty(len(columns), dtype=np.float32)
    own = np.zeros((len(columns), len(COUNTS)), dtype=np.int64)
    union = np.zeros_like(own)
    with _exact_products():
        for start, n, tiles in index.tiled(queries):
            first, last = np.searchsorted(pair_query, [start, start + n])
            pairs = slice(first, last)
            rows = pair_query[pairs] - start
            score[pairs] = relevant_scores(index, tiles, rows, columns[pairs])
            count_better(index, tiles, rows, columns[pairs], score[pairs], own[pairs], union[pairs])
    in_pool, in_union = (1 + counts[:, ABOVE] + counts[:, TIED_BEFORE] for counts in (own, union))
    return PairRanks(score, in_pool, in_union, own[:, TIED_BEFORE:], union[:, TIED_BEFORE:])


def relevant_scores(index: PassageOrder, tiles: Tiles, rows: Int64s, columns: Int64s) -> Vectors:
    """Return the scores of the pairs, float32 [n_pairs], from the very products in which better ones are counted."""
    scores = np.empty(len(rows), dtype=np.float32)
    tile_of = columns // PASSAGE_TILE
    for t in np.unique(tile_of):
        chosen = np.flatnonzero(tile_of == t)
        at = (torch.from_numpy(rows[chosen]), torch.from_numpy(columns[chosen] - t * PASSAGE_TILE))
        scores[chosen] = as_numpy(tiles[int(t)][at[0].to(index.device), at[1].to(index.device)])
    return scores


def count_better(
    index: PassageOrder,
    tiles: Tiles,
    rows: Int64s,
    columns: Int64s,
    thresholds: Vectors,
    own: Int64s,
    union: Int64s,
) -> None:
    """Add to `own` and `union`, int64 [n_pairs, 3], the passages of this index above and beside each pair's."""
    if index.device.type == "cpu":
        indptr = np.searchsorted(rows, np.arange(QUERY_TILE + 1))
        pools, before = index.pool[columns], index.before[columns]
        for t in range(index.n_tiles):
            count_better_cpu(
                tiles[t].numpy(), t * PASSAGE_TILE, index.columns_of_tile(t), indptr, thresholds, pools,
                index.pool_starts, before, own, union,
            )  # fmt: skip
        return

    def there(array: npt.NDArray[np.generic]) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(index.device)

    pair = (there(rows), there(thresholds), there(index.order[columns]), there(index.pool[columns]))
    for t in range(index.n_tiles):
        part = slice(t * PASSAGE_TILE, t * PASSAGE_TILE + index.columns_of_tile(t))
        valid = torch.arange(index.columns_of_tile(t), device=index.device)
        tile_own, tile_union = count_better_torch(
            tiles[t], valid, there(index.order[part]), there(index.pool[part]), *pair
        )
        own += as_numpy(tile_own)
        union += as_numpy(tile_union)


def count_tied(index: PassageIndex, queries: Vectors, columns: Int64s) -> Int64s:
    """Return how many passages score the same as one, itself among them, int64 [n_queries, n_languages].

    Args:
        index: the passages.
        queries: float32 [n_queries, d].
        columns: int64 [n_queries], the column of each query's passage.
    """
    found = torch.zeros(len(queries), len(index.languages), dtype=torch.int64, device=index.device)
    pool = torch.from_numpy(index.pool).to(index.device)
    with _exact_products():
        for start, n, tiles in index.tiled(queries):
            scores = relevant_scores(index, tiles, np.arange(n), columns[start : start + n])
            last = torch.from_numpy(scores).to(index.device)[:, None]
            for t in range(index.n_tiles):
                width = index.columns_of_tile(t)
                tied = (tiles[t][:n, :width] == last).to(torch.int64)
                languages = pool[t * PASSAGE_TILE : t * PASSAGE_TILE + width]
                found[start : start + n].index_add_(1, languages, tied)
    counts: Int64s = as_numpy(found)
    return counts


@contextmanager
def _exact_products() -> Iterator[None]:
    """Have products in full float32, whatever a training set: TF32 or bf16 scores are not exact."""
    precision = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(precision)


def _largest_norm(vectors: Vectors) -> float:
    if not vectors.size:
        return 0.0
    return float(np.sqrt(max(np.einsum("ij,ij->i", part, part, dtype=np.float64).max() for part in _parts(vectors))))


def _refuse_not_finite(vectors: Vectors, kind: str, ids: Sequence[str]) -> None:
    start = 0
    for part in _parts(vectors):
        finite = np.isfinite(part).all(axis=1)
        if not finite.all():
            row = start + int(np.flatnonzero(~finite)[0])
            raise EncoderError(f"the {kind} {ids[row] if len(ids) else row!r} has a NaN or infinite vector")
        start += len(part)


def _parts(vectors: Vectors) -> list[Vectors]:
    """Return the rows in parts of a few megabytes, so that a check never doubles the memory of what it checks."""
    return [vectors[start : start + 4096] for start in range(0, len(vectors), 4096)]
