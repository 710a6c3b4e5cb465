"""Encoders that sentence-transformers can load: a local folder or a hub name, safetensors only."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import StaticEmbedding

from xlbias.encode.card import read_card
from xlbias.encode.encoder import Kind
from xlbias.encode.fingerprint import fingerprint as fingerprint_of
from xlbias.encode.loading import load_model
from xlbias.encode.options import Similarity
from xlbias.encode.parts import Batching
from xlbias.encode.prompts import find_prompts
from xlbias.encode.shortened import Shortened
from xlbias.encode.similarity import Vectors, chosen_similarity, unit
from xlbias.encode.tokens import TokenCounts
from xlbias.encode.trained_on import TrainedOn
from xlbias.encode.truncation import count_tokens, longest, shorten_texts

_LOGGER = logging.getLogger(__name__)

_TOKENS_CPU, _TOKENS_GPU = 1 << 11, 1 << 15
_USUAL_BATCH = 32  # texts of a batch where nobody makes batches: that of sentence-transformers

_MADE = "unit in float32"
"""How vectors are made of what the model gives; another text for another way, so that no vector of the old is found."""


class PretrainedEncoder:
    """A SentenceTransformer behind the encoder protocol.

    Prompts are those the model registers, by the names of `xlbias.encode.prompts`; `query_prompt` and `passage_prompt`,
    a registered name or a text, replace them. The similarity is the model's own, cosine where it names none;
    `similarity` replaces it. The fingerprint is that of `xlbias.encode.fingerprint`, with `content` where the model was
    loaded from a folder; one whose vectors are never kept can be given any.

    Attributes:
        prompts: what stands before queries and passages, and how it was found.
        own_similarity: what the model asks for, whatever is used.
        dtype: type of the weights, e.g. ``float32`` or ``bfloat16``.
        max_length: tokens of a text that are read at most, by kind; None for all.
        precision: ``int8`` where the vectors are rounded to that once a task has them all, see
            `xlbias.encode.quantised`; else None.
        unrounded: the fingerprint without `precision`: the cache keeps vectors as they are before that.

    Raises EncoderError for a distance that cannot be ranked by, for a prompt's name that is not registered, and for a
    dimension or a length that it does not have.
    """

    def __init__(
        self,
        model: SentenceTransformer,
        name: str,
        *,
        batch_size: int | None = None,
        card: dict[str, Any] | None = None,
        fingerprint: str | None = None,
        content: str | None = None,
        query_prompt: str | None = None,
        passage_prompt: str | None = None,
        similarity: str | None = None,
        truncate_dim: int | None = None,
        max_length: int | None = None,
        precision: str | None = None,
    ) -> None:
        self.model = model
        self.name = name
        self.precision = precision
        if max_length is not None:
            shorten_texts(model, max_length, name)
        self.batching = None if _looks_up(model) else Batching(_tokens_at_a_time(model), batch_size)
        self._counted: dict[Kind, tuple[list[str], TokenCounts | None]] = {}
        self.card = card or {}
        self.dimension = int(model.get_embedding_dimension() or 0)
        if self.dimension <= 0:
            self.dimension = int(model.encode(["dimension"], show_progress_bar=False).shape[1])
        self.own_dimension = None if truncate_dim is None else self.dimension
        if truncate_dim is not None:
            self.dimension = Shortened(truncate_dim).dimension(self.dimension, name)
            model.truncate_dim = truncate_dim
        self.own_similarity: str = model.similarity_fn_name
        self.similarity: Similarity = chosen_similarity(self.own_similarity, similarity, name)
        self.prompts = find_prompts(
            model.prompts, model.default_prompt_name, query=query_prompt, passage=passage_prompt, encoder=name
        )
        facts = {"similarity": self.similarity, "vectors": _MADE}
        facts |= {kind: self.prompts.text(kind) for kind in get_args(Kind)}
        if _widened(model):
            facts["normalised"] = "float32"
        self._unit = self.similarity == "cosine" or (model.truncate_dim is not None and _scales(model))
        self.content = content
        self.unrounded = self.fingerprint = fingerprint or fingerprint_of(model, facts, content)
        if precision is not None and not fingerprint:
            self.fingerprint = fingerprint_of(model, {**facts, "precision": precision}, content)
        self.device = str(model.device)
        self.trained_on: TrainedOn | None = None
        """What it was trained on, where its card says it."""
        self.again: Callable[[], PretrainedEncoder] | None = None
        """Loads it once more, in another process too; None for a model that was given."""
        self.dtype = next((str(p.dtype).removeprefix("torch.") for p in model.parameters()), None)
        self.max_length = {kind: longest(model, kind) for kind in get_args(Kind)}

    @classmethod
    def load(
        cls,
        name: str,
        *,
        device: str | None = None,
        trust_remote_code: bool = False,
        batch_size: int | None = None,
        query_prompt: str | None = None,
        passage_prompt: str | None = None,
        similarity: str | None = None,
        truncate_dim: int | None = None,
        max_length: int | None = None,
        dtype: str | None = None,
        pooling: str | None = None,
        say: Callable[[str], None] | None = None,
    ) -> PretrainedEncoder:
        """Load a folder or hub name; see `xlbias.load_encoder`."""
        loaded = load_model(
            name,
            device=device,
            trust_remote_code=trust_remote_code,
            pooling=pooling,
            dtype=None if dtype == "int8" else dtype,
            say=say or _LOGGER.warning,
        )
        path = Path(name).expanduser()
        local = path.is_dir()
        card = read_card(path) if local else {}
        label = card.get("name") or (path.resolve().name if local else name)
        return cls(
            loaded.model,
            label,
            batch_size=batch_size,
            card=card,
            content=loaded.content,
            query_prompt=query_prompt,
            passage_prompt=passage_prompt,
            similarity=similarity,
            truncate_dim=truncate_dim,
            max_length=max_length,
            precision="int8" if dtype == "int8" else None,
        )

    def encode(self, texts: Sequence[str], kind: Kind) -> Vectors:
        """Return float32 [n, dimension], of length 1 for cosine; see `Encoder.encode`."""
        return self._encode(texts, kind, (self.batching.texts if self.batching else None) or _USUAL_BATCH)

    def encode_batch(self, texts: Sequence[str], kind: Kind) -> Vectors:
        """Return what `encode` returns, of texts that are one batch; `xlbias.encode.encoder.embed` makes them."""
        return self._encode(texts, kind, max(1, len(texts)))

    def _encode(self, texts: Sequence[str], kind: Kind, batch_size: int) -> Vectors:
        # Not plain encode(): models that route queries and documents apart would take everything for a document.
        encode = self.model.encode_query if kind == "query" else self.model.encode_document
        vectors: Vectors = encode(
            list(texts),
            prompt=self.prompts.text(kind),
            batch_size=batch_size,
            show_progress_bar=False,
            convert_to_numpy=True,
        ).astype(np.float32, copy=False)
        if not self._unit:
            return vectors
        # As the library does, but in float32 whatever the weights are: in half precision lengths are off by .4 %.
        return unit(torch.nn.functional.normalize(torch.from_numpy(vectors), p=2, dim=1).numpy())

    def count_tokens(self, texts: Sequence[str], kind: Kind) -> TokenCounts | None:
        """Return how many tokens texts have with the prompt of `kind`; see `xlbias.encode.truncation`.

        Those counted last are not counted again.
        """
        before = self._counted.get(kind)
        if before is None or before[0] != list(texts):
            before = (list(texts), count_tokens(self.model, texts, kind, self.prompts.text(kind)))
            self._counted[kind] = before
        return before[1]


def _scales(model: SentenceTransformer) -> list[torch.nn.Module]:
    """Return the modules of an encoder that scale its vectors to length 1."""
    return [module for module in model if type(module).__name__ == "Normalize"]


def _widened(model: SentenceTransformer) -> bool:
    """Have an encoder in half precision scale its vectors in float32, and return whether there was anything to do.

    In half precision a vector of zeros over its length is NaN, which is no vector: the least divisor is rounded to 0.
    """
    scaled = _scales(model)
    half = any(p.dtype in (torch.float16, torch.bfloat16) for p in model.parameters())
    for module in scaled if half else ():
        module.register_forward_pre_hook(_widen)
    return half and bool(scaled)


def _widen(_module: torch.nn.Module, args: tuple[dict[str, torch.Tensor], ...]) -> None:
    args[0]["sentence_embedding"] = args[0]["sentence_embedding"].float()


def _looks_up(model: SentenceTransformer) -> bool:
    """Whether vectors of tokens are looked up, so that nothing is padded."""
    return isinstance(model[0], StaticEmbedding)


def _tokens_at_a_time(model: SentenceTransformer) -> int:
    """Return how many tokens fill the device: more are slower on a CPU, whose caches they do not fit."""
    return _TOKENS_CPU if model.device.type == "cpu" else _TOKENS_GPU
