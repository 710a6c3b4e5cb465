"""How time and memory of the audit grow with the number of ids: alignment, and every number with its interval.

    python benchmarks/audit_scale.py [--ids 10000 40000 200000] [--languages 2] [--limit 600]

Vectors and ranks are random and made beforehand, so that neither encoding nor ranking is timed. Each size is a process
of its own, and its processor time is counted, as other processes do not change it much. The slope is that of the
straight line through log(ids) and log(seconds): 1 is linear, 2 is quadratic.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys

import made
import numpy as np
import polars as pl

from xlbias.data.task import RetrievalTask
from xlbias.evaluation.alignment import alignments
from xlbias.results.summary import summarise
from xlbias.retrieve.index import PassageIndex
from xlbias.retrieve.ranking_rows import ranking_rows
from xlbias.retrieve.ranks import PairRanks
from xlbias.retrieve.search import in_index_order, relevant_pairs

DIMENSION = 384


def task_of(n_ids: int, n_languages: int) -> RetrievalTask:
    """Return a task with a query and its one passage in every language, for each id."""
    return made.xquad(n_ids, [f"{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(n_languages)])


def rankings_of(task: RetrievalTask, passages: pl.DataFrame, vectors: np.ndarray) -> pl.DataFrame:
    """Return `ranking` rows with random ranks."""
    rng = np.random.default_rng(1)
    index = PassageIndex(vectors, passages["passage_id"].to_list(), passages["language"].to_list())
    pairs = (
        task.queries.select("query_id").with_row_index("row").join(relevant_pairs(task, passages), on="query_id")
    ).sort("row", "passage_row")  # fmt: skip
    query, passage = (pairs[name].cast(pl.Int64).to_numpy() for name in ("row", "passage_row"))
    own = rng.integers(1, 100, len(pairs))
    nothing = np.zeros((len(pairs), 2), dtype=np.int64)
    union = own + rng.integers(0, 100, len(pairs))
    ranks = PairRanks(rng.random(len(pairs), dtype=np.float32), own, union, nothing, nothing)
    return ranking_rows(
        task.queries, passages, index, query, passage, pairs["relevance"].cast(pl.Int64).to_numpy(), ranks, []
    ).with_columns(pl.lit(None, pl.Float32).alias("consistency"))


def measured(n_ids: int, n_languages: int) -> dict[str, float]:
    """Return seconds of each part, and memory in MB: of what is given, and at most."""
    task = task_of(n_ids, n_languages)
    passages = in_index_order(task.passages)
    rng = np.random.default_rng(0)
    p, q = (unit(rng.standard_normal((frame.height, DIMENSION), np.float32)) for frame in (passages, task.queries))
    rankings = rankings_of(task, passages, p)
    alignments(*_small())  # loads libraries
    before = peak()
    start = spent()
    alignments(task, passages, p, q)
    between = spent()
    summarise(rankings, task.pool_sizes)
    return {"alignment": between - start, "numbers": spent() - between, "given": before, "peak": peak()}


def _small() -> tuple[RetrievalTask, pl.DataFrame, np.ndarray, np.ndarray]:
    task = task_of(20, 2)
    vectors = unit(np.random.default_rng(0).standard_normal((40, 8), np.float32))
    return task, in_index_order(task.passages), vectors, vectors


def spent() -> float:
    """Return the processor time of this process so far, in seconds of one core."""
    return sum(os.times()[:2])


def peak() -> float:
    """Return the most memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def unit(vectors: np.ndarray) -> np.ndarray:
    """Return vectors of length 1."""
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--ids", type=int, nargs="+", default=[10_000, 40_000, 200_000])
    parser.add_argument("--languages", type=int, default=2)
    parser.add_argument("--limit", type=float, default=600, help="seconds for one size")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measured(options.one, options.languages)))
        return
    print("| ids | alignment, s | every number, s | audit, s | of the first | MB beyond what is given |")
    print("|---:|---:|---:|---:|---:|---:|", flush=True)
    totals: dict[int, float] = {}
    for n in options.ids:
        command = [sys.executable, __file__, "--one", str(n), "--languages", str(options.languages)]
        try:
            output = subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=options.limit).stdout
        except subprocess.TimeoutExpired:
            print(f"| {n:,} | unfinished after {options.limit:.0f} s | | | | |", flush=True)
            continue
        found = json.loads(output)
        totals[n] = found["alignment"] + found["numbers"]
        ratio = totals[n] / next(iter(totals.values()))
        print(
            f"| {n:,} | {found['alignment']:.1f} | {found['numbers']:.1f} | {totals[n]:.1f} | {ratio:.1f} | "
            f"{found['peak'] - found['given']:,.0f} |",
            flush=True,
        )
    if len(totals) > 1:
        slope = np.polyfit(np.log(list(totals)), np.log(list(totals.values())), 1)[0]
        print(f"\nslope {slope:.2f}")


if __name__ == "__main__":
    main()
