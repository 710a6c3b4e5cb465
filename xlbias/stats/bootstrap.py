"""Percentile bootstrap intervals of means over query ids, for all cells of a matrix at once.

A cluster bootstrap: whole ids are drawn with replacement, the same ones for every column, so columns keep their
correlation and a quantity derived from several of them has an interval too. Source: Efron and Tibshirani 1993, ch. 13;
clusters: Davison and Hinkley 1997, § 3.8.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from xlbias.stats.means import Floats, Ints, without_gaps

_CHUNK = 500_000  # numbers per working array: 4 MB each

Derive = Callable[[Floats], Floats]


@dataclass(frozen=True, eq=False)
class Intervals:
    """Ends of intervals, float64 [n_columns + n_derived], NaN where there is none; in the unit of the values."""

    low: Floats
    high: Floats


def percentile_intervals(
    values: Floats,
    *,
    derive: Derive | None = None,
    replicates: int = 10_000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Intervals:
    """Return the percentile interval of each column's mean, then of each derived quantity.

    Args:
        values: float64 [n_ids, n_columns], NaN where the id has no value in that column.
        derive: from column means, float64 [b, n_columns], to derived quantities, float64 [b, n_derived], for any b,
            also 0: a macro average, a difference, Kendall's W. It sees NaN where a replicate holds no id of a column.
        replicates: how many times the ids are drawn.
        seed: the draws depend on it, on the number of ids and on `replicates`, never on the columns.
        confidence: of the interval, in (0, 1).

    A column's mean in a replicate is its sum over its count among the ids drawn. Replicates in which it is NaN are left
    out. A column with fewer than two ids has no interval; a derived quantity has none where fewer than two ids have
    any value or every replicate is NaN, and the caller judges whether a column of one id should be part of it.
    Memory: one float64 per replicate and interval, and about 40 MB. Raises ValueError for a shape other than 2-D,
    infinite values or fewer than one replicate.
    """
    if replicates < 1:
        raise ValueError(f"expected at least one replicate, got {replicates}")
    filled, present = without_gaps(values)
    n_ids, n_columns = values.shape
    n_derived = 0 if derive is None else derive(np.empty((0, n_columns))).shape[1]
    undefined = np.full(n_columns + n_derived, np.nan)
    if present.any(axis=1).sum() < 2:
        return Intervals(undefined, undefined.copy())
    # Columns of one cell share their gaps, so ids are counted once per kind of gaps.
    _, example, kind = np.unique(np.packbits(present, axis=0), axis=1, return_index=True, return_inverse=True)
    kinds = present[:, example].astype(np.float64)
    means = np.empty((n_columns + n_derived, replicates))
    rng = np.random.default_rng(seed)
    step = max(1, _CHUNK // max(n_ids, n_columns))
    for start in range(0, replicates, step):
        part = slice(start, min(start + step, replicates))
        times_drawn = draw_ids(rng, part.stop - start, n_ids).T.astype(np.float64)
        n_drawn = (kinds.T @ times_drawn)[kind]
        with np.errstate(invalid="ignore"):  # 0 / 0: no id of the column was drawn
            means[:n_columns, part] = filled.T @ times_drawn / n_drawn
        if derive is not None:
            means[n_columns:, part] = derive(means[:n_columns, part].T).T
    has_interval = np.append(present.sum(axis=0) >= 2, np.ones(n_derived, np.bool_))
    means.sort(axis=1)  # NaN last
    tail = (1 - confidence) / 2
    low, high = _percentile_of_sorted(means, tail), _percentile_of_sorted(means, 1 - tail)
    return Intervals(np.where(has_interval, low, np.nan), np.where(has_interval, high, np.nan))


def draw_ids(rng: np.random.Generator, replicates: int, n_ids: int) -> Ints:
    """Return how often each id is drawn when n_ids are drawn with replacement: int64 [replicates, n_ids]."""
    drawn = rng.integers(0, n_ids, (replicates, n_ids))
    drawn += np.arange(replicates)[:, None] * n_ids
    return np.bincount(drawn.reshape(-1), minlength=replicates * n_ids).reshape(replicates, n_ids)


def _percentile_of_sorted(rows: Floats, share: float) -> Floats:
    """Return the quantile of each row's numbers, linearly interpolated; NaN for a row without any."""
    last = np.maximum(rows.shape[1] - np.isnan(rows).sum(axis=1) - 1, 0)
    position = share * last
    below = np.floor(position).astype(np.int64)
    above = np.minimum(below + 1, last)
    row = np.arange(len(rows))
    lower, upper = rows[row, below], rows[row, above]
    result: Floats = lower + (upper - lower) * (position - below)
    return result
