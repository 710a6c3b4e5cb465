"""Uniformity: how evenly vectors are spread over the sphere."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from xlbias.blas import one_thread
from xlbias.measures.alignment.parallel import WORKERS, Vectors
from xlbias.measures.alignment.similarity import NUMPY, Reads, Similarity
from xlbias.measures.measure import Measure, OverPairs
from xlbias.measures.ragged import Floats, Ints

TILE = 512
"""Vectors compared at once with as many others: 1 MiB for each worker whatever n is."""


def uniformity(vectors: Vectors, reads: Reads = NUMPY) -> float:
    """Return log mean exp(−2 ||x − x'||²) over all pairs of two different rows, in [−8, 0]; NaN for fewer than two.

    Exact, so that its time grows with n²: `audit` gives it a sample of what is large. `vectors` is [n, d], of
    length 1; equal vectors at different rows count. `reads` makes the products.
    """
    n = len(vectors)
    if n < 2:
        return float("nan")
    with one_thread(), ThreadPoolExecutor(WORKERS) as workers:
        total = sum(workers.map(partial(_from, vectors, reads), range(0, n, TILE)))
    return float(np.log(total / (n * (n - 1) / 2)))


def uniformity_between(similarity: Similarity) -> float:
    """Return log mean exp(−2 ||x − y||²) over all pairs of a text and one of another language, in [−8, 0]."""
    return float(np.log(similarity.near() / similarity.n**2))


def uniformity_joined(parts: Floats, n_pairs: Ints) -> float:
    """Return uniformity over all pairs, from that of some pairs each, float64 [n]; NaN where there are no pairs.

    Args:
        parts: float64 [n], log means.
        n_pairs: int64 [n], pairs that each is of.
    """
    some = n_pairs > 0
    if not some.any():
        return float("nan")
    return float(np.log((np.exp(parts[some]) * n_pairs[some]).sum() / n_pairs[some].sum()))


def _from(vectors: Vectors, reads: Reads, start: int) -> float:
    """Return the sum over the pairs of a tile's rows with one another, and with all rows behind them."""
    rows = vectors[start : start + TILE]
    own = reads.product(rows, rows)
    itself = reads.near(np.ascontiguousarray(own.diagonal()[:, None]))
    total = (reads.near(own) - itself) / 2
    for other in range(start + TILE, len(vectors), TILE):
        total += reads.near(reads.product(rows, vectors[other : other + TILE]))
    return total


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
        by_reads=True,
        over_pairs=OverPairs(uniformity_between, uniformity_joined),
    ),
)
