"""What is in a task, as numbers and a few examples: what `xlbias data show` prints."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from xlbias.data.equal_texts import equal_texts
from xlbias.data.parallels import parallels
from xlbias.data.selves import selves
from xlbias.data.task import RetrievalTask
from xlbias.languages import divided_tags


@dataclass(frozen=True)
class Example:
    """One query id with its texts in up to two languages: (language, text) of queries and of relevant passages."""

    query_id: str
    queries: list[tuple[str, str]]
    passages: list[tuple[str, str]]


def summarise(task: RetrievalTask) -> dict[str, Any]:
    """Return the facts of a task, ready for JSON.

    `relevants_per_query` counts, for every query in one language, its relevant passages in all languages; queries
    without any are counted apart and left out of it. `n_negatives` counts hard negatives, (query id, passage) each.
    `n_documents` is 0 where the task names no documents.
    """
    counts = task.relevants_per_query["n"]
    per_query = counts.filter(counts > 0)
    queries_by_language = dict(task.queries.group_by("language").len().iter_rows())
    return {
        "schema": 1,
        "name": task.name,
        "domain": task.domain,
        "source": task.source,
        "licence": task.licence,
        "fingerprint": task.fingerprint,
        "n_query_ids": task.queries["query_id"].n_unique(),
        "n_queries": task.queries.height,
        "n_passages": task.passages.height,
        "n_pairs": task.n_pairs,
        "n_negatives": task.negatives.height,
        "n_documents": task.passages["document"].drop_nulls().n_unique(),
        "n_queries_without_relevant": task.queries.height - len(per_query),
        "parallel": asdict(parallels(task)),
        "self": asdict(selves(task)),
        "notes": asdict(task.notes),
        "equal_texts": asdict(equal_texts(task)),
        "divided_languages": divided_tags(task.query_languages, task.passage_languages),
        "relevants_per_query": {"min": per_query.min(), "median": per_query.median(), "max": per_query.max()},
        "languages": {
            language: {
                "queries": queries_by_language.get(language, 0),
                "passages": task.pool_sizes.get(language, 0),
            }
            for language in task.languages
        },
    }


def examples(task: RetrievalTask, n: int) -> list[Example]:
    """Return up to `n` query ids that have relevant passages, spread evenly over the sorted ids.

    Each comes in up to two languages: English first where there is any, the other one changing from example to
    example.
    """
    ids = task.queries.join(task.qrels, on="query_id", how="semi")["query_id"].unique().sort()
    count = min(n, len(ids))
    chosen = []
    for turn in range(count):
        query_id = ids[turn * len(ids) // count]
        queries = task.queries.filter(pl.col("query_id") == query_id)
        relevant = task.qrels.filter(pl.col("query_id") == query_id).join(task.passages, on="passage_id")
        chosen.append(Example(query_id, _two_languages(queries, turn), _two_languages(relevant, turn)))
    return chosen


def _two_languages(texts: pl.DataFrame, turn: int) -> list[tuple[str, str]]:
    """Return the first text in each of two languages of the frame."""
    by_language = dict(texts.sort("language").unique("language", keep="first").select("language", "text").iter_rows())
    languages = sorted(by_language, key=lambda language: (language != "en", language))
    first, others = languages[:1], languages[1:]
    pair = first + ([others[turn % len(others)]] if others else [])
    return [(language, by_language[language]) for language in pair]
