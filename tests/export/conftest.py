"""Runs whose whole rankings are kept: real parallel data with equal scores, and judged data that is not parallel."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import xlbias
from xlbias.data.task import RetrievalTask
from xlbias.results.run import Run


@pytest.fixture(scope="session")
def parallel_task(shared_data: Path) -> RetrievalTask:
    """A part of XQuAD-R in three languages, with three copies of one passage of each language: equal scores."""
    whole = xlbias.load_task(f"lareqa:{shared_data / 'xquad-r'}[languages=en,de,th]")
    first = sorted(whole.passages["document"].unique())[:2]
    task = whole.select_passages(whole.passages.filter(pl.col("document").is_in(first))["passage_id"])
    copied = task.passages.group_by("language", maintain_order=True).first()
    copies = [copied.with_columns(pl.format("{}{}", pl.lit(mark), "passage_id").alias("passage_id")) for mark in "0z"]
    columns = task.passages.columns
    return task.changed(passages=pl.concat([task.passages, *(copy.select(columns) for copy in copies)]))


@pytest.fixture(scope="session")
def judged_task() -> RetrievalTask:
    """Graded judgements in three languages that have nothing to do with one another, as in MIRACL."""
    rng = np.random.default_rng(3)
    words = {"en": "river stone market ghost", "de": "Fluss Stein Markt Geist", "sw": "mto jiwe soko roho"}
    queries, passages, qrels = [], [], []
    for tag, text in words.items():
        known = text.split()
        for n in range(40):
            chosen = " ".join(known[i] for i in rng.integers(0, 4, 5))
            passages.append((f"{tag}/{n}#0", tag, f"{chosen} {n % 9}", None, None))
        for n in range(25):
            queries.append((f"{tag}/{n}", tag, f"{known[n % 4]} {n % 9}?"))
            judged = rng.choice(40, size=4, replace=False)
            qrels += [(f"{tag}/{n}", f"{tag}/{p}#0", int(grade)) for p, grade in zip(judged, (0, 1, 2, 3), strict=True)]
    names = ("passage_id", "language", "text", "document", "parallel_id")
    return RetrievalTask(
        name="judged",
        domain="made",
        source="made",
        licence="none",
        queries=pl.DataFrame(queries, ["query_id", "language", "text"], orient="row"),
        passages=pl.DataFrame(passages, dict.fromkeys(names, pl.String), orient="row"),
        qrels=pl.DataFrame(
            qrels, {"query_id": pl.String, "passage_id": pl.String, "relevance": pl.Int32}, orient="row"
        ),
    )


@pytest.fixture(scope="session")
def run_of(
    parallel_task: RetrievalTask, judged_task: RetrievalTask, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Run]:
    folder = tmp_path_factory.mktemp("runs")
    for name, task in (("parallel", parallel_task), ("judged", judged_task)):
        xlbias.evaluate("static-small", task, out=folder / f"{name}.parquet", top_k=task.passages.height)
    return lambda name: xlbias.open_run(folder / f"{name}.parquet")
