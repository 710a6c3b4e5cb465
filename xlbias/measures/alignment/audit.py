"""All alignment measures of an encoder: per language, per language pair, and overall."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, combinations

import numpy as np
from threadpoolctl import threadpool_limits

from xlbias.measures.alignment.alignment import alignment
from xlbias.measures.alignment.centroid_distance import centroid_distance
from xlbias.measures.alignment.cka import linear_cka
from xlbias.measures.alignment.hubness import hubness
from xlbias.measures.alignment.language_identifiability import language_identifiability
from xlbias.measures.alignment.parallel import Pair, ParallelVectors, Vectors
from xlbias.measures.alignment.parallel_accuracy import csls_accuracy, parallel_accuracy
from xlbias.measures.alignment.similarity import Similarity
from xlbias.measures.alignment.uniformity import uniformity
from xlbias.measures.ragged import Floats, Ints

CANDIDATES = 8192
"""Texts that accuracy and hubness of a pair are taken over at most, evenly spaced: 256 MiB of similarities."""

WORKERS = min(os.cpu_count() or 1, 8)
"""Language pairs at a time, each in one thread: numpy lets go of the interpreter, and most of a pair is not BLAS."""

_SYMMETRIC: dict[str, Callable[[Vectors, Vectors], Floats | float]] = {
    "alignment": alignment,
    "cka": linear_cka,
    "centroid_distance": centroid_distance,
}
_DIRECTED: dict[str, Callable[[Similarity], Floats | float]] = {
    "parallel_accuracy": parallel_accuracy,
    "parallel_accuracy.csls": csls_accuracy,
    "hubness": hubness,
}


@dataclass(frozen=True, eq=False)
class AlignmentValue:
    """One value of one measure.

    Attributes:
        measure: its name, as in `xlbias.measures.registry`.
        language: the language, or the first of a pair (for directed measures: of the texts that look for their
            translation); None for the overall value.
        other: the second language of a pair, or None.
        value: NaN where undefined.
        n: how many ids it is over; for the overall `uniformity`, how many texts.
        per_id: float64 [n], the value of each id; None for a measure that has no such values, and where undefined.
        ids: int64 [n], those ids, ascending, as indices into `ParallelVectors.ids`; None where n is not ids.
    """

    measure: str
    language: str | None
    other: str | None
    value: float
    n: int
    per_id: Floats | None = None
    ids: Ints | None = None


def alignment_rows(parallel: ParallelVectors, seed: int = 0) -> list[AlignmentValue]:
    """Return all alignment measures: per language, then per pair, then overall.

    Symmetric measures have one row per unordered pair, accuracy and hubness one per direction. Overall is the mean
    over the pairs (for identifiability over the languages) where the value is defined, and per id the mean over that
    id's pairs; the overall `uniformity` is over all texts together. Languages that share fewer than 2 ids have NaN.
    With one language there is its uniformity only. `seed` is that of identifiability's split.
    """
    single = [
        _row("uniformity", language, None, uniformity(vectors), parallel.rows[language])
        for language, vectors in parallel.vectors.items()
    ]
    if len(parallel.languages) < 2:
        return single
    pairs = _all_pairs(parallel)
    recognised = list(_recognised(parallel, seed))
    vectors = parallel.stacked()[0]
    return [
        *single,
        *recognised,
        *pairs,
        AlignmentValue("uniformity", None, None, uniformity(vectors), len(vectors)),
        *_overall(recognised, len(parallel.ids)),
        *_overall(pairs, len(parallel.ids)),
    ]


def _all_pairs(parallel: ParallelVectors) -> list[AlignmentValue]:
    """Return the rows of every pair of languages, in the order of the pairs."""
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(WORKERS) as workers:
        pairs = combinations(parallel.languages, 2)
        of_pairs = workers.map(lambda ab: list(_pair_rows(ab[0], ab[1], parallel.pair(*ab))), pairs)
        return list(chain.from_iterable(of_pairs))


def _pair_rows(a: str, b: str, pair: Pair) -> Iterator[AlignmentValue]:
    directions = ((a, b), (b, a))
    if pair.n < 2:
        for measure in _SYMMETRIC:
            yield _row(measure, a, b, float("nan"), pair.ids)
        for measure in _DIRECTED:
            for language, other in directions:
                yield _row(measure, language, other, float("nan"), pair.ids)
        return
    for measure, of_vectors in _SYMMETRIC.items():
        yield _row(measure, a, b, of_vectors(pair.x, pair.y), pair.ids)
    fewer = pair.thinned(CANDIDATES)
    similarity = Similarity.of(fewer.x, fewer.y)
    for measure, of_similarity in _DIRECTED.items():
        for (language, other), view in zip(directions, (similarity, similarity.reversed), strict=True):
            yield _row(measure, language, other, of_similarity(view), fewer.ids)


def _recognised(parallel: ParallelVectors, seed: int) -> Iterator[AlignmentValue]:
    """Yield how often each language is recognised."""
    vectors, languages, ids = parallel.stacked()
    found = language_identifiability(vectors, languages, ids, seed)
    for code, language in enumerate(parallel.languages):
        tested = (languages == code) & np.isfinite(found)
        result = found[tested] if tested.any() else float("nan")
        yield _row("language_identifiability", language, None, result, ids[tested])


def _row(measure: str, language: str, other: str | None, result: Floats | float, ids: Ints) -> AlignmentValue:
    if isinstance(result, float):
        return AlignmentValue(measure, language, other, result, len(ids), None, ids)
    return AlignmentValue(measure, language, other, float(result.mean()), len(ids), result, ids)


def _overall(rows: list[AlignmentValue], n_ids: int) -> Iterator[AlignmentValue]:
    """Yield one row per measure: the mean over its defined rows, and per id over those that have the id."""
    for measure in dict.fromkeys(row.measure for row in rows):
        defined = [row for row in rows if row.measure == measure and not np.isnan(row.value)]
        if not defined:
            yield AlignmentValue(measure, None, None, float("nan"), 0)
            continue
        value = float(np.mean([row.value for row in defined]))
        counts, sums = np.zeros(n_ids), np.zeros(n_ids)
        for row in defined:
            counts[row.ids] += 1  # an id occurs once in a row
            if row.per_id is not None:
                sums[row.ids] += row.per_id
        ids = np.flatnonzero(counts)
        per_id = None if defined[0].per_id is None else sums[ids] / counts[ids]
        yield AlignmentValue(measure, None, None, value, len(ids), per_id, ids)
