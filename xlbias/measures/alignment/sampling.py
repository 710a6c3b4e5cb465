"""Which texts a measure is taken over whose time grows with the square of the texts: all, or a seeded sample.

Without a limit 40,000 ids took minutes and 200,000 were never finished. A sample of some thousands says as much: the
standard error of an accuracy over 4,096 texts is .008 at most.
"""

from __future__ import annotations

from math import isqrt

import numpy as np

from xlbias.measures.ragged import Ints

MOST_TEXTS = 1 << 15
"""Texts that uniformity and CKA are taken over at most: 537 million pairs."""

MOST_CANDIDATES = 1 << 12
"""Texts of a language pair that accuracy and hubness are taken over at most: 64 MiB of similarities."""

LEAST_CANDIDATES = 1 << 9
"""As many they may be taken over however many language pairs there are."""

SIMILARITIES = 1 << 30
"""Similarities of all language pairs together, as long as each pair has the least."""


def candidates_for(n_pairs: int) -> int:
    """Return how many texts of each of `n_pairs` language pairs accuracy and hubness are taken over at most."""
    return int(np.clip(isqrt(SIMILARITIES // max(n_pairs, 1)), LEAST_CANDIDATES, MOST_CANDIDATES))


def drawing_order(n: int, seed: int) -> Ints:
    """Return the place of each of `n` ids in the order in which they are drawn, int64 [n].

    All language pairs draw in this order, so that they are taken over the same ids where they share all.
    """
    return np.random.default_rng(seed).permutation(n).astype(np.int64)


def drawn(places: Ints, limit: int) -> Ints:
    """Return the positions, ascending, of the `limit` first-drawn of `places`; all of them where there are no more."""
    if len(places) <= limit:
        return np.arange(len(places))
    return np.sort(np.argpartition(places, limit)[:limit])
