"""What a measure is: its name, definition, range, direction and source, beside the function that computes it.

A measure says what its function takes; who has that, finds the measure in the registry and computes it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from xlbias.choices import listed, suggestion
from xlbias.errors import MeasureError
from xlbias.measures.ragged import Floats, Ints

Family = Literal["quality", "bias", "alignment", "texts", "seen"]
Direction = Literal["high", "low", "neither"]
"""Which values are good; ``neither`` where two opposite goals are both legitimate."""

Takes = Literal[
    "rankings",
    "pooled rankings",
    "vectors",
    "parallel vectors",
    "similarity",
    "labelled vectors",
    "token counts",
    "query fingerprints",
    "passage fingerprints",
    "id fingerprints",
]
"""What a function takes, see `xlbias.measures.registry`."""

TAKES: dict[Family, tuple[Takes, ...]] = {
    "quality": ("rankings",),
    "bias": ("pooled rankings",),
    "alignment": ("vectors", "parallel vectors", "similarity", "labelled vectors"),
    "texts": ("token counts",),
    "seen": ("query fingerprints", "passage fingerprints", "id fingerprints"),
}
"""What the functions of a family may take."""


@dataclass(frozen=True)
class OverPairs:
    """A number that pairs of texts make, put together from those of some pairs.

    Attributes:
        between: it between the texts of two languages, from their `xlbias.measures.alignment.similarity.Similarity`:
            over all pairs of a text and one of the other language.
        joined: it over all pairs, from those of some each, float64 [n], and how many pairs each is of, int64 [n].
    """

    between: Callable[[Any], float]
    joined: Callable[[Floats, Ints], float]


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
        takes: what `compute` takes, one of TAKES of the family; it need not be said where there is only one.
        sampled: of an alignment measure of parallel vectors: whether it is taken over a sample of very many texts,
            since its time is more than a pass over them.
        chance: (quality) its expectation in a random order, from the size of a pool and the grades of the relevant
            passages in it, see `xlbias.measures.chance`; None where nobody has worked it out.
        bounds: of a bias measure: takes what `compute` takes, with ranks that are not all known, and returns the least
            and the greatest value that each ranking can have, in the shape of `compute`; see
            `xlbias.measures.censored`. Without it a ranking that is not known to its end has any value of the range. A
            quality measure needs none: it never rises where a relevant passage falls.
        by_reads: of an alignment measure of vectors or parallel vectors: whether its function makes products, and takes
            what makes them as `reads`, see `xlbias.measures.alignment.similarity.Reads`.
        over_pairs: of an alignment measure of vectors that is made of pairs of texts: how to put it together, so that
            products of all texts need not be made twice.
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
    takes: Takes | Literal[""] = ""
    sampled: bool = False
    chance: Callable[[int, Sequence[float]], float] | None = None
    bounds: Callable[..., tuple[Floats, Floats]] | None = None
    by_reads: bool = False
    over_pairs: OverPairs | None = None

    def __post_init__(self) -> None:
        """Raise MeasureError for a family or an input that there is not."""
        allowed = TAKES.get(self.family)
        if allowed is None:
            known = get_args(Family)
            close = suggestion(self.family, known)
            raise MeasureError(f"measure {self.name!r}: no family {self.family!r}{close}; expected {listed(known)}")
        if not self.takes and len(allowed) == 1:
            object.__setattr__(self, "takes", allowed[0])
        if self.takes not in allowed:
            said = f"takes {self.takes!r}{suggestion(self.takes, allowed)}" if self.takes else "does not say its input"
            raise MeasureError(f"measure {self.name!r}: {said}; a measure of {self.family} takes {listed(allowed)}")

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


def computed(measure: Measure, *inputs: Any, shapes: Collection[tuple[int, ...]], **more: Any) -> Floats:
    """Return what a measure's function makes of its inputs, and of `more` by name, float64 of one of `shapes`.

    Raises MeasureError for a result that is no numbers, or of another shape.
    """
    result = measure.compute(*inputs, **more)
    try:
        values = np.asarray(result, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise MeasureError(
            f"measure {measure.name!r}: its function returned {type(result).__name__}; expected numbers"
        ) from error
    if values.shape not in shapes:
        expected = " or ".join(dict.fromkeys(map(str, shapes)))
        raise MeasureError(
            f"measure {measure.name!r}: its function returned numbers of shape {values.shape}; expected {expected}"
        )
    return values
