"""Two encoders on one task: paired differences per query id, their intervals, and whether they are real.

Either side may be several encoders, the seeds of one training: then an id's value is its mean over them. Translations
of a query are not independent, so ids are what is drawn and what signs are flipped of (`measures.md`, Significance).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import polars as pl

from xlbias.choices import listed, suggestion
from xlbias.errors import RunError, UsageError
from xlbias.measures.ragged import Floats, Ints
from xlbias.measures.registry import SIDES, measure_of, measures
from xlbias.runs.run import Run
from xlbias.runs.summary import OVERALL, aggregated, joined, replicates_for
from xlbias.runs.values import RANKED, Aggregate, Key, Ranked, Values, bias_values, quality_values
from xlbias.stats.bootstrap import percentile_intervals
from xlbias.stats.means import column_means
from xlbias.stats.multiplicity import benjamini_hochberg, holm
from xlbias.stats.paired import cohens_dz, outcomes, paired_t
from xlbias.stats.permutation import sign_flip

PERMUTATIONS = 10_000

COMPARISON_SCHEMA: dict[str, pl.DataType] = {
    "task": pl.String(),
    "measure": pl.String(),
    "setting": pl.String(),
    "query_language": pl.String(),
    "passage_language": pl.String(),
    "base": pl.Float64(),
    "new": pl.Float64(),
    "difference": pl.Float64(),
    "low": pl.Float64(),
    "high": pl.Float64(),
    "p": pl.Float64(),
    "p_holm": pl.Float64(),
    "p_bh": pl.Float64(),
    "p_t": pl.Float64(),
    "effect_size": pl.Float64(),
    "n_better": pl.Int64(),
    "n_equal": pl.Int64(),
    "n_worse": pl.Int64(),
    "n_ids": pl.Int64(),
}
"""Columns of a comparison. `difference` is new − base, over the `n_ids` query ids that both sides have; `low` and
`high` its 95% bootstrap interval; `p` of the sign-flip permutation test, `p_holm` and `p_bh` corrected over the family:
the cells of one measure, or all numbers that are no cells; `p_t` of a paired t-test; `effect_size` is Cohen's d_z.
`n_better`, `n_equal` and `n_worse` count ids; better is up where a measure says neither. Null where a number is no mean
over ids."""

_KEY = list(Key._fields)


@dataclass(frozen=True, eq=False)
class Side:
    """One side of a comparison: one encoder of a run, or several that stand for one, such as seeds."""

    run: Run
    models: tuple[str, ...]

    def check(self, task: str) -> None:
        """Raise RunError unless the run has these encoders and this task."""
        known = [model["name"] for model in self.run.models]
        for model in self.models:
            if model not in known:
                raise RunError(
                    f"{self.run.path}: no model {model!r}{suggestion(model, known)}; there are {listed(known)}"
                )
        tasks = [entry["name"] for entry in self.run.tasks]
        if task not in tasks:
            raise RunError(f"{self.run.path}: no task {task!r}{suggestion(task, tasks)}; there are {listed(tasks)}")

    def task(self, name: str) -> dict[str, object]:
        """Return the task's entry in the run's metadata."""
        return next(entry for entry in self.run.tasks if entry["name"] == name)


class Sided:
    """The values of one side on one task, per query id, a mean over its encoders."""

    def __init__(self, side: Side, task: str, names: Collection[str] | None) -> None:
        self.side, self.name, self.names = side, task, names

    @cached_property
    def tables(self) -> dict[str, Values]:
        """Values by measure."""
        found = [self._of(model) for model in self.side.models]
        return {name: _mean_of([one[name] for one in found]) for name in found[0]}

    def _of(self, model: str) -> dict[str, Values]:
        chosen = (pl.col("model") == model) & (pl.col("task") == self.name)
        rankings = self.side.run.rankings.filter(chosen).select(RANKED).collect()
        if rankings.is_empty():
            raise RunError(f"{self.side.run.path}: {model!r} has not been evaluated on {self.name!r}")
        ranked = Ranked(rankings, self.side.run.pool_sizes[self.name])
        return {
            table.measure: table for table in (*quality_values(ranked, self.names), *bias_values(ranked, self.names))
        }

    @cached_property
    def alignments(self) -> dict[str, Values]:
        """Alignment by measure: one column, a row per id."""
        rows = (
            self.side.run.alignments.filter(pl.col("model").is_in(self.side.models) & (pl.col("task") == self.name))
            .group_by("measure", "query_id")
            .agg(pl.col("value").mean(), pl.len())
            .filter(pl.col("len") == len(self.side.models))
            .sort("measure", "query_id")
            .collect()
        )
        found = {}
        for (measure,), part in rows.group_by("measure", maintain_order=True):
            name = str(measure)
            if self.names is None or name in self.names:
                values = part["value"].to_numpy().reshape(-1, 1)
                found[name] = Values(
                    tuple(part["query_id"].to_list()), (Key(name),), values, np.zeros(1, dtype=np.int64), ()
                )
        return found


def compare(
    base: Side,
    new: Side,
    task: str,
    *,
    measures: Collection[str] | None = None,
    cells: bool = True,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> pl.DataFrame:
    """Return the paired differences of two sides on one task; columns as COMPARISON_SCHEMA.

    Args:
        base: what is compared with.
        new: what is compared.
        task: the task's name, the same in both runs.
        measures: names, by default all; `single_gold.gap` comes with ``single_gold``, Kendall's W with
            ``language_rank``, alignment is named ``passages.NAME`` and ``queries.NAME``.
        cells: whether to compare every cell, beside settings and overall numbers.
        permutations: sign flips of the test; p is at least 1 / (permutations + 1).
        seed: of the flips and of the bootstrap.

    Raises RunError where a model or the task is not there, or where the tasks are not the same, text by text.
    """
    return compare_sided(_checked(base, task, measures), _checked(new, task, measures), cells, permutations, seed)


def compare_sided(base: Sided, new: Sided, cells: bool, permutations: int, seed: int) -> pl.DataFrame:
    """Return the same of values that are at hand: see `compare`."""
    task = base.name
    prints = [side.side.task(task).get("fingerprint") for side in (base, new)]
    if prints[0] != prints[1]:
        raise RunError(f"the task {task!r} is not the same in {base.side.run.path} and {new.side.run.path}")
    frames = []
    for ours, theirs in ((base.tables, new.tables), (base.alignments, new.alignments)):
        pairs = [_shared(ours[name], theirs[name]) for name in ours if name in theirs]
        for ids in dict.fromkeys(one.ids for one, _ in pairs):  # alignment of passages has ids of its own
            group = [pair for pair in pairs if pair[0].ids == ids]
            sides = [joined([pair[i] for pair in group]) for i in range(2)]
            frames.append(_differences(sides[0], sides[1], cells, permutations, seed))
    paired = pl.concat(frames) if frames else pl.DataFrame(schema=COMPARISON_SCHEMA)
    frame = pl.concat([paired, _others(base, new, paired)])
    return _corrected(frame).with_columns(pl.lit(task).alias("task")).select(list(COMPARISON_SCHEMA))


def _of_one_side() -> list[str]:
    """Return the measures of what an encoder has seen or read: facts of a side, see `xlbias.runs.caveats`."""
    return [*measures("seen"), *(f"{side}.{name}" for side in SIDES for name in measures("texts"))]


def _others(base: Sided, new: Sided, compared: pl.DataFrame) -> pl.DataFrame:
    """Return the differences of overall numbers that are no mean over ids, as the summaries have them, without p."""
    keys = ["measure", "setting"]
    values = []
    for side, name in ((base, "base"), (new, "new")):
        chosen = side.side.run.summary.filter(
            (pl.col("task") == base.name)
            & pl.col("model").is_in(side.side.models)
            & OVERALL
            & ~pl.col("measure").is_in(_of_one_side())
        )
        if side.names is not None:
            chosen = chosen.filter(pl.col("measure").is_in(list(side.names)))
        values.append(chosen.group_by(keys, maintain_order=True).agg(pl.col("value").mean().alias(name)))
    both = values[0].join(values[1], on=keys, nulls_equal=True, maintain_order="left")
    rest = both.join(compared, on=keys, how="anti", nulls_equal=True, maintain_order="left").with_columns(
        (pl.col("new") - pl.col("base")).alias("difference"),
        *(pl.lit(None, dtype=pl.String).alias(name) for name in _KEY[2:]),
        *(pl.lit(None, dtype=pl.Float64).alias(name) for name in ("low", "high")),
    )
    return _tested(rest, None, 0, 0).select(compared.columns)


def _checked(side: Side, task: str, measures: Collection[str] | None) -> Sided:
    side.check(task)
    for name in measures or ():
        try:
            measure_of(name)
        except KeyError:
            raise UsageError(f"unknown measure {name!r}; `xlbias measures` lists them") from None
    return Sided(side, task, measures)


def _mean_of(tables: Sequence[Values]) -> Values:
    """Return the mean over encoders of values with the same ids and columns; missing where one is missing."""
    first = tables[0]
    if any(table.ids != first.ids or table.columns != first.columns for table in tables):
        raise RunError(f"{first.measure}: the encoders of one side were not evaluated on the same queries")
    return replace(first, values=np.mean([table.values for table in tables], axis=0)) if len(tables) > 1 else first


def _differences(base: Values, new: Values, cells: bool, permutations: int, seed: int) -> pl.DataFrame:
    gone = np.isnan(base.values) | np.isnan(new.values)
    sides = [np.where(gone, np.nan, side.values) for side in (base, new)]
    difference = sides[1] - sides[0]
    wanted = [one for one in base.aggregates if cells or one.key[2:] == (None, None)]
    linear = [one for one in wanted if one.kind != "kendall_w"]
    others = [one for one in wanted if one.kind == "kendall_w"]
    columns = [i for i in range(len(base.columns)) if cells or not linear]
    shares = [_shares(difference, one)[:, None] for one in linear]
    replicates = replicates_for(len(difference))
    if columns or gone.any():
        found = percentile_intervals(
            difference, derive=lambda means: aggregated(means, linear), replicates=replicates, seed=seed
        )
        low, high = found.low, found.high
    else:  # where every id has every cell, the mean of its shares is the aggregate in every replicate as well
        found = percentile_intervals(np.hstack(shares), replicates=replicates, seed=seed)
        unused = np.full(len(base.columns), np.nan)
        low, high = np.append(unused, found.low), np.append(unused, found.high)
    means = [column_means(side)[0] for side in sides]
    values = [np.concatenate([m, aggregated(m[None], linear)[0]]) for m in means]
    tested = np.hstack([difference, *shares])
    keys = [*base.columns, *(one.key for one in linear)]
    chosen = [*columns, *range(len(base.columns), len(keys))]
    frame = _frame([keys[i] for i in chosen], values[0][chosen], values[1][chosen], low[chosen], high[chosen])
    frame = _tested(frame, tested[:, chosen], permutations, seed)
    if not others:
        return frame
    return pl.concat([frame, _tested(_w_differences(others, sides, seed), None, permutations, seed)])


def _w_differences(group: list[Aggregate], sides: list[Floats], seed: int) -> pl.DataFrame:
    """Compare Kendall's W, which is no mean over ids: an interval from replicates of both sides, and no p."""
    used = sorted({column for one in group for column in one.columns})
    place = {column: i for i, column in enumerate(used)}
    ours, theirs = (
        [replace(one, columns=tuple(first + place[column] for column in one.columns)) for one in group]
        for first in (0, len(used))
    )
    both = np.hstack([side[:, used] for side in sides])
    found = percentile_intervals(
        both,
        derive=lambda means: aggregated(means, theirs) - aggregated(means, ours),
        replicates=replicates_for(len(both)),
        seed=seed,
    )
    means = column_means(both)[0][None]
    low, high = found.low[2 * len(used) :], found.high[2 * len(used) :]
    return _frame([one.key for one in group], aggregated(means, ours)[0], aggregated(means, theirs)[0], low, high)


