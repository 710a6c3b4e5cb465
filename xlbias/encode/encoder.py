"""The encoder protocol, and `embed`: unique texts, cached, checked vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from xlbias.encode.cache import VectorCache
from xlbias.errors import EncoderError

Kind = Literal["query", "passage"]
Vectors = npt.NDArray[np.float32]

CHUNK = 4096
"""Texts per cache entry. What stands in a chunk depends on the task alone, so vectors never depend on what was
cached before or where an earlier run was interrupted."""


class Encoder(Protocol):
    """Anything that turns texts into vectors.

    Attributes:
        name: how reports call it.
        dimension: length of a vector.
        similarity: ``"cosine"`` (vectors have length 1) or ``"dot"``.
        fingerprint: changes whenever the same text could get another vector (weights, tokenizer, prefixes, device).
    """

    name: str
    dimension: int
    similarity: Literal["cosine", "dot"]

    @property
    def fingerprint(self) -> str:
        """See above."""

    def encode(self, texts: Sequence[str], kind: Kind) -> Vectors:
        """Return float32 [n, dimension], one row per text, with the prefix of `kind`; of length 1 for cosine."""


def embed(
    encoder: Encoder,
    texts: Sequence[str],
    kind: Kind,
    *,
    cache: VectorCache | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> Vectors:
    """Return the vectors of `texts`, float32 [n, dimension].

    Every distinct text is encoded once, so equal texts get bit-for-bit equal vectors and tie exactly in a ranking.
    `advance` is called with numbers of texts done, `len(texts)` in all. Raises EncoderError naming the text where a
    vector is not finite or has another shape.
    """
    unique, inverse = _distinct(texts)
    order = sorted(range(len(unique)), key=lambda i: (-len(unique[i]), unique[i]))  # long first: little padding
    vectors = np.empty((len(unique), encoder.dimension), dtype=np.float32)
    done = 0.0
    for start in range(0, len(order), CHUNK):
        chunk = order[start : start + CHUNK]
        chunk_texts = [unique[i] for i in chunk]
        rows = cache.load(encoder.fingerprint, kind, chunk_texts) if cache else None
        if rows is None:
            rows = _checked(encoder, chunk_texts, kind)
            if cache:
                cache.save(encoder.fingerprint, kind, chunk_texts, rows)
        vectors[chunk] = rows
        before, done = done, (start + len(chunk)) * len(texts) / len(unique)
        advance(int(done) - int(before))
    return vectors[inverse]


def _distinct(texts: Sequence[str]) -> tuple[list[str], npt.NDArray[np.int64]]:
    index: dict[str, int] = {}
    inverse = np.fromiter((index.setdefault(text, len(index)) for text in texts), dtype=np.int64, count=len(texts))
    return list(index), inverse


def _checked(encoder: Encoder, texts: Sequence[str], kind: Kind) -> Vectors:
    rows = np.ascontiguousarray(encoder.encode(texts, kind), dtype=np.float32)
    if rows.shape != (len(texts), encoder.dimension):
        raise EncoderError(
            f"{encoder.name}: gave an array of shape {rows.shape} for {len(texts)} texts; "
            f"expected ({len(texts)}, {encoder.dimension})"
        )
    finite = np.isfinite(rows).all(axis=1)
    if not finite.all():
        bad = texts[int(np.flatnonzero(~finite)[0])]
        raise EncoderError(f"{encoder.name}: NaN or infinite vector for the {kind} {bad[:80]!r}")
    return rows
