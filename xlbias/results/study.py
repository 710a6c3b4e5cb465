"""The questions asked of a study, answered as frames: what the sampler changed, where, whether it is confirmed, what a
change of domain costs, and how far seeds agree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, product
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from xlbias.choices import listed
from xlbias.errors import RunError
from xlbias.measures.registry import measure_of
from xlbias.measures.shift import relative_drop
from xlbias.results.compare import ALPHA, PERMUTATIONS, Side, Sided, compare_sided
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

PAIR = pl.Schema({
    **dict.fromkeys(("measure", "setting"), pl.String()),
    **dict.fromkeys(("difference", "low", "high", "p"), pl.Float64()),
    "n_seeds": pl.Int64(),
    **dict.fromkeys(("source", "target", "base", "new"), pl.String()),
})  # fmt: skip
"""Columns of the differences of one source and target, not yet judged; see `contrasts`."""

_COMPARED = ("map", "rank_distance.normalised", "single_gold")


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


class Primary(NamedTuple):
    """A contrast that the plan names as what the study is made for: labels of two arms, and a number."""

    base: str
    new: str
    measure: str
    setting: str


@dataclass(frozen=True)
class Study:
    """The design of a study, from the metadata of its run.

    `in_domain` names, for a target that is the held-out part of a source, that source. Encoders that have not been
    evaluated yet are not in `members`: (source, arm, seed) → name of the encoder. `primary` names the contrasts that
    the study is made for, in all pairs of source and target: where there are any, nothing else is tested.
    """

    title: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    arms: tuple[Arm, ...]
    seeds: tuple[int, ...]
    baseline: Arm
    in_domain: Mapping[str, str]
    members: Mapping[tuple[str, Arm, int], str]
    primary: tuple[Primary, ...] = ()

    def of(self, source: str, arm: Arm) -> tuple[str, ...]:
        """Return the encoders of one source and arm, one for each seed that is there."""
        return tuple(self.members[source, arm, s] for s in self.seeds if (source, arm, s) in self.members)


def read_study(run: RunNumbers) -> Study:
    """Return the design of the study that a run holds. Raises RunError where it holds none."""
    plan = run.metadata.get("study")
    if not isinstance(plan, Mapping):
        raise RunError(f"{run.path}: not a study run; create one with `xlbias study`")
    arms, baseline = arms_of(plan["samplers"], plan["alphas"], plan.get("baseline"))
    seeds = plan["seeds"]
    seeds = tuple(range(seeds)) if isinstance(seeds, int) else tuple(int(seed) for seed in seeds)
    there = {model.name for model in run.models}
    names = {
        (source, arm, seed): f"{source}-{arm.slug}-seed{seed}"
        for source, arm, seed in product(plan["sources"], arms, seeds)
    }
    labels = {arm.slug: arm.label for arm in arms}
    return Study(
        title=str(plan.get("title") or run.path.stem),
        sources=tuple(plan["sources"]),
        targets=tuple(task.name for task in run.tasks),
        arms=arms,
        seeds=seeds,
        baseline=baseline,
        in_domain={str(k): str(v) for k, v in (plan.get("in_domain") or {}).items()},
        members={key: name for key, name in names.items() if name in there},
        primary=tuple(_primary(run, one, labels) for one in plan.get("primary") or ()),
    )


def arms_of(samplers: Sequence[str], alphas: Sequence[float], baseline: str | None) -> tuple[tuple[Arm, ...], Arm]:
    """Return the arms of a plan, by their share of monolingual batches, and the one that the others are compared with.

    Without samplers that know of `baseline`, it is the first arm.
    """
    arms: list[Arm] = []
    for sampler in samplers:
        arms += [Arm(sampler, float(alpha)) for alpha in alphas] if sampler == HYBRID else [Arm(sampler)]
    arms.sort(key=lambda arm: -arm.share)
    return tuple(arms), next((arm for arm in arms if arm.sampler == baseline), arms[0])


def _primary(run: RunNumbers, written: Mapping[str, str], labels: Mapping[str, str]) -> Primary:
    for side in (written["base"], written["new"]):
        if side not in labels:
            raise RunError(
                f"{run.path}: the study's primary contrasts name {side!r}; its samplers are {listed(labels)}"
            )
    return Primary(labels[written["base"]], labels[written["new"]], written["measure"], written["setting"])


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

    Columns: ``source, target, base, new, measure, setting``; ``difference``, a mean over query ids and seeds, with
    ``low`` and ``high`` and ``p``, over both as crossed random factors (`xlbias.stats.seeds`), and ``n_seeds``, how
    many the smaller side has; ``p_corrected``, Holm's, over the family; ``verdict``: ``better`` or ``worse`` where
    p_corrected < .05, which confirms the difference, ``unclear`` otherwise, ``untested`` for what is in no family.

    The family is all rows that the plan names as primary contrasts; where it names none, all rows of one measure and
    setting. With one seed there is no p: nothing can be said of samplers then. A measure whose direction is neither
    good nor bad is called better where it falls (the gap between own and other languages).
    """
    parts = []
    for source, target in product(study.sources, study.targets):
        tell(f"comparing samplers: {source} to {target}")
        parts.append(pair_contrasts(run, study, source, target, permutations=permutations, seed=seed))
    return judged(run, study, parts)


