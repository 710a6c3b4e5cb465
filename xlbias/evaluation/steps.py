"""The steps of an evaluation, and about how long each takes: what its progress is reckoned with, before it begins.

Seconds are those of two cores and a small encoder. Only their proportions matter, and those between kinds of work are
corrected by what is measured.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from xlbias.data.task import RetrievalTask
from xlbias.encode.kinds import kind_of
from xlbias.encode.precomputed import PrecomputedVectors
from xlbias.evaluation.alignment import intervals_seconds
from xlbias.measures.alignment.audit import expected_seconds
from xlbias.measures.bias.rank_consistency import MOST_SCORES
from xlbias.progress import Step
from xlbias.results.per_query import names_with_values
from xlbias.results.summary import measures_together, n_cells_of, seconds_of

Key = tuple[str, str, int]
"""Kind of work, encoder, position of the task (-1 for none)."""

_LONGEST = 2_000  # characters of a text that are read at most, about: encoders cut what is longer
_CHARACTERS_A_TOKEN = 4
_FLOPS = 1.5e11
_LOOKED_UP = 1e-6  # seconds a token where vectors are looked up
_RANKED = 1.5e-9  # seconds for a query and a passage
_ROW = 1e-5  # seconds for a query in a pool
_SORTED = 2.5e-8
_LOADING = 3.0
_USUAL = (12, 384)  # layers and width of an encoder that nothing is known of


def steps_of_model(name: str, model: object, variants: Sequence[str], tasks: Sequence[RetrievalTask]) -> list[Step]:
    """Return the steps of one encoder, plain and mitigated, on all tasks; `model` as `evaluate` is given it."""
    steps = [Step(("load", name, -1), "load", name, _LOADING)]
    other = kind_of(model) if isinstance(model, str) else None
    made = isinstance(model, PrecomputedVectors) or (other is not None and not other[0].encodes)
    token = 0.0 if made else seconds_a_token(model if isinstance(model, str) else None)
    encoding = "look up" if token == _LOOKED_UP else "encode"  # the speed of one says nothing of the other's
    for t, task in enumerate(tasks):
        for kind, frame in (("passages", task.passages), ("queries", task.queries)):
            if token:
                tokens = characters(frame["text"]) / _CHARACTERS_A_TOKEN
                steps.append(Step((kind, name, t), encoding, name, tokens * token + 0.1))
        for variant in variants:
            for kind, seconds in _of_task(task).items():
                steps.append(Step((kind, variant, t), kind, name, seconds))
    return steps


def _of_task(task: RetrievalTask) -> dict[str, float]:
    queries, passages = task.queries, task.passages
    products = queries.height * passages.height
    found = {"rank": _RANKED * products + _ROW * queries.height * (len(task.passage_languages) + 1)}
    found["consistency"] = _SORTED * min(products, MOST_SCORES) + 0.01
    found["alignment"] = alignment_seconds(task) + 0.05
    found["numbers"] = numbers_seconds(task) + 0.05
    return found


def numbers_seconds(task: RetrievalTask) -> float:
    """Return about how long every number of a task with its interval takes, once all queries are ranked."""
    n_measures = len(names_with_values())
    n_ids, n_cells = task.queries["query_id"].n_unique(), n_cells_of(task.query_languages, task.passage_languages)
    together = measures_together(n_ids, n_cells)
    return math.ceil(n_measures / together) * seconds_of(n_ids, n_cells, together)


def alignment_seconds(task: RetrievalTask) -> float:
    """Return about how long the alignment of a task's passages and queries takes, with its intervals."""
    total = 0.0
    for frame in (task.passages, task.queries):
        sizes = frame.group_by("language").len()["len"].to_list()
        total += expected_seconds(sizes) + intervals_seconds(max(sizes, default=0), len(sizes))
    return total


def characters(texts: pl.Series) -> int:
    """Return how many characters of texts an encoder reads, about."""
    return int(texts.str.len_chars().clip(upper_bound=_LONGEST).sum() or 0)


def seconds_a_token(folder: str | None) -> float:
    """Return about how long an encoder takes for a token, from the files of its folder; that of a small one for others.

    A transformer's layers take 24 · layers · width² operations a token; looked-up vectors next to nothing.
    """
    path = Path(folder).expanduser() if folder is not None else None
    if path is not None and path.is_dir():
        modules = _json(path / "modules.json")
        if isinstance(modules, list) and any("StaticEmbedding" in str(one) for one in modules):
            return _LOOKED_UP
        for config in (path / "config.json", *sorted(path.glob("*/config.json"))):
            if size := _size(_json(config)):
                return _seconds(*size)
    return _seconds(*_USUAL)


def _seconds(layers: int, width: int) -> float:
    return 24.0 * layers * width * width / _FLOPS


def _size(config: Any) -> tuple[int, int] | None:
    if not isinstance(config, dict):
        return None
    layers, width = (
        config.get("num_hidden_layers", config.get("n_layers")),
        config.get("hidden_size", config.get("dim")),
    )
    if isinstance(layers, int) and isinstance(width, int) and 0 < layers < 1_000 and 0 < width < 100_000:
        return layers, width
    return None


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
