"""The report as JSON: stable and versioned, for scripts and gates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import polars as pl

from xlbias.report.documents.audit_facts import alignment, bias, seen, texts
from xlbias.report.documents.caveats import as_json
from xlbias.report.documents.findings import as_json as findings_json
from xlbias.report.documents.training import training_facts
from xlbias.report.formats.json import finite_in_lines
from xlbias.results.caveats import caveats, kinds_of
from xlbias.results.cell import ABSENT, Cell
from xlbias.results.findings import findings
from xlbias.results.findings.context import few_enough
from xlbias.results.levels import levels
from xlbias.results.one_training import single_trainings
from xlbias.results.overview import who_on_what
from xlbias.results.per_query import Key
from xlbias.results.published import rows_for
from xlbias.results.run import Run
from xlbias.results.training import trained
from xlbias.results.wide import MEASURES
from xlbias.runs.run_info import TaskInfo
from xlbias.runs.schema import SETTINGS

REPORT_SCHEMA = 2
"""1 called the sides of a measure of bias by query and answer language ``monolingual`` and ``cross-lingual``."""

_LEVELS = 4  # the report, its results, one of them, a list there: a cell is a line

_CELL = ["query_language", "pool", "setting", "n", "n_excluded"]
_COUNTS = ("n_cells", "n_cells_empty", "n_queries", "n_rankings", "n_excluded")


def report(run: Run, *, published: Sequence[str] = ()) -> dict[str, Any]:
    """Return the whole report as plain data; see `to_json`."""
    numbers, doubts = run.numbers, caveats(run)
    settings, cells = run.settings, run.cells
    trainings = {one.model: {"training": training_facts(one)} for one in trained(run)}
    results = []
    for model in run.models:
        for task in run.tasks:
            chosen = (pl.col("model") == model.name) & (pl.col("task") == task.name)
            found = numbers.of(model.name, task.name)
            printed = [row for source in published for row in _printed(source, task)]
            results.append(
                {
                    **who_on_what(model, task),
                    "caveats": kinds_of(doubts, model.name, task.name),
                    "levels": _levels(run, model.name, task.name) if found else [],
                    "settings": _settings(settings.filter(chosen), found),
                    "cells": [
                        {
                            **row,
                            **_ends(found, row["setting"], row["query_language"], row["pool"]),
                        }
                        for row in cells.filter(chosen).select(*_CELL, *MEASURES).iter_rows(named=True)
                    ],
                    "bias": bias(found),
                    "alignment": alignment(found),
                    "texts": texts(found),
                    "seen": seen(found),
                    **({"published": printed} if published else {}),
                }
            )
    return {
        "schema": REPORT_SCHEMA,
        "run": {
            "path": str(run.path),
            "status": run.state.status,
            **run.metadata,
            "one_training_each": list(single_trainings(run.models)),
            "models": [{**model, **trainings.get(model["name"], {})} for model in run.metadata["models"]],
        },
        "findings": findings_json(findings(run)),
        "caveats": as_json(doubts),
        "results": results,
    }


def to_json(*runs: Run, published: Sequence[str] = ()) -> str:
    """Return the report as JSON text, numbers in full precision, null for what is undefined, ASCII only.

    ``{"schema": 2, "run": {...}, "findings": [...], "caveats": [{"kind", "task", "model", "value", "n", "of",
    "sentence"}], "results": [{"model", "source", "sampler", "alpha", "seed", "task", "domain", "caveats": [kind],
    "levels": [{"kind": "chance", "base" or "published", "name", "measure", "setting", "value", "low", "high",
    "source"}], "settings": {setting: {measure: macro average, "intervals": {measure: [low, high]}, "weighted":
    {measure: average over rankings}, "n_cells", "n_cells_empty", "n_queries", "n_rankings", "n_excluded"}}, "cells":
    [{"query_language", "pool", "setting", "n", "n_excluded", measure: mean, "intervals": {measure: [low, high]}}],
    "bias": {...}, "alignment": {...}, "texts": {...}, "seen": {...}}]}``; of several runs ``{"schema": 2, "runs":
    [{"run", "findings", "caveats", "results"}, ...]}``. ``findings`` are those of `xlbias.results.findings`, with the
    fields of its `Finding`. ``bias``, ``alignment``, ``texts`` and ``seen`` are those of
    `xlbias.report.documents.audit_facts`; with `published`, arXiv ids, a result has ``"published"``, the rows that
    papers printed for its data set. An entry of ``run.models`` that was trained has ``"training": {"steps",
    "first_loss", "last_loss", "pairs_per_second", "drawn": {"batches_by_kind", "batches_by_task",
    "pairs_by_query_language", "pairs_by_passage_language": {name: {"n", "share"}}, "pairs": [{"query_language",
    "passage_language", "n"}], "n_negatives"}}``, null for what is not known. ``run.one_training_each`` names the
    trainings that stand there with one seed, of which no difference says anything about their samplers. Where ranks are
    censored, a setting or a cell has ``"bounds": {measure: [least, most]}`` for measures without value, and a number
    ``"least"`` and ``"most"``. ASCII, so that no control character of a data set reaches a terminal.
    """
    reports = [report(run, published=published) for run in runs]
    if len(reports) == 1:
        return finite_in_lines(reports[0], _LEVELS)
    several = {
        "schema": REPORT_SCHEMA,
        "runs": [{name: one[name] for name in ("run", "findings", "caveats", "results")} for one in reports],
    }
    return finite_in_lines(several, _LEVELS + 2)


def _levels(run: Run, model: str, task: str) -> list[dict[str, Any]]:
    return [asdict(one) for one in levels(run, model, task)] if few_enough(run) else []


def _settings(rows: pl.DataFrame, found: Mapping[Key, Cell]) -> dict[str, Any]:
    empty: dict[str, Any] = {
        **dict.fromkeys(MEASURES),
        "intervals": dict.fromkeys(MEASURES),
        "weighted": dict.fromkeys(MEASURES),
        **dict.fromkeys(_COUNTS, 0),
    }
    return dict.fromkeys(SETTINGS, empty) | {
        row["setting"]: {
            **{name: row[name] for name in MEASURES},
            **_ends(found, row["setting"]),
            "weighted": {name: row[f"{name}_weighted"] for name in MEASURES},
            **{name: row[name] for name in _COUNTS},
        }
        for row in rows.iter_rows(named=True)
    }


def _ends(
    found: Mapping[Key, Cell], setting: str, query_language: str | None = None, pool: str | None = None
) -> dict[str, Any]:
    """Return ``{"intervals": {measure: [low, high]}}`` of measures of quality, None where there is no interval.

    With ``"bounds": {measure: [least, most]}`` of those that have bounds, where one has.
    """
    rows = {name: found.get(Key(name, setting, query_language, pool), ABSENT) for name in MEASURES}
    intervals = {name: None if row.low is None else [row.low, row.high] for name, row in rows.items()}
    bounds = {name: list(row.bounds) for name, row in rows.items() if row.value is None and row.bounds}
    return {"intervals": intervals, **({"bounds": bounds} if bounds else {})}


def _printed(source: str, task: TaskInfo) -> list[dict[str, Any]]:
    return [{"source": source, **row} for row in rows_for(source, task).iter_rows(named=True)]
