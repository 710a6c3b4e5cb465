"""What holders of shares of the passages found, put together: the one place where ranking knows of other processes.

Each holder scores the same queries with its own tiles. Scores of relevant passages are 0 where a passage lies with
another holder, and counts are of one's own tiles, so both add up; lists of the best are merged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

import numpy.typing as npt

from xlbias.retrieve.topk import Best

Array = TypeVar("Array", bound=npt.NDArray[Any])


class Shares(Protocol):
    """Puts together what the holders found; every holder calls it with its own."""

    def sum(self, own: Array) -> Array:
        """Return the sum over holders."""

    def best(self, own: Best) -> Best | None:
        """Return the best over holders; None where another holder is told."""


class Alone:
    """One holder has all passages."""

    def sum(self, own: Array) -> Array:
        """See `Shares`."""
        return own

    def best(self, own: Best) -> Best:
        """See `Shares`."""
        return own


def share_of_tiles(n_tiles: int, holder: int, n_holders: int) -> range:
    """Return the tiles of one of `n_holders`: neighbours, as many for each as can be."""
    return range(n_tiles * holder // n_holders, n_tiles * (holder + 1) // n_holders)


def merged(found: Sequence[Best]) -> Best:
    """Return the best of what several holders found of the same queries."""
    first, *others = found
    for other in others:
        first = first.merged(other)
    return first
