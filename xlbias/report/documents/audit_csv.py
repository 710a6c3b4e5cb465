"""The report as CSV: every number of the summary in full precision, a row each, for spreadsheets and data frames."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import polars as pl

from xlbias.report.formats.csv import safe
from xlbias.results.caveats import caveats, kinds_of
from xlbias.results.overview import who_on_what
from xlbias.results.run import Run

_WHO = ("model", "source", "sampler", "alpha", "seed", "task", "domain")
_WHAT = ("measure", "setting", "query_language", "passage_language")
_NUMBERS = ("value", "low", "high", "n", "n_ids", "n_excluded", "weighted", "n_queries", "n_cells", "n_cells_empty",
            "least", "most")  # fmt: skip
COLUMNS = (*_WHO, *_WHAT, *_NUMBERS, "caveats", "run")
"""The columns: who on what, what the number is (see `xlbias.results.summary`), the number with its interval and counts,
the kinds of its caveats between blanks, and the run's path. Empty where undefined, unknown or not applicable."""


def to_csv(runs: Sequence[Run]) -> str:
    """Return the summaries of runs as one CSV: COLUMNS, comma, UTF-8, lines end in a line feed.

    Numbers are the shortest text that reads back as the same number. A text that a spreadsheet would take for a
    formula has a ``'`` before it.
    """
    frame = pl.concat([_rows(run) for run in runs])
    out = io.BytesIO()
    frame.write_csv(out)
    return out.getvalue().decode()


def _rows(run: Run) -> pl.DataFrame:
    pairs = [(model.name, task.name, who_on_what(model, task)) for model in run.models for task in run.tasks]
    doubts = caveats(run)
    who = pl.DataFrame(
        {
            "key_model": [model for model, _, _ in pairs],
            "key_task": [task for _, task, _ in pairs],
            **{name: [_known(about[name]) for _, _, about in pairs] for name in _WHO},
            "caveats": [" ".join(kinds_of(doubts, model, task)) or None for model, task, _ in pairs],
        },
        schema=dict.fromkeys(("key_model", "key_task", *_WHO, "caveats"), pl.String),
    )
    rows = run.summary.rename({"model": "key_model", "task": "key_task"}).drop("domain")
    joined = rows.join(who, on=["key_model", "key_task"], how="left", maintain_order="left")
    return joined.with_columns(
        *(pl.col(name).replace_strict(_safely(joined[name]), return_dtype=pl.String) for name in _WHAT),
        pl.lit(safe(run.path)).alias("run"),
    ).select(COLUMNS)


def _known(value: Any) -> str | None:
    """Return what a card says, as text: a number as it is, anything else made safe."""
    return repr(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else safe(value)


def _safely(column: pl.Series) -> dict[str | None, str | None]:
    return {value: safe(value) for value in column.unique()}
