"""The plan of a study: what is trained on what and evaluated where; `xlbias.study.plan_reader` reads it from TOML."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta, Struct, to_builtins

from xlbias.cells import ALL, PAIRS, Cells, Over, TopOf
from xlbias.choices import listed, suggestion
from xlbias.errors import UsageError
from xlbias.samplers import HYBRID, UNTRAINED
from xlbias.train.recipe import Recipe

DATA = "{data}"
"""What stands for the folder of the data in the tasks of a plan."""


@dataclass(frozen=True)
class PlannedEncoder:
    """One encoder of a study: its name and what it stands for; `alpha` is for ``hybrid`` only.

    The one that all others are trained from has no source, and ``untrained`` in the place of its sampler.
    """

    name: str
    source: str
    sampler: str
    alpha: float | None
    seed: int

    @property
    def is_trained(self) -> bool:
        """Whether it has a training; all but the reference have."""
        return self.sampler != UNTRAINED


REFERENCE = PlannedEncoder(UNTRAINED, "", UNTRAINED, None, 0)
"""The encoder that all others are trained from, as it is."""


_Arm = Annotated[str, Meta(description="a sampler of the plan, such as 'mono' or 'hybrid-alpha0.5', or 'untrained'")]


class PrimaryContrast(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a study is made to find out: one sampler against another, in one number.

    `base` and `new` are named as in the names of encoders: ``mono``, ``hybrid-alpha0.5``; `base` may be ``untrained``
    where the plan has a reference. `over` and `cells` are as in `xlbias.cells`. Where a difference is sure to lie
    within ± `margin`, the samplers are called equal.
    """

    base: _Arm
    new: _Arm
    measure: Annotated[str, Meta(description="a measure that samplers are compared by, such as 'map'")]
    setting: Annotated[str, Meta(description="its setting, such as 'cross-lingual'")] | None = None
    over: Over = PAIRS
    cells: Cells = ALL
    margin: Annotated[float, Meta(gt=0, description="a number above 0, in the unit of the measure")] | None = None


@dataclass(frozen=True)
class Plan:
    """A study, checked.

    Attributes:
        path: file that it was read from.
        title: what the report is headed with; by default the file's name.
        samplers: batch samplers, all different.
        alphas: probabilities of a monolingual batch of ``hybrid``; empty without it.
        seeds: of the trainings.
        fewer_seeds: sampler, as in the names of encoders → how many of `seeds` it is trained with, where not with all.
        reference: whether the encoder that all others are trained from is evaluated too.
        recipe: the recipe with the plan's settings; only the seed is still to be set.
        recipe_name: the recipe as the plan names it.
        settings: what the plan overrides of it.
        top_k: passages kept of each ranking.
        top_of: pools of which they are kept.
        baseline: sampler that the others are compared with.
        sources: name → tasks to train on, as given.
        targets: name → task to evaluate on, as given; the run calls the task by this name.
        in_domain: target → source that it is the held-out part of.
        primary: contrasts that the study is made for; where there are any, only they are tested, as one family.
        data: folder that stands for ``{data}`` in tasks.
    """

    path: Path
    title: str
    samplers: tuple[str, ...]
    alphas: tuple[float, ...]
    seeds: tuple[int, ...]
    fewer_seeds: Mapping[str, int]
    reference: bool
    recipe: Recipe
    recipe_name: str
    settings: Mapping[str, Any]
    top_k: int
    top_of: TopOf
    baseline: str
    sources: Mapping[str, tuple[str, ...]]
    targets: Mapping[str, str]
    in_domain: Mapping[str, str]
    primary: tuple[PrimaryContrast, ...]
    data: Path | None

    def encoders(self) -> list[PlannedEncoder]:
        """Return the encoders in the order in which they are made.

        First the reference, then seed by seed, so that a part is balanced: samplers with all seeds before the others.
        """
        arms: list[tuple[str, str, float | None]] = [
            (sampler if alpha is None else f"{sampler}-alpha{alpha:g}", sampler, alpha)
            for sampler in self.samplers
            for alpha in (self.alphas if sampler == HYBRID else (None,))
        ]
        planned = [REFERENCE] if self.reference else []
        for fewer in (False, True):
            for number, seed in enumerate(self.seeds):
                planned += [
                    PlannedEncoder(f"{source}-{slug}-seed{seed}", source, sampler, alpha, seed)
                    for source in self.sources
                    for slug, sampler, alpha in arms
                    if (slug in self.fewer_seeds) == fewer and number < self.fewer_seeds.get(slug, len(self.seeds))
                ]
        return planned

    def spec(self, task: str) -> str:
        """Return a task of the plan as `xlbias.data.catalog.load_task` takes it."""
        return task.replace(DATA, str(self.data)) if self.data else task

    def as_dict(self) -> dict[str, Any]:
        """Return what a run's metadata says of the study: the plan with its defaults, but not where the data is."""
        return {
            "title": self.title,
            "samplers": list(self.samplers),
            "alphas": list(self.alphas),
            "seeds": list(self.seeds),
            "recipe": self.recipe_name,
            "settings": dict(self.settings),
            "top_k": self.top_k,
            "top_of": self.top_of,
            "baseline": self.baseline,
            "sources": {name: list(tasks) for name, tasks in self.sources.items()},
            "targets": dict(self.targets),
            "in_domain": dict(self.in_domain),
            # left out where there are none, so that a study of an earlier version is this one
            **({"fewer_seeds": dict(self.fewer_seeds)} if self.fewer_seeds else {}),
            **({"reference": True} if self.reference else {}),
            **({"primary": to_builtins(self.primary)} if self.primary else {}),
        }


def encoders_called(plan: Plan, names: Collection[str]) -> list[PlannedEncoder]:
    """Return the encoders of a plan with these names, all without any. Raises UsageError for a name it has not."""
    encoders = plan.encoders()
    known = [one.name for one in encoders]
    for name in names:
        if name not in known:
            raise UsageError(f"{plan.path}: no encoder {name!r}{suggestion(name, known)}; choose from {listed(known)}")
    return [one for one in encoders if one.name in names] if names else encoders
