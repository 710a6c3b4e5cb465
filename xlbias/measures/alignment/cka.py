"""Linear CKA: whether two languages arrange the same texts alike, up to rotation and scale."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xlbias.measures.alignment.parallel import Vectors, once_per_array
from xlbias.measures.measure import Measure
from xlbias.measures.ragged import Floats

_NO_VARIANCE = 1e-14
"""Variance of unit vectors below which they differ by float32 rounding only."""


def linear_cka(x: Vectors, y: Vectors) -> float:
    """Return ||YᵀX||²_F / (||XᵀX||_F ||YᵀY||_F) of centred matrices, in [0, 1].

    Args:
        x: [n, d], unit vectors.
        y: [n, d'], unit vectors of their translations.

    It rises as n falls below the dimension, and is 1 for two texts, so compare it at equal n only. NaN for fewer than
    two texts, or where all vectors of one side are equal.
    """
    of_x, of_y = _centred(x), _centred(y)
    if of_x is None or of_y is None:
        return float("nan")
    return float(_norm(of_y[0].T @ of_x[0]) ** 2 / (of_x[1] * of_y[1]))


@once_per_array
def _centred(vectors: Vectors) -> tuple[Floats, float] | None:
    """Return float64 [n, d] with column means of 0 and ||XᵀX||_F of it, or None where all rows are equal."""
    if len(vectors) < 2:
        return None
    rows = vectors.astype(np.float64)
    rows -= rows.mean(axis=0)
    return (rows, _norm(rows.T @ rows)) if (rows * rows).sum() > _NO_VARIANCE * len(rows) else None


def _norm(matrix: npt.NDArray[np.float64]) -> float:
    return float(np.linalg.norm(matrix))


MEASURES = (
    Measure(
        name="cka",
        label="CKA",
        family="alignment",
        definition="linear centred kernel alignment of translations: alike up to rotation; compare at equal n only",
        compute=linear_cka,
        takes="parallel vectors",
        sampled=True,
        source="Kornblith et al. 2019",
        undefined="for two languages that share fewer than 2 ids, or where all vectors of one are equal",
    ),
)
