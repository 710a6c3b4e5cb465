"""The numbers of a run, looked up by what they are: measure, setting and languages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import polars as pl

from xlbias.results.cell import Cell
from xlbias.results.per_query import Key
from xlbias.results.summary import OVERALL

NUMBERS = ("value", "low", "high", "n", "n_ids", "n_excluded", "least", "most")
"""The columns of a summary that a cell takes, by its names."""


_AT_ONCE = 20_000  # numbers that are read together: of many encoders, parts of each would take longer

_Places = tuple[Mapping[Sequence[Any], int], Sequence[Sequence[Any]]]
"""Where the numbers of each key stand, and the numbers."""


def cell_of(numbers: Sequence[Any]) -> Cell:
    """Return what a summary says of a number, its columns NUMBERS, as a cell."""
    value, low, high, n, n_ids, n_excluded, least, most = numbers
    return Cell(value, low, high, n, n_ids, n_excluded, least=least, most=most)


def keys_of(found: Mapping[Key, Cell], measure: str) -> Sequence[Key]:
    """Return the keys of the numbers of one measure, in their order."""
    if isinstance(found, ByKey):
        return found.of_measure(measure)
    return [key for key in found if key.measure == measure]


class Numbers:
    """The numbers of a run by model and task; each pair's are read when they are first asked for."""

    def __init__(self, summary: pl.DataFrame) -> None:
        """Take the summary of a run, see `xlbias.results.summary`."""
        self._summary = summary
        self._read: dict[tuple[str, str], Mapping[Key, Cell]] = {}

    def of(self, model: str, task: str) -> Mapping[Key, Cell]:
        """Return the numbers of a model on a task; empty where it has not been ranked."""
        if (model, task) not in self._read:
            part = self._parts.get((model, task))
            overall = self._overall.get((model, task), ({}, ()))
            self._read[model, task] = {} if part is None else ByKey(part, overall)
        return self._read[model, task]

    @cached_property
    def _parts(self) -> dict[tuple[object, ...], pl.DataFrame]:
        wanted = self._summary.select("model", "task", *Key._fields, *NUMBERS)
        return wanted.partition_by(["model", "task"], as_dict=True, include_key=False)

    @cached_property
    def _overall(self) -> Mapping[tuple[str, str], _Places]:
        """Where the numbers of no languages stand, of every model and task: read at once, as many are asked for."""
        rows = self._summary.filter(OVERALL)
        owners = zip(rows["model"].to_list(), rows["task"].to_list(), strict=True)
        keys = zip(*(rows[name].to_list() for name in Key._fields), strict=True)
        found: dict[tuple[str, str], tuple[dict[Sequence[Any], int], list[Sequence[Any]]]] = {}
        for owner, key, numbers in zip(owners, keys, rows.select(NUMBERS).rows(), strict=True):
            places, held = found.setdefault(owner, ({}, []))
            places[key] = len(held)
            held.append(numbers)
        return found


class ByKey(Mapping[Key, Cell]):
    """The numbers of one model on one task, each made a cell when it is asked for.

    Where there are 100 languages there are 200,000 of them, and most are never looked at: those of a measure are read
    when one of them is asked for. Those of no languages, which every report asks for, are found without the others.
    """

    def __init__(self, rows: pl.DataFrame, overall: _Places | None = None) -> None:
        """Take the rows of a summary of one model and task; and where those of no languages stand, if that is known."""
        self._rows = rows
        self._given = overall
        self._is_small = rows.height <= _AT_ONCE
        self._found: dict[str, _Places] = {}
        self._keys: dict[str, Sequence[Key]] = {}

    def __getitem__(self, key: Key) -> Cell:
        measure, _, query_language, passage_language = key
        if query_language is None and passage_language is None:
            places, numbers = self._overall
        else:
            places, numbers = self._whole if self._is_small else self._found.get(measure) or self._of(measure)
        return cell_of(numbers[places[key]])

    def __iter__(self) -> Iterator[Key]:
        return map(Key._make, zip(*(self._rows[name].to_list() for name in Key._fields), strict=True))

    def __len__(self) -> int:
        return self._rows.height

    def __bool__(self) -> bool:
        return self._rows.height > 0

    def of_measure(self, measure: str) -> Sequence[Key]:
        """Return the keys of the numbers of one measure, in their order."""
        if self._is_small:
            return self._by_measure.get(measure, ())
        if measure not in self._keys:
            self._keys[measure] = list(map(Key._make, self._of(measure)[0]))
        return self._keys[measure]

    @cached_property
    def _by_measure(self) -> Mapping[str, Sequence[Key]]:
        found: dict[str, list[Key]] = {}
        for key in self:
            found.setdefault(key.measure, []).append(key)
        return found

    @cached_property
    def _whole(self) -> _Places:
        return _places(self._rows)

    @cached_property
    def _overall(self) -> _Places:
        return _places(self._rows.filter(OVERALL)) if self._given is None else self._given

    def _of(self, measure: str) -> _Places:
        """Return where the numbers of a measure stand."""
        if measure not in self._found:
            part = self._parts.get((measure,))
            self._found[measure] = ({}, ()) if part is None else _places(part)
        return self._found[measure]

    @cached_property
    def _parts(self) -> Mapping[tuple[object, ...], pl.DataFrame]:
        return self._rows.partition_by("measure", as_dict=True)


def _places(rows: pl.DataFrame) -> _Places:
    """Return where the numbers of each key stand, and the numbers, columns NUMBERS; a key is a plain tuple here."""
    keys = zip(*(rows[name].to_list() for name in Key._fields), strict=True)
    return dict(zip(keys, range(rows.height), strict=True)), rows.select(NUMBERS).rows()
