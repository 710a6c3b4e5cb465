"""Centroid distance: how far apart two languages lie as a whole."""

from __future__ import annotations

import numpy as np

from xlbias.measures.alignment.parallel import Vectors, once_per_array
from xlbias.measures.measure import Measure
from xlbias.measures.ragged import Floats


def centroid_distance(x: Vectors, y: Vectors) -> float:
    """Return the Euclidean distance between the means of the unit vectors `x` and `y`, both [n, d]; in [0, 2].

    Over texts that are translations of one another, so that only language tells the two apart. NaN without texts.
    """
    if not len(x):
        return float("nan")
    return float(np.linalg.norm(_centroid(x) - _centroid(y)))


@once_per_array
def _centroid(vectors: Vectors) -> Floats:
    found: Floats = vectors.mean(axis=0, dtype=np.float64)
    return found


MEASURES = (
    Measure(
        name="centroid_distance",
        label="centroids",
        family="alignment",
        definition="distance between the mean unit vectors of two languages over the texts they share",
        compute=centroid_distance,
        takes="parallel vectors",
        source="Libovický et al. 2020",
        high=2.0,
        better="low",
        undefined="for two languages that share fewer than 2 ids",
    ),
)
