"""One answer to each question of a study: what the sampler changed at home, away from it, and how much of it is lost.

A mean over all pairs of source and target of a kind. Its error is that of query ids and of trainings, with what one
training does on several targets, and one id under several trainings, in common; sources and targets are as chosen.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
import polars as pl

from xlbias.cells import ALL, TRAINED, Cells, Over
from xlbias.results.compare import ALPHA
from xlbias.results.run_numbers import RunNumbers
from xlbias.results.study.by_id import ById, NumbersById, aligned
from xlbias.results.study.contrasts import with_verdicts
from xlbias.results.study.design import HEADLINES, REFERENCE, Arm, Headline, Primary, Study, arm_pairs
from xlbias.stats.seeds import Crossed, Term, crossed_sum, equivalence, least_detectable

QUESTIONS: dict[Over, str] = {
    "home": "at home",
    "away": "away from home",
    "lost": "lost away from home",
}
"""Of what a mean is taken: pairs whose target is the held-out part of their source; the other pairs of source and
target; the difference of the two on targets that have a home, each against the mean of its other sources."""

QUESTION = pl.Schema({
    **dict.fromkeys(("over", "base", "new", "measure", "setting", "cells"), pl.String()),
    **dict.fromkeys(("difference", "low", "high", "p", "p_within", "error_ids", "error_seeds", "least"), pl.Float64()),
    "n_pairs": pl.Int64(),
    "n_seeds": pl.Int64(),
})  # fmt: skip
"""Columns of `answers` before verdicts. `least` is the difference that would have been confirmed in four of five such
studies, were its p the least of its family; `error_ids` and `error_seeds` are the parts of the standard error."""


def answers(
    run: RunNumbers,
    study: Study,
    *,
    numbers: NumbersById | None = None,
    only_planned: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> pl.DataFrame:
    """Return QUESTION's columns with ``p_corrected`` and ``verdict``; a row per question, contrast and number.

    With `only_planned`, only of the primary contrasts, whose verdicts are the same.

    The family is what the plan names as primary contrasts over home, away or lost; where it names no primary contrast,
    the rows of one measure, setting and kind of cells. Only pairs that are finished and have the number count:
    alignment has values by id only where no translation was missing, or in runs of this version.
    """
    asked = list(_asked(study, numbers or NumbersById(run, study), tell, only_planned=only_planned))
    families = [one.family(study) for one, *_ in asked]
    sizes = Counter(families)
    rows = []
    for (one, found, n_pairs, n_seeds), family in zip(asked, families, strict=True):
        planned = one.planned(study)
        within = equivalence(found, planned.margin)[0] if planned and planned.margin is not None else np.nan
        strictest = ALPHA / (sizes[family] if family else 1)
        least = least_detectable(found.error_ids, found.error_seeds, found.degrees, p=strictest)[0]
        ends = (found.difference[0], found.low[0], found.high[0], found.p[0])
        errors = (found.error_ids[0], found.error_seeds[0])
        rows.append((*one.named, *ends, within, *errors, least, n_pairs, n_seeds))
    frame = pl.DataFrame(rows, schema=QUESTION, orient="row").with_columns(pl.col(pl.Float64).fill_nan(None))
    return with_verdicts(frame, families)


POWER = pl.Schema({
    **dict.fromkeys(("over", "base", "new", "measure", "setting", "cells"), pl.String()),
    "n_seeds": pl.Int64(),
    "least": pl.Float64(),
})  # fmt: skip
"""Columns of `least_by_seeds`."""


def least_by_seeds(
    run: RunNumbers, study: Study, seeds: Sequence[int], family: int, *, tell: Callable[[str], None] = lambda _: None
) -> pl.DataFrame:
    """Return the least difference that a study like this one finds with other numbers of seeds; columns as POWER.

    Args:
        run: a finished study.
        study: its design.
        seeds: numbers of seeds, each at least 2.
        family: how many primary contrasts are corrected together.
        tell: called with a line before each contrast.

    The variances are those of this study: over ids as they are, over trainings divided by as many seeds. "Finds": in
    four of five such studies, as the strictest of its family. A question with one seed has no variance of trainings and
    is left out.
    """
    rows = []
    for one, found, _, n_seeds in _asked(study, NumbersById(run, study), tell):
        if n_seeds < 2:
            continue
        for n in seeds:
            errors = found.error_ids, found.error_seeds * np.sqrt(n_seeds / n)
            degrees = found.degrees * np.array([[1.0], [(n - 1) / (n_seeds - 1)]])
            rows.append((*one.named, n, least_detectable(*errors, degrees, p=ALPHA / family)[0]))
    return pl.DataFrame(rows, schema=POWER, orient="row").with_columns(pl.col(pl.Float64).fill_nan(None))


def _asked(
    study: Study, numbers: NumbersById, tell: Callable[[str], None], *, only_planned: bool = False
) -> Iterator[tuple[_Asked, Crossed, int, int]]:
    """Yield every question that can be answered, its answer, and of how many pairs and seeds that is."""
    for base, new in arm_pairs(study.arms, study.baseline, reference=study.reference is not None):
        tell(f"questions: {new.label} against {base.label}")
        for over, headline, cells in product(QUESTIONS, HEADLINES, (ALL, TRAINED)):
            one = _Asked(over, base, new, headline, cells)
            if only_planned and one.planned(study) is None:
                continue
            terms, n_pairs = _terms(study, numbers, one)
            if terms:
                n_seeds = min(len(term.values) for term in terms if not term.fixed)
                yield one, crossed_sum(terms), n_pairs, n_seeds


class _Asked(NamedTuple):
    """A question about two arms and a number."""

    over: Over
    base: Arm
    new: Arm
    headline: Headline
    cells: Cells

    @property
    def named(self) -> tuple[Over, str, str, str, str | None, Cells]:
        return (self.over, self.base.label, self.new.label, *self.headline, self.cells)

    def planned(self, study: Study) -> Primary | None:
        return study.planned(self.base, self.new, self.headline, self.over, self.cells)

    def family(self, study: Study) -> str | None:
        if study.primary:
            return "primary" if self.planned(study) else None
        return f"{self.headline} {self.cells}"


def _terms(study: Study, numbers: NumbersById, asked: _Asked) -> tuple[list[Term], int]:
    """Return what is added up for a question, and of how many pairs of source and target; nothing where it has none.

    Where no cells of a pair are left out, its trained cells are all.
    """
    found: dict[tuple[str, str], tuple[Cells, list[ById]]] = {}
    for source, target in product(study.sources, study.targets):
        cells = asked.cells if asked.cells in study.cells(source, numbers.task(target)) else ALL
        arms = (asked.base, asked.new)
        if all(study.of(source, arm) for arm in arms):
            of_arms = [numbers.of(source, arm, target).get((asked.headline, cells)) for arm in arms]
            if not any(one is None for one in of_arms):  # measured there, and not without cells, as alignment is
                found[source, target] = cells, [one for one in of_arms if one is not None]
    weights = _weights(study, asked.over, list(found))
    if asked.cells == TRAINED and not any(found[pair][0] == TRAINED for pair in weights):
        return [], 0
    of_target: dict[str, list[tuple[str, float, ById]]] = defaultdict(list)
    for (source, target), weight in weights.items():
        for arm, one, sign in zip((asked.base, asked.new), found[source, target][1], (-1, 1), strict=True):
            of_target[target].append((_trainings(source, arm), sign * weight, one))
    terms = [
        Term(trainings, target, weight, one.values, fixed=trainings == REFERENCE.label, clusters=one.units)
        for target, parts in of_target.items()
        for (trainings, weight, _), one in zip(parts, aligned([one for *_, one in parts]), strict=True)
    ]
    return terms, len(weights)


def _trainings(source: str, arm: Arm) -> str:
    """Return whose trainings the encoders of a source and arm are; the reference has none, and is one for all."""
    return REFERENCE.label if arm == REFERENCE else f"{source} {arm.label}"


def _weights(study: Study, over: Over, there: list[tuple[str, str]]) -> dict[tuple[str, str], float]:
    """Return how much the difference of each pair of source and target counts, of those that have the number."""
    home = [pair for pair in there if study.in_domain.get(pair[1]) == pair[0]]
    if over == "home":
        return {pair: 1 / len(home) for pair in home}
    if over == "away":
        away = [pair for pair in there if pair not in home]
        return {pair: 1 / len(away) for pair in away}
    others = {pair: [other for other in there if other[1] == pair[1] and other != pair] for pair in home}
    targets = {pair: away for pair, away in others.items() if away}
    weights = {pair: 1 / len(targets) for pair in targets}
    for away in targets.values():
        weights |= {pair: -1 / (len(targets) * len(away)) for pair in away}
    return weights
