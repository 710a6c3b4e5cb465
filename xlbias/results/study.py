"""The questions asked of a study, answered as frames: what the sampler changed, where, whether it is real, what a
change of domain costs, and how far seeds agree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, product
from typing import Any

import numpy as np
import polars as pl

from xlbias.errors import RunError
from xlbias.measures.registry import measure_of
from xlbias.measures.shift import relative_drop
from xlbias.results.compare import PERMUTATIONS, Side, Sided, compare_sided
from xlbias.results.run_numbers import RunNumbers
from xlbias.results.summary import OVERALL
from xlbias.samplers import CROSS, HYBRID, MONO
from xlbias.stats.multiplicity import holm
from xlbias.stats.paired import t_interval

HEADLINES: tuple[tuple[str, str], ...] = (
    ("map", "monolingual"),
    ("map", "cross-lingual"),
    ("map", "multilingual"),
    ("rank_distance.normalised", "multilingual"),
    ("single_gold.gap", "multilingual"),
)
"""What samplers are compared by: measure and setting."""

SHIFTED: tuple[tuple[str, str | None], ...] = (
    *HEADLINES[:4],
    ("queries.parallel_accuracy", None),
    ("queries.cka", None),
    ("queries.alignment", None),
)
"""What a change of domain is measured by."""

_PAIR = {
    **dict.fromkeys(("measure", "setting"), pl.String), **dict.fromkeys(("difference", "low", "high", "p"), pl.Float64),
    **dict.fromkeys(("source", "target", "base", "new"), pl.String),
}  # fmt: skip
_COMPARED = ("map", "rank_distance.normalised", "single_gold")
ALPHA = 0.05


@dataclass(frozen=True)
class Arm:
    """A sampler of a study, with the α of a hybrid one."""

    sampler: str
    alpha: float | None = None

    @property
    def label(self) -> str:
        """As in tables: ``mono``, ``hybrid α=0.5``."""
        return self.sampler if self.alpha is None else f"{self.sampler} α={self.alpha:g}"

    @property
    def slug(self) -> str:
        """As in the names of encoders."""
        return self.sampler if self.alpha is None else f"{self.sampler}-alpha{self.alpha:g}"

    @property
    def share(self) -> float:
        """Share of monolingual batches, by which arms are ordered: 1 for mono, 0 for cross; others come last."""
        known: dict[str, float] = {MONO: 1.0, CROSS: 0.0}
        return known.get(self.sampler, -1.0) if self.alpha is None else self.alpha


@dataclass(frozen=True)
class Study:
    """The design of a study, from the metadata of its run.

    `in_domain` names, for a target that is the held-out part of a source, that source. Encoders that have not been
    evaluated yet are not in `members`: (source, arm, seed) → name of the encoder.
    """

    title: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    arms: tuple[Arm, ...]
    seeds: tuple[int, ...]
    baseline: Arm
    in_domain: Mapping[str, str]
    members: Mapping[tuple[str, Arm, int], str]

    def of(self, source: str, arm: Arm) -> tuple[str, ...]:
        """Return the encoders of one source and arm, one for each seed that is there."""
        return tuple(self.members[source, arm, s] for s in self.seeds if (source, arm, s) in self.members)


def read_study(run: RunNumbers) -> Study:
    """Return the design of the study that a run holds. Raises RunError where it holds none."""
    plan = run.metadata.get("study")
    if not isinstance(plan, Mapping):
        raise RunError(f"{run.path}: is no study: `xlbias study` makes one")
    arms = []
    for sampler in plan["samplers"]:
        arms += [Arm(sampler, float(alpha)) for alpha in plan["alphas"]] if sampler == HYBRID else [Arm(sampler)]
    arms.sort(key=lambda arm: -arm.share)
    seeds = plan["seeds"]
    seeds = tuple(range(seeds)) if isinstance(seeds, int) else tuple(int(seed) for seed in seeds)
    there = {model["name"] for model in run.models}
    names = {
        (source, arm, seed): f"{source}-{arm.slug}-seed{seed}"
        for source, arm, seed in product(plan["sources"], arms, seeds)
    }
    return Study(
        title=str(plan.get("title") or run.path.stem),
        sources=tuple(plan["sources"]),
        targets=tuple(task["name"] for task in run.tasks),
        arms=tuple(arms),
        seeds=seeds,
        baseline=next((arm for arm in arms if arm.sampler == plan.get("baseline")), arms[0]),
        in_domain={str(k): str(v) for k, v in plan.get("in_domain", {}).items()},
        members={key: name for key, name in names.items() if name in there},
    )


def numbers(run: RunNumbers, study: Study) -> pl.DataFrame:
    """Return ``source, arm, seed, target, measure, setting, value``: overall numbers of every encoder and target."""
    rows = [
        {"model": name, "source": source, "arm": arm.label, "seed": seed}
        for (source, arm, seed), name in study.members.items()
    ]
    schema = {"model": pl.String, "source": pl.String, "arm": pl.String, "seed": pl.Int64}
    overall = run.summary.filter(OVERALL)
    return (
        pl.DataFrame(rows, schema=schema)
        .join(overall, on="model", maintain_order="left")
        .select("source", "arm", "seed", pl.col("task").alias("target"), "measure", "setting", "value")
    )


def contrasts(
    run: RunNumbers,
    study: Study,
    *,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
    tell: Callable[[str], None] = lambda _: None,
) -> pl.DataFrame:
    """Return the paired differences of every arm from the baseline, and of hybrid arms from ``cross``.

    Columns: ``source, target, base, new, measure, setting``; ``difference`` with ``low`` and ``high`` over query ids,
    each a mean over seeds; ``p`` and ``p_holm``, corrected over all rows of one measure and setting; ``seed_low`` and
    ``seed_high``, the 95% t-interval of the difference over seeds; ``verdict``: ``better`` or ``worse`` where both ids
    (Holm, p < .05) and seeds (interval without 0) say so, ``unclear`` otherwise. A measure whose direction is neither
    good nor bad is called better where it falls (the gap between own and other languages).
    """
    parts = []
    for source, target in product(study.sources, study.targets):
        tell(f"comparing samplers: {source} to {target}")
        parts.append(pair_contrasts(run, study, source, target, permutations=permutations, seed=seed))
    return judged(run, study, parts)


def compared_arms(study: Study, source: str) -> list[tuple[Arm, Arm]]:
    """Return which arms of a source are compared, base first: all with the baseline, hybrid ones with ``cross``."""
    there = [arm for arm in study.arms if study.of(source, arm)]
    bases = [study.baseline, *(arm for arm in study.arms if arm.sampler == CROSS and arm != study.baseline)]
    return [
        (base, new)
        for base, new in product(bases, there)
        if base in there and base != new and (base == study.baseline or new.sampler == HYBRID)
    ]


def pair_contrasts(
    run: RunNumbers, study: Study, source: str, target: str, *, permutations: int = PERMUTATIONS, seed: int = 0
) -> pl.DataFrame:
    """Return the differences of one source and target, not yet judged: columns as _PAIR. Takes seconds."""
    arms = compared_arms(study, source)
    sides = {
        arm: Sided(Side(run, study.of(source, arm)), target, _COMPARED)
        for arm in dict.fromkeys(chain.from_iterable(arms))
    }
    parts = [pl.DataFrame(schema=_PAIR)]
    for base, new in arms:
        frame = compare_sided(sides[base], sides[new], False, permutations, seed)
        about = {"source": source, "target": target, "base": base.label, "new": new.label}
        chosen = frame.join(_headline_frame(), on=["measure", "setting"], how="semi", maintain_order="left")
        parts.append(
            chosen.select("measure", "setting", "difference", "low", "high", "p").with_columns(
                pl.lit(value).alias(name) for name, value in about.items()
            )
        )
    return pl.concat(parts)


def judged(run: RunNumbers, study: Study, parts: Sequence[pl.DataFrame], *, missing: int = 0) -> pl.DataFrame:
    """Return the verdicts on the differences of pairs, see `contrasts`.

    Holm's family is all rows of one measure and setting. Where `missing` rows of each are still to come, `p_holm` is
    the most that it can become, and the verdict is ``open`` where it depends on them; all other verdicts stay.
    """
    whole = pl.concat(parts) if parts else pl.DataFrame(schema=_PAIR)
    if whole.is_empty():
        raise RunError(f"{run.path}: the study has nothing to compare yet")
    keys = ["source", "target", "base", "new", "measure", "setting"]
    found = whole.join(_over_seeds(numbers(run, study)), on=keys, how="inner", maintain_order="left")
    return _with_verdicts(_with_holm(found, missing))


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


def over_seeds(values: pl.DataFrame) -> pl.DataFrame:
    """Return ``source, arm, target, measure, setting, mean, low, high, n_seeds``: means with t-intervals over seeds."""
    keys = ["source", "arm", "target", "measure", "setting"]
    return _intervals(values.drop_nulls("value"), keys, "value").rename({"mean_": "mean"})


def _intervals(frame: pl.DataFrame, keys: list[str], column: str) -> pl.DataFrame:
    rows = []
    for key, part in frame.group_by(keys, maintain_order=True):
        found = t_interval(part[column].to_numpy())
        rows.append((*key, found.mean, found.low, found.high, part.height))
    schema: dict[str, Any] = dict.fromkeys(keys, pl.String)
    schema |= {"mean_": pl.Float64, "low": pl.Float64, "high": pl.Float64, "n_seeds": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(pl.col(pl.Float64).fill_nan(None))


def _headline_frame() -> pl.DataFrame:
    return pl.DataFrame(list(HEADLINES), schema={"measure": pl.String, "setting": pl.String}, orient="row")


def _over_seeds(values: pl.DataFrame) -> pl.DataFrame:
    """Return ``source, target, base, new, measure, setting, seed_low, seed_high``: differences paired by seed."""
    chosen = values.join(_headline_frame(), on=["measure", "setting"], how="semi")
    keys = ["source", "seed", "target", "measure", "setting"]
    paired = chosen.rename({"arm": "base", "value": "of_base"}).join(
        chosen.rename({"arm": "new", "value": "of_new"}), on=keys
    )
    differences = paired.filter(pl.col("base") != pl.col("new")).with_columns(
        (pl.col("of_new") - pl.col("of_base")).alias("difference")
    )
    found = _intervals(
        differences.drop_nulls("difference"), ["source", "target", "base", "new", "measure", "setting"], "difference"
    )
    return found.select(
        "source", "target", "base", "new", "measure", "setting", "n_seeds",
        pl.col("low").alias("seed_low"), pl.col("high").alias("seed_high"),
    )  # fmt: skip


def _with_holm(frame: pl.DataFrame, missing: int) -> pl.DataFrame:
    """Add ``p_holm``, the most that it can become, and ``p_least``, the least: the same where nothing is missing."""
    parts = []
    for part in frame.partition_by("measure", "setting", maintain_order=True):
        p = part["p"].fill_null(np.nan).to_numpy()
        ends = {"p_holm": holm(np.concatenate([p, np.ones(missing)]))[: len(p)], "p_least": holm(p)}
        parts.append(part.with_columns(pl.Series(name, end, nan_to_null=True) for name, end in ends.items()))
    return pl.concat(parts)


def _with_verdicts(frame: pl.DataFrame) -> pl.DataFrame:
    falls = [measure for measure, _ in HEADLINES if measure_of(measure).better != "high"]
    sign = pl.when(pl.col("measure").is_in(falls)).then(-1.0).otherwise(1.0)
    seeds = (pl.col("seed_low") > 0) | (pl.col("seed_high") < 0)
    real, can_be = ((pl.col(end) < ALPHA) & seeds for end in ("p_holm", "p_least"))
    up = pl.col("difference") * sign > 0
    verdict = pl.when(real & up).then(pl.lit("better")).when(real & ~up).then(pl.lit("worse"))
    verdict = verdict.when(can_be).then(pl.lit("open"))
    return frame.with_columns(verdict.otherwise(pl.lit("unclear")).alias("verdict")).drop("p_least")


def _drop(measure: str, in_domain: float | None, zero_shot: float | None) -> float:
    if in_domain is None or zero_shot is None:
        return float("nan")
    better = measure_of(measure).better
    return float(relative_drop(np.array(in_domain), np.array(zero_shot), "low" if better == "low" else "high"))
