"""Is a difference between two recipes more than chance, in queries and in trainings? Ids and seeds as crossed factors.

An encoder is one draw of its training. With several seeds on each side, the variance of a difference of means is that
over query ids plus that over the seeds of each side; testing means over seeds over ids alone calls a recipe different
from itself.

Each part is taken as far out as its own degrees of freedom ask for: an interval reaches √(t²·s.e.² of ids + t²·s.e.² of
seeds), with t of the ids and t of the seeds, and p is where that reach is the difference. One t for both, with
Satterthwaite's degrees of freedom, keeps its level at .05 but not far out, where corrected p-values are decided: three
seeds that happen to agree make it sure, and in families of 196 tests one in four had a false difference.

Source: two crossed random factors: Clark 1973; the reach: Howe 1974, Graybill and Wang 1980; seeds of two recipes whose
luck may be of other size: Welch 1947.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xlbias.stats.bootstrap import FEWEST_UNITS, by_unit
from xlbias.stats.means import Floats, Ints

_NORMAL = 1e9  # degrees of freedom from which Student's t is the normal distribution
_LEAST = 1e-280  # p below which nobody looks
_HALVINGS = 60


@dataclass(frozen=True, eq=False)
class Crossed:
    """A difference of means over ids and seeds, new − base; each float64 [n_columns], in the unit of the values.

    Attributes:
        difference: of the means over seeds and ids.
        error: its standard error; `error_ids` and `error_seeds` are its two parts, whose squares add up to its square.
        p: two-sided; NaN where a side has one seed only or there are fewer than `FEWEST_UNITS` units.
        low: end of the interval, NaN where p is NaN.
        high: see `low`.
        degrees: degrees of freedom of ids and of seeds, [2, n_columns].
    """

    difference: Floats
    error: Floats
    error_ids: Floats
    error_seeds: Floats
    p: Floats
    low: Floats
    high: Floats
    degrees: Floats

    @property
    def variances(self) -> Floats:
        """Variances of ids and of seeds, [2, n_columns]; NaN where p is."""
        return np.where(np.isnan(self.p), np.nan, np.array([self.error_ids, self.error_seeds]) ** 2)


def crossed(
    base: Floats, new: Floats, *, clusters: Ints | None = None, fixed: bool = False, confidence: float = 0.95
) -> Crossed:
    """Return the difference of two sides with several seeds each, over ids and seeds.

    Args:
        base: float64 [n_seeds, n_ids, n_columns], NaN where an id has no value in a column; all seeds have the same.
        new: float64 [n_seeds, n_ids, n_columns], of the same ids and columns; its seeds may be other ones.
        clusters: int64 [n_ids], the unit that an id belongs to, by default itself.
        fixed: the base is one encoder and no draw of a training, such as the one that all others were trained from: it
            has one "seed", which does not vary.
        confidence: of the interval.

    Seeds of the two sides are independent draws, also where their numbers are equal. The variance of the interaction of
    ids and seeds is in both parts, so that the error is a little too large rather than too small. Raises ValueError for
    other shapes or gaps, or infinite values.
    """
    if base.ndim != 3 or base.shape[1:] != new.shape[1:]:
        raise ValueError(f"expected two arrays [n_seeds, n_ids, n_columns], got {base.shape} and {new.shape}")
    gaps = np.isnan(base[0])
    if any((np.isnan(side) != gaps).any() for side in (base, new)):
        raise ValueError("an id has a value in some seeds only")
    if fixed and len(base) != 1:
        raise ValueError(f"a fixed base is one encoder, got {len(base)}")
    by_id = new.mean(axis=0) - base.mean(axis=0)
    sums, counts = by_unit(by_id, clusters)
    n = (counts > 0).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        total = counts.sum(axis=0)
        difference = np.where(total > 0, sums.sum(axis=0) / total, np.nan)
        away = sums - counts * difference  # of a ratio of sums: units may hold other numbers of ids
        of_ids = n / (n - 1) * (away**2).sum(axis=0) / total**2
        drawn = [new] if fixed else [base, new]
        of_sides = np.array([_over_seeds(side, gaps) for side in drawn])
        of_seeds = of_sides.sum(axis=0)
        welch = of_seeds**2 / (of_sides**2 / np.array([[len(side) - 1.0] for side in drawn])).sum(axis=0)
    known = (n >= FEWEST_UNITS) & ~np.isnan(of_seeds)
    parts = np.where(known, [of_ids, of_seeds], np.nan)
    degrees = np.array([np.maximum(n - 1.0, 1), np.where(of_seeds > 0, welch, np.inf)])
    reach = _reach(parts, degrees, np.full(len(n), 1 - confidence))
    return Crossed(
        difference, np.sqrt(of_ids + of_seeds), np.sqrt(of_ids), np.sqrt(of_seeds),
        _probability(np.abs(difference), parts, degrees), difference - reach, difference + reach, degrees,
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Term:
    """One term of a weighted sum of means: the trainings of one recipe on the ids of one target.

    Attributes:
        trainings: whose trainings these are. Terms of the same have the same seeds in the same order: each is one
            training, seen on several targets.
        target: whose ids these are. Terms of one target have the same ids in the same order.
        weight: of the mean; of any sign.
        values: float64 [n_seeds, n_ids], NaN where an id has no value.
        fixed: it is one encoder and no draw of a training: its one "seed" does not vary.
        clusters: int64 [n_ids], the unit that an id belongs to, by default itself; the same in all terms of a target.
    """

    trainings: str
    target: str
    weight: float
    values: Floats
    fixed: bool = False
    clusters: Ints | None = None


def crossed_sum(terms: Sequence[Term], *, confidence: float = 0.95) -> Crossed:
    """Return the weighted sum of means over ids and seeds; one column. With weights −1 and 1 it is `crossed`.

    Ids of different targets are independent, as are units of one, and so are trainings of different recipes and
    sources. What one training does on all targets, and what one id does with all trainings, is summed before its
    variance is taken. Sources and targets themselves are not drawn: the result is of these. Raises ValueError for terms
    that do not fit each other.
    """
    if not terms:
        raise ValueError("expected at least one term")
    of_ids: dict[str, list[Floats]] = defaultdict(list)
    of_seeds: dict[str, list[Floats]] = defaultdict(list)
    clusters: dict[str, Ints | None] = {}
    fixed = {term.trainings for term in terms if term.fixed}
    for term in terms:
        units, others = term.clusters, clusters.setdefault(term.target, term.clusters)
        if (units is None) != (others is None) or (
            units is not None and others is not None and not np.array_equal(units, others)
        ):
            raise ValueError(f"{term.target}: its terms have other clusters")
        if (term.trainings in fixed) and (not term.fixed or len(term.values) != 1):
            raise ValueError(f"{term.trainings}: fixed in some terms only, or more than one encoder")
        gaps = np.isnan(term.values[0])
        if (np.isnan(term.values) != gaps).any():
            raise ValueError("an id has a value in some seeds only")
        n = int((~gaps).sum())
        means = np.where(gaps, 0.0, term.values).sum(axis=1) / n if n else np.full(len(term.values), np.nan)
        of_ids[term.target].append(term.weight * (term.values.mean(axis=0) - means.mean()) / max(n, 1))
        of_seeds[term.trainings].append(term.weight * means)
    difference = np.array([sum(part.mean() for parts in of_seeds.values() for part in parts)])
    ids, degrees_of_ids = _total([_variance_over_ids(of_ids[target], clusters[target]) for target in of_ids])
    drawn = [parts for trainings, parts in of_seeds.items() if trainings not in fixed]
    seeds, degrees_of_seeds = _total([_variance_over_seeds(parts) for parts in drawn]) if drawn else (np.nan, np.nan)
    known = np.isfinite(ids + seeds) and degrees_of_ids + 1 >= FEWEST_UNITS
    parts = np.where(known, [[ids], [seeds]], np.nan)
    degrees = np.array([[degrees_of_ids], [degrees_of_seeds]])
    reach = _reach(parts, degrees, np.array([1 - confidence]))
    return Crossed(
        difference, np.sqrt([ids + seeds]), np.sqrt([ids]), np.sqrt([seeds]),
        _probability(np.abs(difference), parts, degrees), difference - reach, difference + reach, degrees,
    )  # fmt: skip


def _variance_over_ids(parts: Sequence[Floats], clusters: Ints | None) -> tuple[float, float]:
    """Return variance and degrees of freedom of a sum over ids, of what each id adds in each of the parts.

    What the ids of one unit add is summed before its variance is taken.
    """
    if len({len(part) for part in parts}) > 1:
        raise ValueError("the terms of a target have other ids")
    present = (~np.isnan(parts)).any(axis=0)
    added = np.where(present, np.nansum(parts, axis=0), np.nan)
    sums, counts = by_unit(added[:, None], clusters)
    n = int((counts > 0).sum())
    variance = float(n / (n - 1) * (sums**2).sum()) if n > 1 else np.nan
    return variance, n - 1.0


def _variance_over_seeds(parts: Sequence[Floats]) -> tuple[float, float]:
    """Return variance and degrees of freedom of a mean over seeds, of what each seed adds in each of the parts."""
    if len({len(part) for part in parts}) > 1:
        raise ValueError("the terms of the same trainings have other seeds")
    added = np.sum(parts, axis=0)
    return (float(added.var(ddof=1) / len(added)) if len(added) > 1 else np.nan), len(added) - 1.0


def _total(parts: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return the sum of variances, and its degrees of freedom after Welch and Satterthwaite."""
    total = sum(variance for variance, _ in parts)
    if np.isnan(total):
        return np.nan, np.nan
    spread = sum(variance**2 / degrees for variance, degrees in parts if variance != 0)
    return total, total**2 / spread if spread != 0 else np.inf


