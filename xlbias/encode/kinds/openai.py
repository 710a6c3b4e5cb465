"""``openai:URL#MODEL``: any endpoint that speaks the OpenAI embeddings protocol, hosted or on this machine.

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
from xlbias.encode.similarity import Vectors, chosen_similarity
from xlbias.errors import EncoderError

KEYS = ("XLBIAS_API_KEY", "OPENAI_API_KEY")
_TEXTS = 64  # of a request, where --batch-size does not say it
_CHARACTERS = 100_000  # of a request at most: endpoints refuse what is longer
_AT_A_TIME = 4
_RETRIES, _SECONDS = 6, 60.0


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
        self.name, self._model, self._url = model, model, url
        self.prompts = find_prompts(
            {}, query=options.get("query_prompt"), passage=options.get("passage_prompt"), encoder=model
        )
        self._texts = int(options.get("batch_size") or _TEXTS)
        self.similarity: Similarity = chosen_similarity("cosine", options.get("similarity"), model)
        self.card: dict[str, Any] = {}
        self.content = _content(f"{url}#{model}")
        self.dimension = len(self._request(["xlbias"])[0])
        facts = f"{self.content}|{self.dimension}|{self.similarity}"
        facts += "".join(f"|{self.prompts.text(kind)}" for kind in ("query", "passage"))
        self.fingerprint = hashlib.sha256(facts.encode()).hexdigest()

    def encode(self, texts: Sequence[str], kind: Kind) -> Vectors:
        """Return float32 [n, dimension]; see `Encoder.encode`."""
        prompt = self.prompts.text(kind)
        given = [prompt + text for text in texts]
        with ThreadPoolExecutor(_AT_A_TIME) as pool:
            found = list(pool.map(self._request, _requests(given, self._texts)))
        return np.concatenate(found) if found else np.empty((0, self.dimension), np.float32)

    def _request(self, texts: list[str]) -> Vectors:
        """Return the vectors of one request. Raises EncoderError for an answer that is not whole."""
        try:
            answer = self._client.embeddings.create(model=self._model, input=texts, encoding_format="float")
            rows = {one.index: one.embedding for one in answer.data}
        except self._errors as error:
            raise EncoderError(f"openai:{self._url}#{self._model}: {self._plain(error)}") from None
        except (AttributeError, TypeError, ValueError) as error:
            raise EncoderError(f"openai:{self._url}#{self._model}: gave no embeddings: {self._plain(error)}") from None
        if sorted(rows) != list(range(len(texts))):
            raise EncoderError(
                f"openai:{self._url}#{self._model}: gave {len(answer.data)} vectors for {len(texts)} texts; the answer "
                "is not whole"
            )
        return as_vectors([rows[i] for i in range(len(texts))], self.name)

    def _plain(self, error: Exception) -> str:
        """Return what an error says in one line, without the key."""
        text = " ".join(str(error).split())[:300] or type(error).__name__
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
    if parts.scheme not in ("http", "https") or not parts.hostname or not model:
        raise EncoderError(f"openai:{_without_secrets(target)}: expected openai:URL#MODEL, such as {KIND.example}")
    if parts.username or parts.password or parts.query:
        raise EncoderError(
            f"openai:{_without_secrets(target)}: a key does not belong in the address, which is stored: set ${KEYS[0]}"
        )


def _load(target: str, options: Mapping[str, Any]) -> Encoder:
    _check(target)
    for name in ("device", "pooling"):
        if options.get(name) is not None:
            raise EncoderError(f"openai:{target}: --{name} means nothing for an endpoint")
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
    check=_check,
    load=_load,
    content=_content,
    label=lambda target: _parts(target)[1],
)
