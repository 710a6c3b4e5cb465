"""Kinds of batches and their languages in turn instead of by chance, so that a short training draws each as often.

By chance, 30 monolingual batches of six languages may have one of them once and another nine times, and two samplers
that are compared then differ in languages as well. In turn, each has its share of every stretch of batches.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

_OF_KINDS, _OF_LANGUAGES = 1, 2  # what is drawn from the seed, so that the one does not depend on the other


@dataclass(frozen=True)
class Turn:
    """A monolingual batch's place among those of a training.

    Attributes:
        seed: decides the order of the languages in each round.
        number: how many monolingual batches came before it.
    """

    seed: int
    number: int

    def among(self, n: int) -> int:
        """Return whose turn it is among `n` languages: each has one a round, in a new order each round."""
        done, at = divmod(self.number, n)
        return int(np.random.default_rng([self.seed, _OF_LANGUAGES, done]).permutation(n)[at])


def monolingual_turn(seed: int, alpha: float, number: int) -> Turn | None:
    """Return the turn of batch `number` of a training; None where the batch is not monolingual.

    Systematic sampling: of any n batches in a row, `alpha` n are monolingual, to within one. The seed decides where the
    first one stands.
    """
    start = np.random.default_rng([seed, _OF_KINDS]).random()
    before, after = (math.floor(one * alpha + start) for one in (number, number + 1))
    return Turn(seed, before) if after > before else None
