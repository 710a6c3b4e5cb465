"""Alignment: how far apart translations lie."""

from __future__ import annotations

import numpy as np

from xlbias.measures.alignment.parallel import Vectors
from xlbias.measures.measure import Measure
from xlbias.measures.ragged import Floats

_NUMBERS = 1 << 15  # looked at together, so that they stay in a core's cache


def alignment(x: Vectors, y: Vectors) -> Floats:
    """Return the squared distance ||x − y||² of each pair of translations, float64 [n] in [0, 4].

    Args:
        x: [n, d], unit vectors.
        y: [n, d], unit vectors of their translations.
    """
    squares = np.empty(len(x))
    rows = max(1, _NUMBERS // max(x.shape[1], 1))
    for start in range(0, len(x), rows):
        difference = x[start : start + rows].astype(np.float64) - y[start : start + rows]
        difference *= difference
        squares[start : start + rows] = difference.sum(axis=1)
    return squares


MEASURES = (
    Measure(
        name="alignment",
        label="alignment",
        family="alignment",
        definition="mean squared distance between the unit vectors of translations",
        compute=alignment,
        takes="parallel vectors",
        source="Wang and Isola 2020",
        high=4.0,
        better="low",
        undefined="for two languages that share fewer than 2 ids",
    ),
)
