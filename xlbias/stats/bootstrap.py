"""Bootstrap intervals of means over query ids, for all cells of a matrix at once.

A cluster bootstrap: whole units (query ids, or documents that hold several of them) are drawn with replacement, the
same ones for every column, so columns keep their correlation and a quantity derived from several of them has an
interval too.
The ends are percentiles of the replicates, corrected for bias and skewness (BCa), and as far out as Student's t is
wider than the normal distribution: plain percentiles of ten or twenty skewed values are too short by a fifth.

Source: BCa: Efron 1987; clusters: Davison and Hinkley 1997, § 3.8; the widening: Hesterberg 2015, § 5.3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from statistics import NormalDist

import numpy as np

from xlbias.blas import side_by_side
from xlbias.stats.means import Floats, Ints, without_gaps
from xlbias.stopping import piece

FEWEST_UNITS = 10
"""Units below which there is no interval: whatever the method, it would hold the truth far less often than it says."""

_CHUNK = 500_000  # numbers per working array: 4 MB each
_EXACT = 1 << 24  # whole numbers up to this are exact in float32, and so are their sums
_ROUNDING = 1e-12
_NORMAL = NormalDist()

Derive = Callable[[Floats], Floats]


@dataclass(frozen=True, eq=False)
class Intervals:
    """Ends of intervals, float64 [n_columns + n_derived], NaN where there is none; in the unit of the values."""

    low: Floats
    high: Floats


def bootstrap_intervals(
    values: Floats,
    *,
    derive: Derive | None = None,
    derived_from: Sequence[Sequence[int]] | None = None,
    drawn: Derive | None = None,
    hidden: int = 0,
    clusters: Ints | None = None,
    replicates: int = 10_000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Intervals:
    """Return the interval of each column's mean, then of each derived quantity.

    Args:
        values: float64 [n_ids, n_columns], NaN where the id has no value in that column.
        derive: from column means, float64 [b, n_columns], to derived quantities, float64 [b, n_derived], for any b,
            also 0: a macro average, a difference, Kendall's W. It sees NaN where a replicate holds no id of a column.
        derived_from: the columns that each derived quantity is made of, and so its units; by default all columns.
        drawn: `derive` for the replicates, where it is another one: less what it grows by as drawn units repeat.
        hidden: how many columns, the last ones, only `derive` sees: they have no interval of their own.
        clusters: int64 [n_ids], the unit that an id belongs to, from 0; by default each is its own.
        replicates: how many times the units are drawn.
        seed: the draws depend on it, on the number of units and on `replicates`, never on the columns.
        confidence: of the interval, in (0, 1).

    A column's mean in a replicate is its sum over its count among what is drawn. Replicates in which it is NaN are left
    out. Ends lie among the replicates and the estimate, so within the range of the measure, and hold the estimate.
    There is no interval for fewer than `FEWEST_UNITS` units with a value, in the column or, for a derived quantity, in
    any of its columns; the caller judges whether a column of few units should be part of one. `derive` and `drawn` are
    called in several threads. Memory: one float64 per replicate and interval, and about 40 MB for each thread. Raises
    ValueError for a shape other than 2-D, infinite values or fewer than one replicate.
    """
    if replicates < 1:
        raise ValueError(f"expected at least one replicate, got {replicates}")
    sums, counts = by_unit(values, clusters)
    n_units, n_all = sums.shape
    n_columns = n_all - hidden
    n_derived = 0 if derive is None else derive(np.empty((0, n_all))).shape[1]
    undefined = np.full(n_columns + n_derived, np.nan)
    there = counts > 0
    if there.any(axis=1).sum() < FEWEST_UNITS:
        return Intervals(undefined, undefined.copy())
    # Equal columns are drawn once, and units are counted once per kind of gaps, which the columns of a cell share.
    first, of = _distinct(sums, counts)
    own = np.unique(of[:n_columns])
    place = np.searchsorted(own, of[:n_columns])
    sums, counts = sums.take(first, axis=1), counts.take(first, axis=1)
    example, kind = _distinct(counts)
    products = _Products(sums, counts.take(example, axis=1))
    means = np.empty((len(own) + n_derived, replicates))
    rng = np.random.default_rng(seed)
    step = max(1, _CHUNK // max(n_units, n_all))

    def fill(part: slice, times_drawn: Ints) -> None:
        of_columns, n_drawn = products.of(times_drawn)
        with np.errstate(invalid="ignore"):  # 0 / 0: no unit of the column was drawn
            of_columns /= n_drawn[kind]
        means[: len(own), part] = of_columns[own]
        if derive is not None:
            means[len(own) :, part] = (drawn or derive)(of_columns[of].T).T

    with side_by_side() as begin:
        for start in range(0, replicates, step):
            piece()
            part = slice(start, min(start + step, replicates))
            begin(fill, part, draw_ids(rng, part.stop - start, n_units))
    sources = [range(n_all)] * n_derived if derived_from is None else derived_from
    of_derived = [int(there[:, list(columns)].any(axis=1).sum()) for columns in sources]
    n = np.append((counts[:, own] > 0).sum(axis=0), of_derived).astype(np.int64)
    inner = None if derive is None else partial(_of_all, derive, of)
    shown = np.append(own, np.arange(len(first), len(first) + n_derived))
    estimate, acceleration = (found[shown] for found in _jackknife(sums, counts, inner))
    means.sort(axis=1)  # NaN last
    enough = np.where(n >= FEWEST_UNITS, estimate, np.nan)
    low, high = (_quantile_of_sorted(means, share) for share in _shares(means, estimate, acceleration, n, confidence))
    each = np.append(place, np.arange(len(own), len(own) + n_derived))
    return Intervals(np.minimum(low, enough)[each], np.maximum(high, enough)[each])


def _of_all(derive: Derive, of: Ints, means: Floats) -> Floats:
    """Return what is derived from means of distinct columns; `of` says which of these each column is."""
    return derive(means.take(of, axis=1))


def _distinct(*tables: Floats) -> tuple[Ints, Ints]:
    """Return the first of each group of columns that are equal in all tables, and for each column its group."""
    columns = [np.ascontiguousarray(table.T) for table in tables]
    groups: dict[tuple[bytes, ...], int] = {}
    found = [
        groups.setdefault(tuple(row.tobytes() for row in rows), len(groups)) for rows in zip(*columns, strict=True)
    ]
    of = np.array(found, dtype=np.int64)
    return np.unique(of, return_index=True)[1], of


class _Products:
    """Sums of columns over drawn units, and counts of their kinds: whole numbers in float32 where that is exact."""

    def __init__(self, sums: Floats, counts: Floats) -> None:
        """Take sums, float64 [n_units, n_columns], and counts, float64 [n_units, n_kinds], of each unit."""
        largest = np.abs(sums).max(axis=0, initial=0.0) * len(sums)
        whole = (largest < _EXACT) & (sums == np.rint(sums)).all(axis=0)
        self._whole, self._rest = np.flatnonzero(whole), np.flatnonzero(~whole)
        self._n_columns = sums.shape[1]
        exact = np.hstack([sums.take(self._whole, axis=1), counts])
        self._exact = exact.astype(np.float32 if counts.max(initial=0.0) * len(counts) < _EXACT else np.float64)
        self._sums = sums.take(self._rest, axis=1)

    def of(self, times_drawn: Ints) -> tuple[Floats, Floats]:
        """Return the sums, float64 [n_columns, b], and the counts, float64 [n_kinds, b], of draws [b, n_units]."""
        found = np.empty((self._n_columns, len(times_drawn)))
        exact = self._exact.T @ times_drawn.T.astype(self._exact.dtype)
        found[self._whole] = exact[: len(self._whole)]
        found[self._rest] = self._sums.T @ times_drawn.T.astype(np.float64)
        return found, exact[len(self._whole) :].astype(np.float64)


def by_unit(values: Floats, clusters: Ints | None) -> tuple[Floats, Floats]:
    """Return the sum and the number of values of each unit in each column, both float64 [n_units, n_columns].

    Raises ValueError for a shape other than 2-D, infinite values, or other than one cluster per id.
    """
    filled, present = without_gaps(values)
    if clusters is None:
        return filled, present.astype(np.float64)
    if clusters.shape != (len(values),):
        raise ValueError(f"expected a cluster for each of {len(values)} ids, got {list(clusters.shape)}")
    n_units = int(clusters.max(initial=-1)) + 1
    sums, counts = np.zeros((n_units, values.shape[1])), np.zeros((n_units, values.shape[1]))
    np.add.at(sums, clusters, filled)
    np.add.at(counts, clusters, present)
    return sums, counts


def draw_ids(rng: np.random.Generator, replicates: int, n_ids: int) -> Ints:
    """Return how often each id is drawn when n_ids are drawn with replacement: int64 [replicates, n_ids]."""
    drawn = rng.integers(0, n_ids, (replicates, n_ids))
    drawn += np.arange(replicates)[:, None] * n_ids
    return np.bincount(drawn.reshape(-1), minlength=replicates * n_ids).reshape(replicates, n_ids)


def _jackknife(sums: Floats, counts: Floats, derive: Derive | None) -> tuple[Floats, Floats]:
    """Return the means and derived quantities, and their acceleration: a sixth of the skewness of their influences."""
    n_units, n_columns = sums.shape
    total, number = sums.sum(axis=0), counts.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        estimate = (total / number)[None]
        if derive is not None:
            estimate = np.hstack([estimate, derive(estimate)])
        n, moments = np.zeros(estimate.shape[1]), np.zeros((3, estimate.shape[1]))
        step = max(1, _CHUNK // max(n_columns, 1))
        for start in range(0, n_units, step):
            piece()
            part = slice(start, start + step)
            left = total - sums[part]
            left /= number - counts[part]
            if derive is not None:
                left = np.hstack([left, derive(left)])
            away = np.subtract(left, estimate, out=left)  # first: sums of powers of what is near 0 keep their digits
            unknown = np.isnan(away)
            n += len(away) - unknown.sum(axis=0)
            away[unknown] = 0.0
            square = away * away
            moments[0] += away.sum(axis=0)
            moments[1] += square.sum(axis=0)
            square *= away
            moments[2] += square.sum(axis=0)
        mean, square, cube = moments / n
        spread = np.sqrt(np.maximum(square - mean**2, 0.0))
        skewness = (cube - 3 * mean * square + 2 * mean**3) / spread**3
        # An influence is −(n − 1) times what leaving out does, and Efron's a is Σ u³ / 6 (Σ u²)^1.5.
        acceleration = -skewness / (6 * np.sqrt(n))
    return estimate[0], np.where(np.isfinite(acceleration), acceleration, 0.0)


def _shares(means: Floats, estimate: Floats, acceleration: Floats, n: Ints, confidence: float) -> tuple[Floats, Floats]:
    """Return which quantiles of the replicates, sorted along the last axis, are the ends of each interval."""
    known = np.maximum((~np.isnan(means)).sum(axis=1), 1)
    rounding = _ROUNDING * np.abs(estimate)  # sums in another order: a replicate may equal the estimate but for this
    below = (means < (estimate - rounding)[:, None]).sum(axis=1)
    not_above = (means <= (estimate + rounding)[:, None]).sum(axis=1)
    centre = np.clip((below + not_above) / (2 * known), 1 / (known + 1), known / (known + 1))
    bias = np.array([_NORMAL.inv_cdf(float(share)) for share in centre])
    ends = []
    for sign in (-1, 1):
        at = sign * np.array([_t_quantile(int(one) - 1, (1 + confidence) / 2) for one in n])
        shifted = bias + at * np.sqrt(n / np.maximum(n - 1, 1))
        shifted = bias + shifted / np.maximum(1 - acceleration * shifted, 1e-6)
        ends.append(np.array([_NORMAL.cdf(float(one)) for one in shifted]))
    return ends[0], ends[1]


@lru_cache(maxsize=4096)
def _t_quantile(degrees: int, share: float) -> float:
    """Return the quantile of Student's t; that of the normal distribution for 0 degrees and for very many."""
    from scipy.special import stdtrit  # slow to import, and not needed to open a run

    return float(stdtrit(degrees, share)) if 0 < degrees < 100_000 else _NORMAL.inv_cdf(share)


def _quantile_of_sorted(rows: Floats, share: Floats) -> Floats:
    """Return a quantile of each row's numbers, `share` [n_rows], linearly interpolated; NaN for a row without any."""
    last = np.maximum(rows.shape[1] - np.isnan(rows).sum(axis=1) - 1, 0)
    position = share * last
    below = np.floor(position).astype(np.int64)
    above = np.minimum(below + 1, last)
    row = np.arange(len(rows))
    lower, upper = rows[row, below], rows[row, above]
    result: Floats = lower + (upper - lower) * (position - below)
    return result
