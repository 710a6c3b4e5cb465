"""What each query id adds to the numbers that samplers are compared by: of all trainings of a source and sampler."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from xlbias.cells import ALL, Cells
from xlbias.measures.ragged import Floats, Ints
from xlbias.results.compare import Side, Sided, shares
from xlbias.results.documents import declared_units
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

    NaN where an id has no value. `units`, int64 [n_ids], says which ids are drawn together; None: each by itself.
    """

    ids: tuple[str, ...]
    values: Floats
    units: Ints | None = None


class NumbersById:
    """The headline numbers of a study that have values by id; each is read once, which takes a second or so."""

    def __init__(self, run: RunNumbers, study: Study) -> None:
        self.run, self.study = run, study
        self._tasks = {task.name: task for task in run.tasks}
        self._known: dict[tuple[str, Arm, str], dict[Number, ById]] = {}
        self._units: dict[str, dict[str, int] | None] = {}

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

    def units(self, target: str) -> dict[str, int] | None:
        """Return which ids of a target share a document and are drawn together, None where each is drawn by itself."""
        if target not in self._units:
            ranked = self.run.rankings.filter(pl.col("task") == target).select("model").head(1).collect()
            self._units[target] = declared_units(self.run, target, ranked.item()) if ranked.height else None
        return self._units[target]

    def _read(self, source: str, arm: Arm, target: str) -> dict[Number, ById]:
        sided = Sided(Side(self.run, self.study.of(source, arm)), target, _TABLES)
        units = self.units(target)
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
                    ids = parts[0].ids
                    found[headline, cells] = ById(ids, np.concatenate([one.values for one in parts]), _of(ids, units))
        return found


def _of(ids: Sequence[str], units: Mapping[str, int] | None) -> Ints | None:
    """Return the units of these ids; an id that has none, as it has no answer, is one by itself."""
    if units is None:
        return None
    known = {**{one: len(units) + i for i, one in enumerate(ids)}, **units}
    return np.array([known[one] for one in ids], dtype=np.int64)


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
    return [ById(ids, np.where(gone, np.nan, one.values), numbers[0].units) for one in numbers]


def _chosen(one: ById, ids: Sequence[str]) -> ById:
    places = {name: place for place, name in enumerate(one.ids)}
    chosen = [places[name] for name in ids]
    return ById(tuple(ids), one.values[:, chosen], None if one.units is None else one.units[chosen])
