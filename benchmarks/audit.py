"""The whole audit of XQuAD-R from vectors: what each part costs, against one product of all queries and passages.

    python benchmarks/audit.py [FOLDER OF XQUAD-R]

Without the data, vectors of the same number and shape are made up; what is timed does not depend on their values.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from made import xquad

from xlbias.data.catalog import load_task
from xlbias.encode.mitigate import parse_mitigation
from xlbias.evaluation.alignment import alignments
from xlbias.results.summary import summarise
from xlbias.retrieve.consistency import rank_consistency
from xlbias.retrieve.index import PassageIndex
from xlbias.retrieve.search import in_index_order, relevant_pairs, search
from xlbias.runs.parts import query_blocks

DIMENSION = 384


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    task = load_task(f"lareqa:{folder}") if folder else xquad()
    rng = np.random.default_rng(0)
    passages = in_index_order(task.passages)
    meaning = {q: rng.standard_normal(DIMENSION) for q in task.queries["query_id"].unique().sort()}
    queries = np.stack([meaning[q] for q in task.queries["query_id"]]) + rng.standard_normal(
        (task.queries.height, DIMENSION)
    )
    of_passages = rng.standard_normal((passages.height, DIMENSION))
    q, p = (unit(vectors) for vectors in (queries, of_passages))
    times: dict[str, float] = {}

    def timed(name: str, function: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        result = function()
        times[name] = time.perf_counter() - start
        return result

    product = torch.empty(task.queries.height, passages.height)
    for name in ("first product (warms up)", "one product of all queries and passages"):
        timed(name, lambda: torch.mm(torch.from_numpy(q), torch.from_numpy(p).T, out=product))
    del times["first product (warms up)"]
    index = PassageIndex(p, passages["passage_id"].to_list(), passages["language"].to_list())
    relevant = relevant_pairs(task, passages)
    blocks = query_blocks(task)
    search(task.queries[blocks[0][:8]], q[blocks[0][:8]], passages, index, relevant, 10)  # compiles
    frames = timed(
        "ranks and top 10 of all cells, as rows",
        lambda: [search(task.queries[rows], q[rows], passages, index, relevant, 10) for rows in blocks],
    )
    timed(
        "rank consistency (every passage ranked)",
        lambda: rank_consistency(index, q, task.queries["query_id"].to_list()),
    )
    timed("alignment of passages and queries", lambda: alignments(task, passages, p, q))
    rankings = pl.concat(frames)
    timed("every number without intervals", lambda: summarise(rankings, task.pool_sizes, intervals=False))
    rows = timed("every number with its interval", lambda: summarise(rankings, task.pool_sizes))
    languages = [*passages["language"].to_list(), *task.queries["language"].to_list()]
    both = np.concatenate([p, q])
    for text in ("mean", "lir:1"):
        timed(
            f"mitigation {text}", lambda text=text: parse_mitigation(text).fit(both, languages).apply(both, languages)
        )
    one = times["one product of all queries and passages"]
    sizes = f"{task.queries.height:,} queries × {passages.height:,} passages × {DIMENSION}"
    print(f"{task.name}: {sizes}; {rows.height:,} numbers")
    print("\n| part | seconds | products |\n|---|---:|---:|")
    for name, seconds in times.items():
        print(f"| {name} | {seconds:.2f} | {seconds / one:.1f} |")
    parts = ("ranks and top", "rank consistency", "alignment", "every number with its")
    total = sum(seconds for name, seconds in times.items() if name.startswith(parts))
    print(f"| **the whole audit** | **{total:.1f}** | {total / one:.1f} |")


def unit(vectors: np.ndarray) -> np.ndarray:
    """Return float32 vectors of length 1."""
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


if __name__ == "__main__":
    main()
