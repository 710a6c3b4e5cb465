"""Passages in the order in which they are counted, and their scores: a tile of queries times a tile of passages each.

No score matrix is kept, and of vectors in a file no more than a tile is held. A *share* is some of the tiles: what is
made of scores adds up over shares, whether one process holds them one after the other or several hold one each.

Every product has the same shape, zero-padded at the edges. So a score does not depend on how many queries there are or
on where a passage lies, and equal vectors tie exactly.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from itertools import islice
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
import torch

from xlbias.encode.vector_rows import HeldRows, VectorRows
from xlbias.errors import EncoderError, TaskError
from xlbias.retrieve.counting import as_numpy

Vectors = npt.NDArray[np.float32]
Int64s = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]
Queries = Vectors | Int64s
"""What an index scores: vectors, float32 [n, d], or the rows that a scorer knows queries by, int64 [n]."""

QUERY_TILE = 256
PASSAGE_TILE = 2048

_ROWS = 4096  # of vectors that are looked at together: a few megabytes
_HELD = 1 << 26  # bytes of scores with all passages that are held in memory


class ScoredTile(NamedTuple):
    """Scores of some queries with the passages of one tile.

    Attributes:
        tile: which tile of passages.
        start: the first of the queries.
        n: how many queries there are, at most QUERY_TILE.
        scores: float32 [QUERY_TILE, PASSAGE_TILE], C-contiguous, until the next one is asked for; what stands for no
            query or passage is anything.
    """

    tile: int
    start: int
    n: int
    scores: torch.Tensor

    def keep(self, scores: Vectors) -> None:
        """Write the scores to where they belong among those of all queries with all passages, by column."""
        columns = slice(self.tile * PASSAGE_TILE, min((self.tile + 1) * PASSAGE_TILE, scores.shape[1]))
        width = columns.stop - columns.start
        scores[self.start : self.start + self.n, columns] = as_numpy(self.scores)[: self.n, :width]


class PassageOrder:
    """Passages of all languages in the order in which they are counted, however they are scored.

    Passages are kept grouped by language and by id descending within each, so that a tie is settled by position.

    Attributes:
        languages: of the pools, sorted.
        rows: int32 [n], the given position of the passage in each column.
        column_of: int32 [n], the column of each given passage.
        order: int32 [n], the place of each column's passage in the declared order.
        pool_starts: int64 [n_pools + 1], where each pool begins.
        tiles: the tiles that are scored here: all, or a share of them.
    """

    device = torch.device("cpu")

    def __init__(self, passage_ids: Sequence[str] | pl.Series, languages: Sequence[str] | pl.Series) -> None:
        """Raise TaskError where ids are not distinct."""
        ids = pl.Series(passage_ids, dtype=pl.String)
        self.n_passages = len(ids)
        descending = ids.arg_sort(descending=True).to_numpy()
        ordered = ids.gather(descending)
        if (ordered == ordered.shift(1)).any():
            raise TaskError("passage ids are not distinct")
        del ordered
        tags = pl.Series(languages, dtype=pl.String)
        self.languages: list[str] = sorted(tags.unique().to_list())
        pool = tags.cast(pl.Enum(self.languages)).to_physical().to_numpy()
        place = np.empty(self.n_passages, dtype=np.int32)
        place[descending] = np.arange(self.n_passages, dtype=np.int32)
        # By pool, and by the declared order within each: the first as they come in that order, and stable.
        self.rows: Int32s = descending[np.argsort(pool[descending], kind="stable")].astype(np.int32)
        self.in_order = bool((self.rows[1:] > self.rows[:-1]).all())
        self.column_of: Int32s = self.rows
        if not self.in_order:
            self.column_of = np.empty(self.n_passages, dtype=np.int32)
            self.column_of[self.rows] = np.arange(self.n_passages, dtype=np.int32)
        self.order: Int32s = place[self.rows]
        counts = np.bincount(pool, minlength=len(self.languages)) if self.n_passages else np.zeros(0, np.int64)
        self.pool_starts: Int64s = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        self.tiles = range(self.n_tiles)

    def pools(self, columns: npt.NDArray[np.integer]) -> Int64s:
        """Return the number of each column's language, int64, in the shape of `columns`."""
        return np.searchsorted(self.pool_starts, columns, side="right").astype(np.int64) - 1

    def before(self, columns: npt.NDArray[np.integer]) -> Int32s:
        """Return int32 [n, n_pools]: for each column's passage, the passages of each pool before it in the order."""
        found = np.empty((len(columns), len(self.languages)), dtype=np.int32)
        place = self.order[columns]
        for p in range(len(self.languages)):
            found[:, p] = np.searchsorted(self.order[self.pool_starts[p] : self.pool_starts[p + 1]], place)
        return found

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

    def pair_scores(self, queries: Queries, rows: Int64s, columns: Int64s) -> Vectors:
        """Return float32 [n_pairs]: scores of the queries in `rows`, ascending, with the passages in `columns`.

        They are bit for bit those of `scored`; 0 for passages of tiles that are not scored here, or those that another
        holder of all vectors scores.
        """
        raise NotImplementedError

    def scored(self, queries: Queries) -> Iterator[ScoredTile]:
        """Yield the scores of all queries with all tiles of `tiles`; for a query, tiles come in their order."""
        raise NotImplementedError

    def scores(self, queries: Queries) -> Vectors:
        """Return the scores of queries with all passages, float32 [n, n_passages], by column."""
        raise NotImplementedError


