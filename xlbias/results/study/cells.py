"""Which cells of a target are of languages that a source trains in: what an encoder knows of both languages of a cell.

A target with more languages than a source mixes two questions: another domain, and languages that were never seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from xlbias.results.per_query import Aggregate, Key, Values
from xlbias.runs.run_info import ModelInfo, TaskInfo
from xlbias.runs.schema import MULTILINGUAL_POOL


@dataclass(frozen=True)
class Taught:
    """The languages that the encoders of a source were trained in, as queries and as passages, by any sampler."""

    queries: frozenset[str]
    passages: frozenset[str]

    def holds(self, task: TaskInfo) -> bool:
        """Whether these are all languages of a task."""
        return self.queries.issuperset(task.n_queries) and self.passages.issuperset(task.pool_sizes)

    def cell(self, key: Key) -> bool:
        """Whether a column is of these languages; the multilingual pool keeps all its passages."""
        return (key.query_language is None or key.query_language in self.queries) and (
            key.passage_language in (None, MULTILINGUAL_POOL) or key.passage_language in self.passages
        )


def drawn_pairs(model: ModelInfo) -> dict[tuple[str, str], int]:
    """Return how many pairs of each query and passage language an encoder was trained on; empty where not known."""
    batches = model.card.batches
    pairs = batches.get("pairs") if isinstance(batches, Mapping) else None
    if not isinstance(pairs, Mapping):
        return {}
    return {
        (str(query), str(passage)): n
        for query, counts in pairs.items() if isinstance(counts, Mapping)
        for passage, n in counts.items() if isinstance(n, int) and n > 0
    }  # fmt: skip


def taught(models: list[ModelInfo]) -> Taught | None:
    """Return the languages of all these encoders; None where they are not known of each."""
    drawn = [drawn_pairs(model) for model in models]
    if not drawn or not all(drawn):
        return None
    pairs = {pair for of_model in drawn for pair in of_model}
    return Taught(frozenset(query for query, _ in pairs), frozenset(passage for _, passage in pairs))


def restricted(values: Values, to: Taught) -> Values:
    """Return the columns of these languages, and what can be made of them."""
    chosen = [i for i, key in enumerate(values.columns) if to.cell(key)]
    place = {column: i for i, column in enumerate(chosen)}
    aggregates = [
        Aggregate(one.key, *(tuple(place[i] for i in columns if i in place) for columns in (one.columns, one.minus)))
        for one in values.aggregates
        if to.cell(one.key)
    ]
    whole = {one.key: bool(one.minus) for one in values.aggregates}
    return replace(
        values,
        columns=tuple(values.columns[i] for i in chosen),
        values=values.values[:, chosen],
        n_excluded=np.asarray(values.n_excluded[chosen]),
        aggregates=tuple(one for one in aggregates if one.columns and bool(one.minus) == whole[one.key]),
        blocks=(),
    )
