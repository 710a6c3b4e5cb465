"""What a measure is: its name, definition, range, direction and source, beside the function that computes it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Family = Literal["quality", "bias", "alignment", "texts", "seen"]
Direction = Literal["high", "low", "neither"]
"""Which values are good; ``neither`` where two opposite goals are both legitimate."""


@dataclass(frozen=True)
class Measure:
    """One measure.

    Attributes:
        name: as in reports, in JSON and on the command line, e.g. ``recall@10``.
        label: short, for a column's head.
        family: ``quality`` (of one ranking), ``bias`` (between languages), ``alignment`` (of vectors), ``texts`` (of
            what an encoder reads) or ``seen`` (of a task, in training).
        definition: one sentence.
        compute: the function; what it takes is up to the family, see `xlbias.measures.registry`.
        source: the paper or book it comes from.
        low: least possible value.
        high: greatest possible value, ``inf`` where there is none.
        better: which values are good.
        unit: of a value; empty for a pure number.
        undefined: when it has no value, as a clause that follows "undefined".
        statistic: what is taken over queries; ``derived`` for what is made of the means of another measure.
    """

    name: str
    label: str
    family: Family
    definition: str
    compute: Callable[..., Any]
    source: str
    low: float = 0.0
    high: float = 1.0
    better: Direction = "high"
    unit: str = ""
    undefined: str = ""
    statistic: Literal["mean", "median", "derived"] = "mean"

    @property
    def unit_range(self) -> bool:
        """Whether values lie in [0, 1]."""
        return (self.low, self.high) == (0.0, 1.0)

    @property
    def range(self) -> str:
        """The range as text, e.g. ``0 to 1``; ``0 and up`` where there is no greatest value."""
        low = "any" if math.isinf(self.low) else f"{self.low:g}"
        if math.isinf(self.high):
            return "any number" if math.isinf(self.low) else f"{low} and up"
        return f"{low} to {self.high:g}" if not math.isinf(self.low) else f"up to {self.high:g}"
