"""What a change of domain costs in a study: how much less an encoder has away from the domain it was trained on.

As a difference and as a ratio: an encoder with more to lose loses more, and a ratio of a small number says little.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from xlbias.measures.registry import measure_of
from xlbias.measures.shift import relative_drop
from xlbias.results.study.design import HEADLINES, REFERENCE, Headline, Study
from xlbias.stats.paired import t_interval

SHIFTED: tuple[Headline, ...] = (
    *(one for one in HEADLINES if one[0] != "single_gold.gap"),
    ("queries.cka", None),
)
"""What a change of domain is measured by."""


def robustness(values: pl.DataFrame, study: Study) -> pl.DataFrame:
    """Return ``measure, setting, arm, n_seeds, n_pairs``, and the mean loss over S ≠ T in two ways.

    ``drop, low, high`` is relative, (M[T,T] − M[S,T]) / M[T,T]; ``lost, lost_low, lost_high`` the difference, in the
    unit of the measure; of both, positive is worse. Intervals are t-intervals over seeds. Only targets that are the
    held-out part of a source have an in-domain value to compare with; `n_pairs` counts (source, target).
    """
    rows = []
    for measure, setting in SHIFTED:
        chosen = values.filter((pl.col("measure") == measure) & pl.col("setting").eq_missing(pl.lit(setting)))
        at = {
            (s, a, n, t): v for s, a, n, t, v in chosen.select("source", "arm", "seed", "target", "value").iter_rows()
        }
        for arm in study.arms:
            pairs = [(s, t) for t, own in study.in_domain.items() for s in study.sources if s != own]
            of_seeds, lost_of_seeds = [], []
            for n in study.seeds:
                both = [(at.get((study.in_domain[t], arm.label, n, t)), at.get((s, arm.label, n, t))) for s, t in pairs]
                losses = [_loss(measure, home, away) for home, away in both if home is not None and away is not None]
                drops = [drop for drop, _ in losses if np.isfinite(drop)]
                if drops:
                    of_seeds.append(float(np.mean(drops)))
                if losses:
                    lost_of_seeds.append(float(np.mean([lost for _, lost in losses])))
            found, lost = t_interval(np.array(of_seeds)), t_interval(np.array(lost_of_seeds))
            ends = (found.mean, found.low, found.high, lost.mean, lost.low, lost.high)
            rows.append((measure, setting, arm.label, *ends, len(of_seeds), len(pairs)))
    names = ("measure", "setting", "arm", "drop", "low", "high", "lost", "lost_low", "lost_high", "n_seeds", "n_pairs")
    return pl.DataFrame(rows, schema=names, orient="row", infer_schema_length=None).with_columns(
        pl.col(pl.Float64).fill_nan(None)
    )


def _loss(measure: str, in_domain: float, zero_shot: float) -> tuple[float, float]:
    """Return what is lost away from home, as a share of what is there at home and in the unit of the measure."""
    falls = measure_of(measure).better == "low"
    drop = float(relative_drop(np.array(in_domain), np.array(zero_shot), "low" if falls else "high"))
    return drop, zero_shot - in_domain if falls else in_domain - zero_shot


def home_and_away(values: pl.DataFrame, reference: pl.DataFrame, study: Study) -> pl.DataFrame:
    """Return ``over, measure, setting, arm, mean, low, high, n_seeds``: what each arm has at home, and away from it.

    Args:
        values: see `xlbias.results.study.numbers.numbers`.
        reference: the same of the encoder that all others were trained from; empty without one.
        study: the design.

    A mean over pairs of source and target, with a t-interval over seeds. The untrained encoder's mean is over the same
    pairs: at home and away it differs in the targets only.
    """
    home = [(source, target) for target, source in study.in_domain.items()]
    away = [(s, t) for s in study.sources for t in study.targets if (s, t) not in home]
    rows = []
    for over, pairs in (("home", home), ("away", away)):
        weights = pl.DataFrame(pairs, schema=["source", "target"], orient="row")
        for measure, setting in SHIFTED:
            is_it = (pl.col("measure") == measure) & pl.col("setting").eq_missing(pl.lit(setting))
            for arm in (REFERENCE, *study.arms):
                if arm == REFERENCE:
                    part = weights.join(reference.filter(is_it).drop("source"), on="target")
                else:
                    part = values.filter(is_it & (pl.col("arm") == arm.label)).join(weights, on=["source", "target"])
                of_seeds = part.group_by("seed").agg(pl.col("value").mean()).sort("seed")["value"].drop_nulls()
                if not of_seeds.is_empty():
                    found = t_interval(of_seeds.to_numpy())
                    rows.append((over, measure, setting, arm.label, found.mean, found.low, found.high, len(of_seeds)))
    names = ("over", "measure", "setting", "arm", "mean", "low", "high", "n_seeds")
    frame = pl.DataFrame(rows, schema=names, orient="row", infer_schema_length=None)
    return frame.with_columns(pl.col(pl.Float64).fill_nan(None))
