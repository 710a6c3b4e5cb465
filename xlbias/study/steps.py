"""The steps of a study: every encoder is trained, then evaluated."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

from xlbias.progress import Report
from xlbias.study.plan import PlannedEncoder

Kind = Literal["train", "evaluate"]
KINDS: tuple[Kind, ...] = ("train", "evaluate")


@dataclass(frozen=True)
class Step:
    """One step of a study: an encoder trained, or evaluated."""

    kind: Kind
    encoder: str


@dataclass(frozen=True)
class Done:
    """A step that is finished: whether it was `made` now or before, and in how many `seconds`."""

    step: Step
    made: bool
    seconds: float


@dataclass(frozen=True)
class Reached:
    """How far a step is that was begun."""

    step: Step
    report: Report


Event = Step | Done | Reached
"""What becomes of a step: it is begun, goes on, and is finished."""


def steps_of(encoders: Iterable[PlannedEncoder], kinds: Collection[Kind] = KINDS) -> list[Step]:
    """Return the steps of these encoders in their order: every encoder is evaluated as soon as it is trained."""
    return [Step(kind, encoder.name) for encoder in encoders for kind in kinds_of(encoder, kinds)]


def kinds_of(encoder: PlannedEncoder, kinds: Collection[Kind] = KINDS) -> list[Kind]:
    """Return which of these steps an encoder has, in their order: the reference is not trained."""
    return [kind for kind in KINDS if kind in kinds and (encoder.is_trained or kind != "train")]
