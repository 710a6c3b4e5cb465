"""Vectors that were computed elsewhere, for one task."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from xlbias.encode.encoder import Vectors
from xlbias.errors import EncoderError


@dataclass(frozen=True, eq=False)
class PrecomputedVectors:
    """Vectors of a task's queries and passages, in the order of its frames.

    Attributes:
        queries: float32 [n_queries, d].
        passages: float32 [n_passages, d].
        name: what reports call the encoder.
        card: anything worth knowing about it.

    They are compared by dot product as they are. Raises EncoderError where the shapes do not fit each other.
    """

    queries: Vectors
    passages: Vectors
    name: str = "vectors"
    card: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
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
        """SHA-256 of the vectors."""
        digest = hashlib.sha256()
        for array in (self.queries, self.passages):
            digest.update(np.ascontiguousarray(array, dtype=np.float32).tobytes())
        return digest.hexdigest()
