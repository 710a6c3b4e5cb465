"""What is trained and validated on: a slice of each task held out without leaks, or tasks of the user's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import polars as pl

from xlbias.data.split import split_task
from xlbias.data.task import RetrievalTask
from xlbias.errors import TaskError, TrainingError
from xlbias.folding import canonical_texts
from xlbias.narration import Narrator
from xlbias.train.sampling.codeswitch import CodeSwitch
from xlbias.train.sampling.pairs import PairTexts

_LEAST_IDS, _MOST_IDS = 10, 200  # held out of a task: enough to see a trend, few enough to be searched often
_LARGEST_SHARE = 0.2  # that is held out of a small task for the sake of _LEAST_IDS


@dataclass(frozen=True)
class TrainingData:
    """What is trained and validated on, the same for every training of a grid.

    Attributes:
        tasks: to train on, without what is held out.
        validation: to validate on; may be empty.
        texts: the training tasks' pairs, before code-switching.
        switch: code-switching of `texts`, where there is some.
    """

    tasks: Sequence[RetrievalTask]
    validation: Sequence[RetrievalTask]
    texts: PairTexts
    switch: CodeSwitch | None


def training_data(
    tasks: Sequence[RetrievalTask],
    share: float,
    validation: Sequence[RetrievalTask] | None,
    switch: CodeSwitch | None,
    narrator: Narrator,
) -> TrainingData:
    """Hold out what is validated on: `validation` where given, else `share` of each task, 0 for nothing.

    `narrator` is told of tasks of which nothing can be held out. Raises TrainingError where two tasks of `validation`
    have one name, or nothing of a task is left.
    """
    if validation is not None:
        check_names(validation)
        tasks, held = without_texts_of(tasks, validation), list(validation)
    elif share:
        split = hold_out(tasks, share, seed=0)  # the same for every seed: seeds are compared
        for note in split.notes:
            narrator.say(note)
        tasks, held = split.training, split.validation
    else:
        held = []
    return TrainingData(tasks, held, PairTexts(tasks), switch)


def check_names(tasks: Sequence[RetrievalTask]) -> None:
    """Raise TrainingError where two tasks have one name."""
    names = [task.name for task in tasks]
    for name in names:
        if names.count(name) > 1:
            raise TrainingError(f"two tasks are called {name!r}: give one another name with [name=...]")


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
    seen = pl.concat([pl.DataFrame(schema={"text": pl.String}), *frames]).unique()
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