def _shares(difference: Floats, aggregate: Aggregate) -> Floats:
    """Return what each id adds to an aggregate, float64 [n_ids]; their mean is the aggregate's difference.

    NaN for an id in none of its columns.
    """
    total = np.zeros(len(difference))
    there = np.zeros(len(difference), dtype=np.bool_)
    for columns, sign in ((aggregate.columns, 1.0), (aggregate.minus, -1.0)):
        chosen = difference[:, list(columns)]
        present = ~np.isnan(chosen)
        counts = present.sum(axis=0)
        some = int((counts > 0).sum())
        if some:
            total += sign * (np.where(present, chosen, 0.0) / np.maximum(counts, 1)).sum(axis=1) / some
        there |= present.any(axis=1)
    return np.where(there, total * there.sum(), np.nan)


def _frame(keys: Sequence[Key], base: Floats, new: Floats, low: Floats, high: Floats) -> pl.DataFrame:
    names = {name: pl.Series([getattr(key, name) for key in keys], dtype=pl.String) for name in _KEY}
    numbers = {"base": base, "new": new, "difference": new - base, "low": low, "high": high}
    return pl.DataFrame(names | {name: pl.Series(values, nan_to_null=True) for name, values in numbers.items()})


def _tested(frame: pl.DataFrame, tested: Floats | None, permutations: int, seed: int) -> pl.DataFrame:
    """Add p, effect size and counts of ids, from each id's difference in each row, float64 [n_ids, n_rows]."""
    if tested is None:
        found = {}
    else:
        signs = np.array([-1.0 if measure_of(name).better == "low" else 1.0 for name in frame["measure"]])
        counted = outcomes(tested * signs)
        found = {
            "p": pl.Series(sign_flip(tested, permutations=permutations, seed=seed), nan_to_null=True),
            "p_t": pl.Series(paired_t(tested).p, nan_to_null=True),
            "effect_size": pl.Series(cohens_dz(tested), nan_to_null=True),
            "n_better": pl.Series(counted.better),
            "n_equal": pl.Series(counted.equal),
            "n_worse": pl.Series(counted.worse),
            "n_ids": pl.Series((~np.isnan(tested)).sum(axis=0)),
        }
    return frame.with_columns(
        (found[name].cast(dtype) if name in found else pl.lit(None, dtype=dtype)).alias(name)
        for name, dtype in COMPARISON_SCHEMA.items()
        if name not in frame.columns
    )


