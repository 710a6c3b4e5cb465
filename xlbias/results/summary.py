"""The summary of one encoder on one task: every number a report shows, each with its interval and its n.

It is made once, when the rankings are complete, and kept in the run; a report only reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from operator import attrgetter

import numpy as np
import polars as pl

from xlbias.measures.ragged import Floats
from xlbias.progress import Piece
from xlbias.results.per_query import (
    Aggregate,
    Key,
    Ranked,
    Values,
    bias_values,
    facts,
    names_with_values,
    quality_values,
)
from xlbias.stats.bootstrap import Intervals, bootstrap_intervals
from xlbias.stats.friedman import Concordance, Concordances
from xlbias.stats.means import column_means

REPLICATES = 10_000
CONFIDENCE = 0.95
INTERVAL = "BCa bootstrap over query ids"
"""What the intervals of a summary are; runs of earlier versions say ``percentile bootstrap``."""
_FEWEST = 1_000  # replicates, however many ids and cells there are
_DRAWN = 640_000_000  # ids drawn for a column
_MEANS = 20_000_000  # replicates of the cells of a measure
_BUDGET = 64_000_000  # values of tables side by side
_MEANS_HELD = 32_000_000  # and replicates of these: 256 MB

SUMMARY_SCHEMA: dict[str, pl.DataType] = {
    "measure": pl.String(),
    "setting": pl.String(),
    "query_language": pl.String(),
    "passage_language": pl.String(),
    "value": pl.Float64(),
    "low": pl.Float64(),
    "high": pl.Float64(),
    "weighted": pl.Float64(),
    "n": pl.Int64(),
    "n_queries": pl.Int64(),
    "n_ids": pl.Int64(),
    "n_cells": pl.Int64(),
    "n_cells_empty": pl.Int64(),
    "n_excluded": pl.Int64(),
    "least": pl.Float64(),
    "most": pl.Float64(),
}
"""Columns of a summary: what a number is (see `Key`), the number and its 95% interval; `weighted`, for the average of a
setting, the average over rankings instead of cells; `n` values it is over, of `n_queries` distinct queries and `n_ids`
distinct query ids; `n_cells` cells with values and `n_cells_empty` without; `n_excluded` values that are undefined and
left out; `least` and `most`, the bounds of a number of censored ranks, which has neither value nor interval. Null where
undefined or not applicable."""


OVERALL = pl.col("query_language").is_null() & pl.col("passage_language").is_null()
"""The rows of a summary, or of a comparison, that are no cells: one number of a measure and a setting."""


@dataclass(frozen=True)
class SummaryRow:
    """One number of a summary; see SUMMARY_SCHEMA."""

    key: Key
    value: float
    low: float
    high: float
    weighted: float | None
    n: int
    n_queries: int
    n_ids: int
    n_cells: int
    n_cells_empty: int
    n_excluded: int
    least: float = float("nan")
    most: float = float("nan")

    def bounded(self, most: float) -> SummaryRow:
        """Return the row of a number of censored ranks, whose value is the least there can be."""
        nan = float("nan")
        weighted = None if self.weighted is None else nan
        bounds = (self.value, most) if np.isfinite([self.value, most]).all() else (nan, nan)
        return replace(self, value=nan, low=nan, high=nan, weighted=weighted, least=bounds[0], most=bounds[1])


def summarise(
    rankings: pl.DataFrame,
    pool_sizes: Mapping[str, int],
    *,
    intervals: bool = True,
    seed: int = 0,
    do: Callable[[Piece[pl.DataFrame]], pl.DataFrame] = lambda piece: piece.make(),
) -> pl.DataFrame:
    """Return the summary of the rankings of one model and task; columns as SUMMARY_SCHEMA.

    Args:
        rankings: `ranking` rows of one model on one task, all of them or what is done so far.
        pool_sizes: passages by language.
        intervals: whether to take bootstrap intervals over query ids.
        seed: of the bootstrap.
        do: makes a piece of the work, some measures, or finds that it was made before.
    """
    ranked = Ranked(rankings, pool_sizes)
    names = names_with_values()
    n_ids, n_cells = len(ranked.ids), n_cells_of(ranked.query_languages, ranked.languages)
    together = measures_together(n_ids, n_cells) if intervals else len(names)
    groups = [names[start : start + together] for start in range(0, len(names), together)]
    seconds = seconds_of(n_ids, n_cells, together)
    found = []
    for i, group in enumerate(groups, 1):
        label = "every number with its interval" + (f", part {i} of {len(groups)}" if len(groups) > 1 else "")
        found.append(do(Piece("-".join(group), label, seconds, partial(_numbers, ranked, group, intervals, seed))))
    return pl.concat([*found, _facts(ranked)])


def _numbers(ranked: Ranked, names: Sequence[str], intervals: bool, seed: int) -> pl.DataFrame:
    """Return the numbers of the measures named that are means, or made of these."""
    replicates = replicates_for(len(ranked.ids), n_cells_of(ranked.query_languages, ranked.languages))
    rows: list[SummaryRow] = []
    for table in _together(chain(quality_values(ranked, names), bias_values(ranked, names)), _BUDGET):
        rows += rows_of(table, intervals, seed, replicates)
    return as_frame(rows)


def _facts(ranked: Ranked) -> pl.DataFrame:
    nan = float("nan")
    rows = []
    for key, value, most, n, n_ids, excluded in facts(ranked):
        row = SummaryRow(key, value, nan, nan, None, n, n, n_ids, int(n > 0), int(n == 0), excluded)
        rows.append(row.bounded(most) if most > value else row)
    return as_frame(rows)


def as_frame(rows: Iterable[SummaryRow]) -> pl.DataFrame:
    """Return rows as a frame with the columns of SUMMARY_SCHEMA, NaN as null."""
    numbers = attrgetter(*list(SUMMARY_SCHEMA)[len(Key._fields) :])
    return pl.DataFrame(
        [(*row.key, *numbers(row)) for row in rows],
        schema=SUMMARY_SCHEMA,
        orient="row",
    ).with_columns(pl.col(pl.Float64).fill_nan(None))


def aggregated(means: Floats, aggregates: Iterable[Aggregate]) -> Floats:
    """Return the aggregates of column means [b, n_columns], float64 [b, n_aggregates]; columns of NaN are left out."""
    if len(means) > 1 and not np.isnan(means).any():  # replicates
        columns = np.ascontiguousarray(means.T)
        found = [_whole_mean(columns, one.columns) - _whole_mean(columns, one.minus) for one in aggregates]
    else:
        found = [_aggregate(means, one) for one in aggregates]
    return np.stack(found, axis=1) if found else np.empty((len(means), 0))


def n_cells_of(query_languages: Collection[str], passage_languages: Collection[str]) -> int:
    """Return how many cells a matrix has: a query language in a pool, also the multilingual one."""
    return len(query_languages) * (len(passage_languages) + 1)


def replicates_for(n_ids: int, n_cells: int = 1) -> int:
    """Return how many times to draw: 10,000, but fewer where so many ids or cells would take minutes.

    With 2,000 the ends of an interval are uncertain by .06 of a standard error, with 10,000 by .03.
    """
    most = min(_DRAWN // max(n_ids, 1), _MEANS // max(n_cells, 1))
    return int(np.clip(most, _FEWEST, REPLICATES))


def measures_together(n_ids: int, n_cells: int) -> int:
    """Return how many measures with that many cells are drawn side by side in bounded memory."""
    of_one = n_cells * replicates_for(n_ids, n_cells)
    return max(1, min(_MEANS_HELD // max(of_one, 1), _BUDGET // max(n_cells * n_ids, 1)))


def seconds_of(n_ids: int, n_cells: int, n_measures: int) -> float:
    """Return about how long the intervals of some measures take, drawn side by side."""
    each = n_measures * n_cells * (4e-11 * n_ids + 3e-8)
    return replicates_for(n_ids, n_cells) * (2.5e-8 * n_ids + each) + 3e-5 * n_measures * n_cells


def bounds_of(aggregate: Aggregate, least: Floats, most: Floats) -> tuple[float, float]:
    """Return the least and the greatest value of an aggregate, from those of the means of columns."""
    sides = [(least, most), (most, least)]
    low, high = (
        float(_nan_mean(plus[None, list(aggregate.columns)])[0])
        - (float(_nan_mean(minus[None, list(aggregate.minus)])[0]) if aggregate.minus else 0.0)
        for plus, minus in sides
    )
    return low, high


def _aggregate(means: Floats, aggregate: Aggregate) -> Floats:
    value = _nan_mean(means[:, list(aggregate.columns)])
    return value - _nan_mean(means[:, list(aggregate.minus)]) if aggregate.minus else value


def _whole_mean(columns: Floats, which: Sequence[int]) -> Floats | float:
    """Return the mean of some of the columns [n_columns, b], float64 [b], or 0 of none.

    They are added up in their order, so that no bit depends on what else stands beside them.
    """
    return columns.take(which, axis=0).sum(axis=0) / len(which) if which else 0.0


def _nan_mean(rows: Floats) -> Floats:
    there = ~np.isnan(rows)
    if there.all() and rows.shape[1]:
        return np.asarray(rows.mean(axis=1))
    counts = there.sum(axis=1)
    return np.where(counts > 0, np.where(there, rows, 0.0).sum(axis=1) / np.maximum(counts, 1), np.nan)


def _together(tables: Iterable[Values], budget: int) -> Iterable[Values]:
    """Yield tables side by side, as many at a time as the budget of values allows: the draws are made once for all."""
    waiting: list[Values] = []
    for table in tables:
        if waiting and sum(t.values.size for t in waiting) + table.values.size > budget:
            yield joined(waiting)
            waiting = []
        waiting.append(table)
    if waiting:
        yield joined(waiting)


def joined(tables: Sequence[Values]) -> Values:
    """Return tables of the same ids side by side."""
    aggregates: list[Aggregate] = []
    first = 0
    for table in tables:
        for one in table.aggregates:
            columns, minus = (tuple(first + c for c in side) for side in (one.columns, one.minus))
            aggregates.append(replace(one, columns=columns, minus=minus))
        first += len(table.columns)
    return Values(
        tables[0].ids,
        tuple(column for table in tables for column in table.columns),
        np.hstack([table.values for table in tables]),
        np.concatenate([table.n_excluded for table in tables]),
        tuple(aggregates),
        tuple(blocks for table in tables for blocks in table.blocks),
        np.hstack([table.values if table.most is None else table.most for table in tables])
        if any(table.most is not None for table in tables)
        else None,
    )


def rows_of(table: Values, intervals: bool, seed: int, replicates: int | None = None) -> Iterable[SummaryRow]:
    """Return a row for every column, every aggregate and all blocks of `table`.

    `replicates` are by default as many as its ids ask for.
    """
    means, n = column_means(table.values)
    preferences = [Concordance(blocks.ranks) for blocks in table.blocks]
    values = np.concatenate([means, aggregated(means[None], table.aggregates)[0], [one.w for one in preferences]])
    low = high = np.full(len(values), np.nan)
    if intervals:
        found = _intervals(table, preferences, seed, replicates or replicates_for(len(table.ids)))
        low, high = found.low, found.high
    present = ~np.isnan(table.values)
    above = means if table.most is None else column_means(table.most)[0]
    for i, key in enumerate(table.columns):
        count, empty = int(n[i]), int(n[i] == 0)
        excluded = int(table.n_excluded[i])
        row = SummaryRow(key, values[i], low[i], high[i], None, count, count, count, 1 - empty, empty, excluded)
        yield row.bounded(above[i]) if table.censored[i] else row
    for i, one in enumerate(table.aggregates, len(table.columns)):
        columns = np.array([*one.columns, *one.minus])
        counts, excluded = n[columns], table.n_excluded[columns]
        by_query_language: dict[str | None, list[int]] = {}
        for column in columns:
            by_query_language.setdefault(table.columns[column].query_language, []).append(column)
        n_queries = sum(int(present[:, some].any(axis=1).sum()) for some in by_query_language.values())
        n_ids = int(present[:, columns].any(axis=1).sum())
        undefined = bool(np.isnan(values[i]))  # also where there are values, such as those of one side of a difference
        there = counts > 0
        weighted = None
        if not one.minus:
            weighted = float((means[columns][there] * counts[there]).sum() / counts.sum()) if there.any() else np.nan
        total, left_out = int(counts.sum()), int(excluded.sum())
        some, none = int(there.sum()), int((~there).sum())
        if undefined:
            total, n_queries, n_ids, left_out = 0, 0, 0, left_out + total
        row = SummaryRow(one.key, values[i], low[i], high[i], weighted, total, n_queries, n_ids, some, none, left_out)
        if table.censored[columns].any() and not undefined:
            least, most = bounds_of(one, means, above)
            row = replace(row, value=least).bounded(most)
        yield row
    first = len(means) + len(table.aggregates)
    for i, (blocks, w) in enumerate(zip(table.blocks, preferences, strict=True), first):
        whole, left_out = int(w.n > 0), blocks.n_asked - w.n
        yield SummaryRow(blocks.key, values[i], low[i], high[i], None, w.n, w.n, w.n, whole, 1 - whole, left_out)


def _intervals(table: Values, preferences: Sequence[Concordance], seed: int, replicates: int) -> Intervals:
    """Return the ends of the intervals of columns, aggregates and Kendall's Ws, from the same draws."""
    n_columns = table.values.shape[1]
    together = Concordances(preferences, len(table.ids))
    sources = [(*one.columns, *one.minus) for one in table.aggregates]
    sources += [tuple(n_columns + column for column in columns) for columns in together.columns]
    return bootstrap_intervals(
        np.hstack([table.values, together.parts]),
        derive=lambda means: np.hstack([aggregated(means, table.aggregates), together.of(means[:, n_columns:])]),
        drawn=lambda means: np.hstack([aggregated(means, table.aggregates), together.of_drawn(means[:, n_columns:])]),
        derived_from=sources,
        hidden=together.parts.shape[1],
        replicates=replicates,
        seed=seed,
        confidence=CONFIDENCE,
    )
