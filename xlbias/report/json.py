"""The report as JSON: stable and versioned, for scripts and gates."""

from __future__ import annotations

import json
import math
from typing import Any

import polars as pl

from xlbias.report.tables import who_on_what
from xlbias.report.training import trained, training_facts
from xlbias.runs.run import Run
from xlbias.runs.schema import SETTINGS
from xlbias.runs.views import MEASURES, rank_distance_by_language, rank_distance_summary

REPORT_SCHEMA = 1


def report(run: Run) -> dict[str, Any]:
    """Return the whole report as plain data; see `to_json`."""
    settings, cells = run.settings, run.cells
    by_language = rank_distance_by_language(run.summary)
    overall = rank_distance_summary(run.summary)
    trainings = {one.model: {"training": training_facts(one)} for one in trained(run)}
    results = []
    for model in run.models:
        for task in run.tasks:
            chosen = (pl.col("model") == model["name"]) & (pl.col("task") == task["name"])
            results.append(
                {
                    **who_on_what(model, task),
                    "settings": _settings(settings.filter(chosen)),
                    "cells": cells.filter(chosen)
                    .select("query_language", "pool", "setting", "n", "n_excluded", *MEASURES)
                    .to_dicts(),
                    "bias": {"rank_distance": _rank_distance(overall.filter(chosen), by_language.filter(chosen))},
                }
            )
    return {
        "schema": REPORT_SCHEMA,
        "run": {
            "path": str(run.path),
            "status": run.state.status,
            **run.metadata,
            "models": [{**model, **trainings.get(model["name"], {})} for model in run.models],
        },
        "results": results,
    }


def to_json(run: Run) -> str:
    """Return the report as JSON text, numbers in full precision, null for what is undefined, ASCII only.

    ``{"schema": 1, "run": {...}, "results": [{"model", "source", "sampler", "alpha", "seed", "task", "domain",
    "settings": {setting: {measure: macro average, "weighted": {measure: average over rankings}, "n_cells",
    "n_cells_empty", "n_queries", "n_rankings", "n_excluded"}}, "cells": [{"query_language", "pool", "setting", "n",
    "n_excluded", measure: mean}], "bias": {"rank_distance": {"mean", "median", "normalised", "n", "n_excluded",
    "by_language": {...}}}}]}``. An entry of ``run.models`` that was trained has ``"training": {"steps", "first_loss",
    "last_loss", "pairs_per_second", "drawn": {"batches_by_kind", "batches_by_task", "pairs_by_query_language",
    "pairs_by_passage_language": {name: {"n", "share"}}, "pairs": [{"query_language", "passage_language", "n"}],
    "n_negatives"}}``, null for what is not known. ASCII, so that no control character of a data set reaches a terminal.
    """
    return json.dumps(_finite(report(run)), indent=2, allow_nan=False)


def _settings(rows: pl.DataFrame) -> dict[str, Any]:
    empty: dict[str, Any] = {
        **dict.fromkeys(MEASURES),
        "weighted": dict.fromkeys(MEASURES),
        **dict.fromkeys(("n_cells", "n_cells_empty", "n_queries", "n_rankings", "n_excluded"), 0),
    }
    return dict.fromkeys(SETTINGS, empty) | {
        row["setting"]: {
            **{name: row[name] for name in MEASURES},
            "weighted": {name: row[f"{name}_weighted"] for name in MEASURES},
            "n_cells": row["n_cells"],
            "n_cells_empty": row["n_cells_empty"],
            "n_queries": row["n_queries"],
            "n_rankings": row["n_rankings"],
            "n_excluded": row["n_excluded"],
        }
        for row in rows.iter_rows(named=True)
    }


def _rank_distance(overall: pl.DataFrame, by_language: pl.DataFrame) -> dict[str, Any] | None:
    if overall.is_empty():
        return None
    columns = ["mean", "median", "normalised", "n", "n_excluded"]
    return {
        **overall.select(columns).row(0, named=True),
        "by_language": {
            row["query_language"]: {name: row[name] for name in columns} for row in by_language.iter_rows(named=True)
        },
    }


def _finite(value: Any) -> Any:
    """Return `value` with NaN and infinities as None, which JSON has no numbers for."""
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_finite(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
