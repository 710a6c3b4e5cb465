"""All alignment measures of an encoder: per language, per language pair, and overall."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain, combinations
from math import comb
from typing import Any, TypeVar

import numpy as np

from xlbias.blas import one_thread
from xlbias.measures.alignment.language_identifiability import TRAINING_ROWS
from xlbias.measures.alignment.parallel import WORKERS, Pair, ParallelVectors, Vectors
from xlbias.measures.alignment.sampling import MOST_TEXTS, candidates_for, drawing_order, drawn
from xlbias.measures.alignment.similarity import NUMPY, Reads, Similarity
from xlbias.measures.measure import Measure, Takes, computed
from xlbias.measures.ragged import Floats, Ints
from xlbias.measures.registry import measures
from xlbias.progress import Piece


def _taking(takes: Takes) -> list[Measure]:
    """Return the measures of alignment that take this."""
    return [measure for measure in measures("alignment").values() if measure.takes == takes]


@dataclass(frozen=True, eq=False)
class AlignmentValue:
    """One value of one measure.

    Attributes:
        measure: its name, as in `xlbias.measures.registry`.
        language: the language, or the first of a pair (for directed measures: of the texts that look for their
            translation); None for the overall value.
        other: the second language of a pair, or None.
        value: NaN where undefined.
        n: how many ids it is over; for the overall value of a measure of vectors, how many texts.
        per_id: float64 [n], the value of each id, whose mean is `value`; None where undefined, and for a measure that
            has no such values.
        ids: int64 [n], those ids, ascending, as indices into `ParallelVectors.ids`; None where n is not ids.
    """

    measure: str
    language: str | None
    other: str | None
    value: float
    n: int
    per_id: Floats | None = None
    ids: Ints | None = None


Rows = list[AlignmentValue]


def alignment_rows(
    parallel: ParallelVectors,
    seed: int = 0,
    do: Callable[[Piece[Rows]], Rows] = lambda piece: piece.make(),
    reads: Reads | None = None,
    together: Callable[[list[Piece[Rows]]], Iterable[Piece[Rows]]] = lambda found: found,
) -> Rows:
    """Return all alignment measures: per language, then per pair, then overall.

    Args:
        parallel: the vectors.
        seed: of identifiability's split, and of the samples over which measures are taken whose time grows with the
            square of the texts, where there are very many, see `sampling`.
        do: makes a piece of the work, or finds that it was made before.
        reads: makes and reads similarities; by default NumPy. Where it is given, what pairs of texts make is put
            together from language pairs, as long as these hold all texts.
        together: gives the pieces in their order, some of them made already, elsewhere.

    Measures of parallel vectors have one row per unordered pair, those of similarity one per direction. Overall is the
    mean over the pairs (of labelled vectors over the languages) where the value is defined, and per id what the id adds
    to it, so that the mean over ids is the value; where no translation is missing that is the mean over its pairs. That
    of vectors is over all texts together. Languages that share fewer than 2 ids have NaN. With one language there are
    measures of its vectors only. `n` is that of the sample where there is one.
    """
    rows = [row for piece in together(pieces(parallel, seed, reads)) for row in do(piece)]
    rows = _joined(parallel, rows)
    labelled = {measure.name for measure in _taking("labelled vectors")}
    recognised = [row for row in rows if row.measure in labelled]
    of_pairs = [row for row in rows if row.other is not None]
    return [*rows, *_overall(recognised, len(parallel.ids)), *_overall(of_pairs, len(parallel.ids))]


def pieces(parallel: ParallelVectors, seed: int = 0, reads: Reads | None = None) -> list[Piece[Rows]]:
    """Return the parts of the work, in the order of their rows; see `alignment_rows`.

    What pairs of texts make is a row of a language pair as well where it is put together from these.
    """
    languages = parallel.languages
    texts = [len(vectors) for vectors in parallel.vectors.values()]
    found = [
        _piece("single languages", some, seed, seconds, partial(_of_languages, parallel, some, seed, reads or NUMPY))
        for some, seconds in _together(languages, [_of_uniformity(n) for n in texts])
    ]
    if len(languages) < 2:
        return found
    seconds = _of_identifiability(texts)
    found.append(_piece("languages told apart", languages, seed, seconds, partial(_recognised, parallel, seed)))
    limit, places = candidates_for(comb(len(languages), 2)), drawing_order(len(parallel.ids), seed)
    between = _over_pairs() if reads is not None and _in_pairs(parallel, limit) else []
    for some_pairs, seconds in _together(list(combinations(languages, 2)), _of_pairs(texts, limit)):
        make = partial(_pairs, parallel, some_pairs, limit, places, between, reads or NUMPY)
        about = (seed, limit, [measure.name for measure in between])
        found.append(_piece("language pairs", some_pairs, about, seconds, make))
    rest = [measure for measure in _taking("vectors") if measure not in between]
    if rest:
        make = partial(_of_all, parallel, seed, rest, reads or NUMPY)
        found.append(_piece("all languages", languages, seed, _of_uniformity(sum(texts)), make))
    return found


def _over_pairs() -> list[Measure]:
    """Return the measures of vectors that pairs of texts make."""
    return [measure for measure in _taking("vectors") if measure.over_pairs]


def _in_pairs(parallel: ParallelVectors, limit: int) -> bool:
    """Return whether each text stands in all language pairs of its language, and no sample is drawn."""
    first, *others = parallel.rows.values()
    whole = 2 <= len(first) <= limit and len(first) * (len(others) + 1) <= MOST_TEXTS
    return whole and all(np.array_equal(first, other) for other in others)


def _joined(parallel: ParallelVectors, rows: Rows) -> Rows:
    """Return the rows with those of all languages that are put together from rows of two, and without the latter."""
    found = []
    for measure in _over_pairs():
        of_one = [row for row in rows if row.measure == measure.name and row.language is not None]
        if any(row.other for row in of_one):
            n_pairs = [row.n * (row.n - 1) // 2 if row.other is None else row.n**2 for row in of_one]
            assert measure.over_pairs is not None
            value = measure.over_pairs.joined(np.array([row.value for row in of_one]), np.array(n_pairs))
            n = sum(len(vectors) for vectors in parallel.vectors.values())
            found.append(AlignmentValue(measure.name, None, None, value, n))
    joined = {row.measure for row in found}
    return [row for row in rows if row.other is None or row.measure not in joined] + found


def expected_seconds(texts: Sequence[int]) -> float:
    """Return about how long `alignment_rows` takes for so many texts of each language."""
    alone = sum(_of_uniformity(n) for n in texts)
    if len(texts) < 2:
        return alone
    pairs = sum(_of_pairs(texts, candidates_for(comb(len(texts), 2))))
    return alone + _of_identifiability(texts) + pairs + _of_uniformity(sum(texts))


def _of_uniformity(n: int) -> float:
    return _UNIFORMITY * min(n, MOST_TEXTS) ** 2


def _of_identifiability(texts: Sequence[int]) -> float:
    return _RECOGNITION * len(texts) * min(sum(texts), TRAINING_ROWS) + _PREDICTION * sum(texts)


def _of_pairs(texts: Sequence[int], limit: int) -> list[float]:
    shared = [min(pair) for pair in combinations(texts, 2)]
    return [(_SIMILARITY * min(n, limit) ** 2 + _ROW * min(n, MOST_TEXTS)) / WORKERS for n in shared]


_UNIFORMITY, _SIMILARITY = 2.5e-9, 1.6e-7  # seconds for each pair of texts, roughly: only their proportions matter
_RECOGNITION, _PREDICTION, _ROW = 5e-6, 2e-6, 5e-5  # and for each text
_SECONDS = 2.0
"""What a piece takes at least, so that few files are kept and little is lost."""

T = TypeVar("T")


def _piece(label: str, of: Sequence[Any], about: object, seconds: float, make: Callable[[], Rows]) -> Piece[Rows]:
    name = repr((label, of, about, MOST_TEXTS, TRAINING_ROWS, list(measures("alignment"))))
    return Piece(name, label, seconds, make)


def _together(items: Sequence[T], seconds: Sequence[float]) -> Iterator[tuple[Sequence[T], float]]:
    """Yield neighbours that take `_SECONDS` together, and how long they take."""
    start, total = 0, 0.0
    for stop, more in enumerate(seconds, 1):
        total += more
        if total >= _SECONDS or stop == len(items):
            yield items[start:stop], total
            start, total = stop, 0.0


def _of_languages(parallel: ParallelVectors, languages: Sequence[str], seed: int, reads: Reads) -> Rows:
    rows = []
    for language in languages:
        vectors = parallel.vectors[language]
        sample = drawn(drawing_order(len(vectors), seed), MOST_TEXTS)
        ids = parallel.rows[language][sample]
        some = _of(vectors, sample)
        rows += [_row(one, language, None, _value(one, reads, len(ids), some), ids) for one in _taking("vectors")]
    return rows


def _of_all(parallel: ParallelVectors, seed: int, of: Sequence[Measure], reads: Reads) -> Rows:
    sizes = [len(vectors) for vectors in parallel.vectors.values()]
    sample = drawn(drawing_order(sum(sizes), seed), MOST_TEXTS)
    starts = np.cumsum([0, *sizes])
    chosen = [
        vectors[sample[(sample >= start) & (sample < start + len(vectors))] - start]
        for start, vectors in zip(starts, parallel.vectors.values(), strict=False)
    ]
    together = np.concatenate(chosen)
    return [AlignmentValue(one.name, None, None, float(_value(one, reads, None, together)), len(sample)) for one in of]


def _of(vectors: Vectors, sample: Ints) -> Vectors:
    return vectors if len(sample) == len(vectors) else vectors[sample]


def _pairs(
    parallel: ParallelVectors,
    pairs: Sequence[tuple[str, str]],
    limit: int,
    places: Ints,
    between: Sequence[Measure],
    reads: Reads,
) -> Rows:
    """Return the rows of these pairs of languages, in their order, with those of measures `between` their texts."""

    def of(ab: tuple[str, str]) -> Rows:
        return list(_pair_rows(ab, parallel.pair(*ab), limit, places, between, reads))

    with one_thread(), ThreadPoolExecutor(WORKERS) as workers:
        return list(chain.from_iterable(workers.map(of, pairs)))


def _pair_rows(
    languages: tuple[str, str], pair: Pair, limit: int, places: Ints, between: Sequence[Measure], reads: Reads
) -> Iterator[AlignmentValue]:
    a, b = languages
    directions = ((a, b), (b, a))
    if pair.n < 2:
        for measure in _taking("parallel vectors"):
            yield _row(measure, a, b, _UNDEFINED, pair.ids)
        for measure in _taking("similarity"):
            for language, other in directions:
                yield _row(measure, language, other, _UNDEFINED, pair.ids)
        return
    for measure in _taking("parallel vectors"):
        some = pair.thinned(MOST_TEXTS, places) if measure.sampled else pair
        yield _row(measure, a, b, _value(measure, reads, some.n, some.x, some.y), some.ids)
    fewer = pair.thinned(limit, places)
    similarity = Similarity.of(fewer.x, fewer.y, reads)
    for measure in _taking("similarity"):
        for (language, other), view in zip(directions, (similarity, similarity.reversed), strict=True):
            yield _row(measure, language, other, _value(measure, reads, fewer.n, view), fewer.ids)
    for measure in between:
        assert measure.over_pairs is not None
        yield AlignmentValue(measure.name, a, b, measure.over_pairs.between(similarity), fewer.n)


def _recognised(parallel: ParallelVectors, seed: int) -> Rows:
    """Return how the vectors of each language are told apart from those of the others."""
    vectors, languages, ids = parallel.stacked()
    rows = []
    for measure in _taking("labelled vectors"):
        found = computed(measure, vectors, languages, ids, seed, shapes=((len(vectors),),))
        for code, language in enumerate(parallel.languages):
            tested = (languages == code) & np.isfinite(found)
            result = found[tested] if tested.any() else _UNDEFINED
            rows.append(_row(measure, language, None, result, ids[tested]))
    return rows


_UNDEFINED = np.array(np.nan)


def _value(measure: Measure, reads: Reads, n: int | None, *inputs: Any) -> Floats:
    """Return what a measure makes of n texts: one number, or one of each text; None where it must be one number."""
    more = {"reads": reads} if measure.by_reads else {}
    return computed(measure, *inputs, shapes=((),) if n is None else ((), (n,)), **more)


def _row(measure: Measure, language: str, other: str | None, result: Floats, ids: Ints) -> AlignmentValue:
    per_id = result if result.ndim else None
    return AlignmentValue(measure.name, language, other, float(result.mean()), len(ids), per_id, ids)


def _overall(rows: list[AlignmentValue], n_ids: int) -> Iterator[AlignmentValue]:
    """Yield one row per measure: the mean over its defined rows, and per id what it adds to that.

    A row of few ids counts as much as one of many, so an id counts more in it. A mean over each id's rows would be
    another number as soon as a translation is missing.
    """
    for measure in dict.fromkeys(row.measure for row in rows):
        defined = [row for row in rows if row.measure == measure and not np.isnan(row.value)]
        if not defined:
            yield AlignmentValue(measure, None, None, float("nan"), 0)
            continue
        value = float(np.mean([row.value for row in defined]))
        there, sums = np.zeros(n_ids, dtype=np.bool_), np.zeros(n_ids)
        for row in defined:
            there[row.ids] = True
            if row.per_id is not None:
                sums[row.ids] += row.per_id / len(row.per_id)  # an id occurs once in a row
        ids = np.flatnonzero(there)
        per_id = None if defined[0].per_id is None else sums[ids] * len(ids) / len(defined)
        yield AlignmentValue(measure, None, None, value, len(ids), per_id, ids)
