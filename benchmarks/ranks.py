"""All 132 cells of XQuAD-R with rank distance, from vectors: time against one matrix product, and extra memory.

Budget (2 cores, 13,090 queries × 13,014 passages, d = 384): at most 1.6 times one matrix product of the same size in
the same process; at most 64 MB beyond the vectors. Shapes and relevance are those of XQuAD-R, vectors are random:
neither time nor memory depends on their values.

    python benchmarks/ranks.py [--dimension 384] [--repeats 5]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from file_ranks import unit_vectors
from row import resident

from xlbias.measures.quality.average_precision import average_precision
from xlbias.measures.ragged import Rankings
from xlbias.retrieve.index import PassageIndex
from xlbias.retrieve.ranks import rank_pairs

POOLS = {
    "ar": 1222, "de": 1276, "el": 1234, "en": 1180, "es": 1215, "hi": 1244,
    "ru": 1219, "th": 852, "tr": 1167, "vi": 1209, "zh": 1196,
}  # fmt: skip
N_IDS = 1190


Case = tuple[np.ndarray, np.ndarray, list[str], list[str], np.ndarray, np.ndarray]


def problem(dimension: int) -> Case:
    """Vectors, ids and relevance of the shape of XQuAD-R; every query has one relevant passage per language."""
    rng = np.random.default_rng(0)
    ids = [f"{language}-{i:05d}" for language, n in POOLS.items() for i in reversed(range(n))]
    languages = [language for language, n in POOLS.items() for _ in range(n)]
    starts = np.cumsum([0, *POOLS.values()])[:-1]
    sizes = np.array(list(POOLS.values()))
    relevant = starts + rng.integers(0, sizes, (N_IDS, len(POOLS)))
    n_queries = N_IDS * len(POOLS)
    pair_query = np.repeat(np.arange(n_queries), len(POOLS))
    pair_passage = np.tile(relevant, (len(POOLS), 1)).reshape(-1)
    return (
        unit_vectors(rng, n_queries, dimension), unit_vectors(rng, len(ids), dimension), ids, languages,
        pair_query, pair_passage,
    )  # fmt: skip


def all_cells(*case: Any) -> tuple[np.ndarray, float]:
    """Mean AP of the 121 + 11 cells and mean rank distance, from vectors."""
    queries, passages, ids, languages, pair_query, pair_passage = case
    index = PassageIndex(passages, ids, languages)
    ranks = rank_pairs(index, queries, pair_query, pair_passage)
    n = len(POOLS)
    single = 1.0 / ranks.in_pool.reshape(n, N_IDS, n)  # one relevant per pool: AP is 1 / rank
    union = ranks.in_union.reshape(-1, n)
    multi = average_precision(
        Rankings(np.sort(union, axis=1).reshape(-1), np.ones(union.size, np.int64), np.full(len(union), n))
    )
    cells = np.hstack([single.mean(axis=1), multi.reshape(n, N_IDS).mean(axis=1)[:, None]])
    return cells, float((union.max(axis=1) - union.min(axis=1)).mean())


def time_ratio(dimension: int, repeats: int) -> None:
    case = problem(dimension)
    small = slice(0, 300)
    rank_pairs(PassageIndex(*case[1:4]), case[0][small], case[4][:3300], case[5][:3300])  # compile and warm up
    queries, passages = torch.from_numpy(case[0]), torch.from_numpy(case[1])
    products, totals = [], []
    for _ in range(repeats):
        start = time.perf_counter()
        product = queries @ passages.T
        products.append(time.perf_counter() - start)
        del product
        start = time.perf_counter()
        cells, distance = all_cells(*case)
        totals.append(time.perf_counter() - start)
    assert cells.shape == (11, 12) and distance > 0
    ratios = sorted(t / p for t, p in zip(totals, products, strict=True))
    print(f"{len(case[0]):,} queries x {len(case[1]):,} passages, d = {dimension}, {torch.get_num_threads()} threads")
    print(f"one matrix product     median {statistics.median(products):.3f} s  {[round(p, 3) for p in products]}")
    print(f"all 132 cells + rank d. median {statistics.median(totals):.3f} s  {[round(t, 3) for t in totals]}")
    print(
        f"ratio                  median {statistics.median(ratios):.2f}   {[round(r, 2) for r in ratios]} (budget 1.6)"
    )


def extra_memory(dimension: int) -> None:
    """Print how far the peak rose above what was resident with the vectors and libraries loaded."""
    case = problem(dimension)
    tiny = PassageIndex(case[1][:3000], case[2][:3000], case[3][:3000])
    rank_pairs(tiny, case[0][:300], case[4][:300], np.arange(300))  # libraries and kernels loaded
    del tiny
    Path("/proc/self/clear_refs").write_text("5")  # Linux: the peak begins anew at what is resident now
    before = resident("VmHWM")
    all_cells(*case)
    print(f"peak memory beyond vectors and libraries: {resident('VmHWM') - before:.1f} MB (budget 64 MB)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dimension", type=int, default=384)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--memory-only", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory_only:
        extra_memory(options.dimension)
        return
    time_ratio(options.dimension, options.repeats)
    # In a process of its own: the whole matrix product above has raised this one's peak already.
    subprocess.run([sys.executable, __file__, "--memory-only", "--dimension", str(options.dimension)], check=True)


if __name__ == "__main__":
    main()