def equivalence(found: Crossed, margin: float) -> Floats:
    """Return the p of two one-sided tests that each difference lies within ± `margin`, float64 [n_columns].

    Small where it is certain that the difference is smaller than the margin; a difference of 0 with a wide interval
    has a large one. Source: Schuirmann 1987.
    """
    if not margin > 0:
        raise ValueError(f"margin is {margin}: expected a number above 0")
    room = margin - np.abs(found.difference)  # from the nearer end of the margin
    p = _probability(np.abs(room), found.variances, found.degrees) / 2
    return np.where(room > 0, p, 1 - p)


def least_detectable(
    error_ids: Floats, error_seeds: Floats, degrees: Floats, *, p: float = 0.05, power: float = 0.8
) -> Floats:
    """Return how large a difference must be to have this `p` with this `power`, float64 [n_columns].

    Args:
        error_ids: part of the standard error that is of ids, float64 [n_columns].
        error_seeds: that of trainings.
        degrees: degrees of freedom of ids and of trainings, float64 [2, n_columns].
        p: what the difference must reach: .05 divided by the size of its family is the strictest that Holm asks for.
        power: in how many of such studies.

    The reach of that p, plus that of the power on the other side: both with Student's t, as the error is an estimate.
    """
    variances = np.array([error_ids**2, error_seeds**2])
    one = np.ones(len(error_ids))
    return _reach(variances, degrees, p * one) + _reach(variances, degrees, 2 * (1 - power) * one)


