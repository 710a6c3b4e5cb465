"""What an encoder that has no single vector for a text makes of texts: so many weights, or vectors, for each."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class Ragged:
    """So many values for each text, one text after another.

    Attributes:
        lengths: int64 [n], how many each text has.
        values: float32 [total], weights, or [total, d], vectors of tokens.
        places: int64 [total], the dimension of each weight, ascending within a text; None for vectors.
    """

    lengths: npt.NDArray[np.int64]
    values: npt.NDArray[np.float32]
    places: npt.NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def starts(self) -> npt.NDArray[np.int64]:
        """Int64 [n + 1], where each text's values begin, and where all end."""
        return np.concatenate([[0], np.cumsum(self.lengths)])

    def to_bytes(self) -> bytes:
        """Return all of it as `from_bytes` reads it."""
        stream = io.BytesIO()
        if self.places is None:
            np.savez(stream, lengths=self.lengths, values=self.values)
        else:
            np.savez(stream, lengths=self.lengths, values=self.values, places=self.places)
        return stream.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Ragged:
        """Return what `to_bytes` wrote."""
        with np.load(io.BytesIO(data), allow_pickle=False) as found:
            return cls(found["lengths"], found["values"], found.get("places"))


def joined(parts: list[Ragged]) -> Ragged:
    """Return the texts of all parts, one part after another."""
    places = [part.places for part in parts if part.places is not None]
    return Ragged(
        np.concatenate([part.lengths for part in parts]),
        np.concatenate([part.values for part in parts]),
        np.concatenate(places) if places else None,
    )