def compared_arms(study: Study, source: str) -> list[tuple[Arm, Arm]]:
    """Return which arms of a source are compared, base first: all with the baseline, hybrid ones with ``cross``."""
    return arm_pairs([arm for arm in study.arms if study.of(source, arm)], study.baseline)


def arm_pairs(there: Sequence[Arm], baseline: Arm) -> list[tuple[Arm, Arm]]:
    """Return which of these arms are compared, base first."""
    bases = [baseline, *(arm for arm in there if arm.sampler == CROSS and arm != baseline)]
    return [
        (base, new)
        for base, new in product(bases, there)
        if base in there and base != new and (base == baseline or new.sampler == HYBRID)
    ]


def pair_contrasts(
    run: RunNumbers, study: Study, source: str, target: str, *, permutations: int = PERMUTATIONS, seed: int = 0
) -> pl.DataFrame:
    """Return the differences of one source and target, not yet judged: columns as PAIR. Takes seconds."""
    arms = compared_arms(study, source)
    sides = {
        arm: Sided(Side(run, study.of(source, arm)), target, _COMPARED)
        for arm in dict.fromkeys(chain.from_iterable(arms))
    }
    parts = [pl.DataFrame(schema=PAIR)]
    for base, new in arms:
        frame = compare_sided(sides[base], sides[new], False, permutations, seed)
        about = {"source": source, "target": target, "base": base.label, "new": new.label}
        chosen = frame.join(_headline_frame(), on=["measure", "setting"], how="semi", maintain_order="left")
        p = pl.when(pl.col("n_seeds") > 1).then("p").alias("p")
        parts.append(
            chosen.select("measure", "setting", "difference", "low", "high", p, "n_seeds").with_columns(
                pl.lit(value).alias(name) for name, value in about.items()
            )
        )
    return pl.concat(parts)


def judged(
    run: RunNumbers, study: Study, parts: Sequence[pl.DataFrame], *, to_come: Sequence[tuple[str, str]] = ()
) -> pl.DataFrame:
    """Return the verdicts on the differences of pairs, see `contrasts`.

    Where pairs of source and target are still `to_come`, ``p_corrected`` is the most that it can become, and the
    verdict is ``open`` where it depends on them; all other verdicts stay.
    """
    whole = pl.concat(parts) if parts else pl.DataFrame(schema=PAIR)
    if whole.is_empty():
        raise RunError(f"{run.path}: the study has nothing to compare yet")
    missing = Counter(
        _family(study, base.label, new.label, *headline)
        for source, _ in to_come
        for base, new in compared_arms(study, source)
        for headline in HEADLINES
    )
    columns = ["base", "new", "measure", "setting"]
    family = pl.Series("family", [_family(study, *row) for row in whole.select(columns).iter_rows()], dtype=pl.String)
    return _with_verdicts(_with_holm(whole.with_columns(family), missing)).drop("family", "p_least")


def _family(study: Study, base: str, new: str, measure: str, setting: str) -> str | None:
    """Return the name of the family that a row belongs to, None where it is not tested."""
    if study.primary:
        return "primary" if (base, new, measure, setting) in study.primary else None
    return f"{measure} {setting}"


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


def _with_holm(frame: pl.DataFrame, missing: Mapping[str | None, int]) -> pl.DataFrame:
    """Add ``p_corrected``, the most that it can become, and ``p_least``, the least: the same where nothing is missing.

    `missing` counts the rows of each family that are still to come.
    """
    most, least = (np.full(frame.height, np.nan) for _ in range(2))
    p = frame["p"].fill_null(np.nan).to_numpy()
    for family in frame["family"].drop_nulls().unique(maintain_order=True):
        rows = np.flatnonzero((frame["family"] == family).fill_null(value=False))
        most[rows] = holm(np.concatenate([p[rows], np.ones(missing.get(family, 0))]))[: len(rows)]
        least[rows] = holm(p[rows])
    return frame.with_columns(
        pl.Series("p_corrected", most, nan_to_null=True), pl.Series("p_least", least, nan_to_null=True)
    )


def _with_verdicts(frame: pl.DataFrame) -> pl.DataFrame:
    falls = [measure for measure, _ in HEADLINES if measure_of(measure).better != "high"]
    sign = pl.when(pl.col("measure").is_in(falls)).then(-1.0).otherwise(1.0)
    confirmed, can_be = (pl.col(end) < ALPHA for end in ("p_corrected", "p_least"))
    up = pl.col("difference") * sign > 0
    verdict = (
        pl.when(pl.col("family").is_null()).then(pl.lit("untested"))
        .when(confirmed & up).then(pl.lit("better"))
        .when(confirmed & ~up).then(pl.lit("worse"))
        .when(can_be).then(pl.lit("open"))
        .otherwise(pl.lit("unclear"))
    )  # fmt: skip
    return frame.with_columns(verdict.alias("verdict"))


def _drop(measure: str, in_domain: float | None, zero_shot: float | None) -> float:
    if in_domain is None or zero_shot is None:
        return float("nan")
    better = measure_of(measure).better
    return float(relative_drop(np.array(in_domain), np.array(zero_shot), "low" if better == "low" else "high"))
