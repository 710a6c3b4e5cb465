"""Made-up tasks and vectors of the sizes of real ones, for benchmarks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from xlbias.data.task import RetrievalTask

LANGUAGES = "ar de el en es hi ru th tr vi zh".split()


def xquad(n_ids: int = 1190, languages: list[str] = LANGUAGES) -> RetrievalTask:
    """Return a task with a query and its one passage in every language, for each id: by default XQuAD-R's size."""
    ids = pl.DataFrame({"query_id": [f"{i:07d}" for i in range(n_ids)]})
    rows = ids.join(pl.DataFrame({"language": languages}), how="cross")
    name = pl.format("{}/{}", "language", "query_id")
    return RetrievalTask(
        "made-up", "none", "made up", "none",
        rows.with_columns(pl.format("q{}", name).alias("text")),
        rows.select(name.alias("passage_id"), "language", pl.format("p{}", name).alias("text")),
        rows.select("query_id", name.alias("passage_id"), pl.lit(1).alias("relevance")),
    )  # fmt: skip


def unit_vectors(task: RetrievalTask, dimension: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return vectors of a task's queries and passages: what an id means, what a language adds, and noise."""
    rng = np.random.default_rng(0)
    ids = {one: rng.standard_normal(dimension) for one in task.queries["query_id"].unique().sort()}
    languages = {one: rng.standard_normal(dimension) for one in task.queries["language"].unique().sort()}
    found = []
    for frame, of_id in (
        (task.queries, task.queries["query_id"]),
        (task.passages, task.passages["passage_id"].str.split("/").list.last()),
    ):
        shared = np.stack([ids[i] + 0.7 * languages[one] for i, one in zip(of_id, frame["language"], strict=True)])
        vectors = shared + 1.5 * rng.standard_normal(shared.shape)
        found.append((vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32))
    return found[0], found[1]
