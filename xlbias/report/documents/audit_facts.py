"""Bias, alignment and texts of one encoder on one task as plain data, every number with its interval and its counts.

A number is ``{"value", "low", "high", "n", "n_ids", "n_excluded"}``, null where undefined, and then with a
``reason``; one of censored ranks has ``"least"`` and ``"most"``, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

from xlbias.measures.measure import Family, Measure
from xlbias.measures.registry import SIDES, measures
from xlbias.report.documents.overall import bias_measures
from xlbias.results.by_key import NUMBERS, keys_of
from xlbias.results.cell import Cell
from xlbias.results.per_query import Key
from xlbias.results.wide import RANK_DISTANCES
from xlbias.runs.schema import SETTINGS

_MULTILINGUAL = SETTINGS[2]
_NONE = Cell(n=0, n_ids=0)
_BOUNDS = ("least", "most")
_OF_A_NUMBER = tuple(name for name in NUMBERS if name not in _BOUNDS)
_values = attrgetter(*_OF_A_NUMBER)

CENSORED = "censored: ranks that it needs are not known, so that it has bounds"
"""Why a number of censored ranks has no value."""


def bias(found: Mapping[Key, Cell]) -> dict[str, Any]:
    """Return every measure of bias by name; None for rank distance where nothing has been ranked in all languages.

    ``rank_distance`` is ``{"mean", "median", "normalised", "low", "high", "n", "n_excluded", "by_language": {query
    language: the same}}``. Another measure is a number with ``"by_language"`` by query language; or, where it is about
    query and answer languages, ``{"own-language": a number for the query's own language, "other-language": one for
    the others, "by_passage_language": {language: a number}, "cells": [{"query_language", "passage_language", ...}]}``.
    """
    facts: dict[str, Any] = {"rank_distance": _rank_distance(found)}
    for measure in bias_measures():
        keys = keys_of(found, measure.name)
        if not keys or measure.name == "rank_distance":
            continue
        facts[measure.name] = _bias_of(measure, keys, found)
    return facts


def alignment(found: Mapping[Key, Cell]) -> dict[str, Any]:
    """Return ``{"passages": ..., "queries": ...}``: every measure of alignment by name, as far as it was measured.

    A measure is a number over all languages with ``"by_language"``, where it has numbers of one language, and
    ``"pairs": [{"language", "other", ...}]``, where it has numbers of two.
    """
    return {side: _of_side(side, "alignment", found) for side in SIDES}


def seen(found: Mapping[Key, Cell]) -> dict[str, Any]:
    """Return how much of a task an encoder has seen, by measure: ``{"n", "of", "by_language": {language: the same}}``.

    ``n`` is null where it is not known what the encoder was trained on.
    """
    facts: dict[str, Any] = {}
    for name in measures("seen"):
        rows = {key: found[key] for key in keys_of(found, name)}
        if (whole := rows.pop(Key(name), None)) is not None:
            facts[name] = _seen(whole) | {"by_language": {key.query_language: _seen(row) for key, row in rows.items()}}
    return facts


def _seen(row: Cell) -> dict[str, Any]:
    return {"n": None if row.value is None else int(row.value), "of": (row.n or 0) + row.n_excluded}


def texts(found: Mapping[Key, Cell]) -> dict[str, Any]:
    """Return ``{"passages": ..., "queries": ...}``: every measure of texts by name, in the form of `alignment`.

    Empty for a run in which they were not counted.
    """
    return {side: _of_side(side, "texts", found) for side in SIDES}


def _of_side(side: str, family: Family, found: Mapping[Key, Cell]) -> dict[str, Any]:
    facts = {}
    for measure in measures(family).values():
        name = f"{side}.{measure.name}"
        keys = keys_of(found, name)
        single = [key for key in keys if key.query_language and not key.passage_language]
        pairs = [key for key in keys if key.query_language and key.passage_language]
        if keys:
            facts[measure.name] = {
                **_number(found.get(Key(name)), measure),
                **(
                    {"by_language": {key.query_language: _number(found[key], measure) for key in single}}
                    if single
                    else {}
                ),
                **(
                    {"pairs": [_pair(key, found[key], measure, ("language", "other")) for key in pairs]}
                    if pairs
                    else {}
                ),
            }
    return facts


def _bias_of(measure: Measure, keys: Sequence[Key], found: Mapping[Key, Cell]) -> dict[str, Any]:
    pairs = [key for key in keys if key.query_language and key.passage_language]
    if not pairs:
        of_language = {key.query_language: _number(found[key], measure) for key in keys if key.query_language}
        return {
            **_number(found.get(Key(measure.name, _MULTILINGUAL)), measure),
            **({"by_language": of_language} if of_language else {}),
        }
    whole = {
        key.setting: _number(found[key], measure) for key in keys if not (key.query_language or key.passage_language)
    }
    return {
        **{str(setting): number for setting, number in whole.items()},
        "by_passage_language": {
            key.passage_language: _number(found[key], measure)
            for key in keys
            if key.passage_language and not key.query_language
        },
        "cells": [_pair(key, found[key], measure, ("query_language", "passage_language")) for key in pairs],
    }


def _pair(key: Key, row: Cell, measure: Measure, names: tuple[str, str]) -> dict[str, Any]:
    return {names[0]: key.query_language, names[1]: key.passage_language, **_number(row, measure)}


def _number(row: Cell | None, measure: Measure) -> dict[str, Any]:
    cell = row or _NONE
    number: dict[str, Any] = dict(zip(_OF_A_NUMBER, _values(cell), strict=True))
    if cell.value is not None:
        return number
    if cell.bounds:
        number |= zip(_BOUNDS, cell.bounds, strict=True)
        number["reason"] = CENSORED
    else:
        number["reason"] = f"undefined {measure.undefined}".strip()
    return number


def _rank_distance(found: Mapping[Key, Cell]) -> dict[str, Any] | None:
    if Key("rank_distance", _MULTILINGUAL) not in found:
        return None
    languages = [key.query_language for key in keys_of(found, "rank_distance") if key.query_language]
    return {
        **_distance(found, None),
        "by_language": {language: _distance(found, language) for language in sorted(languages)},
    }


def _distance(found: Mapping[Key, Cell], language: str | None) -> dict[str, Any]:
    rows = {name: found.get(Key(measure, _MULTILINGUAL, language)) for name, measure in RANK_DISTANCES.items()}
    mean = found[Key("rank_distance", _MULTILINGUAL, language)]
    values: dict[str, Any] = {name: row.value if row else None for name, row in rows.items()}
    undefined = measures("bias")["rank_distance"].undefined
    reason = {"reason": f"undefined {undefined}"} if mean.value is None else {}
    if mean.bounds:
        reason = {"reason": CENSORED}
        bounded = {name: row.bounds for name, row in rows.items() if row and row.bounds}
        values["bounds"] = {name: list(ends) for name, ends in bounded.items()}
    return {
        **values, "low": mean.low, "high": mean.high, "n": mean.n, "n_excluded": mean.n_excluded, **reason
    }  # fmt: skip
