"""InfoNCE over in-batch negatives: the library's losses, and a form that a static encoder computes in half the time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.losses import (
    CachedMultipleNegativesRankingLoss,
    MatryoshkaLoss,
    MultipleNegativesRankingLoss,
)
from sentence_transformers.sentence_transformer.modules import StaticEmbedding

from xlbias.errors import TrainingError

Features = dict[str, torch.Tensor]


class StaticRankingLoss(MultipleNegativesRankingLoss):  # type: ignore[misc]  # the library is not typed for mypy
    """The library's InfoNCE with all columns of a batch looked up at once.

    The gradient of a table of vectors is as large as the table and is made anew for every look-up: one of it and not
    one for queries, one for passages, and their sum.
    """

    def forward(self, sentence_features: Iterable[Features], labels: torch.Tensor) -> torch.Tensor:
        """Return the loss of a batch whose columns are ``input_ids`` and ``offsets`` each."""
        columns = list(sentence_features)
        sizes = [len(column["offsets"]) for column in columns]
        lengths = torch.tensor([len(column["input_ids"]) for column in columns])
        starts = (lengths.cumsum(0) - lengths).tolist()
        offsets = torch.cat([column["offsets"] + start for column, start in zip(columns, starts, strict=True)])
        vectors = self.model({"input_ids": torch.cat([column["input_ids"] for column in columns]), "offsets": offsets})
        loss: torch.Tensor = self.compute_loss_from_embeddings(list(vectors["sentence_embedding"].split(sizes)), labels)
        return loss


def infonce(
    model: SentenceTransformer,
    temperature: float,
    *,
    mini_batch: int,
    gather: bool,
    symmetric: bool = False,
    matryoshka: Sequence[int] = (),
) -> torch.nn.Module:
    """Return InfoNCE with cosine similarities divided by `temperature`.

    Args:
        model: the encoder to train.
        temperature: more than 0.
        mini_batch: texts that go through the encoder at a time (the gradient-cached form); 0 for the whole batch.
        gather: whether passages of the other processes are negatives too.
        symmetric: the mean of both directions: queries find their passages, and passages their queries.
        matryoshka: lengths that vectors can be cut to: the sum of the losses of all of them and of the whole length.

    Raises TrainingError where vectors are shorter than one of `matryoshka`.
    """
    common: dict[str, Any] = {"scale": 1.0 / temperature, "gather_across_devices": gather}
    if symmetric:
        common |= {"directions": ("query_to_doc", "doc_to_query"), "partition_mode": "per_direction"}
    loss: torch.nn.Module
    if mini_batch:
        loss = CachedMultipleNegativesRankingLoss(model, mini_batch_size=mini_batch, **common)
    else:
        kind = StaticRankingLoss if type(model[0]) is StaticEmbedding else MultipleNegativesRankingLoss
        loss = kind(model, **common)
    if not matryoshka:
        return loss
    whole = int(model.get_embedding_dimension() or 0)
    if max(matryoshka) > whole:
        raise TrainingError(f"matryoshka is {sorted(matryoshka)}: the encoder has vectors of {whole}")
    loss = MatryoshkaLoss(model, loss, sorted({*matryoshka, whole}, reverse=True))
    return loss
