"""Paired differences per query id: Student's t, effect size, how many ids got better; and a mean over seeds.

Functions of differences take float64 [n_ids, n_columns], one run minus the other, NaN where the id has no value in that
column, and work by column. Source: Student 1908; d_z: Cohen 1988, § 2.3.5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xlbias.stats.means import Floats, Ints, column_means, without_gaps


@dataclass(frozen=True, eq=False)
class PairedT:
    """Paired t-test: t, degrees of freedom and two-sided p, each float64 [n_columns], NaN where n < 2."""

    t: Floats
    df: Floats
    p: Floats


@dataclass(frozen=True, eq=False)
class Outcomes:
    """How many ids have a difference above, equal to and below 0, each int64 [n_columns]; they add up to n."""

    better: Ints
    equal: Ints
    worse: Ints


@dataclass(frozen=True)
class MeanInterval:
    """A mean and its t interval, in the unit of the values; NaN ends for fewer than two values."""

    mean: float
    low: float
    high: float


def paired_t(differences: Floats) -> PairedT:
    """Return the paired t-test of each column. A column of zeros has t = 0 and p = 1, where scipy has NaN."""
    from scipy.special import stdtr  # slow to import, and not needed to open a run

    _, n = column_means(differences)
    t = cohens_dz(differences) * np.sqrt(n)
    df = np.where(n >= 2, n - 1.0, np.nan)
    return PairedT(t, df, 2 * stdtr(df, -np.abs(t)))


def cohens_dz(differences: Floats) -> Floats:
    """Return Cohen's d_z, mean over standard deviation (n − 1) of the differences: float64 [n_columns], no unit.

    0 for a column of zeros, infinite for equal differences other than 0, NaN for fewer than two ids.
    """
    mean, n = column_means(differences)
    filled, present = without_gaps(differences)
    squares = (np.where(present, filled - mean, 0.0) ** 2).sum(axis=0)
    deviation = np.sqrt(squares / np.maximum(n - 1, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        dz = np.where(mean == 0, 0.0, mean / deviation)
    return np.where(n >= 2, dz, np.nan)


def outcomes(differences: Floats) -> Outcomes:
    """Count the ids that got better, stayed and got worse, exactly; better is above 0, so negate where lower is."""
    counts = [sign.sum(axis=0, dtype=np.int64) for sign in (differences > 0, differences == 0, differences < 0)]
    return Outcomes(*counts)


def t_interval(values: Floats, confidence: float = 0.95) -> MeanInterval:
    """Return the mean of `values`, float64 [n] (one per seed), and its t interval; NaN throughout where n = 0."""
    n = len(values)
    if n < 2:
        return MeanInterval(float(values[0]) if n else np.nan, np.nan, np.nan)
    from scipy.special import stdtrit  # slow to import, and not needed to open a run

    mean = float(values.mean())
    half = float(stdtrit(n - 1, (1 + confidence) / 2) * values.std(ddof=1) / np.sqrt(n))
    return MeanInterval(mean, mean - half, mean + half)
