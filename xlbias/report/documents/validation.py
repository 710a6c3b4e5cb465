"""The validation curve of a training: a line per validation, means over its tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from xlbias.report.numbers import number, table
from xlbias.results.run import Run

MEASURES = ("loss", "map_monolingual", "map_cross_lingual", "map_multilingual", "rank_distance")
_HEADS = ("step", "loss", "mono", "cross", "multi", "rank dist.")
_MOST_ROWS = 12


def validation_curves(run: Run) -> dict[str, list[dict[str, Any]]]:
    """Return by model: a row per validation, ``step`` and MEASURES as means over tasks (None where none gives it)."""
    rows = (
        run.validation.group_by("model", "step")
        .agg(pl.col(name).mean() for name in MEASURES)
        .sort("model", "step")
        .collect()
    )
    return {
        str(model): curve.drop("model").to_dicts() for (model,), curve in rows.group_by("model", maintain_order=True)
    }


def validation_lines(curve: Sequence[dict[str, Any]], best_step: int | None) -> list[str]:
    """Return the curve as text, at most 12 lines of it: the first, the last, the best, and some between."""
    chosen = {round(i * (len(curve) - 1) / (_MOST_ROWS - 1)) for i in range(_MOST_ROWS)} if curve else set()
    shown = [row for i, row in enumerate(curve) if i in chosen or row["step"] == best_step]
    rows = [
        [
            f"{row['step']:,}",
            *(number(row[name], nothing="-") for name in MEASURES[:4]),
            number(row["rank_distance"], digits=1, nothing="-"),
            "saved" if row["step"] == best_step else "",
        ]
        for row in shown
    ]
    return table([*_HEADS, "validation"], rows, left=1) if rows else []
