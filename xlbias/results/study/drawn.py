"""Which languages the samplers of a study drew: where they differ, a difference of samplers may be one of languages."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import NamedTuple

from xlbias.results.run_numbers import RunNumbers
from xlbias.results.study.cells import drawn_pairs
from xlbias.results.study.design import Arm, Study

UNEVEN = 0.05
"""Shares of a language that are further apart are called uneven."""

_SIDES = ("queries", "passages")


class Uneven(NamedTuple):
    """Two samplers of a source whose shares of a language lie furthest apart."""

    source: str
    side: str
    language: str
    arm: str
    share: float
    other_arm: str
    other_share: float


def shares_drawn(run: RunNumbers, study: Study, source: str, arm: Arm) -> dict[str, dict[str, float]]:
    """Return the share of each language among ``queries`` and ``passages``, over all seeds; empty where not known."""
    chosen = set(study.of(source, arm))
    counts = {side: Counter[str]() for side in _SIDES}
    for model in run.models:
        if model.name in chosen:
            for pair, n in drawn_pairs(model).items():
                for side, language in zip(_SIDES, pair, strict=True):
                    counts[side][language] += n
    return {side: {language: n / of.total() for language, n in sorted(of.items())} for side, of in counts.items() if of}


def uneven_languages(run: RunNumbers, study: Study) -> list[Uneven]:
    """Return, for each source, the language whose shares lie furthest apart, where that is more than UNEVEN."""
    found = []
    for source in study.sources:
        drawn = {arm.label: shares_drawn(run, study, source, arm) for arm in study.arms if study.of(source, arm)}
        differences = [
            Uneven(source, side, language, one, drawn[one][side].get(language, 0.0), other,
                   drawn[other][side].get(language, 0.0))
            for one, other in combinations([label for label, of in drawn.items() if of], 2)
            for side in _SIDES
            for language in sorted({*drawn[one][side], *drawn[other][side]})
        ]  # fmt: skip
        most = max(differences, key=lambda one: abs(one.share - one.other_share), default=None)
        if most and abs(most.share - most.other_share) > UNEVEN:
            found.append(most)
    return found
