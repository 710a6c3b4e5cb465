"""The questions asked of a run, answered as frames and matrices; every rendering and every screen shows these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from xlbias.choices import listed
from xlbias.measures.measure import Measure
from xlbias.measures.registry import measures
from xlbias.results.caveats.leaks import seen_counts
from xlbias.results.run import Run
from xlbias.results.wide import rank_distance_summary
from xlbias.runs.schema import MULTILINGUAL_POOL, SETTING_SHORT

MATRIX_MEASURES: dict[str, Measure] = {
    name: measure
    for name, measure in (dict(measures("quality")) | dict(measures("bias"))).items()
    if name not in ("friedman_chi2", "friedman_p")
}
"""Measures by name that have a value for each query language; measures of bias are about the multilingual pool."""


Grid = tuple[tuple[float | None, ...], ...]

ALPHA = 0.05
"""A difference is significant where its p, corrected over the matrix, is below."""


@dataclass(frozen=True)
class Matrix:
    """One measure of one model on one task, query language by pool.

    Attributes:
        measure: what the values are.
        query_languages: the rows.
        pools: the columns: languages, then the multilingual pool.
        values: [row][column], None for a cell without queries or not yet evaluated.
        n: [row][column], the number of queries of each mean.
        excluded: [row][column], queries left out because the pool holds nothing relevant to them, or (rank distance)
            because it is undefined for them.
        low: [row][column], lower ends of the 95% intervals, None where there is none.
        high: [row][column], upper ends.
    """

    measure: Measure
    model: str
    task: str
    query_languages: tuple[str, ...]
    pools: tuple[str, ...]
    values: Grid
    n: tuple[tuple[int, ...], ...]
    excluded: tuple[tuple[int, ...], ...]
    low: Grid = ()
    high: Grid = ()


@dataclass(frozen=True)
class DifferenceMatrix(Matrix):
    """The same of paired differences: `values` are new minus base, `low` and `high` the ends of their intervals.

    Attributes:
        against: the name of the base.
        base: [row][column], the base's values, over the query ids that both have.
        new: [row][column], those of the model.
        p: [row][column], of the sign-flip test, corrected over the matrix.
    """

    against: str = ""
    base: Grid = ()
    new: Grid = ()
    p: Grid = ()

    def significant(self, row: int, column: int) -> bool:
        """Whether the difference in a cell is significant: corrected p < .05."""
        p = self.p[row][column]
        return p is not None and p < ALPHA

    @property
    def n_significant(self) -> tuple[int, int]:
        """How many cells are significantly higher, and significantly lower."""
        values = [(v, self.significant(r, c)) for r, row in enumerate(self.values) for c, v in enumerate(row)]
        known = [v for v, significant in values if significant and v is not None]
        return sum(v > 0 for v in known), sum(v < 0 for v in known)


def matrix(run: Run, measure: str, model: str, task: str) -> Matrix:
    """Return one measure as a matrix. Rows and columns are those of the task, also where cells are still missing."""
    about = next(entry for entry in run.tasks if entry["name"] == task)
    rows = tuple(sorted(about["n_queries"]))
    pools = (*sorted(about["pool_sizes"]), MULTILINGUAL_POOL)
    found = {(ql, pool): numbers for ql, pool, *numbers in _values(run, measure, model, task).iter_rows()}
    values, n, excluded, low, high = _grids(rows, pools, found, (None, 0, 0, None, None))
    return Matrix(MATRIX_MEASURES[measure], model, task, rows, pools, values, n, excluded, low, high)


def difference_matrix(frame: pl.DataFrame, shown: Matrix, against: str) -> DifferenceMatrix:
    """Return the differences of one measure in the cells of the new model's matrix.

    Args:
        frame: what `xlbias.results.compare.compare` gives for the task of the matrix.
        shown: the matrix of the new model.
        against: what the base is called.

    Every cell is None where the measure has no mean over ids by language, and so no test.
    """
    rows, pools = shown.query_languages, shown.pools
    cells = frame.filter(
        (pl.col("measure") == shown.measure.name) & pl.col("query_language").is_not_null()
    ).with_columns(pl.col("n_ids").fill_null(0))
    wanted = ("query_language", "passage_language", "difference", "n_ids", "low", "high", "base", "new", "p_corrected")
    found = {(ql, pool or MULTILINGUAL_POOL): numbers for ql, pool, *numbers in cells.select(wanted).iter_rows()}
    values, n, low, high, base, new, p = _grids(rows, pools, found, (None, 0, None, None, None, None, None))
    nothing = tuple((0,) * len(pools) for _ in rows)
    return DifferenceMatrix(
        shown.measure, shown.model, shown.task, rows, pools, values, n, nothing, low, high, against, base, new, p
    )


def _grids(
    rows: Sequence[str], columns: Sequence[str], found: Mapping[tuple[str, str], Sequence[Any]], nothing: Sequence[Any]
) -> tuple[Any, ...]:
    """Return a grid of every number of a cell; those of `nothing` where a cell is not in `found`."""
    grid = [[found.get((row, column), nothing) for column in columns] for row in rows]
    return tuple(tuple(tuple(cell[i] for cell in row) for row in grid) for i in range(len(nothing)))


def _values(run: Run, measure: str, model: str, task: str) -> pl.DataFrame:
    """Return ``query_language, pool, value, n, n_excluded`` of one measure."""
    return run.summary.filter(
        (pl.col("model") == model)
        & (pl.col("task") == task)
        & (pl.col("measure") == measure)
        & pl.col("query_language").is_not_null()
    ).select(
        "query_language",
        pl.col("passage_language").fill_null(MULTILINGUAL_POOL).alias("pool"),
        "value",
        "n",
        "n_excluded",
        "low",
        "high",
    )


def overview(run: Run) -> pl.DataFrame:
    """Return one row per model and task, in the order of the run: what the first screen and the first table show.

    Columns: ``model, source, sampler, alpha, seed, task, domain``; ``map_mono, map_cross, map_multi`` (macro averages
    over cells); ``rank_distance, rank_distance_median, rank_distance_normalised``; ``n_rankings`` (over all cells),
    ``n_cells, n_cells_expected``; ``best_pair, best, worst_pair, worst`` (mAP of the best and worst cell of one
    language, e.g. ``th→de``).
    """
    wide = run.settings.pivot("setting", index=["model", "task"], values="map")
    for setting, short in SETTING_SHORT.items():
        value = pl.col(setting) if setting in wide.columns else pl.lit(None, dtype=pl.Float64)
        wide = wide.with_columns(value.alias(f"map_{short}"))
    counts = run.cells.group_by("model", "task").agg(
        pl.col("n").sum().alias("n_rankings"), (pl.col("n") > 0).sum().cast(pl.Int64).alias("n_cells")
    )
    keys = ["model", "task"]
    return (
        _every_pair(run)
        .join(wide.select(*keys, *(f"map_{s}" for s in SETTING_SHORT.values())), on=keys, how="left")
        .join(_rank_distance(run), on=keys, how="left")
        .join(counts, on=keys, how="left")
        .join(_extreme(run, worst=False), on=keys, how="left")
        .join(_extreme(run, worst=True), on=keys, how="left")
        .sort("position")
        .drop("position")
        .with_columns(pl.col("n_rankings", "n_cells").fill_null(0))
    )


def _every_pair(run: Run) -> pl.DataFrame:
    """Return every model × task of the run, also those that are not evaluated yet."""
    rows: list[dict[str, Any]] = []
    for model in run.models:
        for task in run.tasks:
            rows.append(
                {
                    **who_on_what(model, task),
                    "n_cells_expected": len(task["n_queries"]) * (len(task["pool_sizes"]) + 1),
                    "position": len(rows),
                }
            )
    schema = {
        "model": pl.String, "source": pl.String, "sampler": pl.String, "alpha": pl.Float64, "seed": pl.Int64,
        "task": pl.String, "domain": pl.String, "n_cells_expected": pl.Int64, "position": pl.Int64,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema)


def who_on_what(model: dict[str, Any], task: dict[str, Any]) -> dict[str, Any]:
    """Return ``model, source, sampler, alpha, seed, task, domain`` of one result; None for what is not known.

    `source` names the tasks that the encoder was trained on, joined by `` + ``.
    """
    card = model.get("card", {})
    return {
        "model": model["name"],
        "source": _source_of(card),
        "sampler": card.get("sampler"),
        "alpha": card.get("alpha"),
        "seed": card.get("seed"),
        "task": task["name"],
        "domain": task["domain"],
    }


def _source_of(card: dict[str, Any]) -> str | None:
    names = [source["name"] if isinstance(source, dict) else str(source) for source in card.get("sources", [])]
    return " + ".join(names) or None


def _rank_distance(run: Run) -> pl.DataFrame:
    return rank_distance_summary(run.summary).select(
        "model",
        "task",
        pl.col("mean").alias("rank_distance"),
        pl.col("median").alias("rank_distance_median"),
        pl.col("normalised").alias("rank_distance_normalised"),
    )


def _extreme(run: Run, *, worst: bool) -> pl.DataFrame:
    """Return the worst or best single-language cell by mAP; the first by name where several are equal."""
    name = "worst" if worst else "best"
    singles = run.cells.filter((pl.col("pool") != MULTILINGUAL_POOL) & (pl.col("n") > 0))
    return (
        singles.sort("map", "query_language", "pool", descending=[not worst, False, False], maintain_order=True)
        .group_by("model", "task", maintain_order=True)
        .first()
        .select(
            "model",
            "task",
            (pl.col("query_language") + "→" + pl.col("pool")).alias(f"{name}_pair"),
            pl.col("map").alias(name),
        )
    )


def coverage_notes(run: Run) -> list[str]:
    """Return what a reader must know of a run's coverage, one sentence each; nothing where all is there."""
    notes = []
    for model, task, n, excluded in (
        run.cells.group_by("model", "task", maintain_order=True)
        .agg(pl.col("n").sum(), pl.col("n_excluded").sum())
        .iter_rows()
    ):
        if excluded:
            notes.append(
                f"{model} on {task}: {excluded:,} of {n + excluded:,} rankings are excluded, as their pool holds "
                "nothing relevant to the query."
            )
    for model, task, n, excluded in (
        run.bias().group_by("model", "task", maintain_order=True).agg(pl.col("n").sum(), pl.col("n_excluded").sum())
    ).iter_rows():
        if excluded:
            notes.append(
                f"{model} on {task}: rank distance is undefined for {excluded:,} of {n + excluded:,} queries, which "
                "have fewer than two relevant passages, or several in a language whose translations are not known."
            )
    return notes


def leak_notes(run: Run) -> list[str]:
    """Return for which encoders it is known that they have seen nothing of a task, and for which nothing is known."""
    counts = seen_counts(run)
    ranked = set(run.cells.select("model", "task").unique().iter_rows())
    unseen: dict[str, list[str]] = {}
    unknown: dict[str, None] = {}
    for model in run.models:
        for task in run.tasks:
            who = (str(model["name"]), str(task["name"]))
            known = counts.get(who)
            if who in ranked and known is None:
                unknown[who[0]] = None
            elif who in ranked and known is not None and not any(n for n, _ in known.values()):
                unseen.setdefault(who[0], []).append(who[1])
    by_tasks: dict[str, list[str]] = {}
    for name, tasks in unseen.items():
        by_tasks.setdefault(listed(tasks), []).append(name)
    notes = [f"{listed(names)}: trained on no text of {tasks}." for tasks, names in by_tasks.items()]
    if unknown:
        they = "they were" if len(unknown) > 1 else "it was"
        notes.append(f"{listed(unknown)}: what {they} trained on is not known, so leaks cannot be told.")
    return notes
