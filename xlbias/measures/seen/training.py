"""How many queries, passages and query ids of a task an encoder was trained on, or chosen by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from xlbias.measures.measure import Measure, Takes
from xlbias.measures.ragged import Bools

Fingerprints = npt.NDArray[np.uint64]

_SOURCE = "xlbias"
_UNKNOWN = "where it is not known what the encoder was trained on"


class Known(Protocol):
    """What is known of an encoder's training, as fingerprints, each uint64 [m], sorted and distinct."""

    @property
    def texts(self) -> Fingerprints:
        """Of queries and passages that training could draw."""

    @property
    def validation(self) -> Fingerprints:
        """Of queries and passages that were validated on."""

    @property
    def ids(self) -> Fingerprints:
        """Of query ids, each with its task's name and source."""


def seen(fingerprints: Fingerprints, known: Fingerprints) -> Bools:
    """Return which of `fingerprints`, uint64 [n], are in `known`, uint64 [m], sorted and distinct: bool [n]."""
    if not len(known):
        return np.zeros(len(fingerprints), dtype=np.bool_)
    places = np.minimum(np.searchsorted(known, fingerprints), len(known) - 1)
    return np.asarray(known[places] == fingerprints)


def _trained_on(fingerprints: Fingerprints, known: Known) -> Bools:
    return seen(fingerprints, known.texts)


def _validated_on(fingerprints: Fingerprints, known: Known) -> Bools:
    return seen(fingerprints, known.validation)


def _of_ids(fingerprints: Fingerprints, known: Known) -> Bools:
    return seen(fingerprints, known.ids)


def _measure(
    name: str, label: str, definition: str, unit: str, takes: Takes, compute: Callable[[Fingerprints, Known], Bools]
) -> Measure:
    return Measure(
        name, label, "seen", definition, compute, _SOURCE, high=float("inf"), better="low", unit=unit,
        undefined=_UNKNOWN, takes=takes,
    )  # fmt: skip


_QUERIES: Takes = "query fingerprints"
_PASSAGES: Takes = "passage fingerprints"

MEASURES = (
    _measure(
        "seen_queries", "queries seen", "Queries whose text the encoder was trained on", "queries",
        _QUERIES, _trained_on,
    ),
    _measure(
        "seen_passages", "passages seen", "Passages whose text the encoder was trained on", "passages",
        _PASSAGES, _trained_on,
    ),
    _measure(
        "seen_ids", "ids seen", "Query ids of the same task of the same source that it was trained on", "ids",
        "id fingerprints", _of_ids,
    ),
    _measure(
        "validated_queries", "val. queries",
        "Queries whose text was validated on: it chose the encoder among its steps", "queries",
        _QUERIES, _validated_on,
    ),
    _measure(
        "validated_passages", "val. passages",
        "Passages whose text was validated on: it chose the encoder among its steps", "passages",
        _PASSAGES, _validated_on,
    ),
)  # fmt: skip
