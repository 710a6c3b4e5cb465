"""Encoders that sentence-transformers can load: a local folder or a hub name, safetensors only."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from urllib.request import getproxies

import numpy as np
import torch
import transformers
from sentence_transformers import SentenceTransformer

from xlbias.encode.card import read_card
from xlbias.encode.content import content_digest
from xlbias.encode.encoder import Kind, Vectors
from xlbias.encode.fingerprint import fingerprint as fingerprint_of
from xlbias.encode.trained_on import TrainedOn
from xlbias.errors import EncoderError


class PretrainedEncoder:
    """A SentenceTransformer behind the encoder protocol.

    Prefixes come from the model's own prompts (``query``, and ``document`` or ``passage``). The similarity is the
    model's own; models that name none, and those that ask for a distance, are searched by cosine. The fingerprint is
    that of `xlbias.encode.fingerprint`, with `content` where the model was loaded from a folder; one whose vectors are
    never kept can be given any.
    """

    def __init__(
        self,
        model: SentenceTransformer,
        name: str,
        *,
        batch_size: int = 64,
        card: dict[str, Any] | None = None,
        fingerprint: str | None = None,
        content: str | None = None,
    ) -> None:
        self.model = model
        self.name = name
        self.batch_size = batch_size
        self.card = card or {}
        self.dimension = int(model.get_embedding_dimension() or 0)
        if self.dimension <= 0:
            self.dimension = int(model.encode(["dimension"], show_progress_bar=False).shape[1])
        self.similarity: Literal["cosine", "dot"] = "dot" if model.similarity_fn_name == "dot" else "cosine"
        facts = {"similarity": self.similarity, "query": _prefix(model, "query"), "passage": _prefix(model, "passage")}
        self.content = content
        self.fingerprint = fingerprint or fingerprint_of(model, facts, content)
        self.device = str(model.device)
        self.trained_on: TrainedOn | None = None
        """What it was trained on, where its card says it."""

    @classmethod
    def load(
        cls, name: str, *, device: str | None = None, trust_remote_code: bool = False, batch_size: int = 64
    ) -> PretrainedEncoder:
        """Load a folder or hub name; see `xlbias.load_encoder`."""
        path = Path(name).expanduser()
        local = path.is_dir()
        if device is not None:
            _check_device(device)
        transformers.utils.logging.disable_progress_bar()
        try:
            model = SentenceTransformer(
                str(path) if local else name,
                device=device,
                trust_remote_code=trust_remote_code,
                local_files_only=local or not _hub_answers(),
                model_kwargs={"use_safetensors": True},
            )
        except Exception as error:  # the library raises many kinds; each means that there is no usable encoder
            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            where = "cannot be loaded" if local else "is neither a folder here nor a model that could be loaded"
            raise EncoderError(f"encoder {name!r} {where}: {reason}") from error
        card = read_card(path) if local else {}
        label = card.get("name") or (path.resolve().name if local else name)
        return cls(model, label, batch_size=batch_size, card=card, content=content_digest(path) if local else None)

    def encode(self, texts: Sequence[str], kind: Kind) -> Vectors:
        """Return float32 [n, dimension]; see `Encoder.encode`."""
        # Not plain encode(): models that route queries and documents apart would take everything for a document.
        encode = self.model.encode_query if kind == "query" else self.model.encode_document
        vectors: Vectors = encode(
            list(texts),
            prompt=_prefix(self.model, kind),
            batch_size=self.batch_size,
            normalize_embeddings=self.similarity == "cosine",
            show_progress_bar=False,
            convert_to_numpy=True,
        ).astype(np.float32, copy=False)
        return vectors


def _hub_answers() -> bool:
    """Whether the hub's name can be resolved; without this the library retries for most of a minute when offline."""
    from huggingface_hub import constants

    if getproxies():  # a proxy resolves names itself
        return True
    host = urlsplit(constants.ENDPOINT).hostname or ""
    try:
        socket.getaddrinfo(host, 443)
    except OSError:
        return False
    return True


def _prefix(model: SentenceTransformer, kind: Kind) -> str:
    prompts: dict[str, str] = model.prompts or {}
    names = ("query",) if kind == "query" else ("document", "passage")
    return next((prompts[name] for name in names if prompts.get(name)), "")


def _check_device(device: str) -> None:
    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise EncoderError(f"device {device!r} cannot be used here: {str(error).splitlines()[0]}") from error
