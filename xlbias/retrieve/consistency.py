"""Rank consistency while vectors are at hand: does a question get the same ranking in whatever language it is asked?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import chain

import numpy as np
import numpy.typing as npt

from xlbias.blas import one_thread
from xlbias.measures.bias.rank_consistency import MOST_SCORES, mean_correlation
from xlbias.measures.ragged import Floats, Ints
from xlbias.processes.launched import cores, launched
from xlbias.retrieve.compiled import compiled
from xlbias.retrieve.index import PassageOrder, Queries, Vectors

_ROWS = 256
_COLUMNS = 4096  # of ranks that are multiplied together: a few hundred kilobytes
_FEW = 16
"""Translations whose rankings are multiplied sooner by compiled code than by BLAS, which is made for more rows at a
time; as long as the rankings are worth compiling it."""

_PART = 256  # ranks of a translation that are multiplied together: all of them stay in a core's smallest cache


def rank_consistency(
    index: PassageOrder,
    queries: Queries,
    query_ids: Sequence[str],
    advance: Callable[[int], None] = lambda _: None,
    share: tuple[int, int] = (0, 1),
) -> Floats:
    """Return each query's mean Spearman correlation with the other translations of its id, float64 [n_queries].

    Args:
        index: the passages; all of them are ranked, equal scores share their mean rank.
        queries: what `index` scores, float32 [n_queries, d] or int64 [n_queries].
        query_ids: translations share an id; one without another translation has NaN, as has one to which all passages
            score the same.
        advance: called with numbers of queries done.
        share: which of how many processes this is, each of which takes a part of the query ids; the others' queries
            have NaN here.
    """
    found = np.full(len(queries), np.nan)
    with correlating() as correlations:
        for block in shared_ids(query_ids, advance, share, (1 << 26) // max(index.n_passages, 1)):
            found[block] = correlations(index.scores(queries[block]), [query_ids[query] for query in block])
    return found


def shared_ids(
    query_ids: Sequence[str], advance: Callable[[int], None], share: tuple[int, int], most: int = _ROWS
) -> Iterator[Ints]:
    """Yield what `whole_ids` does, of a share of the query ids: as often as there are processes less.

    When one is done, `advance` is told of how many queries all processes are, as far as this one can know.
    """
    n_done = n_passed = 0
    for number, rows in enumerate(whole_ids(query_ids, most)):
        n_passed += len(rows)
        if number % share[1] == share[0]:
            yield rows
            advance(n_passed - n_done)
            n_done = n_passed
    if n_done < len(query_ids):
        advance(len(query_ids) - n_done)


def whole_ids(query_ids: Sequence[str], most: int = _ROWS) -> Iterator[Ints]:
    """Yield the positions of queries, int64, those of an id together: of as many ids as have `most` queries or fewer.

    No more than a tile of queries, and one id at least.
    """
    rows = max(1, min(_ROWS, most))
    codes = {query_id: code for code, query_id in enumerate(dict.fromkeys(query_ids))}
    of_query = np.fromiter((codes[query_id] for query_id in query_ids), dtype=np.int64, count=len(query_ids))
    order = np.argsort(of_query, kind="stable")
    ends = np.cumsum(np.bincount(of_query, minlength=len(codes))).tolist()
    start = 0
    for end, following in zip(ends, [*ends[1:], len(order) + rows + 1], strict=False):
        if following - start > rows:
            yield order[start:end]
            start = end


Correlations = Callable[[Vectors, Sequence[str]], Floats]
"""From scores with all passages, float32 [n, n_passages], which are changed, and the ids of their queries, those of an
id together, to each query's mean correlation, float64 [n]."""


