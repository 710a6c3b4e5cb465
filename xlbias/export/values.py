"""The values of measures by query, one row each: what ranx, ir_measures, pandas and tests of significance take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from xlbias.choices import listed, suggestion
from xlbias.errors import UsageError
from xlbias.export.chosen import queries_outside
from xlbias.export.trec import compressed
from xlbias.files import writing
from xlbias.results.per_query import RANKED, Ranked, Values, bias_values, names_with_values, quality_values
from xlbias.results.run import Run
from xlbias.runs.descriptions import DESCRIPTION

COLUMNS: dict[str, tuple[Any, str]] = {
    "encoder": (pl.String, "name of the encoder in the run"),
    "task": (pl.String, "name of the task in the run"),
    "measure": (pl.String, "name of the measure, see `xlbias measures`"),
    "setting": (pl.String, "`monolingual`, `cross-lingual` or `multilingual`"),
    "query_id": (pl.String, "id of the query, which its translations share: the unit of significance"),
    "query_language": (pl.String, "language that it is asked in; empty: the mean over all"),
    "passage_language": (
        pl.String,
        "pool of a measure of quality (`multilingual` for all passages), language of the answers of a measure of bias; "
        "empty: of all",
    ),
    "query": (pl.String, "id of the query in exported runs and qrels; empty: of all languages"),
    "value": (pl.Float64, "the value; empty where ranks are censored; where it is undefined there is no row"),
    "least": (pl.Float64, "where ranks are censored, the least that the value can be; empty: `value` is exact"),
    "most": (pl.Float64, "where ranks are censored, the greatest that it can be; empty: `value` is exact"),
}
"""Columns of the exported values, with type and description."""


def export_values(
    run: Run,
    out: str | Path,
    *,
    encoder: str | None = None,
    task: str | None = None,
    measures: Sequence[str] = (),
) -> int:
    """Write the values of measures by query, columns COLUMNS, and return the number of rows.

    Args:
        run: the run.
        out: a file that ends in ``.parquet``, or CSV, gzipped if it ends in ``.gz``.
        encoder: of this encoder only; None for all.
        task: on this task only; None for all.
        measures: these only; by default all that have values by query. Medians and tests have none.

    Raises UsageError for a measure without such values, RunError for an encoder or a task that is not there, WriteError
    if `out` cannot be written.
    """
    known = names_with_values()
    for name in measures:
        if name not in known:
            raise UsageError(
                f"measure {name!r}{suggestion(name, known)}: has no values by query; choose from {listed(known)}"
            )
    encoders = [run.only("model", encoder)] if encoder is not None else [model.name for model in run.models]
    tasks = [run.only("task", task)] if task is not None else [one.name for one in run.tasks]
    frames = _frames(run, encoders, tasks, measures or known)
    return (_write_parquet if Path(out).suffix == ".parquet" else _write_csv)(Path(out), frames)


def _frames(run: Run, encoders: Sequence[str], tasks: Sequence[str], names: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Yield the rows of one encoder, task and measure at a time."""
    for task in tasks:
        outside = queries_outside(run, task)
        for encoder in encoders:
            wanted = (pl.col("model") == encoder) & (pl.col("task") == task)
            rankings = run.rankings.filter(wanted).select(RANKED).collect()
            if rankings.is_empty():
                continue
            ranked = Ranked(rankings, run.pool_sizes[task])
            for values in chain(quality_values(ranked, names), bias_values(ranked, names)):
                rows = _rows(values).join(outside, on=["query_id", "query_language"], how="left", maintain_order="left")
                yield rows.select(pl.lit(encoder).alias("encoder"), pl.lit(task).alias("task"), *list(COLUMNS)[2:])


def _rows(values: Values) -> pl.DataFrame:
    """Return a row for each value of a table that is defined, by column and then by id: the value, or its bounds."""
    column, row = np.nonzero(np.isfinite(values.values.T))
    keys = pl.DataFrame(values.columns, schema=dict.fromkeys(values.columns[0]._fields, pl.String), orient="row")
    least, exact = values.values[row, column], values.exact[row, column]
    most = least if values.most is None else values.most[row, column]
    only_bounds = np.isnan(exact)
    return keys[column].with_columns(
        pl.Series("query_id", values.ids, dtype=pl.String)[row],
        pl.Series("value", exact, nan_to_null=True),
        pl.Series("least", np.where(only_bounds, least, np.nan), nan_to_null=True),
        pl.Series("most", np.where(only_bounds, most, np.nan), nan_to_null=True),
    )


def _write_csv(out: Path, frames: Iterator[pl.DataFrame]) -> int:
    n = 0
    with compressed(out) as file:
        file.write(f"{','.join(COLUMNS)}\n".encode())
        for frame in frames:
            file.write(frame.write_csv(include_header=False).encode())
            n += frame.height
    return n


def _write_parquet(out: Path, frames: Iterator[pl.DataFrame]) -> int:
    import pyarrow.parquet as pq

    empty = pl.DataFrame(schema={name: dtype for name, (dtype, _) in COLUMNS.items()}).to_arrow()
    schema = empty.schema
    for i, (_, text) in enumerate(COLUMNS.values()):
        schema = schema.set(i, schema.field(i).with_metadata({DESCRIPTION: text}))
    n = 0
    with writing(out) as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for frame in frames:
            writer.write_table(frame.to_arrow().cast(schema))
            n += frame.height
    return n
