"""Which numbers over all languages a report shows: those of bias, alignment and texts that any encoder has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from xlbias.measures.measure import Family, Measure
from xlbias.measures.registry import SIDES, measures
from xlbias.results.cell import Cell
from xlbias.results.per_query import Key
from xlbias.results.written import OWN_OR_OTHER


def bias_measures() -> list[Measure]:
    """Return the measures of bias, those of one kind together: rank distance, normalised, median, ..."""
    names = list(measures("bias"))
    kinds = [name.partition(".")[0] for name in names]
    return sorted(measures("bias").values(), key=lambda measure: kinds.index(measure.name.partition(".")[0]))


def overall_bias(found: list[Mapping[Key, Cell]]) -> Iterator[tuple[str, Measure, Key]]:
    """Yield ``label, measure, key`` of every overall number of bias that any of `found` has.

    A measure by query and answer language has two: for the query's own language, and for the others.
    """
    for measure in bias_measures():
        for setting, words in OWN_OR_OTHER.items():
            key = Key(measure.name, setting)
            if any(key in rows for rows in found):
                yield measure.label + words, measure, key


def overall_alignment(found: list[Mapping[Key, Cell]]) -> Iterator[tuple[Measure, dict[str, Key]]]:
    """Yield every measure of alignment that any of `found` has overall, with its key for each of SIDES."""
    yield from overall_of_sides("alignment", found)


def overall_of_sides(family: Family, found: list[Mapping[Key, Cell]]) -> Iterator[tuple[Measure, dict[str, Key]]]:
    """Yield every measure of a family that any of `found` has overall, with its key for each of SIDES."""
    for measure in measures(family).values():
        keys = {side: Key(f"{side}.{measure.name}") for side in SIDES}
        if any(key in rows for rows in found for key in keys.values()):
            yield measure, keys


def undefined_notes(found: list[Mapping[Key, Cell]], wanted: list[tuple[str, Measure, Key]]) -> list[str]:
    """Return why a number has no value, a sentence for each measure: a mean that is missing has its reason."""
    return [
        f"{label} is undefined {measure.undefined}."
        for label, measure, key in wanted
        if measure.undefined and any(key in rows and rows[key].value is None and not rows[key].bounds for rows in found)
    ]