class PassageIndex(PassageOrder):
    """Passages with a vector each, ready to be ranked; vectors that come in its order already are not copied."""

    def __init__(
        self,
        vectors: Vectors | VectorRows,
        passage_ids: Sequence[str] | pl.Series,
        languages: Sequence[str] | pl.Series,
        *,
        device: str = "cpu",
        tiles: range | None = None,
    ) -> None:
        """Take `vectors` [n, d], float32 or rows that are read when they are looked at; of the latter, in its order.

        `tiles` are those that are scored here, by default all. Raises EncoderError naming the passage whose vector is
        not finite, TaskError where ids are not distinct.
        """
        if not len(vectors) == len(passage_ids) == len(languages):
            raise TaskError(f"{len(vectors)} vectors, {len(passage_ids)} ids and {len(languages)} languages")
        if isinstance(vectors, np.ndarray):
            _refuse_not_finite(vectors, "passage", passage_ids)
        super().__init__(passage_ids, languages)
        self.tiles = self.tiles if tiles is None else tiles
        self._query_tiles_of_pairs: tuple[int, int] | None = None
        self.dimension = int(vectors.shape[1])
        self.device = torch.device(device)
        if isinstance(vectors, np.ndarray):
            held = np.ascontiguousarray(vectors if self.in_order else vectors[self.rows])
            self.rows_of_vectors: VectorRows = HeldRows(held)
            self.largest_norm = _largest_norm(held)
        elif not self.in_order:
            raise ValueError("vectors that are not held must come in the order of the index")
        else:
            self.rows_of_vectors = vectors
            self.largest_norm = vectors.largest_norm

    def of_others(
        self, rows: VectorRows | None, tiles: range, query_tiles: tuple[int, int] | None = None
    ) -> PassageIndex:
        """Return these passages with vectors that lie elsewhere, of which `tiles` are scored; None for none yet.

        Where every holder has all vectors, `query_tiles` says which holder this is of how many: pairs are scored of
        every so many tiles of queries then, in place of those whose passage is here: fewer products in all.
        """
        other = copy(self)
        other.tiles, other._query_tiles_of_pairs = tiles, query_tiles
        other.rows_of_vectors = rows if rows is not None else HeldRows(np.empty((0, self.dimension), np.float32))
        return other

    def _padded(self, vectors: Vectors, n: int) -> torch.Tensor:
        """Return float32 [n, d] on the device, zero rows at the end."""
        if len(vectors) == n:
            return torch.from_numpy(vectors).to(self.device)
        found = torch.zeros(n, self.dimension, device=self.device)
        found[: len(vectors)] = torch.from_numpy(vectors).to(self.device)
        return found

    def tile(self, t: int) -> torch.Tensor:
        """Return the passages of tile `t`, float32 [PASSAGE_TILE, d], zero rows at the end of the last one."""
        start = t * PASSAGE_TILE
        return self._padded(self.rows_of_vectors.read(start, start + self.columns_of_tile(t)), PASSAGE_TILE)

    @property
    def few(self) -> bool:
        """Whether scores of a tile of queries with all passages are held in memory."""
        return isinstance(self.rows_of_vectors, HeldRows) and 4 * QUERY_TILE * self.n_passages <= _HELD

    def check(self, queries: Queries, query_ids: Sequence[str]) -> None:
        """See `PassageOrder.check`."""
        vectors = queries.astype(np.float32, copy=False)
        _refuse_not_finite(vectors, "query", query_ids)
        if _largest_norm(vectors) * self.largest_norm > float(np.finfo(np.float32).max):
            raise EncoderError("vectors are so long that their dot products overflow")

    def pair_scores(self, queries: Queries, rows: Int64s, columns: Int64s) -> Vectors:
        """See `PassageOrder.pair_scores`: passages of a tile of queries stand together in tiles of their own."""
        found = np.zeros(len(rows), dtype=np.float32)
        holder, holders = self._query_tiles_of_pairs or (0, 1)
        some = self._query_tiles_of_pairs is None and len(self.tiles) < self.n_tiles
        here = np.isin(columns // PASSAGE_TILE, self.tiles) if some else None
        buffer = torch.empty(QUERY_TILE, PASSAGE_TILE, device=self.device)
        for start, n, block in islice(self._query_tiles(queries), holder, None, holders):
            first, last = np.searchsorted(rows, [start, start + n])
            pairs = np.arange(first, last)
            pairs = pairs if here is None else pairs[here[first:last]]
            wanted, place = np.unique(columns[pairs], return_inverse=True)
            for begin in range(0, len(wanted), PASSAGE_TILE):
                part = wanted[begin : begin + PASSAGE_TILE]
                torch.mm(block, self._padded(self.rows_of_vectors.gather(part), PASSAGE_TILE).T, out=buffer)
                inside = (place >= begin) & (place < begin + len(part))
                chosen = pairs[inside]
                at = (torch.from_numpy(rows[chosen] - start), torch.from_numpy(place[inside] - begin))
                found[chosen] = as_numpy(buffer[at[0].to(self.device), at[1].to(self.device)])
        return found

    def scored(self, queries: Queries) -> Iterator[ScoredTile]:
        """See `PassageOrder.scored`: each tile of passages is read once for all queries."""
        return self._scored(queries, self.tiles)

    def _scored(self, queries: Queries, tiles: range) -> Iterator[ScoredTile]:
        buffer = torch.empty(QUERY_TILE, PASSAGE_TILE, device=self.device)
        blocks = list(self._query_tiles(queries))
        for t in tiles:
            passages = self.tile(t).T
            for start, n, block in blocks:
                torch.mm(block, passages, out=buffer)
                yield ScoredTile(t, start, n, buffer)

    def _query_tiles(self, queries: Queries) -> Iterator[tuple[int, int, torch.Tensor]]:
        """Yield the first of each tile of queries, how many there are, and float32 [QUERY_TILE, d]."""
        for start in range(0, len(queries), QUERY_TILE):
            block = np.ascontiguousarray(queries[start : start + QUERY_TILE], dtype=np.float32)
            yield start, len(block), self._padded(block, QUERY_TILE)

    def scores(self, queries: Queries) -> Vectors:
        """See `PassageOrder.scores`: on the CPU, as many passages at a time as are read well.

        Of few passages they are bit for bit those of `scored`.
        """
        found = _room(len(queries), self.n_passages)
        if self.few:
            for one in self._scored(queries, range(self.n_tiles)):
                one.keep(found)
            return found
        vectors = torch.from_numpy(np.ascontiguousarray(queries, dtype=np.float32))
        for start in range(0, self.n_passages, _ROWS):
            stop = min(start + _ROWS, self.n_passages)
            part = torch.from_numpy(self.rows_of_vectors.read(start, stop))
            torch.mm(vectors, part.T, out=torch.from_numpy(found)[:, start:stop])
        return found


def fast_product(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return x yᵀ, float32 [n, m], on the CPU: by oneDNN, which uses what each processor has, where torch tells of it.

    As with `torch.mm` equal rows get equal products wherever they stand, but the last bits are others. `x` is [n, d],
    `y` [m, d], both contiguous.
    """
    linear = getattr(torch.ops.mkldnn, "_linear_pointwise", None) if torch._C._has_mkldnn else None
    if linear is None or not (len(x) and len(y) and x.shape[1]):
        return torch.mm(x, y.T)
    with torch.inference_mode():
        found: torch.Tensor = linear(x, y, None, "none", [], "")
    return found


@contextmanager
def exact_products() -> Iterator[None]:
    """Have products in full float32, whatever a training set: TF32 or bf16 scores are not exact."""
    precision = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(precision)


def _room(n: int, n_passages: int) -> Vectors:
    """Return float32 [n, n_passages] to be filled: what is large stands in a temporary file, not in memory."""
    if 4 * n * n_passages <= _HELD:
        return np.empty((n, n_passages), dtype=np.float32)
    with tempfile.TemporaryFile(prefix="xlbias-scores-") as file:
        return np.memmap(file, np.float32, "w+", shape=(n, n_passages))


def _largest_norm(vectors: Vectors) -> float:
    if not vectors.size:
        return 0.0
    return float(np.sqrt(max(np.einsum("ij,ij->i", part, part, dtype=np.float64).max() for part in _parts(vectors))))


def _refuse_not_finite(vectors: Vectors, kind: str, ids: Sequence[str] | pl.Series) -> None:
    start = 0
    for part in _parts(vectors):
        finite = np.isfinite(part).all(axis=1)
        if not finite.all():
            row = start + int(np.flatnonzero(~finite)[0])
            raise EncoderError(f"the {kind} {ids[row] if len(ids) else row!r} has a NaN or infinite vector")
        start += len(part)


def _parts(vectors: Vectors) -> list[Vectors]:
    """Return the rows in parts of a few megabytes, so that a check never doubles the memory of what it checks."""
    return [vectors[start : start + _ROWS] for start in range(0, len(vectors), _ROWS)]
