"""Ranks by sorting a whole matrix of scores: the oracle of ranks by counting."""

import numpy as np
import polars as pl

from xlbias.data.task import RetrievalTask
from xlbias.results.run import Run
from xlbias.runs.schema import MULTILINGUAL_POOL

Ranks = dict[tuple[str, str, str, str], int]
"""By query id, its language, pool and relevant passage."""


def sorted_ranks(task: RetrievalTask, scores: np.ndarray) -> Ranks:
    """Return the ranks of all relevant passages; `scores` are [n_queries, n_passages], in the order of the task."""
    ids, languages = task.passages["passage_id"].to_list(), task.passages["language"].to_list()
    descending = {own: place for place, own in enumerate(sorted(ids, reverse=True))}
    relevant = {query: set(some["passage_id"]) for (query,), some in task.qrels.group_by("query_id")}
    found: Ranks = {}
    for row, (query, language) in enumerate(task.queries.select("query_id", "language").iter_rows()):
        order = sorted(range(len(ids)), key=lambda at: (-scores[row, at], descending[ids[at]]))
        for pool in [*sorted(set(languages)), MULTILINGUAL_POOL]:
            pooled = [ids[at] for at in order if pool in (MULTILINGUAL_POOL, languages[at])]
            for rank, own in enumerate(pooled, 1):
                if own in relevant[query]:
                    found[query, language, pool, own] = rank
    return found


def ranks_of(run: Run, model: str | None = None) -> Ranks:
    """Return the ranks that a run holds, of one of its encoders, or of its only one."""
    rows = run.rankings.filter(pl.col("model") == model) if model else run.rankings
    table = rows.select("query_id", "query_language", "pool", "relevants").explode("relevants").unnest("relevants")
    chosen = table.drop_nulls("passage_id").select("query_id", "query_language", "pool", "passage_id", "rank").collect()
    return {(query, language, pool, own): rank for query, language, pool, own, rank in chosen.iter_rows()}


def words_task(n_ids: int = 8, languages: tuple[str, ...] = ("de", "en", "th")) -> RetrievalTask:
    """Parallel texts made of the words that the encoders of `tiny` know; some are equal, so that they tie."""
    ids = [f"q{number}" for number in range(n_ids)]

    def words(number: int, language: int, n: int) -> str:
        return " ".join(f"w{(7 * (number // 2) + 3 * language * step + step * step) % 60}" for step in range(1, n))

    queries = [(q, tag, words(i, at, 3 + i)) for i, q in enumerate(ids) for at, tag in enumerate(languages)]
    passages = [
        (f"{tag}-{q}", tag, words(i, at, 12 if i % 3 else 5))
        for i, q in enumerate(ids)
        for at, tag in enumerate(languages)
    ]
    qrels = [(q, f"{tag}-{q}", 1) for q in ids for tag in languages]
    return RetrievalTask(
        "words", "test", "made by the test", "none",
        pl.DataFrame(queries, schema=["query_id", "language", "text"], orient="row"),
        pl.DataFrame(passages, schema=["passage_id", "language", "text"], orient="row"),
        pl.DataFrame(qrels, schema=["query_id", "passage_id", "relevance"], orient="row"),
    )  # fmt: skip
