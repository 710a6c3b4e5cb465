"""Rank consistency while vectors are at hand: does a question get the same ranking in whatever language it is asked?"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from xlbias.measures.bias.rank_consistency import MOST_SCORES, mean_spearman
from xlbias.measures.ragged import Floats, Ints
from xlbias.retrieve.ranks import PassageIndex, Vectors

_ROWS = 256


def rank_consistency(
    index: PassageIndex, queries: Vectors, query_ids: Sequence[str], advance: Callable[[int], None] = lambda _: None
) -> Floats:
    """Return each query's mean Spearman correlation with the other translations of its id, float64 [n_queries].

    Args:
        index: the passages; all of them are ranked, equal scores share their mean rank.
        queries: float32 [n_queries, d].
        query_ids: translations share an id; one without another translation has NaN, as has one to which all passages
            score the same.
        advance: called with numbers of queries done.
    """
    found = np.full(len(queries), np.nan)
    codes = {query_id: code for code, query_id in enumerate(dict.fromkeys(query_ids))}
    of_query = np.fromiter((codes[query_id] for query_id in query_ids), dtype=np.int64, count=len(query_ids))
    order = np.argsort(of_query, kind="stable")
    ends = np.cumsum(np.bincount(of_query, minlength=len(codes)))
    rows = max(1, min(_ROWS, (1 << 26) // max(index.n_passages, 1)))
    passages = torch.from_numpy(index.vectors)
    start = 0
    with ThreadPoolExecutor(os.cpu_count()) as workers:  # sorting lets go of the interpreter
        while start < len(order):
            stop = int(ends[np.searchsorted(ends, start, side="right")])
            while stop < len(order):
                following = int(ends[np.searchsorted(ends, stop, side="right")])
                if following - start > rows:
                    break
                stop = following
            block = order[start:stop]  # whole ids, as many as fit
            scores = torch.mm(torch.from_numpy(np.ascontiguousarray(queries[block])), passages.T).numpy()
            ranks = np.stack(list(workers.map(ranks_of, scores)))
            first = 0
            for id_ in range(int(of_query[block[0]]), int(of_query[block[-1]]) + 1):
                size = int(ends[id_] - (ends[id_ - 1] if id_ else 0))
                found[block[first : first + size]] = mean_spearman(ranks[first : first + size])
                first += size
            advance(len(block))
            start = stop
    return found


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
    """Return float64 [n]: the rank of every score, from 1 for the highest; equal ones share their mean rank.

    Score and place are packed into one integer, as sorting integers is several times faster than an argsort.
    """
    bits = (scores + np.float32(0.0)).view(np.uint32)  # −0 is 0
    ascending = np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31))  # in the order of the numbers
    keys = (~ascending).astype(np.uint64) << np.uint64(32) | np.arange(len(scores), dtype=np.uint64)
    keys.sort()
    found = np.arange(1.0, len(scores) + 1)
    begins = np.flatnonzero(np.diff(keys >> np.uint64(32), prepend=~np.uint64(0)))
    if len(begins) < len(scores):  # the mean of consecutive ranks is that of the first and the last
        ends = np.append(begins[1:], len(scores))
        found = np.repeat((begins + 1 + ends) / 2, ends - begins)
    ranks = np.empty(len(scores))
    ranks[(keys & np.uint64(0xFFFFFFFF)).astype(np.int64)] = found
    return ranks