@contextmanager
def correlating() -> Iterator[Correlations]:
    """Give what takes correlations, in as many threads as there are cores.

    Sorting and products let go of the interpreter; a product with threads of its own would wait for these.
    """
    n_workers = cores(launched())
    with ThreadPoolExecutor(n_workers) as workers:

        def products_of(scores: Vectors, of_ids: Sequence[Ints]) -> list[Floats]:
            return [_products(scores[rows[0] : rows[-1] + 1]) for rows in of_ids]

        def correlations(scores: Vectors, query_ids: Sequence[str]) -> Floats:
            firsts = [i for i in range(1, len(query_ids)) if query_ids[i] != query_ids[i - 1]]
            of_ids = np.split(np.arange(len(query_ids)), firsts)
            each = -(-len(of_ids) // n_workers)  # a thread is woken once, not for each id
            with one_thread():
                shares = (of_ids[start : start + each] for start in range(0, len(of_ids), each))
                products = list(chain.from_iterable(workers.map(partial(products_of, scores), shares)))
            found = np.empty(len(query_ids))
            for n in {len(rows) for rows in of_ids}:  # ids with as many translations together: they are small
                some = [i for i, rows in enumerate(of_ids) if len(rows) == n]
                found[np.stack([of_ids[i] for i in some])] = mean_correlation(np.stack([products[i] for i in some]))
            return found

        yield correlations


def _products(scores: Vectors) -> Floats:
    """Return the products of the rankings of one id with one another, from its scores, float32 [n_translations, n].

    Ranks take the place of the scores, and are multiplied a part at a time: nothing else is as long as the passages but
    the keys of one ranking.
    """
    scores = np.ascontiguousarray(scores, dtype=np.float32)
    ranks = scores.view(np.int32)
    for row, bits in zip(ranks, scores.view(np.uint32), strict=True):
        _rank(bits, row)
    return _multiplied(ranks)


def _multiplied(ranks: npt.NDArray[np.int32]) -> Floats:
    """Return the products of rankings with one another, float64 [n_translations, n_translations], exact."""
    products = np.zeros((len(ranks), len(ranks)))
    if len(ranks) <= _FEW and ranks.shape[1] >= _COLUMNS:
        _multiply(ranks, np.zeros((len(ranks), _PART)), products)
        return products
    for start in range(0, ranks.shape[1], _COLUMNS):
        part = ranks[:, start : start + _COLUMNS].astype(np.float64)
        products += part @ part.T
    return products


def sampled_queries(query_ids: Sequence[str], n_passages: int, seed: int = 0) -> Ints:
    """Return the queries whose consistency is taken, int64, ascending: all, or a seeded sample of whole query ids.

    As many as are ranked against `n_passages` without exceeding `MOST_SCORES`, but one id at least.
    """
    most = MOST_SCORES // max(n_passages, 1)
    if len(query_ids) <= most:
        return np.arange(len(query_ids))
    distinct, of_query, counts = np.unique(np.asarray(query_ids, dtype=object), return_inverse=True, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(distinct))
    kept = order[: max(1, int(np.searchsorted(np.cumsum(counts[order]), most, side="right")))]
    return np.flatnonzero(np.isin(of_query, kept))


def ranks_of(scores: Vectors) -> Floats:
    """Return float64 [n]: the rank of every score, from 1 for the highest; equal ones share their mean rank."""
    bits = np.ascontiguousarray(scores, dtype=np.float32).view(np.uint32)
    ranks = np.empty(len(bits), dtype=np.int32)
    _rank(bits, ranks)
    return (ranks + (len(bits) + 1)) / 2.0


def _rank(bits: npt.NDArray[np.uint32], ranks: npt.NDArray[np.int32]) -> None:
    """Fill `ranks` with those of scores, given as their bits, which may lie in the same memory; see `_unpacked`.

    Score and place are packed into one integer, as sorting integers is several times faster than an argsort.
    """
    keys = np.empty(len(bits), dtype=np.uint64)
    _pack(bits, keys)
    keys.sort()
    _unpacked(keys, ranks)


@compiled("void(uint32[::1], uint64[::1])", nogil=True)
def _pack(bits: npt.NDArray[np.uint32], keys: npt.NDArray[np.uint64]) -> None:
    """Fill `keys` with numbers in whose order the scores descend, each with its place in the lower half."""
    sign = np.uint32(1 << 31)
    for i in range(bits.shape[0]):
        one = bits[i] if bits[i] != sign else np.uint32(0)  # −0 is 0
        descending = one if one & sign else ~(one | sign)
        keys[i] = np.uint64(np.uint64(np.uint32(descending)) << np.uint64(32)) | np.uint64(i)


@compiled("void(uint64[::1], int32[::1])", nogil=True)
def _unpacked(keys: npt.NDArray[np.uint64], ranks: npt.NDArray[np.int32]) -> None:
    """Fill `ranks` with twice what the mean rank of each place is above the mean of all, from sorted keys of `_pack`.

    That is a whole number, and half as long as a float64; products of up to 200,000 of them are exact.
    """
    n = keys.shape[0]
    half, place = np.uint64(32), np.uint64(0xFFFFFFFF)
    for i in range(n):
        ranks[keys[i] & place] = np.int32(2 * i + 1 - n)
    n_tied = 0  # counted first: without a branch a pass takes half as long
    for i in range(1, n):
        n_tied += keys[i] >> half == keys[i - 1] >> half
    begin = 0
    while n_tied and begin < n:
        end = begin + 1
        while end < n and keys[end] >> half == keys[begin] >> half:
            end += 1
        for i in range(begin if end > begin + 1 else end, end):
            ranks[keys[i] & place] = np.int32(begin + end - n)
        begin = end


@compiled(nogil=True, fastmath={"reassoc", "contract"})
def _multiply(ranks: npt.NDArray[np.int32], part: Floats, products: Floats) -> None:
    """Add the products of rows with one another. They are whole numbers: the order of sums does not matter.

    `part`, float64 [n_rows, _PART], is written to: rows a part at a time. No array is made and no slice taken here, as
    to compile that takes longer than all else.
    """
    n_rows, n = ranks.shape
    for start in range(0, n, _PART):
        width = min(_PART, n - start)
        for row in range(n_rows):
            for k in range(_PART):
                part[row, k] = ranks[row, start + k] if k < width else 0.0
        for one in range(n_rows):
            for other in range(one + 1):
                total = 0.0
                for k in range(_PART):
                    total += part[one, k] * part[other, k]
                products[one, other] += total
    for one in range(n_rows):
        for other in range(one):
            products[other, one] = products[one, other]
