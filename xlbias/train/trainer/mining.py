"""Hard negatives that the base of a training finds: passages that it ranks high and that are not relevant."""

from __future__ import annotations

import io
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace

import polars as pl
from datasets import Dataset
from sentence_transformers import SentenceTransformer
from sentence_transformers.util import mine_hard_negatives

from xlbias.data.task import RetrievalTask
from xlbias.narration import Narrator, Silent
from xlbias.train.recipe import Recipe
from xlbias.train.sampling.pairs import PairTexts
from xlbias.train.trainer.base import BaseEncoder
from xlbias.train.trainer.held_out import TrainingData
from xlbias.train.trainer.place import Place
from xlbias.train.trainer.trainer import quiet_libraries

_BATCH = 64  # texts encoded at a time


def with_mined_negatives(data: TrainingData, recipe: Recipe, place: Place, narrator: Narrator) -> TrainingData:
    """Return the same data with the negatives that the base finds for each query; all processes must call this.

    The tasks that a card describes stay as they are; what pairs are drawn from has the negatives.
    """
    narrator.say(f"mining {recipe.mine_negatives} hard negatives for each query")
    base = BaseEncoder("mining", recipe.overridden(lora_rank=0), data.texts, place, Silent())
    with quiet_libraries():
        model = base.load()
        found: list[pl.DataFrame] = place.processes.shared(
            lambda: [mined(task, model, base.prompts, recipe.mine_negatives, recipe.mine_margin) for task in data.tasks]
        )
    for task, negatives in zip(data.tasks, found, strict=True):
        narrator.say(f"{task.name}: {negatives.height:,} hard negatives")
    tasks = [
        task.changed(negatives=pl.concat([task.negatives, negatives]).unique(maintain_order=True))
        for task, negatives in zip(data.tasks, found, strict=True)
    ]
    return replace(data, texts=PairTexts(tasks, data.switch))


def mined(
    task: RetrievalTask, model: SentenceTransformer, prompts: Mapping[str, str], most: int, margin: float
) -> pl.DataFrame:
    """Return ``query_id, passage_id``: up to `most` hard negatives of each id in each language of its passages.

    The query in that language asks, or where there is none the first in another. A negative is a passage in the same
    language whose score is by the share `margin` below that of each relevant one. Never found are relevant passages,
    passages of the same text, and translations of either.
    """
    relevant = (
        task.qrels.join(task.passages.select("passage_id", "parallel_id", "text", "language"), on="passage_id")
        .sort("query_id", "language", "passage_id")
    )  # fmt: skip
    found = [
        _of_language(task, language, of_language, model, prompts, most, margin)
        for (language,), of_language in sorted(relevant.partition_by("language", as_dict=True).items())
    ]
    negatives = pl.concat([pl.DataFrame(schema={"query_id": pl.String, "passage_id": pl.String}), *found]).unique()
    return without_translations(task, negatives).sort("query_id", "passage_id")


def without_translations(task: RetrievalTask, negatives: pl.DataFrame) -> pl.DataFrame:
    """Return ``query_id, passage_id`` without passages that say what a relevant passage of the same id says.

    Passages say the same that have one text, or one parallel id.
    """
    passages = task.passages.select("passage_id", "parallel_id", "text")
    relevant = task.qrels.join(passages, on="passage_id")
    kept = negatives.join(passages, on="passage_id")
    for said in ("passage_id", "text", "parallel_id"):
        kept = kept.join(relevant.select("query_id", said).drop_nulls().unique(), on=["query_id", said], how="anti")
    return kept.select("query_id", "passage_id")


def _of_language(
    task: RetrievalTask,
    language: str,
    relevant: pl.DataFrame,
    model: SentenceTransformer,
    prompts: Mapping[str, str],
    most: int,
    margin: float,
) -> pl.DataFrame:
    pairs = (
        _asking(task, language)
        .join(relevant.select("query_id", "passage_id", "text"), on="query_id")
        .sort("query_id", "passage_id")
    )
    corpus = task.passages.filter(pl.col("language") == language).sort("passage_id")
    given = Dataset.from_dict({"query": pairs["query"].to_list(), "passage": pairs["text"].to_list()})
    with redirect_stderr(io.StringIO()), redirect_stdout(io.StringIO()):  # progress bars, which it always shows
        rows = mine_hard_negatives(
            given,
            model,
            anchor_column_name="query",
            positive_column_name="passage",
            corpus=corpus["text"].unique(maintain_order=True).to_list(),
            num_negatives=most,
            relative_margin=margin,
            query_prompt=prompts["query"],
            corpus_prompt=prompts["passage"],
            output_format="triplet",
            batch_size=_BATCH,
            verbose=False,
        )
    texts = pl.DataFrame({"query": list(rows["query"]), "negative": list(rows["negative"])}) if len(rows) else None
    if texts is None:
        return pl.DataFrame(schema={"query_id": pl.String, "passage_id": pl.String})
    first = corpus.unique("text", keep="first", maintain_order=True).select("passage_id", negative="text")
    return (
        texts.unique()
        .join(pairs.select("query_id", "query").unique(), on="query")
        .join(first, on="negative")
        .select("query_id", "passage_id")
    )


def _asking(task: RetrievalTask, language: str) -> pl.DataFrame:
    """Return ``query_id, query``: the text of each id in `language`, else in the first language that it has."""
    return (
        task.queries.with_columns(other=pl.col("language") != language)
        .sort("query_id", "other", "language")
        .unique("query_id", keep="first", maintain_order=True)
        .select("query_id", query="text")
    )
