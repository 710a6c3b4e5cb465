"""Vectors that were computed elsewhere, for one task."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from xlbias.encode.encoder import as_vectors
from xlbias.encode.options import SIMILARITIES, Similarity
from xlbias.encode.similarity import Vectors, unit
from xlbias.errors import EncoderError


@dataclass(frozen=True, eq=False)
class PrecomputedVectors:
    """Vectors of a task's queries and passages, in the order of its frames.

    Attributes:
        queries: float32 [n_queries, d]; lists and other kinds of numbers become that.
        passages: float32 [n_passages, d].
        name: what reports call the encoder.
        card: anything worth knowing about it.
        similarity: ``dot``, ``euclidean``, or ``cosine``: then they are scaled to length 1.

    Raises EncoderError where the shapes do not fit each other, or something is not an array of numbers.
    """

    queries: Vectors
    passages: Vectors
    name: str = "vectors"
    card: dict[str, Any] = field(default_factory=dict)
    similarity: Similarity = "dot"

    def __post_init__(self) -> None:
        if self.similarity not in SIMILARITIES:
            raise EncoderError(f"{self.name}: similarity is {self.similarity!r}; expected {', '.join(SIMILARITIES)}")
        for side in ("queries", "passages"):
            vectors = as_vectors(getattr(self, side), self.name)
            object.__setattr__(self, side, unit(vectors) if self.similarity == "cosine" else vectors)
        if self.queries.ndim != 2 or self.passages.ndim != 2 or self.queries.shape[1] != self.passages.shape[1]:
            raise EncoderError(
                f"{self.name}: query vectors {self.queries.shape} and passage vectors {self.passages.shape} do not "
                "fit: expected [n, d] both, with one d"
            )

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self.queries.shape[1])

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the vectors and how they are compared."""
        digest = hashlib.sha256() if self.similarity != "euclidean" else hashlib.sha256(b"euclidean")
        for array in (self.queries, self.passages):
            digest.update(np.ascontiguousarray(array, dtype=np.float32).tobytes())
        return digest.hexdigest()
