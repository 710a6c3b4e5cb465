"""A whole evaluation of XQuAD-R from vectors against its ranks alone: all 132 cells with their first ten passages.

Vectors are made up, in XQuAD-R's number: 384 dimensions, a meaning that translations share, and noise. Ranks alone are
the rows of all cells, without rank consistency, in the same process just before and after: an evaluation makes both
from the same scores.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from made import unit_vectors, xquad
from row import Row, one_thread, spent

from xlbias import RetrievalTask, evaluate
from xlbias.encode.precomputed import PrecomputedVectors
from xlbias.evaluation.evaluator import DEFAULT_TOP_K
from xlbias.evaluation.runner import TaskVectors, aligned
from xlbias.retrieve.search import in_index_order, relevant_pairs, search
from xlbias.runs.parts import query_blocks

GOAL = "≤ 3 × its ranks"


def rank_all(task: RetrievalTask, vectors: PrecomputedVectors) -> None:
    """Make the ranking rows of every part of a run, as an evaluation that looks for nothing else."""
    passages = in_index_order(task.passages)
    of_task = TaskVectors(passages, aligned(vectors, task, passages), vectors.queries)
    index, queries, _ = of_task.index(vectors.name, vectors.similarity, "cpu")
    relevant = relevant_pairs(task, passages)
    for part in query_blocks(task):
        search(task.queries[part], queries[part], passages, index, relevant, DEFAULT_TOP_K)


def rows(tiny: bool) -> Iterator[Row]:
    task = xquad(8, ["de", "en"]) if tiny else xquad()
    queries, passages = unit_vectors(task, 16 if tiny else 384)
    vectors = PrecomputedVectors(queries, passages, "made-up")
    with tempfile.TemporaryDirectory() as folder:
        small = xquad(4, ["de", "en"])
        if not tiny:  # compiles
            evaluate(PrecomputedVectors(*unit_vectors(small, 8), "warm"), small, Path(folder) / "w.parquet")
        rounds = []
        for _ in range(1 if tiny else 3):
            with one_thread():
                before = spent(partial(rank_all, task, vectors)).processor
                taken = spent(lambda: evaluate(vectors, task, Path(folder) / "run.parquet", overwrite=True))
                ranks = (before + spent(partial(rank_all, task, vectors)).processor) / 2
            rounds.append((taken.processor / ranks, taken.processor, ranks))
    ratio, whole, ranks = min(rounds)
    yield Row(
        f"whole evaluation of {task.queries.height:,} queries × {task.passages.height:,} passages, one thread",
        GOAL,
        f"{ratio:.1f} × ({whole:.1f} s against {ranks:.1f} s of processors)",
        ratio <= 3,
    )
