"""Is a difference between two recipes more than chance, in queries and in trainings? Ids and seeds as crossed factors.

An encoder is one draw of its training. With several seeds on each side, the variance of a difference of means is that
over query ids plus that over the seeds of each side; testing means over seeds over ids alone calls a recipe different
from itself. Source: two crossed random factors: Clark 1973; degrees of freedom: Satterthwaite 1946, Welch 1947.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xlbias.stats.bootstrap import FEWEST_UNITS, by_unit
from xlbias.stats.means import Floats, Ints


@dataclass(frozen=True, eq=False)
class Crossed:
    """A difference of means over ids and seeds, new − base; each float64 [n_columns], in the unit of the values.

    Attributes:
        difference: of the means over seeds and ids.
        error: its standard error; `error_ids` and `error_seeds` are its two parts, whose squares add up to its square.
        df: degrees of freedom of that error, between those of the seeds and those of the ids.
        p: two-sided, of Student's t; NaN where a side has one seed only or there are fewer than two units.
        low: end of the interval, NaN where p is NaN and for fewer than `FEWEST_UNITS` units.
        high: see `low`.
    """

    difference: Floats
    error: Floats
    error_ids: Floats
    error_seeds: Floats
    df: Floats
    p: Floats
    low: Floats
    high: Floats


def crossed(base: Floats, new: Floats, *, clusters: Ints | None = None, confidence: float = 0.95) -> Crossed:
    """Return the difference of two sides with several seeds each, over ids and seeds.

    Args:
        base: float64 [n_seeds, n_ids, n_columns], NaN where an id has no value in a column; all seeds have the same.
        new: float64 [n_seeds, n_ids, n_columns], of the same ids and columns; its seeds may be other ones.
        clusters: int64 [n_ids], the unit that an id belongs to, by default itself.
        confidence: of the interval.

    Seeds of the two sides are independent draws, also where their numbers are equal. The variance of the interaction of
    ids and seeds is in both parts, so that the error is a little too large rather than too small. Raises ValueError for
    other shapes or gaps, or infinite values.
    """
    from scipy.special import stdtr, stdtrit  # slow to import, and not needed to open a run

    if base.ndim != 3 or base.shape[1:] != new.shape[1:]:
        raise ValueError(f"expected two arrays [n_seeds, n_ids, n_columns], got {base.shape} and {new.shape}")
    gaps = np.isnan(base[0])
    if any((np.isnan(side) != gaps).any() for side in (base, new)):
        raise ValueError("an id has a value in some seeds only")
    by_id = new.mean(axis=0) - base.mean(axis=0)
    sums, counts = by_unit(by_id, clusters)
    n = (counts > 0).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        total = counts.sum(axis=0)
        difference = np.where(total > 0, sums.sum(axis=0) / total, np.nan)
        away = sums - counts * difference  # of a ratio of sums: units may hold other numbers of ids
        of_ids = n / (n - 1) * (away**2).sum(axis=0) / total**2
        parts, degrees = [of_ids], [(n - 1).astype(np.float64)]
        for side in (base, new):
            means = np.nansum(side, axis=1) / np.maximum((~gaps).sum(axis=0), 1)
            parts.append(means.var(axis=0, ddof=1) / len(side) if len(side) > 1 else np.full(len(n), np.nan))
            degrees.append(np.full(len(n), len(side) - 1.0))
        variance = np.sum(parts, axis=0)
        variance = np.where(n > 1, variance, np.nan)
        df = variance**2 / np.sum([part**2 / np.maximum(d, 1) for part, d in zip(parts, degrees, strict=True)], axis=0)
        error = np.sqrt(variance)
        p = 2 * stdtr(df, -np.abs(difference / error))
        p = np.where((variance == 0) & (difference == 0), 1.0, p)
        p = np.where((variance == 0) & (difference != 0), 0.0, p)
        reach = np.where(variance > 0, stdtrit(df, (1 + confidence) / 2) * error, 0.0)
    reach = np.where((n >= FEWEST_UNITS) & ~np.isnan(variance), reach, np.nan)
    return Crossed(
        difference, error, np.sqrt(of_ids), np.sqrt(parts[1] + parts[2]), df, p, difference - reach, difference + reach
    )