def _over_seeds(side: Floats, gaps: npt.NDArray[np.bool_]) -> Floats:
    """Return the variance of the mean over seeds, float64 [n_columns]; NaN for one seed."""
    means = np.nansum(side, axis=1) / np.maximum((~gaps).sum(axis=0), 1)
    return np.asarray(means.var(axis=0, ddof=1) / len(side) if len(side) > 1 else np.full(len(means[0]), np.nan))


def _reach(parts: Floats, degrees: Floats, p: Floats) -> Floats:
    """Return how far a difference must be from 0 to have this p, float64 [n_columns]; both are [2, n_columns]."""
    from scipy.special import stdtrit  # slow to import, and not needed to open a run

    quantiles = np.array([stdtrit(np.minimum(one, _NORMAL), p / 2) for one in degrees])
    return np.asarray(np.sqrt(np.where(parts == 0, 0.0, quantiles**2 * parts).sum(axis=0)))


def _probability(distance: Floats, parts: Floats, degrees: Floats) -> Floats:
    """Return the p at which the reach is `distance`, float64 [n_columns], by bisection of its logarithm.

    It lies between those of one t with the degrees of freedom of either part.
    """
    from scipy.special import stdtr  # slow to import, and not needed to open a run

    error = np.sqrt(parts.sum(axis=0))
    with np.errstate(invalid="ignore", divide="ignore"):
        ends = [2 * stdtr(np.minimum(one, _NORMAL), -distance / error) for one in degrees]
    low, high = (np.log(np.maximum(end(*ends), _LEAST)) for end in (np.minimum, np.maximum))
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        too_far = _reach(parts, degrees, np.exp(middle)) > distance
        low, high = np.where(too_far, middle, low), np.where(too_far, high, middle)
    p = np.exp(high)
    return np.where(error == 0, np.where(distance == 0, 1.0, 0.0), p)
