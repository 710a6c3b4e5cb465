"""The design of a study: what was trained on what with which sampler, and which of it is compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, NamedTuple

from xlbias.cells import ALL, PAIRS, TRAINED, Cells, Over
from xlbias.choices import listed
from xlbias.errors import RunError
from xlbias.results.run_numbers import RunNumbers
from xlbias.results.study.cells import Taught, taught
from xlbias.runs.run_info import TaskInfo
from xlbias.samplers import CROSS, HYBRID, MONO, UNTRAINED

Headline = tuple[str, str | None]
"""A measure and its setting; measures of alignment have none."""

HEADLINES: tuple[Headline, ...] = (
    ("map", "monolingual"),
    ("map", "cross-lingual"),
    ("map", "multilingual"),
    ("rank_distance.normalised", "multilingual"),
    ("single_gold.gap", "multilingual"),
    ("rank_consistency", "multilingual"),
    ("queries.parallel_accuracy", None),
    ("queries.language_identifiability", None),
    ("queries.alignment", None),
)
"""What samplers are compared by: measure and setting."""


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


REFERENCE = Arm(UNTRAINED)
"""The encoder that all others were trained from, as it is: one encoder, which no seed was drawn for."""


class Primary(NamedTuple):
    """A contrast that the plan names as what the study is made for: labels of two arms, and a number.

    `over` says of what: of every pair of source and target, or of a mean over them, see
    `xlbias.results.study.questions`; `cells` of which cells. Within ± `margin` the two arms are called equal.
    """

    base: str
    new: str
    measure: str
    setting: str | None = None
    over: Over = PAIRS
    cells: Cells = ALL
    margin: float | None = None


@dataclass(frozen=True)
class Study:
    """The design of a study, from the metadata of its run.

    `in_domain` names, for a target that is the held-out part of a source, that source. Encoders that have not been
    evaluated yet are not in `members`: (source, arm, seed) → name of the encoder. `primary` names the contrasts that
    the study is made for: where there are any, nothing else is tested. `taught` has the languages that the encoders of
    a source were trained in, where they are known. `reference` is the name of the encoder that all others were trained
    from, None where it was not evaluated. `n_planned` is how many trainings the plan has.
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
    taught: Mapping[str, Taught] = field(default_factory=dict)
    reference: str | None = None
    n_planned: int = 0

    def of(self, source: str, arm: Arm) -> tuple[str, ...]:
        """Return the encoders of one source and arm, one for each seed that is there; the reference is of any."""
        if arm == REFERENCE:
            return (self.reference,) if self.reference is not None else ()
        return tuple(self.members[source, arm, s] for s in self.seeds if (source, arm, s) in self.members)

    def planned(self, base: Arm, new: Arm, headline: Headline, over: Over, cells: Cells) -> Primary | None:
        """Return the primary contrast that the plan names for two arms and a number, None where it names none."""
        asked = (base.label, new.label, *headline, over, cells)
        return next((one for one in self.primary if one[:6] == asked), None)

    def cells(self, source: str, target: TaskInfo | None) -> tuple[Cells, ...]:
        """Return which cells are compared: all, and those of trained languages where they are fewer."""
        known = self.taught.get(source)
        return (ALL,) if known is None or target is None or known.holds(target) else (ALL, TRAINED)


def read_study(run: RunNumbers) -> Study:
    """Return the design of the study that a run holds. Raises RunError where it holds none."""
    plan = run.metadata.get("study")
    if not isinstance(plan, Mapping):
        raise RunError(f"{run.path}: not a study run; create one with `xlbias study`")
    arms, baseline = arms_of(plan["samplers"], plan["alphas"], plan.get("baseline"))
    seeds = plan["seeds"]
    seeds = tuple(range(seeds)) if isinstance(seeds, int) else tuple(int(seed) for seed in seeds)
    by_name = {model.name: model for model in run.models}
    names = {
        (source, arm, seed): f"{source}-{arm.slug}-seed{seed}"
        for source, arm, seed in product(plan["sources"], arms, seeds)
    }
    labels = {arm.slug: arm.label for arm in arms}
    members = {key: name for key, name in names.items() if name in by_name}
    fewer = plan.get("fewer_seeds") or {}
    n_seeds = sum(min(len(seeds), fewer.get(arm.slug, len(seeds))) for arm in arms)
    reference = UNTRAINED if plan.get("reference") and UNTRAINED in by_name else None
    labels[UNTRAINED] = REFERENCE.label
    languages = {
        source: taught([by_name[name] for (of, *_), name in members.items() if of == source])
        for source in plan["sources"]
    }
    return Study(
        title=str(plan.get("title") or run.path.stem),
        sources=tuple(plan["sources"]),
        targets=tuple(task.name for task in run.tasks),
        arms=arms,
        seeds=seeds,
        baseline=baseline,
        in_domain={str(k): str(v) for k, v in (plan.get("in_domain") or {}).items()},
        members=members,
        primary=tuple(_primary(run, one, labels) for one in plan.get("primary") or ()),
        taught={source: found for source, found in languages.items() if found},
        reference=reference,
        n_planned=len(plan["sources"]) * n_seeds,
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


def _primary(run: RunNumbers, written: Mapping[str, Any], labels: Mapping[str, str]) -> Primary:
    for side in (written["base"], written["new"]):
        if side not in labels:
            raise RunError(
                f"{run.path}: the study's primary contrasts name {side!r}; its samplers are {listed(labels)}"
            )
    rest = {key: written[key] for key in ("setting", "over", "cells", "margin") if written.get(key) is not None}
    return Primary(labels[written["base"]], labels[written["new"]], written["measure"], **rest)


def compared_arms(study: Study, source: str) -> list[tuple[Arm, Arm]]:
    """Return which arms of a source are compared, base first; see `arm_pairs`."""
    there = [arm for arm in study.arms if study.of(source, arm)]
    return arm_pairs(there, study.baseline, reference=study.reference is not None)


def arm_pairs(there: Sequence[Arm], baseline: Arm, *, reference: bool = False) -> list[tuple[Arm, Arm]]:
    """Return which of these arms are compared, base first.

    All with the baseline, hybrid ones with ``cross``, and with a reference all with it.
    """
    bases = [baseline, *(arm for arm in there if arm.sampler == CROSS and arm != baseline)]
    pairs = [
        (base, new)
        for base, new in product(bases, there)
        if base in there and base != new and (base == baseline or new.sampler == HYBRID)
    ]
    return pairs + [(REFERENCE, arm) for arm in there if reference]
