"""What a change of domain costs in a study: how much less an encoder has away from the domain it was trained on."""

from __future__ import annotations

import numpy as np
import polars as pl

from xlbias.measures.registry import measure_of
from xlbias.measures.shift import relative_drop
from xlbias.results.study.design import HEADLINES, Headline, Study
from xlbias.stats.paired import t_interval

SHIFTED: tuple[Headline, ...] = (
    *(one for one in HEADLINES if one[0] != "single_gold.gap"),
    ("queries.cka", None),
)
"""What a change of domain is measured by."""


def robustness(values: pl.DataFrame, study: Study) -> pl.DataFrame:
    """Return ``measure, setting, arm, drop, low, high, n_seeds, n_pairs``: mean relative drop over S ≠ T.

    The interval is a t-interval over seeds. Only targets that are the held-out part of a source have an in-domain
    value to compare with; `n_pairs` counts (source, target).
    """
    rows = []
    for measure, setting in SHIFTED:
        chosen = values.filter((pl.col("measure") == measure) & pl.col("setting").eq_missing(pl.lit(setting)))
        at = {
            (s, a, n, t): v for s, a, n, t, v in chosen.select("source", "arm", "seed", "target", "value").iter_rows()
        }
        for arm in study.arms:
            pairs = [(s, t) for t, own in study.in_domain.items() for s in study.sources if s != own]
            of_seeds = []
            for n in study.seeds:
                drops = [
                    _drop(measure, at.get((study.in_domain[t], arm.label, n, t)), at.get((s, arm.label, n, t)))
                    for s, t in pairs
                ]
                defined = [drop for drop in drops if np.isfinite(drop)]
                if defined:
                    of_seeds.append(float(np.mean(defined)))
            found = t_interval(np.array(of_seeds))
            rows.append((measure, setting, arm.label, found.mean, found.low, found.high, len(of_seeds), len(pairs)))
    names = ("measure", "setting", "arm", "drop", "low", "high", "n_seeds", "n_pairs")
    return pl.DataFrame(rows, schema=names, orient="row").with_columns(pl.col(pl.Float64).fill_nan(None))


def _drop(measure: str, in_domain: float | None, zero_shot: float | None) -> float:
    if in_domain is None or zero_shot is None:
        return float("nan")
    better = measure_of(measure).better
    return float(relative_drop(np.array(in_domain), np.array(zero_shot), "low" if better == "low" else "high"))
