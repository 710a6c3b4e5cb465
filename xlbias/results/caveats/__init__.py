"""Caveats: what a reader must know before believing a number, found in a run by rules, a file each.

A rule is a module here with ``KIND``, its short name, and ``found(run)``, which yields its caveats; it stands in
`RULES`. Wherever a number stands, the mark of its caveats stands with it: overview, matrix, report, comparison, JSON
and `xlbias check`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from weakref import WeakKeyDictionary

from xlbias.results.caveats import (
    approximate,
    censored,
    changed,
    collapsed,
    few,
    gain,
    leaks,
    mitigation,
    no_vectors,
    parallel,
    partial,
    prompts,
    sampled,
    tags,
    ties,
    trivial,
    truncation,
    zeros,
)
from xlbias.results.caveats.caveat import Caveat
from xlbias.results.compare import Side
from xlbias.results.run_numbers import RunNumbers
from xlbias.text import clean

__all__ = ["KINDS", "RULES", "Caveat", "caveats"]

RULES = (
    changed, partial, approximate, censored, leaks, parallel, trivial, collapsed, ties, zeros, tags, prompts,
    truncation, gain, mitigation, no_vectors, sampled, few,
)  # fmt: skip
"""The rules, the gravest first: caveats are listed in this order."""

KINDS = tuple(rule.KIND for rule in RULES)

_found: WeakKeyDictionary[RunNumbers, tuple[Caveat, ...]] = WeakKeyDictionary()


def caveats(run: RunNumbers) -> tuple[Caveat, ...]:
    """Return the caveats of a run, in the order of `RULES`, their sentences cleaned: names in them come from data."""
    if run not in _found:
        _found[run] = tuple(replace(one, sentence=clean(one.sentence)) for rule in RULES for one in rule.found(run))
    return _found[run]


def kinds_of(found: Sequence[Caveat], model: str, task: str) -> list[str]:
    """Return the kinds of the caveats of an encoder on a task."""
    return list(dict.fromkeys(one.kind for one in found if one.concerns(model, task)))


def of_side(side: Side, task: str) -> tuple[Caveat, ...]:
    """Return the caveats of one side of a comparison on a task."""
    return tuple(one for one in caveats(side.run) if any(one.concerns(model, task) for model in side.models))
