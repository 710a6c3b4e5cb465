"""Findings: what a run says, in sentences that its numbers support.

A rule is a module of `rules` with ``KINDS``, the kinds of findings that it makes, and ``found(context)``, which yields
them; a new file there is a new rule. Reports, JSON, `xlbias findings` and `xlbias check` find it here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Protocol
from weakref import WeakKeyDictionary

from xlbias.results.findings.context import Context
from xlbias.results.findings.finding import QUESTIONS, Destination, Finding, Number, Question
from xlbias.results.findings.thresholds import Thresholds
from xlbias.results.run_numbers import RunNumbers
from xlbias.stopping import piece
from xlbias.text import clean

if TYPE_CHECKING:
    import polars as pl

    from xlbias.results.compare import Side

__all__ = [
    "QUESTIONS",
    "Destination",
    "Finding",
    "Number",
    "Question",
    "Thresholds",
    "findings",
    "findings_in_turn",
    "kinds",
    "of_comparison",
]

DEFAULTS = Thresholds()

_DIFFERENCE = "difference"  # the kind of what is said of two encoders
_SAMPLER = "sampler"  # the kind of what a study says of its samplers

_found: WeakKeyDictionary[RunNumbers, dict[tuple[object, ...], tuple[Finding, ...]]] = WeakKeyDictionary()


class Rule(Protocol):
    """A module of `rules`."""

    KINDS: tuple[str, ...]

    def found(self, context: Context) -> Iterable[Finding]:
        """Yield the findings of this rule."""
        ...


@cache
def _rules() -> tuple[Rule, ...]:
    package = import_module("xlbias.results.findings.rules")
    names = sorted(module.name for module in iter_modules(package.__path__))
    return tuple(import_module(f"{package.__name__}.{name}") for name in names)


def kinds() -> tuple[str, ...]:
    """Return the kinds of findings that there are, by rule."""
    return tuple(kind for rule in _rules() for kind in rule.KINDS)


def findings(
    run: RunNumbers, base: RunNumbers | None = None, thresholds: Thresholds = DEFAULTS, *, whole: bool = False
) -> tuple[Finding, ...]:
    """Return what a run says: by question, what matters most first.

    Args:
        run: finished or in progress; of what is in progress nothing is tested.
        base: the run to compare its encoders with; by default encoders of the run are compared with each other.
        thresholds: what the adjectives of findings stand for.
        whole: whether to read all rankings of a very large run, which takes its time.

    Nothing is said that the numbers of the run do not support.
    """
    key = (base, thresholds, whole)
    of_run = _found.setdefault(run, {})
    if key not in of_run:
        of_run[key] = _ordered(Context(run, base, thresholds, whole=whole))
    return of_run[key]


def findings_in_turn(run: RunNumbers, base: RunNumbers | None = None) -> Iterator[tuple[tuple[Finding, ...], bool]]:
    """Yield what a run says without its differences, which take longest, and then what `findings` returns.

    Each comes with whether that is all.
    """
    key, of_run = (base, DEFAULTS, False), _found.setdefault(run, {})
    if key not in of_run:
        context = Context(run, base, DEFAULTS)
        late = [rule for rule in _rules() if _DIFFERENCE in rule.KINDS]
        known = _ordered(context, [rule for rule in _rules() if rule not in late])
        yield known, False
        of_run[key] = _by_question([*known, *_ordered(context, late)])
    yield of_run[key], True


def of_comparison(
    base: Side, new: Side, frames: Mapping[str, pl.DataFrame], thresholds: Thresholds = DEFAULTS
) -> tuple[Finding, ...]:
    """Return what a comparison says, and the findings on its new side, from differences that are there already.

    Args:
        base: what was compared with.
        new: what was compared.
        frames: by task, what `xlbias.results.compare.compare` gave.
        thresholds: what the adjectives of findings stand for.
    """
    found = _ordered(Context(new.run, base.run, thresholds, frames=frames, sides=(base, new)))
    names = {*new.models, ", ".join(new.models), None}
    return tuple(one for one in found if one.encoder in names and (one.task is None or one.task in frames))


def of_study(run: RunNumbers, answers: pl.DataFrame) -> tuple[Finding, ...]:
    """Return what the samplers of a study changed, from answers that are there already: in the order of its plan.

    Args:
        run: of the study.
        answers: what `xlbias.results.study.questions.answers` gave.
    """
    return _of_samplers(Context(run, None, DEFAULTS, answers=answers))


def of_samplers(run: RunNumbers) -> tuple[Finding, ...]:
    """Return the same where it takes little: nothing of a large study, or where the run is of none."""
    return _of_samplers(Context(run, None, DEFAULTS))


def of_encoders(run: RunNumbers) -> tuple[Finding, ...]:
    """Return what a run says but for what its samplers changed: what is left to say behind the report of a study."""
    return _ordered(Context(run, None, DEFAULTS), _rules_of(samplers=False))


def _rules_of(*, samplers: bool) -> list[Rule]:
    return [rule for rule in _rules() if (_SAMPLER in rule.KINDS) == samplers]


def _of_samplers(context: Context) -> tuple[Finding, ...]:
    said = [_cleaned(one) for rule in _rules_of(samplers=True) for one in rule.found(context)]
    return tuple(sorted(said, key=lambda one: -one.weight))


def _cleaned(one: Finding) -> Finding:
    return replace(one, sentence=clean(one.sentence), short=clean(one.short))


def _ordered(context: Context, rules: Iterable[Rule] | None = None) -> tuple[Finding, ...]:
    found: list[Finding] = []
    for rule in rules or _rules():
        piece()
        found += map(_cleaned, rule.found(context))
    return _by_question(found)


def _by_question(found: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(found, key=lambda one: (QUESTIONS.index(one.question), -one.weight)))
