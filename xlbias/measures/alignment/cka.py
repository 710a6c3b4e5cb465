"""Linear CKA: whether two languages arrange the same texts alike, up to rotation and scale."""

from __future__ import annotations

import numpy as np

from xlbias.measures.alignment.parallel import Vectors, once_per_array
from xlbias.measures.alignment.similarity import NUMPY, Reads, transposed
from xlbias.measures.measure import Measure

_NO_VARIANCE = 1e-14
"""Variance of unit vectors below which they differ by float32 rounding only."""

_TEXTS = 2048  # products of which are added up in float32


def linear_cka(x: Vectors, y: Vectors, reads: Reads = NUMPY) -> float:
    """Return ||YᵀX||²_F / (||XᵀX||_F ||YᵀY||_F) of centred matrices, in [0, 1].

    Args:
        x: [n, d], unit vectors.
        y: [n, d'], unit vectors of their translations.
        reads: makes the products.

    It rises as n falls below the dimension, and is 1 for two texts, so compare it at equal n only. NaN for fewer than
    two texts, or where all vectors of one side are equal.
    """
    of_x, of_y = _centred(x), _centred(y)
    if of_x is None or of_y is None:
        return float("nan")
    return float(_product_norm(of_y[0], of_x[0], reads) ** 2 / (of_x[1] * of_y[1]))


@once_per_array
def _centred(vectors: Vectors) -> tuple[Vectors, float] | None:
    """Return float32 [d, n] with row means of 0 and a spread of 1, and ||XᵀX||_F; None where all vectors are equal.

    CKA does not depend on the scale.
    """
    if len(vectors) < 2:
        return None
    rows = np.subtract(vectors, vectors.mean(axis=0, dtype=np.float64))
    square = float(np.vdot(rows, rows))
    if square <= _NO_VARIANCE * len(vectors):
        return None
    rows *= np.sqrt(len(vectors) / square)
    centred = transposed(rows.astype(np.float32))
    return centred, _product_norm(centred, centred, NUMPY)


def _product_norm(x: Vectors, y: Vectors, reads: Reads) -> float:
    """Return ||XYᵀ||_F: products in float32 of as many texts at a time as keep its digits, their sum in float64."""
    total = np.zeros((len(x), len(y)))
    for start in range(0, x.shape[1], _TEXTS):
        part = slice(start, start + _TEXTS)
        total += reads.product(np.ascontiguousarray(x[:, part]), np.ascontiguousarray(y[:, part]))
    return float(np.linalg.norm(total))


MEASURES = (
    Measure(
        name="cka",
        label="CKA",
        family="alignment",
        definition="linear centred kernel alignment of translations: alike up to rotation; compare at equal n only",
        compute=linear_cka,
        takes="parallel vectors",
        sampled=True,
        by_reads=True,
        source="Kornblith et al. 2019",
        undefined="for two languages that share fewer than 2 ids, or where all vectors of one are equal",
    ),
)
