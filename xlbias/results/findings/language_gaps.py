"""Whether a language is served worse than the others: its mean average precision minus theirs, paired by query id."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import polars as pl

from xlbias.measures.ragged import Floats
from xlbias.results.by_key import keys_of
from xlbias.results.per_query import RANKED, Key, Ranked, quality_values
from xlbias.results.run_numbers import RunNumbers
from xlbias.runs.schema import MULTILINGUAL_POOL, setting_of
from xlbias.stats.bootstrap import bootstrap_intervals
from xlbias.stats.max_t import flip_tests
from xlbias.stats.means import column_means, without_gaps

DRAWS = 2_000
"""Sign flips, and bootstrap samples of query ids: a fifth of a comparison's, as every report makes them anew."""

RESOLUTION = 1 / (DRAWS + 1)
"""The least p there can be."""

_ADDS_UP = 1e-6

Side = Literal["query", "passage"]


class Gap(NamedTuple):
    """One language of one side, in the cells of single pools: those of the multilingual pool are not in it.

    Attributes:
        side: whether queries or passages are in the language.
        language: the language.
        value: the mean over its cells.
        others: the mean over the cells of the other languages of that side.
        difference: `value` minus `others`.
        low: lower end of its 95% interval, None where there is none.
        high: upper end.
        p: of the sign-flip test over query ids, corrected over the languages of a side by step-down max-T.
        n: query ids.
    """

    side: Side
    language: str
    value: float
    others: float
    difference: float
    low: float | None
    high: float | None
    p: float | None
    n: int


GAP_SCHEMA = {
    **dict.fromkeys(("side", "language"), pl.String()),
    **dict.fromkeys(("value", "others", "difference", "low", "high", "p"), pl.Float64()),
    "n": pl.Int64(),
}
"""The fields of a `Gap` as columns."""


def language_gaps(run: RunNumbers, model: str, task: str) -> list[Gap]:
    """Return the gaps of every language of both sides; nothing of one language, or of censored ranks."""
    known = run.numbers.of(model, task)
    if any(known[key].bounds is not None for key in keys_of(known, "map")):
        return []  # where ranks are censored nobody can tell
    cells, table = _values(run, model, task)
    wanted: list[tuple[Side, str]] = []
    weights: list[Floats] = []
    for side in ("query", "passage"):
        of_cell = np.array([cell[0 if side == "query" else 1] for cell in cells])
        languages = np.unique(of_cell)
        for language in languages if len(languages) > 1 else ():
            own = of_cell == language
            wanted.append((side, str(language)))
            weights.append(np.where(own, 1 / own.sum(), -1 / (~own).sum()))
    if not wanted:
        return []
    filled, present = without_gaps(table)
    means, _ = column_means(table)
    there = present.any(axis=1)
    # What each id adds to a gap: their mean is the gap, also where ids are missing in some cells.
    differences = (filled / present.sum(axis=0)) @ np.stack(weights, axis=1) * there.sum()
    differences[~there] = np.nan
    families = np.array([0 if side == "query" else 1 for side, _ in wanted])
    tests = flip_tests(differences, families, permutations=DRAWS)
    ends = bootstrap_intervals(differences, replicates=DRAWS)
    n = int(there.sum())
    found = []
    for i, ((side, language), weight) in enumerate(zip(wanted, weights, strict=True)):
        own, rest = float(means[weight > 0].mean()), float(means[weight < 0].mean())
        low, high, p = (None if np.isnan(v) else float(v) for v in (ends.low[i], ends.high[i], tests.p_family[i]))
        found.append(Gap(side, language, own, rest, own - rest, low, high, p, n))
    return found


def _values(run: RunNumbers, model: str, task: str) -> tuple[list[tuple[str, str]], Floats]:
    """Return the cells of single pools, and average precision by query id and cell, float64 [n_ids, n_cells].

    From the column of the run where its means are those of the summary; else from the ranks.
    """
    chosen = (pl.col("model") == model) & (pl.col("task") == task)
    stored = run.rankings.filter(chosen & (pl.col("pool") != MULTILINGUAL_POOL) & pl.col("ap").is_not_null())
    rows = stored.select("query_id", "query_language", "pool", "ap").collect()
    ids = _ids(run, task)
    pairs = rows.select("query_language", "pool").unique().sort("query_language", "pool")
    cells = [(str(asked), str(pool)) for asked, pool in pairs.iter_rows()]
    table = np.full((len(ids), len(cells)), np.nan)
    place = pairs.with_row_index("column")
    column = rows.join(place, on=["query_language", "pool"], how="left", maintain_order="left")["column"].to_numpy()
    row = rows["query_id"].cast(pl.Enum(ids)).to_physical().to_numpy()
    table[row, column] = rows["ap"].to_numpy()
    known = run.numbers.of(model, task)
    kept = [known.get(Key("map", setting_of(*cell), *cell)) for cell in cells]
    means = column_means(table)[0]
    if all(
        one is not None and one.value is not None and abs(one.value - mean) < _ADDS_UP
        for one, mean in zip(kept, means, strict=True)
    ):
        return cells, table
    ranked = Ranked(run.rankings.filter(chosen).select(RANKED).collect(), run.pool_sizes[task])
    (values,) = quality_values(ranked, ["map"])
    chosen_columns = [i for i, key in enumerate(values.columns) if key.passage_language != MULTILINGUAL_POOL]
    cells = [(str(values.columns[i].query_language), str(values.columns[i].passage_language)) for i in chosen_columns]
    table = np.full((len(ids), len(cells)), np.nan)
    table[np.searchsorted(ids, values.ids)] = values.values[:, chosen_columns]
    return cells, table


def _ids(run: RunNumbers, task: str) -> list[str]:
    frame = run.rankings.filter(pl.col("task") == task).select(pl.col("query_id").unique().sort()).collect()
    ids: list[str] = frame["query_id"].to_list()
    return ids
