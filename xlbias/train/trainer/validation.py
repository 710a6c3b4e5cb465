"""Validation while training: mAP in three settings, rank distance and loss on a slice held out without leaks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import polars as pl
import torch
from sentence_transformers import SentenceTransformer

from xlbias.data.split import split_task
from xlbias.data.task import RetrievalTask
from xlbias.encode.encoder import embed
from xlbias.encode.pretrained import PretrainedEncoder
from xlbias.encode.similarity import Vectors
from xlbias.errors import TaskError, TrainingError
from xlbias.folding import canonical_texts
from xlbias.results import wide as views
from xlbias.results.summary import summarise
from xlbias.retrieve.left_out import left_out_pairs
from xlbias.retrieve.ranks import PassageIndex
from xlbias.retrieve.search import in_index_order, relevant_pairs, search
from xlbias.train.recipe import MONITORS
from xlbias.train.sampling.pairs import PairTexts
from xlbias.train.sampling.samplers import LanguageBatchSampler

_LEAST_IDS, _MOST_IDS = 10, 200  # held out of a task: enough to see a trend, few enough to be searched often
_LARGEST_SHARE = 0.2  # that is held out of a small task for the sake of _LEAST_IDS
_LOSS_BATCHES = 4  # per task


@dataclass(frozen=True)
class Split:
    """Tasks to train on, tasks to validate on, and a line for each task of which nothing could be held out."""

    training: list[RetrievalTask]
    validation: list[RetrievalTask]
    notes: list[str]


def hold_out(tasks: Sequence[RetrievalTask], share: float, seed: int) -> Split:
    """Hold out `share` of the query ids of each task, from 10 to 200.

    Neither documents nor ids nor equal or parallel passages of a task are on both sides, and no text of its slice is in
    the training part of another task (a translation of it may be, where two tasks hold parts of one corpus). A task
    whose documents tie too many ids together is split by id. Nothing is held out of a task that is too small.
    """
    training, validation, notes = [], [], []
    for task in tasks:
        try:
            train, held = _split(task, _share(task, share), seed)
        except TaskError as error:
            training.append(task)
            notes.append(f"nothing is held out of {task.name} to validate on: {error}")
        else:
            training.append(train)
            validation.append(held)
    return Split(without_texts_of(training, validation), validation, notes)


def _share(task: RetrievalTask, share: float) -> float:
    n_ids = task.qrels["query_id"].n_unique()
    held = min(_MOST_IDS, max(_LEAST_IDS, share * n_ids))
    if held > max(share, _LARGEST_SHARE) * n_ids:
        raise TaskError(f"it has {n_ids:,} query ids, too few to spare {_LEAST_IDS}")
    return held / n_ids


def _split(task: RetrievalTask, share: float, seed: int) -> tuple[RetrievalTask, RetrievalTask]:
    side = partial(split_task, task, test_fraction=share, seed=seed)
    try:
        return side("train"), side("test")
    except TaskError:
        return side("train", by="id"), side("test", by="id")


def without_texts_of(training: Sequence[RetrievalTask], validation: Sequence[RetrievalTask]) -> list[RetrievalTask]:
    """Return `training` without the query ids of which a text is in `validation`, and without such passages.

    Copies that differ in Unicode normal form or white space are one text.

    Raises TrainingError where nothing is left of a task.
    """
    text = canonical_texts(pl.col("text")).alias("text")
    frames = [frame.select(text) for task in validation for frame in (task.queries, task.passages)]
    seen = pl.concat([_NO_TEXT, *frames]).unique()
    kept = []
    for task in training:
        passages = task.passages.with_columns(text).join(seen, on="text", how="semi").select("passage_id")
        ids = pl.concat(
            [
                task.queries.with_columns(text).join(seen, on="text", how="semi").select("query_id"),
                task.qrels.join(passages, on="passage_id", how="semi").select("query_id"),
            ]
        ).unique()
        if ids.is_empty() and passages.is_empty():
            kept.append(task)
            continue
        qrels = task.qrels.join(ids, on="query_id", how="anti", maintain_order="left")
        if qrels.is_empty():
            raise TrainingError(f"{task.name}: all its texts are in the validation tasks too")
        negatives = task.negatives.join(ids, on="query_id", how="anti", maintain_order="left")
        kept.append(
            task.changed(
                queries=task.queries.join(ids, on="query_id", how="anti", maintain_order="left"),
                passages=task.passages.join(passages, on="passage_id", how="anti", maintain_order="left"),
                qrels=qrels,
                negatives=negatives.join(passages, on="passage_id", how="anti", maintain_order="left"),
            )
        )
    return kept


_NO_TEXT = pl.DataFrame(schema={"text": pl.String})


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
            drawn = LanguageBatchSampler(texts, size, seed=0, **{**sampling, "hard_negatives": 0})
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
