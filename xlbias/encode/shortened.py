"""Vectors cut to their first dimensions, as encoders that were trained for it (Matryoshka) allow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xlbias.encode.similarity import Vectors
from xlbias.errors import EncoderError


@dataclass(frozen=True)
class Shortened:
    """How many dimensions of a vector are used: the first `dimensions`; None for all.

    Cosine scales what is left to length 1 again; with another similarity it is compared as it is. As text it is what a
    fingerprint says of it, empty for all.
    """

    dimensions: int | None = None

    def __str__(self) -> str:
        return "" if self.dimensions is None else f"|first {self.dimensions}"

    def of(self, vectors: Vectors) -> Vectors:
        """Return [n, d] without the dimensions that are not used."""
        return vectors if self.dimensions is None else np.ascontiguousarray(vectors[:, : self.dimensions])

    def dimension(self, whole: int, encoder: str) -> int:
        """Return how long vectors of `whole` numbers are then. Raises EncoderError where they are not as long."""
        if self.dimensions is None:
            return whole
        if not 0 < self.dimensions <= whole:
            raise EncoderError(
                f"{encoder}: its vectors have {whole:,} dimensions, so that --truncate-dim {self.dimensions:,} cannot "
                f"be: expected 1 to {whole:,}"
            )
        return self.dimensions
