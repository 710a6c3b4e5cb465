"""What each query id adds to the numbers that samplers are compared by: of all trainings of a source and sampler."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xlbias.cells import ALL, Cells
from xlbias.measures.ragged import Floats
from xlbias.results.compare import Side, Sided, shares
from xlbias.results.per_query import Key, Values
from xlbias.results.run_numbers import RunNumbers
from xlbias.results.study.cells import restricted
from xlbias.results.study.design import HEADLINES, REFERENCE, Arm, Headline, Study
from xlbias.runs.run_info import TaskInfo

_TABLES = ("single_gold", *dict.fromkeys(name for name, _ in HEADLINES if name != "single_gold.gap"))
"""Measures whose values by id the headlines are made of."""

Number = tuple[Headline, Cells]
"""A measure and its setting, over all cells or over those of trained languages."""


@dataclass(frozen=True, eq=False)
class ById:
    """What each id adds to a number: float64 [n_seeds, n_ids], whose mean over ids is the number of each training.

    NaN where an id has no value.
    """

    ids: tuple[str, ...]
    values: Floats


class NumbersById:
    """The headline numbers of a study that have values by id; each is read once, which takes a second or so."""

    def __init__(self, run: RunNumbers, study: Study) -> None:
        self.run, self.study = run, study
        self._tasks = {task.name: task for task in run.tasks}
        self._known: dict[tuple[str, Arm, str], dict[Number, ById]] = {}

    def of(self, source: str, arm: Arm, target: str) -> dict[Number, ById]:
        """Return those of a source and sampler on a target, of all seeds.

        Over the cells of trained languages there are only numbers that other cells are left out of.
        """
        if arm == REFERENCE and self.study.cells(source, self._tasks[target]) == (ALL,):
            source = ""  # the same for all sources
        if (source, arm, target) not in self._known:
            self._known[source, arm, target] = self._read(source, arm, target)
        return self._known[source, arm, target]

    def task(self, target: str) -> TaskInfo:
        """Return what the run says of a target."""
        return self._tasks[target]

    def _read(self, source: str, arm: Arm, target: str) -> dict[Number, ById]:
        sided = Sided(Side(self.run, self.study.of(source, arm)), target, _TABLES)
        found: dict[Number, ById] = {}
        for cells in self.study.cells(source, self._tasks[target]):
            tables = [list(of_encoder.values()) for of_encoder in sided.of_encoders]
            if cells != ALL:
                tables = [[restricted(table, self.study.taught[source]) for table in some] for some in tables]
            for headline in HEADLINES:
                key = Key(*headline)
                if key.setting is not None:
                    seeds = [one for some in tables if (one := _added(some, key)) is not None]
                else:  # alignment is of no cells
                    seeds = [
                        ById(of_encoder[key.measure].ids, of_encoder[key.measure].values.T)
                        for of_encoder in sided.alignments
                        if cells == ALL and key.measure in of_encoder
                    ]
                if seeds:
                    parts = aligned(seeds)
                    found[headline, cells] = ById(parts[0].ids, np.concatenate([one.values for one in parts]))
        return found


def _added(tables: Sequence[Values], key: Key) -> ById | None:
    """Return what each id adds to a number of one training; None where no table has it."""
    for table in tables:
        for aggregate in table.aggregates:
            if aggregate.key == key:
                return ById(table.ids, shares(table.values, aggregate)[None])
    return None


def aligned(numbers: Sequence[ById]) -> list[ById]:
    """Return the same numbers over the ids that all of them have, each with a value in all or in none."""
    ids = numbers[0].ids
    if any(one.ids != ids for one in numbers):
        common = set(ids).intersection(*(one.ids for one in numbers))
        ids = tuple(one for one in ids if one in common)
        numbers = [_chosen(one, ids) for one in numbers]
    gone = np.any([np.isnan(one.values).any(axis=0) for one in numbers], axis=0)
    return [ById(ids, np.where(gone, np.nan, one.values)) for one in numbers]


def _chosen(one: ById, ids: Sequence[str]) -> ById:
    places = {name: place for place, name in enumerate(one.ids)}
    return ById(tuple(ids), one.values[:, [places[name] for name in ids]])
