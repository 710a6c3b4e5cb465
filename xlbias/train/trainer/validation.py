"""Validation while training: mAP in three settings, rank distance and loss on tasks that are not trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
import torch
from sentence_transformers import SentenceTransformer

from xlbias.data.task import RetrievalTask
from xlbias.encode.encoder import embed
from xlbias.encode.pretrained import PretrainedEncoder
from xlbias.encode.similarity import Vectors
from xlbias.errors import TrainingError
from xlbias.results import wide as views
from xlbias.results.summary import summarise
from xlbias.retrieve.index import PassageIndex
from xlbias.retrieve.left_out import left_out_pairs
from xlbias.retrieve.search import in_index_order, relevant_pairs, search
from xlbias.train.recipe import MONITORS
from xlbias.train.sampling.pairs import PairTexts
from xlbias.train.sampling.samplers import LanguageBatchSampler

_LOSS_BATCHES = 4  # per task


class Validation:
    """Measures an encoder on tasks that it is not trained on.

    Args:
        tasks: what to search; at least one.
        batch_size, temperature: of the training, for the loss; a smaller batch where a task is too small.
        sampling: keyword arguments of the training's `LanguageBatchSampler`.

    The loss is InfoNCE over the same few batches every time, drawn by the training's sampler.
    """

    def __init__(
        self, tasks: Sequence[RetrievalTask], *, batch_size: int, sampling: Mapping[str, Any], temperature: float
    ) -> None:
        self.tasks = list(tasks)
        self.temperature = temperature
        self._batches = [_fixed_batches(task, batch_size, sampling) for task in self.tasks]

    def measure(self, model: SentenceTransformer, step: int, batch_size: int = 64) -> list[dict[str, Any]]:
        """Return a row of the `validation` record per task, without `model`; values that are undefined are None.

        Neither the state of the model nor any random state is changed.
        """
        was_training = model.training
        model.eval()
        try:
            encoder = PretrainedEncoder(model, "validation", batch_size=batch_size, fingerprint=f"step {step}")
            return [
                {"step": step, "task": task.name, "domain": task.domain}
                | _measures(task, encoder)
                | {"loss": self._loss(encoder, batches)}
                for task, batches in zip(self.tasks, self._batches, strict=True)
            ]
        finally:
            model.train(was_training)

    def _loss(self, encoder: PretrainedEncoder, batches: list[tuple[list[str], list[str]]]) -> float | None:
        losses = []
        for queries, passages in batches:
            scores = embed(encoder, queries, "query") @ embed(encoder, passages, "passage").T / self.temperature
            right = torch.arange(len(scores))
            losses.append(float(torch.nn.functional.cross_entropy(torch.from_numpy(scores), right)))
        return float(np.mean(losses)) if losses else None


def monitored(rows: Sequence[dict[str, Any]], monitor: str) -> float:
    """Return the mean of one of `MONITORS` over tasks, more being better. Raises TrainingError if it is undefined."""
    values = [row[monitor] for row in rows if row[monitor] is not None]
    if not values:
        raise TrainingError(f"the validation tasks give no {monitor}: monitor another of {', '.join(MONITORS)}")
    return float(np.mean(values)) * MONITORS[monitor]


def _fixed_batches(
    task: RetrievalTask, batch_size: int, sampling: Mapping[str, Any]
) -> list[tuple[list[str], list[str]]]:
    texts = PairTexts([task])
    size = batch_size
    while size >= 2:
        try:
            drawn = LanguageBatchSampler(texts, size, seed=0, **{**sampling, "hard_negatives": 0, "shares": None})
        except TrainingError:
            size //= 2
            continue
        rows = [texts.__getitems__(drawn.batch(0, number)) for number in range(_LOSS_BATCHES)]
        return [([row["query"] for row in batch], [row["passage"] for row in batch]) for batch in rows]
    return []  # a task that the sampler can draw no two pairs of has no loss, but still has ranks


def _measures(task: RetrievalTask, encoder: PretrainedEncoder) -> dict[str, Any]:
    passages = in_index_order(task.passages)
    index = PassageIndex(
        _vectors(encoder, passages, "passage"), passages["passage_id"].to_list(), passages["language"].to_list()
    )
    queries = task.queries
    rows = search(
        queries, _vectors(encoder, queries, "query"), passages, index, relevant_pairs(task, passages), top_k=0,
        left_out=left_out_pairs(task, passages),
    )  # fmt: skip
    summary = summarise(rows, task.pool_sizes, intervals=False).with_columns(
        pl.lit("").alias("model"), pl.lit(task.name).alias("task"), pl.lit(task.domain).alias("domain")
    )
    maps = dict(views.settings(summary).select("setting", "map").iter_rows())
    distances = views.rank_distance_summary(summary)
    distance = distances.row(0, named=True) if distances.height else {}
    return {
        "n_queries": queries.height,
        "map_monolingual": maps.get("monolingual"),
        "map_cross_lingual": maps.get("cross-lingual"),
        "map_multilingual": maps.get("multilingual"),
        "rank_distance": distance.get("mean"),
        "rank_distance_normalised": distance.get("normalised"),
    }


def _vectors(encoder: PretrainedEncoder, frame: pl.DataFrame, kind: Any) -> Vectors:
    return embed(encoder, frame["text"].to_list(), kind)
