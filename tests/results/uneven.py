"""A task as uneven as MLQA-R and more so, with integer vectors whose products are exact, and its full rankings."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from xlbias.data.task import RetrievalTask
from xlbias.encode.precomputed import PrecomputedVectors

POOLS = ("de", "en", "th", "zh")  # nobody asks in Chinese
ASKED = ("de", "en", "sw", "th")  # nothing is written in Swahili
FILLERS = {"de": 14, "en": 9, "th": 3, "zh": 5}


@dataclass
class _Rows:
    queries: list[tuple[str, str, str]] = field(default_factory=list)
    passages: list[tuple[str, str, str, str | None]] = field(default_factory=list)
    qrels: list[tuple[str, str, int]] = field(default_factory=list)

    def answer(self, query_id: str, language: str, parallel_id: str | None, relevance: int) -> None:
        name = f"{language}-{len(self.passages):03d}"
        self.passages.append((name, language, f"passage {name}", parallel_id))
        self.qrels.append((query_id, name, relevance))


def uneven_task(seed: int = 0) -> RetrievalTask:
    """Answers in 0 to 4 languages, in groups or not, graded; questions in 1 to 4 languages."""
    rng = np.random.default_rng(seed)
    rows = _Rows()

    def some(languages: tuple[str, ...], least: int) -> list[str]:
        chosen = rng.choice(languages, size=rng.integers(least, len(languages) + 1), replace=False)
        return sorted(str(language) for language in chosen)

    kinds = ["parallel"] * 9 + ["everywhere"] * 5 + ["groups"] * 4 + ["groups everywhere"] * 3
    kinds += ["unknown groups"] * 3 + ["doubled group", "one answer", "one answer", "no answer", "no answer", "mixed"]
    for i, kind in enumerate(kinds):
        q = f"q{i:02d}"
        for language in ["sw"] if kind == "mixed" else some(ASKED, 1):
            rows.queries.append((q, language, f"question {q} in {language}"))
        groups = {
            "parallel": [some(POOLS, 2)],
            "everywhere": [POOLS],
            "groups": [[], some(POOLS, 1), some(POOLS, 1)],
            "groups everywhere": [[], POOLS, POOLS],
            "unknown groups": [("de", "de", "th", "th", "th")],
            "doubled group": [[], ("de", "de", "th")],
            "one answer": [some(POOLS, 1)[:1]],
            "no answer": [],
            "mixed": [some(POOLS, 2), some(POOLS, 1)],
        }[kind]  # the first without a parallel id
        for number, languages in enumerate(groups):
            for language in languages:
                rows.answer(q, language, f"{q}/{number}" if number else None, int(rng.integers(1, 4)))
    for language, count in FILLERS.items():
        rows.passages += [(f"{language}-x{i}", language, f"filler {i}", None) for i in range(count)]
    shuffled = [rows.passages[i] for i in rng.permutation(len(rows.passages))]
    return RetrievalTask(
        "uneven", "test", "made by the test", "none",
        pl.DataFrame(rows.queries, schema=["query_id", "language", "text"], orient="row"),
        pl.DataFrame(
            shuffled, schema=dict.fromkeys(("passage_id", "language", "text", "parallel_id"), pl.String), orient="row"
        ),
        pl.DataFrame(rows.qrels, schema=["query_id", "passage_id", "relevance"], orient="row"),
    )  # fmt: skip


def integer_vectors(task: RetrievalTask, seed: int = 0, dimension: int = 5, values: int = 3) -> PrecomputedVectors:
    """Vectors of small integers: many scores tie, and none is rounded."""
    rng = np.random.default_rng(seed)
    shape = (task.queries.height, dimension), (task.passages.height, dimension)
    queries, passages = (rng.integers(-values, values + 1, size).astype(np.float32) for size in shape)
    return PrecomputedVectors(queries, passages, f"integers{seed}")


def full_rankings(task: RetrievalTask, vectors: PrecomputedVectors) -> dict[tuple[str, str], list[str]]:
    """All passages, best first, by (query id, query language): by score, then by id, both descending."""
    ids = task.passages["passage_id"].to_list()
    scores = vectors.queries.astype(np.int64) @ vectors.passages.astype(np.int64).T
    asked = task.queries.select("query_id", "language").rows()
    return {
        query: [ids[j] for j in sorted(range(len(ids)), key=lambda j, row=row: (row[j], ids[j]), reverse=True)]
        for query, row in zip(asked, scores.tolist(), strict=True)
    }
