"""How many queries, passages and query ids of a task an encoder was trained on, or chosen by."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xlbias.measures.measure import Measure

_SOURCE = "xlbias"
_UNKNOWN = "where it is not known what the encoder was trained on"


def seen(fingerprints: npt.NDArray[np.uint64], known: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    """Return which of `fingerprints`, uint64 [n], are in `known`, uint64 [m], sorted and distinct: bool [n]."""
    if not len(known):
        return np.zeros(len(fingerprints), dtype=np.bool_)
    places = np.minimum(np.searchsorted(known, fingerprints), len(known) - 1)
    return np.asarray(known[places] == fingerprints)


def _measure(name: str, label: str, definition: str, unit: str) -> Measure:
    return Measure(
        name, label, "seen", definition, seen, _SOURCE, high=float("inf"), better="low", unit=unit, undefined=_UNKNOWN
    )


MEASURES = (
    _measure("seen_queries", "queries seen", "Queries whose text the encoder was trained on", "queries"),
    _measure("seen_passages", "passages seen", "Passages whose text the encoder was trained on", "passages"),
    _measure("seen_ids", "ids seen", "Query ids of the same task of the same source that it was trained on", "ids"),
    _measure(
        "validated_queries", "val. queries",
        "Queries whose text was validated on: it chose the encoder among its steps", "queries",
    ),
    _measure(
        "validated_passages", "val. passages",
        "Passages whose text was validated on: it chose the encoder among its steps", "passages",
    ),
)  # fmt: skip
