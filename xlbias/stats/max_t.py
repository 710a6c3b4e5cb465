"""Step-down max-T on sign flips: p-values corrected over many cells that share their query ids.

Under the null hypothesis the two runs are exchangeable, so each id's difference may as well have the other sign: then
the test is exact, whatever the statistic. Where only the mean difference is 0 and the differences are skewed (a few ids
gain much, most lose a little), plain means reject far too often with few ids, and so does Student's t, which orders
flips as the mean does. The statistic is therefore Hall's, a t without the bias of skewness. With 50 ids it keeps its
level on differences as skewed as those of average precision; with 10 or 20 nothing does, as a sample that missed the
rare large differences does not show them (`benchmarks/significance.py`).

All columns are flipped by the same signs, so the correction knows how they are correlated: a column that stands twice
costs nothing, and the smallest p is 1 / (B + 1) however many there are, where Holm's is m / (B + 1). The family-wise
error rate is kept, also where some null hypotheses are false.

Source: flips: Fisher's randomisation test as in Smucker, Allan and Carterette 2007; p = (c + 1) / (B + 1), never 0:
Phipson and Smyth 2010; the statistic: Hall 1992; max-T: Westfall and Young 1993, algorithm 4.1; on sign flips: Ge,
Dudoit and Speed 2003.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from xlbias.blas import threads_for
from xlbias.stats.bootstrap import FEWEST_UNITS, by_unit
from xlbias.stats.means import Bools, Floats, Ints
from xlbias.stopping import piece

_SIGNS = 8_000_000  # signs at a time: 64 MB
_PRODUCTS = 2_000_000  # sums of columns in these flips: 16 MB
_BLOCK = 16_384  # of these, numbers per working array: what the processor's cache holds
_FEW = 40  # ids of which flips may repeat
_TIE = 1e-7  # of the largest value that the statistic can have: above rounding, below what a flip changes
_LEAST_SPREAD = 1e-10  # of the sum of squares: below it, all differences are equal but for rounding


@dataclass(frozen=True, eq=False)
class FlipTests:
    """Two-sided p-values of the mean of each column, each float64 [n_columns].

    Attributes:
        p: of the column alone: the share of flips whose statistic is as far from 0 as the observed one.
        p_family: corrected over the columns of its family.
        resolution: 1 / (B + 1), the smallest that either can be: a p that equals it means "at most this".
    """

    p: Floats
    p_family: Floats
    resolution: float


def flip_tests(
    differences: Floats, families: Ints, *, clusters: Ints | None = None, permutations: int = 10_000, seed: int = 0
) -> FlipTests:
    """Return the sign-flip test of each column, alone and corrected over its family by step-down max-T.

    Args:
        differences: float64 [n_ids, n_columns], one run minus the other per id, NaN where the id has no value there.
        families: int64 [n_columns], which family a column belongs to.
        clusters: int64 [n_ids], the unit that an id belongs to and that is flipped whole; by default each is its own.
        permutations: B, the number of sign flips.
        seed: the signs depend on it and on the number of units, never on the columns, which all share them.

    p is NaN for a column of fewer than `FEWEST_UNITS` units, which is in no family, and 1 for a column of zeros. Flips
    count where the statistic is at least the observed one, equal but for rounding included. Raises ValueError for a
    shape other than 2-D, infinite values or fewer than one permutation.
    """
    if permutations < 1:
        raise ValueError(f"expected at least one permutation, got {permutations}")
    filled, counts = by_unit(differences, clusters)
    n_units, n_columns = filled.shape
    n = (counts > 0).sum(axis=0)
    norm = np.sqrt((filled**2).sum(axis=0))
    scaled = np.divide(filled, norm, out=np.zeros_like(filled), where=norm > 0)
    scaled = np.ascontiguousarray(scaled.T)
    observed = np.empty(n_columns)
    for part, unflipped in _statistics(scaled, np.ones((n_units, 1)), n):
        observed[part] = unflipped[:, 0]
    tested = np.flatnonzero(n >= FEWEST_UNITS)
    order = tested[np.lexsort((observed[tested], families[tested]))]  # by family, its smallest statistic first
    steps = _runs(families[order])
    starts = {family.start for family in steps}
    n, scaled = n[order], scaled[order]
    threshold = np.maximum(np.sqrt(observed[order]) - _TIE * np.sqrt(n), 0) ** 2
    alone, together = np.zeros(len(order), np.int64), np.zeros(len(order), np.int64)
    rng = np.random.default_rng(seed)
    size = max(1, min(_SIGNS // max(n_units, 1), permutations))
    with threads_for(n_units):
        for start in range(0, permutations, size):
            signs, times = distinct(random_signs(rng, min(size, permutations - start), n_units))
            largest = np.zeros(len(signs))  # in each flip, of the columns of the family so far
            for part, flipped in _statistics(scaled, signs.T.astype(np.float64), n):
                alone[part] += _counted(flipped >= threshold[part, None], times)
                for column, statistics in enumerate(flipped, part.start):
                    if column not in starts:
                        np.maximum(statistics, largest, out=statistics)
                    largest = statistics
                together[part] += _counted(flipped >= threshold[part, None], times)
                largest = largest.copy()
    for family in steps:  # from the largest statistic down, no p below that of a larger one
        together[family] = np.maximum.accumulate(together[family][::-1])[::-1]
    p, p_family = np.full(n_columns, np.nan), np.full(n_columns, np.nan)
    p[order], p_family[order] = (alone + 1) / (permutations + 1), (together + 1) / (permutations + 1)
    return FlipTests(p, p_family, 1 / (permutations + 1))


def random_signs(rng: np.random.Generator, permutations: int, n_ids: int) -> npt.NDArray[np.int8]:
    """Return −1 or 1 with equal chance, int8 [permutations, n_ids], from one random bit each."""
    words = rng.integers(0, 2**64, (permutations, -(-n_ids // 64)), np.uint64).astype("<u8")
    bits = np.unpackbits(words.view(np.uint8), axis=1, count=n_ids, bitorder="little").view(np.int8)
    bits *= 2
    bits -= 1
    return bits


def distinct(signs: npt.NDArray[np.int8]) -> tuple[npt.NDArray[np.int8], Floats | None]:
    """Return flips that differ, int8 [n, n_ids], and how often each stands in `signs`, float64 [n].

    A flip and its opposite are one, as no statistic here tells them apart. Of few ids there are few: 2,048 of 12. Where
    flips hardly repeat they are returned as they are, without counts.
    """
    permutations, n_ids = signs.shape
    if n_ids > _FEW or 2 ** (n_ids - 1) > permutations // 2:
        return signs, None
    bits = (signs != signs[:, :1]) @ (1 << np.arange(n_ids))  # alike for a flip and its opposite
    _, first, times = np.unique(bits, return_index=True, return_counts=True)
    return signs[first], times.astype(np.float64)


def _counted(reached: Bools, times: Floats | None) -> Ints:
    """Return how many flips of each column are True in bool [n_columns, n_flips], each as often as it stands."""
    if times is None:
        return np.array([np.count_nonzero(one) for one in reached], dtype=np.int64)
    return np.asarray((reached @ times).astype(np.int64))


def _statistics(columns: Floats, signs: Floats, n: Ints) -> Iterator[tuple[slice, Floats]]:
    """Yield for some columns at a time which they are, and their statistic, squared, in each flip.

    They are float64 [n_some, n_flips], the caller's to work in.

    Args:
        columns: float64 [n_columns, n_units], each with a sum of squares of 1, or all 0.
        signs: float64 [n_units, n_flips].
        n: int64 [n_columns], units.
    """
    n_flips = signs.shape[1]
    together, block = max(1, _PRODUCTS // n_flips), max(1, _BLOCK // n_flips)
    for start in range(0, len(columns), together):
        some, units = columns[start : start + together], np.maximum(n[start : start + together], 1)[:, None]
        root = np.sqrt(units)
        means = some / root  # of sums of squares of 1: added up, m√n
        u, half = means @ signs, (0.5 * root * some**3 - 1.5 * means) @ signs
        for first in range(0, len(some), block):
            piece()
            part = slice(first, min(first + block, len(some)))
            yield slice(start + part.start, start + part.stop), _squared(u[part], half[part], units[part])


def _squared(u: Floats, half: Floats, n: Ints) -> Floats:
    """Return n·g² / (1 + g²), float64 [n_columns, n_flips], where g is Hall's monotone t without its √n.

    Args:
        u: float64 [n_columns, n_flips], m√n of differences whose sum of squares, which no flip changes, is 1.
        half: float64 [n_columns, n_flips], half of √n times the sum of their cubes, less 3u / 2. It is worked in.
        n: int64 [n_columns, 1], units.

    With mean m, standard deviation s (divisor n) and skewness a: g = T + aT²/3 + a²T³/27 + a/6n and T = m/s. The bound,
    n, keeps a column of few units, whose t may be anything, from overruling the others. What is squared needs no root:
    s²n is 1 − u², by which T² and the rest of g² are divided, and a is 2 (half + u³) / (1 − u²)^1.5.
    """
    square = u * u
    cube = u * square
    half += cube
    rest = np.subtract(1, square, out=square)
    np.maximum(rest, _LEAST_SPREAD, out=rest)
    inverse = np.divide(1, rest, out=cube)
    half *= inverse
    bend = np.multiply(inverse, u, out=inverse)
    bend *= half  # aT / 2
    g = bend * (4 / 27)
    g += 2 / 3
    g *= bend
    g += 1
    g *= u
    half /= 3 * n
    g += half  # times √(1 − u²)
    g *= g
    rest += g
    g /= rest
    g *= n
    return g


def _runs(families: Ints) -> list[slice]:
    """Return where each family stands in `families`, which is sorted."""
    starts = np.flatnonzero(np.diff(families, prepend=families[:1] - 1)).tolist()
    return [slice(first, last) for first, last in pairwise([*starts, len(families)])]
