"""Survives? What is lost away from the domains that an encoder was trained on, of quality and of alignment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import sqrt
from typing import NamedTuple

from xlbias.results.findings.context import Context, some
from xlbias.results.findings.finding import Destination, Finding, Number
from xlbias.results.per_query import Key
from xlbias.runs.run_info import ModelInfo, TaskInfo

KINDS = ("shift",)

LOST = (
    ("mAP cross", Key("map", "cross-lingual")),
    ("P@1 of translations", Key("passages.parallel_accuracy")),
)
"""What may be lost: a number of quality, and one of alignment."""

_Z = 1.959963984540054
_UNKNOWN = ("", "unknown")
_NAMED = 3


class Loss(NamedTuple):
    """A relative loss, 1 − away / home, with its 95% interval; and the numbers that it is made of."""

    value: float
    low: float
    high: float
    parts: tuple[Number, ...]


def found(context: Context) -> Iterator[Finding]:
    """Yield for every encoder that was trained on a known domain what it loses in others, beside the first one."""
    first: dict[tuple[object, ...], tuple[str, list[Loss | None]]] = {}
    for model in context.run.models:
        home, away = _tasks(context, model)
        if not home or not away:
            continue
        losses = [_loss(context, model, home, away, key) for _, key in LOST]
        if not any(losses):
            continue
        trained = tuple(sorted(str(source.domain) for source in model.card.trained_on))
        compared = first.setdefault(trained, (model.name, losses))
        lost = any(loss is not None and loss.low >= context.thresholds.loss for loss in losses)
        beside = f"; {compared[0]}: {_said(compared[1])}" if compared[0] != model.name else ""
        there = some([task.name for task in away], _NAMED)
        sentence = f"away from home, on {there}, it loses {_said(losses)}{beside}."
        defined = [loss for loss in losses if loss is not None]
        yield Finding(
            "shift", "survives", sentence, max(loss.low for loss in defined), Destination("domains", "overview", "map"),
            model.name, None, compared[0] if beside else None,
            numbers=(*_numbers(losses, model.name), *(_numbers(compared[1], compared[0]) if beside else ())),
            concern=lost, short=f"loses {_said(losses[:1]) or _said(losses)} away from home.",
        )  # fmt: skip


def _said(losses: Sequence[Loss | None]) -> str:
    return ", ".join(
        f"{100 * loss.value:.0f} % [{100 * loss.low:.0f}, {100 * loss.high:.0f}] of {label}"
        for (label, _), loss in zip(LOST, losses, strict=False)
        if loss is not None
    )


def _numbers(losses: Sequence[Loss | None], model: str) -> Iterator[Number]:
    """Yield losses, each before the numbers that it is made of."""
    for loss in losses:
        if loss is not None:
            parts = loss.parts
            yield Number(parts[0].measure, loss.value, loss.low, loss.high, encoder=model, role="relative loss")
            yield from parts


def _tasks(context: Context, model: ModelInfo) -> tuple[list[TaskInfo], list[TaskInfo]]:
    """Return the tasks of the domains that an encoder was trained on, and of others; none where it is not known."""
    domains = {source.domain for source in model.card.trained_on}
    if not domains or any(not isinstance(one, str) or one in _UNKNOWN for one in domains):
        return [], []
    mine = [task for one, task in context.ranked if one.name == model.name and task.domain not in _UNKNOWN]
    return [task for task in mine if task.domain in domains], [task for task in mine if task.domain not in domains]


def _loss(
    context: Context, model: ModelInfo, home: Sequence[TaskInfo], away: Sequence[TaskInfo], key: Key
) -> Loss | None:
    """Return the relative loss of the means over tasks, None where a task lacks the number or its interval.

    Its interval is by the delta method from those of the tasks, which have no query in common.
    """
    sides = [[context.number(model.name, task.name, key) for task in tasks] for tasks in (home, away)]
    known = [[one for one in side if one is not None and one.low is not None] for side in sides]
    if any(len(side) < len(tasks) for side, tasks in zip(known, (home, away), strict=True)):
        return None
    (h, var_h), (a, var_a) = (_mean(side) for side in known)
    if h <= 0:
        return None
    error = _Z * sqrt(var_a / h**2 + a**2 * var_h / h**4)
    return Loss(1 - a / h, 1 - a / h - error, 1 - a / h + error, tuple(one for side in known for one in side))


def _mean(side: Sequence[Number]) -> tuple[float, float]:
    """Return the mean of numbers and its variance."""
    errors = [((one.high or 0.0) - (one.low or 0.0)) / (2 * _Z) for one in side]
    return sum(one.value or 0.0 for one in side) / len(side), sum(error**2 for error in errors) / len(side) ** 2
