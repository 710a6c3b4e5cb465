"""All measures by name: modules of `quality`, `bias`, `alignment`, `texts` and `seen` name their own in `MEASURES`.

A new measure is a new file in one of these folders. What its `compute` takes is up to the family:

* quality: `Rankings` → float64 [n_rankings];
* bias: `PooledRankings` → float64 [n_rankings] or [n_rankings, n_languages];
* alignment: unit vectors of parallel texts, see `xlbias.measures.alignment`;
* texts: counts of tokens, int64 [n_texts];
* seen: fingerprints of texts, uint64 [n] each.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from xlbias.measures.measure import Family, Measure

FAMILIES: tuple[Family, ...] = ("quality", "bias", "alignment", "texts", "seen")
SIDES = ("passages", "queries")
"""What alignment and texts are measured of; in a summary their measures are named ``SIDE.NAME``."""

_FIRST = ("map", "rr", "recall@1", "recall@10", "recall@100", "rank_distance", "rank_distance.normalised")


@cache
def measures(family: Family) -> Mapping[str, Measure]:
    """Return the measures of a family by name: the best known first, the others by file."""
    package = import_module(f"xlbias.measures.{family}")
    found = [
        measure
        for module in sorted(module.name for module in iter_modules(package.__path__))
        for measure in getattr(import_module(f"{package.__name__}.{module}"), "MEASURES", ())
    ]
    found.sort(key=lambda measure: _FIRST.index(measure.name) if measure.name in _FIRST else len(_FIRST))
    return MappingProxyType({measure.name: measure for measure in found})


def all_measures() -> dict[str, Measure]:
    """Return every measure by name."""
    return {name: measure for family in FAMILIES for name, measure in measures(family).items()}


def measure_of(name: str) -> Measure:
    """Return the measure that a row of a summary is of, without its side. Raises KeyError for an unknown one."""
    return all_measures()[name.removeprefix(f"{side_of(name)}.")]


def side_of(name: str) -> str:
    """Return the side that a row of a summary is about; empty for a measure of quality or bias."""
    return next((side for side in SIDES if name.startswith(f"{side}.")), "")
