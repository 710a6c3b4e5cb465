"""From the texts of a batch to the tensors of a step: one group of features per column, and a count of tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import StaticEmbedding

COLUMNS = ("query", "passage", "negative")
_REMEMBERED = 500_000  # texts whose tokens a static encoder keeps: some hundred megabytes


class PairCollator:
    """Calls sentence-transformers' collator `collate` for each column, as there may be fewer negatives than pairs."""

    def __init__(self, collate: Callable[[list[dict[str, str]]], dict[str, Any]]) -> None:
        self.collate = collate
        self.n_tokens = 0
        """Tokens in all batches so far, without padding."""

    def __call__(self, rows: Sequence[dict[str, str]]) -> dict[str, Any]:
        """Return the features of all columns, named as the library names them."""
        features: dict[str, Any] = {}
        for column in COLUMNS:
            own = [{column: row[column]} for row in rows if column in row]
            if own:
                features |= self.collate(own)
        self.n_tokens += _count_tokens(features)
        return features


def _count_tokens(features: dict[str, Any]) -> int:
    masks = [value for name, value in features.items() if name.endswith("_attention_mask")]
    if masks:
        return sum(int(mask.sum()) for mask in masks)
    return sum(value.numel() for name, value in features.items() if name.endswith("_input_ids"))


class TokenCache:
    """Tokens of texts for a static encoder, whose step would otherwise be half tokenising.

    In place of the model's `preprocess`, with the same result.
    """

    def __init__(self, module: StaticEmbedding) -> None:
        self.tokenizer = module.tokenizer
        self.tokens: dict[str, npt.NDArray[np.int64]] = {}

    def preprocess(
        self, inputs: Sequence[str], prompt: str | None = None, task: str | None = None
    ) -> dict[str, torch.Tensor]:
        """Return ``input_ids``, int64 [number of tokens of all texts], and ``offsets``, int64 [n_texts]."""
        texts = [prompt + text for text in inputs] if prompt else list(inputs)
        missing = list({text: None for text in texts if text not in self.tokens})
        fresh = {
            text: np.array(encoding.ids, dtype=np.int64)
            for text, encoding in zip(
                missing, self.tokenizer.encode_batch_fast(missing, add_special_tokens=False), strict=True
            )
        }
        tokens = [found if (found := self.tokens.get(text)) is not None else fresh[text] for text in texts]
        if len(self.tokens) + len(fresh) <= _REMEMBERED:
            self.tokens |= fresh
        lengths = np.array([len(ids) for ids in tokens], dtype=np.int64)
        return {
            "input_ids": torch.from_numpy(np.concatenate(tokens)),
            "offsets": torch.from_numpy(np.cumsum(lengths) - lengths),
        }


def token_cache(model: SentenceTransformer) -> TokenCache | None:
    """Return a cache for `model` where it is a static encoder, whose tokens are all there is before the loss."""
    first = model[0]
    return TokenCache(first) if type(first) is StaticEmbedding else None
