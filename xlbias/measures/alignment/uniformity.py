"""Uniformity: how evenly vectors are spread over the sphere."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from xlbias.blas import one_thread
from xlbias.measures.alignment.parallel import WORKERS, Vectors
from xlbias.measures.measure import Measure

TILE = 2048
"""Vectors compared at once with as many others: 16 MiB for each worker whatever n is."""


def uniformity(vectors: Vectors) -> float:
    """Return log mean exp(−2 ||x − x'||²) over all pairs of two different rows, in [−8, 0]; NaN for fewer than two.

    Exact, so that its time grows with n²: `audit` gives it a sample of what is large. `vectors` is [n, d], of
    length 1; equal vectors at different rows count.
    """
    n = len(vectors)
    if n < 2:
        return float("nan")
    with one_thread(), ThreadPoolExecutor(WORKERS) as workers:
        total = sum(workers.map(partial(_from, vectors), range(0, n, TILE)))
    return float(np.log(total / (n * (n - 1) / 2)))


def _from(vectors: Vectors, start: int) -> float:
    """Return the sum over the pairs of a tile's rows with one another, and with all rows behind them."""
    rows = vectors[start : start + TILE]
    own = _kernel(rows, rows)
    total = (float(own.sum(dtype=np.float64)) - float(own.trace(dtype=np.float64))) / 2
    for other in range(start + TILE, len(vectors), TILE):
        total += float(_kernel(rows, vectors[other : other + TILE]).sum(dtype=np.float64))
    return total


def _kernel(x: Vectors, y: Vectors) -> Vectors:
    """Return exp(−2 ||x − y||²), where ||x − y||² = 2 − 2 x·y for unit vectors."""
    cosine: Vectors = x @ y.T
    np.minimum(cosine, 1.0, out=cosine)
    cosine -= 1.0
    cosine *= 4.0
    np.exp(cosine, out=cosine)
    return cosine


MEASURES = (
    Measure(
        name="uniformity",
        label="uniformity",
        family="alignment",
        definition=(
            "log mean exp(−2·squared distance) over pairs of texts, of one language or of all; "
            "0 where all vectors are equal"
        ),
        compute=uniformity,
        takes="vectors",
        source="Wang and Isola 2020",
        low=-8.0,
        high=0.0,
        better="low",
        undefined="for fewer than 2 texts",
    ),
)
