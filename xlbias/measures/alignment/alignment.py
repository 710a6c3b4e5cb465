"""Alignment: how far apart translations lie."""

from __future__ import annotations

import numpy as np

from xlbias.measures.alignment.parallel import BLOCK, Vectors
from xlbias.measures.measure import Measure
from xlbias.measures.ragged import Floats


def alignment(x: Vectors, y: Vectors) -> Floats:
    """Return the squared distance ||x − y||² of each pair of translations, float64 [n] in [0, 4].

    Args:
        x: [n, d], unit vectors.
        y: [n, d], unit vectors of their translations.
    """
    squares = np.empty(len(x))
    for start in range(0, len(x), BLOCK):
        difference = x[start : start + BLOCK].astype(np.float64) - y[start : start + BLOCK]
        squares[start : start + BLOCK] = (difference * difference).sum(axis=1)
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
