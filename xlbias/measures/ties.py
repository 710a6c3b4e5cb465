"""Expectations under a uniformly random order of equal scores: what measures of bias are made of.

Relevants of one ranking that score the same, with or without other passages, stand in one *block* of consecutive
places. Under a random order of equal scores the m relevants of a block of N places stand at m of them that are drawn
without replacement: the greatest is m(N + 1)/(m + 1) and the least (N + 1)/(m + 1) on average (order statistics; David
and Nagaraja 2003, § 3.7). Where there is no closed form, a mean over a few drawn orders does.
"""

from __future__ import annotations

import numpy as np

from xlbias.measures.ragged import Floats, Ints

DRAWS = 20_000
"""Rankings × orders that are drawn, about: the fewer the rankings, the more orders of each."""

_MOST_ORDERS, _FEWEST_ORDERS = 1_000, 16
_TABLE = 1 << 12  # harmonic numbers that are summed up; beyond, the series is exact to the last bits
_EULER = 0.57721566490153286061


def n_orders(n_rankings: int) -> int:
    """Return how many orders to draw of so many rankings with ties."""
    return int(np.clip(-(-DRAWS // max(n_rankings, 1)), _FEWEST_ORDERS, _MOST_ORDERS))


def drawn_places(owner: Ints, size: Ints, rng: np.random.Generator) -> Ints:
    """Return distinct places from 1 to the size of its block for each entry, int64 [n], every choice as likely.

    Args:
        owner: int64 [n], ascending: the block of each entry, from 0.
        size: int64 [n], places of that block, at least as many as it has entries.
        rng: what is drawn from; it knows nothing of what the entries are.
    """
    counts = np.bincount(owner)
    starts = np.cumsum(counts) - counts
    room = size[starts]
    taken = np.zeros((len(counts), int(counts.max(initial=0))), dtype=np.int64)
    for j in range(taken.shape[1]):  # as Floyd draws a subset: the j-th takes a new place, or the last there is
        there = np.flatnonzero(counts > j)
        last = room[there] - counts[there] + 1 + j
        drawn = rng.integers(1, last, endpoint=True)
        again = (taken[there, :j] == drawn[:, None]).any(axis=1)
        taken[there, j] = np.where(again, last, drawn)
    shuffled = np.lexsort((rng.random(len(owner)), owner))  # which entry has which of them
    places = np.empty(len(owner), dtype=np.int64)
    places[shuffled] = taken[owner, np.arange(len(owner)) - starts[owner]]
    return places


def harmonic(n: Ints) -> Floats:
    """Return 1 + 1/2 + ... + 1/n, float64 [n], 0 for 0; exact to 1e-14."""
    table = np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, _TABLE))])
    large = np.maximum(n, _TABLE).astype(np.float64)
    series = np.log(large) + _EULER + 1 / (2 * large) - 1 / (12 * large**2) + 1 / (120 * large**4)
    return np.where(n < _TABLE, table[np.minimum(n, _TABLE - 1)], series)


def mean_precision(before: Ints, size: Ints, found: Ints, among: Ints) -> Floats:
    """Return the expected precision at the place of a relevant that stands in a block, float64 [n].

    Args:
        before: int64 [n], places before the block.
        size: int64 [n], places of the block.
        found: int64 [n], relevants before the block.
        among: int64 [n], relevants in the block, this one included.

    At place u of the block (each as likely) it is (found + 1 + (among − 1)(u − 1)/(size − 1)) / (before + u).
    """
    reciprocals = harmonic(before + size) - harmonic(before)
    others = (among - 1) / np.maximum(size - 1, 1)
    value = ((found + 1) * reciprocals + others * (size - (before + 1) * reciprocals)) / size
    return np.where(size > 1, value, (found + 1) / (before + 1))


def mean_log2_of_last(before: Ints, size: Ints, among: Ints) -> Floats:
    """Return the expected log2 of the rank of the last of `among` relevants of a block, float64 [n].

    Args:
        before: int64 [n], places before the block.
        size: int64 [n], places of the block.
        among: int64 [n], relevants in the block.
    """
    value = np.log2(before + size)
    tied = np.flatnonzero(size > among)
    if not tied.size:
        return np.asarray(value, np.float64)
    shapes, of_shape = np.unique(np.stack([size[tied], among[tied]], axis=1), axis=0, return_inverse=True)
    order = np.argsort(of_shape.reshape(-1), kind="stable")
    ends = np.cumsum(np.bincount(of_shape.reshape(-1), minlength=len(shapes)))
    start = 0
    for (n, m), end in zip(shapes.tolist(), ends.tolist(), strict=True):
        last = np.arange(n, m - 1, -1)  # the probability that the last is k falls from m/n at n by (k − m)/(k − 1)
        falling = np.cumprod(np.append(m / n, (last[:-1] - m) / np.maximum(last[:-1] - 1, 1)))
        chosen = tied[order[start:end]]
        starts, back = np.unique(before[chosen], return_inverse=True)
        rows = max(1, (1 << 22) // len(last))
        means = [np.log2(starts[i : i + rows, None] + last) @ falling for i in range(0, len(starts), rows)]
        value[chosen] = np.concatenate(means)[back.reshape(-1)]
        start = end
    return np.asarray(value, np.float64)
