"""Ranking against vectors in a file, and the matrix products alone, in turn on the same tiles: seconds and memory.

    python benchmarks/file_ranks.py [--passages 100000 300000 1000000] [--ids 400] [--keep FILE] [...]

One thread. After every few tiles of the ranking, one in
`EVERY` of its products is computed again by itself, so that other processes slow both down alike. A size that stands in
`--keep` already is not measured again: ten million passages take half an hour of a processor.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import torch
from row import Memory, one_thread

from xlbias.encode.vector_file import BLOCK, VectorFile
from xlbias.retrieve.index import PASSAGE_TILE, QUERY_TILE, PassageIndex, Queries, ScoredTile
from xlbias.retrieve.ranks import Asked, rank
from xlbias.runs.parts import BLOCK as QUERY_BLOCK

EVERY = 4
_GROUP = 4  # tiles whose products are computed together: long enough that a cold cache does not count
_HEAD = (
    "| passages | queries | ratio | seconds of processors | a million pairs | memory beyond the start, MB | peak, MB "
    "| load |\n|---:|---:|---:|---:|---:|---:|---:|---:|"
)


@dataclass(frozen=True)
class Found:
    """What ranking so many passages took.

    Attributes:
        passages: how many there are.
        queries: of all languages together.
        dimension: of the vectors.
        stored: as what numbers they lie in the file.
        ranks: seconds of processors.
        products: the same, of the products alone, as if all had been computed by themselves.
        wall_ratio: ranks by products, on the clock.
        anonymous: memory that is no page of a file, at most, beyond what was there before the first query, in MB.
        peak: the most memory held while ranking, everything counted, in MB.
        load: processes that wanted a processor, the mean of the last minute, at the end.
    """

    passages: int
    queries: int
    dimension: int
    stored: str
    ranks: float
    products: float
    wall_ratio: float
    anonymous: float
    peak: float
    load: float

    @property
    def key(self) -> tuple[int, int, int, str]:
        """What was measured."""
        return self.passages, self.queries, self.dimension, self.stored

    @property
    def ratio(self) -> float:
        """Seconds of ranking by seconds of its products."""
        return self.ranks / self.products

    def __str__(self) -> str:
        pairs = self.passages * self.queries / 1e6
        return (
            f"| {self.passages:,} | {self.queries:,} | {self.ratio:.2f} | {self.ranks:.1f} | "
            f"{1e3 * self.ranks / pairs:.1f} ms | {self.anonymous:.0f} | {self.peak:,.0f} | {self.load:.1f} |"
        )


def measure(n: int, n_ids: int, n_languages: int, dimension: int, stored: str = "float32") -> Found:
    """Rank `n_ids` queries of each language against `n` made-up passages in a file, with the first 10 of every pool."""
    rng = np.random.default_rng(0)
    with tempfile.TemporaryFile(buffering=0) as file:
        vectors = VectorFile(file, n, dimension, stored, cosine=True)  # type: ignore[arg-type]
        _fill(vectors, rng)
        languages = np.repeat([f"l{i}" for i in range(n_languages)], -(-n // n_languages))[:n]
        ids = pl.Series(np.arange(n)[::-1]).cast(pl.String).str.zfill(9)
        index = _Interrupted(vectors, ids, pl.Series(languages))
        del ids, languages
        queries = unit_vectors(rng, n_ids * n_languages, dimension)
        relevant = rng.integers(0, n, (n_ids, n_languages))
        pair_query = np.repeat(np.arange(len(queries)), n_languages)
        pair_passage = np.tile(relevant, (n_languages, 1)).reshape(-1)
        few = pair_query < 64
        index.tiles = range(min(16, index.n_tiles))
        rank(index, Asked(queries[:64], pair_query[few], pair_passage[few], k=10))  # kernels loaded
        index.tiles = range(index.n_tiles)
        index.again = [torch.from_numpy(unit_vectors(rng, PASSAGE_TILE, dimension)) for _ in range(_GROUP)]
        with one_thread(), Memory() as memory:
            began = time.perf_counter(), time.process_time()
            for start in range(0, len(queries), QUERY_BLOCK):
                part = slice(*np.searchsorted(pair_query, [start, start + QUERY_BLOCK]))
                block = queries[start : start + QUERY_BLOCK]
                rank(index, Asked(block, pair_query[part] - start, pair_passage[part], k=10))
            wall, processor = time.perf_counter() - began[0], time.process_time() - began[1]
    products = index.n_tiles * -(-len(queries) // QUERY_TILE) / index.n_products
    return Found(
        n, len(queries), dimension, stored, processor - index.processor, index.processor * products,
        (wall - index.wall) / (index.wall * products), memory.beyond, memory.peak, os.getloadavg()[0],
    )  # fmt: skip


class _Interrupted(PassageIndex):
    """An index that every few tiles computes products of the same shape by themselves, and takes their time.

    Attributes:
        again: float32 [PASSAGE_TILE, d] each, what is multiplied then; none for no such products.
        n_products: how many were computed.
        wall: their seconds on the clock.
        processor: their seconds of processors.
    """

    again: Sequence[torch.Tensor] = ()
    n_products = 0
    wall = processor = 0.0

    def scored(self, queries: Queries) -> Iterator[ScoredTile]:
        """See `PassageIndex.scored`."""
        blocks = [block for _, _, block in self._query_tiles(queries)]
        spare = torch.empty(QUERY_TILE, PASSAGE_TILE)
        for one in super().scored(queries):
            if one.start == 0 and one.tile % (_GROUP * EVERY) == 0:
                began = time.perf_counter(), time.process_time()
                for passages in self.again:
                    for block in blocks:
                        torch.mm(block, passages.T, out=spare)
                self.wall += time.perf_counter() - began[0]
                self.processor += time.process_time() - began[1]
                self.n_products += len(self.again) * len(blocks)
            yield one


def _fill(vectors: VectorFile, rng: np.random.Generator) -> None:
    """Write unit vectors, all different: those of a block, each time with their numbers moved on by one place."""
    n, dimension = vectors.shape
    block = unit_vectors(rng, min(BLOCK, n), dimension)
    nothing = np.zeros(len(block), dtype=np.bool_)
    for number, start in enumerate(range(0, n, len(block))):
        size = min(len(block), n - start)
        moved = np.roll(block[:size], number, axis=1)
        vectors.write(start, moved, nothing[:size], np.arange(size))


def unit_vectors(rng: np.random.Generator, n: int, dimension: int) -> npt.NDArray[np.float32]:
    """Return random vectors of length 1."""
    found = rng.standard_normal((n, dimension), dtype=np.float32)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return found


def slope(found: Sequence[Found]) -> float:
    """Return the exponent of passages in the seconds: 1 where they grow alike."""
    return float(np.polyfit(np.log([one.passages for one in found]), np.log([one.ranks for one in found]), 1)[0])


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, nargs="+", default=[100_000, 300_000, 1_000_000])
    parser.add_argument("--ids", type=int, default=400, help="each a query in every language")
    parser.add_argument("--languages", type=int, default=5)
    parser.add_argument("--dimension", type=int, default=384)
    parser.add_argument("--stored", choices=("float32", "float16"), default="float32")
    parser.add_argument(
        "--keep", type=Path, help="a file of JSON Lines: what was measured is added, and not done again"
    )
    options = parser.parse_args()
    kept = options.keep.read_text("utf-8").splitlines() if options.keep and options.keep.exists() else []
    before = {found.key: found for found in (Found(**json.loads(line)) for line in kept)}
    print(_HEAD, flush=True)
    shown = []
    for n in options.passages:
        key = n, options.ids * options.languages, options.dimension, options.stored
        found = before.get(key) or measure(n, options.ids, options.languages, options.dimension, options.stored)
        if options.keep and key not in before:
            with options.keep.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(found)) + "\n")
        print(found, flush=True)
        shown.append(found)
    if len(shown) > 1:
        print(f"\nseconds grow with passages to the power of {slope(shown):.2f}")


if __name__ == "__main__":
    main()
