"""All measures by name: modules of `quality`, `bias`, `alignment`, `texts` and `seen` name their own in `MEASURES`.

A new measure is a new file in one of these folders, and nothing else: evaluations compute it, and reports, JSON,
`xlbias check`, `xlbias measures` and screens find it here. What its `compute` takes is what it says in `takes`:

====================  ==============================================================================================
rankings              (quality) `ragged.Rankings` → float64 [n_rankings]
pooled rankings       (bias) `pooled.PooledRankings` → float64 [n_rankings] or [n_rankings, n_languages]
vectors               (alignment) unit vectors [n, d] of one language, and of all → a number
parallel vectors      (alignment) unit vectors of two languages, row i of both the same text → a number or [n]
similarity            (alignment) `alignment.similarity.Similarity`, one direction of a pair → a number or [n]
labelled vectors      (alignment) vectors [n, d], languages int64 [n], ids int64 [n], a seed → [n], NaN for no value
token counts          (texts) `texts.tokens.Counts` of n texts → a number or [n]
query fingerprints    (seen) uint64 [n] of the queries' texts, and `seen.training.Known` → bool [n]
passage fingerprints  (seen) the same of the passages' texts
id fingerprints       (seen) the same of the query ids
====================  ==============================================================================================
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from xlbias.errors import MeasureError
from xlbias.measures.measure import Family, Measure

FAMILIES: tuple[Family, ...] = ("quality", "bias", "alignment", "texts", "seen")
SIDES = ("passages", "queries")
"""What alignment and texts are measured of; in a summary their measures are named ``SIDE.NAME``."""

_FIRST = ("map", "rr", "recall@1", "recall@10", "recall@100", "rank_distance", "rank_distance.normalised")


_DERIVED = ("single_gold.gap", "kendall_w", "friedman_chi2", "friedman_p")
"""What `xlbias.results.per_query` makes of other measures; a file of its own cannot declare more of the kind."""


@cache
def measures(family: Family) -> Mapping[str, Measure]:
    """Return the measures of a family by name: the best known first, the others by file.

    Raises MeasureError for a measure that lies in the folder of another family, has the name of another one, or that
    nothing computes.
    """
    package = import_module(f"xlbias.measures.{family}")
    found: list[Measure] = []
    for module in sorted(module.name for module in iter_modules(package.__path__)):
        for measure in getattr(import_module(f"{package.__name__}.{module}"), "MEASURES", ()):
            _check(measure, family, f"{package.__name__}.{module}", [one.name for one in found])
            found.append(measure)
    found.sort(key=lambda measure: _FIRST.index(measure.name) if measure.name in _FIRST else len(_FIRST))
    return MappingProxyType({measure.name: measure for measure in found})


def _check(measure: Measure, family: Family, module: str, others: Collection[str]) -> None:
    if measure.family != family:
        raise MeasureError(f"{module}: measure {measure.name!r} is of family {measure.family!r}; move its file there")
    if measure.name in others:
        raise MeasureError(f"{module}: there is a measure {measure.name!r} already; give it another name")
    if measure.statistic == "derived" and measure.name not in _DERIVED:
        raise MeasureError(f"{module}: measure {measure.name!r} is 'derived', which nothing computes; expected a mean")


def all_measures() -> dict[str, Measure]:
    """Return every measure by name."""
    return {name: measure for family in FAMILIES for name, measure in measures(family).items()}


def measure_of(name: str) -> Measure:
    """Return the measure that a row of a summary is of, without its side. Raises KeyError for an unknown one."""
    own = name.removeprefix(f"{side_of(name)}.")
    for family in FAMILIES:
        if (found := measures(family).get(own)) is not None:
            return found
    raise KeyError(own)


def side_of(name: str) -> str:
    """Return the side that a row of a summary is about; empty for a measure of quality or bias."""
    return next((side for side in SIDES if name.startswith(f"{side}.")), "")
