"""The encoder protocol, and `embed`: unique texts, cached, checked vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from xlbias.encode.cache import VectorCache
from xlbias.encode.similarity import Similarity, Vectors, unit
from xlbias.errors import EncoderError

if TYPE_CHECKING:
    from xlbias.encode.truncation import TokenCounts

Kind = Literal["query", "passage"]

CHUNK = 4096
"""Texts per cache entry. What stands in a chunk depends on the task alone, so vectors never depend on what was
cached before or where an earlier run was interrupted."""


class Encoder(Protocol):
    """Anything that turns texts into vectors: give `xlbias.evaluate` an object with these attributes.

    Attributes:
        name: how reports call it.
        dimension: length of a vector.
        similarity: how vectors are compared: ``"cosine"``, ``"dot"`` or ``"euclidean"``. For cosine, vectors may have
            any length: they are scaled to length 1 before anything is made of them.
        fingerprint: changes whenever the same text could get another vector (weights, tokenizer, prompts, device): the
            cache and ``--resume`` rely on it.

    An encoder that has them is also asked for these, which a run records: ``device``, ``dtype``, ``max_length``,
    ``card`` (what it was trained on), ``prompts`` (`xlbias.encode.prompts.Prompts`) and ``count_tokens(texts, kind)``,
    see `CountsTokens`.

    A whole encoder::

        class Mine:
            name, dimension, similarity, fingerprint = "mine", 300, "cosine", "mine-2"

            def encode(self, texts, kind):
                return my_vectors(["question: " + t if kind == "query" else t for t in texts])
    """

    name: str
    dimension: int
    similarity: Similarity

    @property
    def fingerprint(self) -> str:
        """See above."""

    def encode(self, texts: Sequence[str], kind: Kind) -> Vectors:
        """Return the vectors of texts, in their order.

        Args:
            texts: any texts; `embed` gives each only once.
            kind: ``"query"`` or ``"passage"``; an encoder puts its prompt for that before each text.

        Returns [n, dimension] numbers: float32, or anything that becomes float32, such as float16 or lists of lists.
        """


class CountsTokens(Protocol):
    """An encoder that can tell how many tokens its texts have, and which it cuts."""

    def count_tokens(self, texts: Sequence[str], kind: Kind) -> TokenCounts | None:
        """Return the counts of texts with the prompt of `kind`, one per text; None where it cannot tell."""


def embed(
    encoder: Encoder,
    texts: Sequence[str],
    kind: Kind,
    *,
    cache: VectorCache | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> Vectors:
    """Return the vectors of `texts`, float32 [n, dimension]; of length 1 for cosine.

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
    rows = as_vectors(encoder.encode(texts, kind), encoder.name)
    if rows.shape != (len(texts), encoder.dimension):
        raise EncoderError(
            f"{encoder.name}: gave an array of shape {rows.shape} for {len(texts)} texts; "
            f"expected ({len(texts)}, {encoder.dimension})"
        )
    finite = np.isfinite(rows).all(axis=1)
    if not finite.all():
        bad = texts[int(np.flatnonzero(~finite)[0])]
        raise EncoderError(f"{encoder.name}: NaN or infinite vector for the {kind} {bad[:80]!r}")
    return unit(rows) if encoder.similarity == "cosine" else rows


def as_vectors(given: Any, name: str) -> Vectors:
    """Return what an encoder gave as float32 [n, d]: an array, a tensor or lists of numbers. Raises EncoderError."""
    try:
        return np.ascontiguousarray(given, dtype=np.float32)
    except (TypeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise EncoderError(f"{name}: gave {type(given).__name__} that is no array of numbers: {reason}") from error