def _shared(base: Values, new: Values) -> tuple[Values, Values]:
    """Return both with the ids and columns that both have."""
    ids = [one for one in base.ids if one in set(new.ids)] if base.ids != new.ids else list(base.ids)
    if base.ids == new.ids and base.columns == new.columns:
        return base, new
    if base.columns != new.columns:
        raise RunError(f"{base.measure}: the two runs were not evaluated on the same languages")
    return _rows(base, ids), _rows(new, ids)


def _rows(values: Values, ids: list[str]) -> Values:
    place = {one: i for i, one in enumerate(values.ids)}
    rows: Ints = np.array([place[one] for one in ids], dtype=np.int64)
    return replace(values, ids=tuple(ids), values=values.values[rows])


def _corrected(frame: pl.DataFrame) -> pl.DataFrame:
    """Add corrected p-values: over the cells of a measure, and over all numbers that are no cells."""
    frame = frame.drop("p_holm", "p_bh")
    cell = pl.col("query_language").is_not_null() | pl.col("passage_language").is_not_null()
    family = pl.when(cell).then(pl.col("measure")).otherwise(pl.lit("")).alias("family")
    parts = []
    for part in frame.with_columns(family).with_row_index("row").partition_by("family"):
        p = part["p"].fill_null(np.nan).to_numpy()
        parts.append(
            part.with_columns(
                pl.Series("p_holm", holm(p), nan_to_null=True),
                pl.Series("p_bh", benjamini_hochberg(p), nan_to_null=True),
            )
        )
    if not parts:
        return frame.with_columns(pl.lit(None, dtype=pl.Float64).alias(name) for name in ("p_holm", "p_bh"))
    return pl.concat(parts).sort("row").drop("row", "family")
