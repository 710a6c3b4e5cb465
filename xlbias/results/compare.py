"""Two encoders on one task: paired differences per query id, their intervals, and whether they are significant.

Translations of a query are not independent, so query ids, or documents that hold several of them, are what is drawn and
what signs are flipped of. Where both sides are several encoders, the seeds of one training, ids and seeds are crossed
random factors. p-values are corrected over the whole family that they belong to, whatever of it is asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import polars as pl

from xlbias.choices import listed, suggestion
from xlbias.errors import RunError, UsageError
from xlbias.measures.ragged import Bools, Floats, Ints
from xlbias.measures.registry import SIDES, all_measures, measure_of, measures
from xlbias.results.documents import documents_of_ids
from xlbias.results.per_query import RANKED, Aggregate, Key, Ranked, Values, bias_values, quality_values
from xlbias.results.run_numbers import RunNumbers
from xlbias.results.summary import OVERALL, aggregated, bounds_of, joined, replicates_for
from xlbias.runs.run_info import TaskInfo
from xlbias.stats.bootstrap import bootstrap_intervals, by_unit
from xlbias.stats.friedman import Concordance, Concordances
from xlbias.stats.max_t import flip_tests
from xlbias.stats.means import column_means
from xlbias.stats.multiplicity import benjamini_hochberg, holm
from xlbias.stats.paired import cohens_dz, outcomes, paired_t
from xlbias.stats.seeds import crossed
from xlbias.stopping import piece

PERMUTATIONS = 10_000

ALPHA = 0.05
"""A difference is significant where its p, corrected over its family, is below."""

Unit = Literal["id", "document"]
"""What is drawn and what signs are flipped of: query ids, or the documents that their answers stand in."""

Cells = bool | Collection[str]
"""Which cells are compared, beside settings and overall numbers: all, none, or those of the measures named."""

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
    "p_corrected": pl.Float64(),
    "p_holm": pl.Float64(),
    "p_bh": pl.Float64(),
    "p_t": pl.Float64(),
    "effect_size": pl.Float64(),
    "n_better": pl.Int64(),
    "n_equal": pl.Int64(),
    "n_worse": pl.Int64(),
    "n_ids": pl.Int64(),
    "n_units": pl.Int64(),
    "n_seeds": pl.Int64(),
    "one_training": pl.Boolean(),
    "least": pl.Float64(),
    "most": pl.Float64(),
    "base_least": pl.Float64(),
    "base_most": pl.Float64(),
    "new_least": pl.Float64(),
    "new_most": pl.Float64(),
}
"""Columns of a comparison. `difference` is new − base, over the `n_ids` query ids that both sides have, in `n_units`
ids or documents; `n_seeds` is how many trainings the smaller side has. `one_training`: a side is a training with one
seed, so that a difference is one of these encoders and says nothing of their samplers.

With one training on a side, `low` and `high` are its 95% bootstrap interval and `p` is of the sign-flip test;
`p_corrected` is corrected over the family by step-down max-T. With several on both sides, interval and `p` are of
Student's t with ids and seeds as crossed random factors, and `p_corrected` is Holm's. A family is the cells of one
measure, or all numbers that are no cells. `p_holm` and `p_bh` are there for comparison with papers; `p_t` is of a
paired t-test over ids; `effect_size` is Cohen's d_z. `n_better`, `n_equal` and `n_worse` count ids; better is up where
a measure says neither. Null where a number is no mean over ids.

Where ranks of a side are censored, a number has bounds, `base_least` to `base_most` for one of the base, and a
difference lies from `least` to `most`: both are without value and interval then. It is tested where its bounds have one
sign, with every id's value at the end that is nearest to 0; else it is not."""

BOUNDS = ("least", "most", "base_least", "base_most", "new_least", "new_most")
"""The columns that are about censored numbers."""

_KEY = list(Key._fields)
_ADDS_UP = 1e-6
_HELD = 64_000_000  # replicates of measures side by side: 512 MB
_FLIPPED = 16_000_000  # values per query id of families that are tested side by side: 128 MB

_Pair = tuple[list[Values], list[Values]]
"""The values of one measure: of the encoders of the base, and of the new side."""


@dataclass(frozen=True, eq=False)
class Side:
    """One side of a comparison: one encoder of a run, or several that stand for one, such as seeds."""

    run: RunNumbers
    models: tuple[str, ...]

    def check(self, task: str) -> None:
        """Raise RunError unless the run has these encoders and this task."""
        known = [model.name for model in self.run.models]
        for model in self.models:
            if self.models.count(model) > 1:
                raise RunError(f"{self.run.path}: {model!r} is named twice on one side; expected other seeds")
            if model not in known:
                raise RunError(
                    f"{self.run.path}: no encoder {model!r}{suggestion(model, known)}; choose from {listed(known)}"
                )
        tasks = [entry.name for entry in self.run.tasks]
        if task not in tasks:
            raise RunError(f"{self.run.path}: no task {task!r}{suggestion(task, tasks)}; choose from {listed(tasks)}")

    @property
    def trained(self) -> bool:
        """Whether an encoder of it is a training of this tool, and so one of several that its recipe may give."""
        return any(model.name in self.models and model.card.sampler is not None for model in self.run.models)

    def task(self, name: str) -> TaskInfo:
        """Return what the run says of a task."""
        return next(entry for entry in self.run.tasks if entry.name == name)


class Sided:
    """The values of one side on one task, per query id, of each of its encoders."""

    def __init__(self, side: Side, task: str, names: Collection[str] | None) -> None:
        self.side, self.name, self.names = side, task, names

    @cached_property
    def of_encoders(self) -> list[dict[str, Values]]:
        """Values by measure, of each encoder."""
        return [self._of(model) for model in self.side.models]

    def _of(self, model: str) -> dict[str, Values]:
        piece()
        chosen = (pl.col("model") == model) & (pl.col("task") == self.name)
        rankings = self.side.run.rankings.filter(chosen).select(RANKED).collect()
        if rankings.is_empty():
            raise RunError(f"{self.side.run.path}: {model!r} has not been evaluated on {self.name!r}")
        ranked = Ranked(rankings, self.side.run.pool_sizes[self.name])
        return {
            table.measure: table for table in (*quality_values(ranked, self.names), *bias_values(ranked, self.names))
        }

    @cached_property
    def alignments(self) -> list[dict[str, Values]]:
        """Alignment by measure, of each encoder: one column, a row per id that all encoders have.

        Without what does not add up to the number of the summary, as earlier versions kept other values of ids where a
        translation was missing: such a number is compared as it stands.
        """
        chosen = pl.col("model").is_in(self.side.models) & (pl.col("task") == self.name)
        wanted = pl.col("measure").is_in(self._adding_up(chosen))
        rows = (
            self.side.run.alignments.filter(chosen & wanted)
            .filter(pl.len().over("measure", "query_id") == len(self.side.models))
            .sort("measure", "query_id")
            .collect()
        )
        return [self._alignments_of(rows.filter(pl.col("model") == model)) for model in self.side.models]

    def _adding_up(self, chosen: pl.Expr) -> list[str]:
        """Return the measures of alignment, of those asked for, whose values by id have the summary's as their mean."""
        means = (
            self.side.run.alignments.filter(chosen).group_by("model", "measure").agg(pl.col("value").mean()).collect()
        )
        stored = self.side.run.summary.filter(chosen & OVERALL).select("model", "measure", stored="value")
        both = means.join(stored, on=["model", "measure"], how="left")
        other = both.filter(~((pl.col("value") - pl.col("stored")).abs() < _ADDS_UP).fill_null(False))["measure"]
        names = (
            both["measure"] if self.names is None else both["measure"].filter(both["measure"].is_in(list(self.names)))
        )
        return sorted(set(names) - set(other))

    def _alignments_of(self, rows: pl.DataFrame) -> dict[str, Values]:
        found = {}
        for (name,), part in rows.group_by("measure", maintain_order=True):
            ids, values = tuple(part["query_id"].to_list()), part["value"].to_numpy().reshape(-1, 1)
            found[str(name)] = Values(ids, (Key(str(name)),), values, np.zeros(1, dtype=np.int64), ())
        return found

    @cached_property
    def documents(self) -> dict[str, int]:
        """Which unit each query id belongs to where documents are the units: those that share a document are one."""
        return documents_of_ids(self.side.run, self.name)


def compare(
    base: Side,
    new: Side,
    task: str,
    *,
    measures: Collection[str] | None = None,
    cells: Cells = True,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
    unit: Unit = "id",
) -> pl.DataFrame:
    """Return the paired differences of two sides on one task; columns as COMPARISON_SCHEMA.

    Args:
        base: what is compared with.
        new: what is compared.
        task: the task's name, the same in both runs.
        measures: names, by default all; `single_gold.gap` comes with ``single_gold``, Kendall's W with
            ``language_rank``, alignment is named ``passages.NAME`` and ``queries.NAME``. They say what is returned: a
            p-value is corrected over its whole family in any case.
        cells: whether to compare every cell, beside settings and overall numbers; or names of the measures whose cells
            are, which is much sooner where there are many languages.
        permutations: sign flips of the test; p is at least 1 / (permutations + 1).
        seed: of the flips and of the bootstrap.
        unit: what is drawn and flipped: query ids, or the documents that hold them.

    Raises RunError where a model or the task is not there, or where the tasks are not the same, text by text, or
    where documents are asked for and not known.
    """
    _check(base, task, measures)
    _check(new, task, measures)
    frame = compare_sided(Sided(base, task, None), Sided(new, task, None), cells, permutations, seed, unit)
    if measures is None:
        return frame
    come_with = [other for name, other in _COMES_WITH.items() if name in measures]
    return frame.filter(pl.col("measure").is_in([*measures, *come_with]))


_COMES_WITH = {"single_gold": "single_gold.gap", "language_rank": "kendall_w"}


def compare_measure(base: Side, new: Side, task: str, measure: str) -> pl.DataFrame:
    """Return the differences of one measure alone, sooner: the family of its numbers that are no cells is itself."""
    _check(base, task, [measure])
    _check(new, task, [measure])
    return compare_sided(Sided(base, task, [measure]), Sided(new, task, [measure]), True, PERMUTATIONS, 0)


def compare_sided(
    base: Sided, new: Sided, cells: Cells, permutations: int, seed: int, unit: Unit = "id"
) -> pl.DataFrame:
    """Return the same of values that are at hand: see `compare`."""
    task = base.name
    prints = [side.side.task(task).fingerprint for side in (base, new)]
    if prints[0] != prints[1]:
        raise RunError(f"the task {task!r} is not the same in {base.side.run.path} and {new.side.run.path}")
    units = base.documents if unit == "document" else None
    parts = []
    for ours, theirs in ((base.of_encoders, new.of_encoders), (base.alignments, new.alignments)):
        pairs = [_shared([one[name] for one in ours], [one[name] for one in theirs])
                 for name in ours[0] if all(name in one for one in (*ours, *theirs))]  # fmt: skip
        for ids in dict.fromkeys(ours[0].ids for ours, _ in pairs):  # alignment of passages has ids of its own
            group = [pair for pair in pairs if pair[0][0].ids == ids]
            for some in _side_by_side(group):
                piece()
                sides = [[joined([pair[i][s] for pair in some]) for s in range(len(some[0][i]))] for i in range(2)]
                parts.append(_differences(sides[0], sides[1], cells, seed, units))
    frame = _corrected(parts, permutations, seed, units)
    frame = pl.concat([frame, _others(base, new, frame)])
    once = (base.side.trained or new.side.trained) and min(len(base.side.models), len(new.side.models)) == 1
    about = {"task": pl.lit(task), "one_training": pl.lit(once)}
    return frame.with_columns(**about).select(list(COMPARISON_SCHEMA))


def _side_by_side(pairs: Sequence[_Pair]) -> Iterator[Sequence[_Pair]]:
    """Yield the values of measures in groups whose replicates are held at once: the draws are made once for a group."""
    waiting: list[_Pair] = []
    held = 0
    for pair in pairs:
        first = pair[0][0]
        size = first.values.shape[1] * _replicates(first)
        if waiting and held + size > _HELD:
            yield waiting
            waiting, held = [], 0
        waiting.append(pair)
        held += size
    if waiting:
        yield waiting


def _replicates(values: Values) -> int:
    """Return how many times to draw: of 100 languages as few as the summary does."""
    most_cells = max(Counter(key.measure for key in values.columns).values(), default=1)
    return replicates_for(len(values.ids), most_cells)


def _of_one_side() -> list[str]:
    """Return the measures of what an encoder has seen or read: facts of a side, see `xlbias.results.caveats`."""
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
        numbers = {"": pl.col("value"), "_least": pl.coalesce("least", "value"), "_most": pl.coalesce("most", "value")}
        means = (one.mean().alias(f"{name}{end}") for end, one in numbers.items())
        values.append(chosen.group_by(keys, maintain_order=True).agg(means))
    both = values[0].join(values[1], on=keys, nulls_equal=True, maintain_order="left")
    rest = both.join(compared, on=keys, how="anti", nulls_equal=True, maintain_order="left").with_columns(
        (pl.col("new") - pl.col("base")).alias("difference"),
        *(pl.lit(None, dtype=pl.String).alias(name) for name in _KEY[2:]),
        *(pl.lit(None, dtype=pl.Float64).alias(name) for name in ("low", "high")),
        (pl.col("new_least") - pl.col("base_most")).alias("least"),
        (pl.col("new_most") - pl.col("base_least")).alias("most"),
    )
    exact = pl.col("difference").is_not_null()
    rest = rest.with_columns(pl.when(~exact).then(name).alias(name) for name in BOUNDS)
    return _filled(rest).select(compared.columns)


def _check(side: Side, task: str, measures: Collection[str] | None) -> None:
    side.check(task)
    for name in measures or ():
        try:
            measure_of(name)
        except KeyError:
            close = suggestion(name, all_measures())
            raise UsageError(f"unknown measure {name!r}{close}; `xlbias measures` lists them") from None


@dataclass(frozen=True, eq=False)
class _Part:
    """Rows of a comparison that are means over the same ids, or none of them is.

    `base` and `new` are what each id adds to each row, float64 [n_seeds, n_ids, n_rows]: None where they are no means.
    """

    frame: pl.DataFrame
    ids: tuple[str, ...] = ()
    base: Floats | None = None
    new: Floats | None = None

    @property
    def by_id(self) -> Floats:
        """The differences of means over seeds, float64 [n_ids, n_rows]."""
        assert self.base is not None and self.new is not None
        return np.asarray(self.new.mean(axis=0) - self.base.mean(axis=0))


_OF_VALUES = ("base", "new", "difference", "low", "high", "p_t", "effect_size", "n_better", "n_equal", "n_worse")
"""What a difference with bounds has not."""


def _differences(
    base: Sequence[Values], new: Sequence[Values], cells: Cells, seed: int, units: dict[str, int] | None
) -> _Part:
    """Compare values of the same ids and columns, one of each encoder."""
    if all(one.most is None for one in (*base, *new)):
        return _of_values(base, new, cells, seed, units)
    lows = [[replace(one, most=None) for one in side] for side in (base, new)]
    highs = [
        [replace(one, values=one.values if one.most is None else one.most, most=None) for one in side]
        for side in (base, new)
    ]
    least = _of_values(highs[0], lows[1], cells, seed, units)
    most = _of_values(lows[0], highs[1], cells, seed, units)
    return _between(least, most, _censored_rows(base, new, cells), _gap_bounds(base, new, cells))


def _is_asked(key: Key, cells: Cells) -> bool:
    """Return whether a number is compared: whatever is no cell is."""
    return key[2:] == (None, None) or (cells if isinstance(cells, bool) else key.measure in cells)


def _rows_of(about: Values, cells: Cells) -> tuple[list[int], list[Aggregate], list[int]]:
    """Return the columns, the aggregates and the blocks that rows of a comparison are of, in their order."""
    return (
        [i for i, key in enumerate(about.columns) if _is_asked(key, cells)],
        [one for one in about.aggregates if _is_asked(one.key, cells)],
        [i for i, one in enumerate(about.blocks) if _is_asked(one.key, cells)],
    )


def _censored_rows(base: Sequence[Values], new: Sequence[Values], cells: Cells) -> Bools:
    """Return which rows of a comparison have bounds, bool [n_rows]."""
    columns, linear, blocks = _rows_of(base[0], cells)
    censored = np.any([one.censored for one in (*base, *new)], axis=0)
    found = [*censored[columns], *(censored[[*one.columns, *one.minus]].any() for one in linear)]
    return np.array([*found, *[False] * len(blocks)], dtype=np.bool_)


def _gap_bounds(base: Sequence[Values], new: Sequence[Values], cells: Cells) -> dict[int, list[tuple[float, float]]]:
    """Return the bounds of base and new of every row that is a difference of means itself: these are not tested."""
    columns, linear, _ = _rows_of(base[0], cells)
    found: dict[int, list[tuple[float, float]]] = {}
    for i, one in enumerate(linear, len(columns)):
        if one.minus:
            sides = []
            for side in (base, new):
                ends = [
                    [column_means(values)[0] for values in (v.values, v.values if v.most is None else v.most)]
                    for v in side
                ]
                bounds = np.array([bounds_of(one, low, high) for low, high in ends])
                sides.append((float(bounds[:, 0].mean()), float(bounds[:, 1].mean())))
            found[i] = sides
    return found


def _between(least: _Part, most: _Part, censored: Bools, gaps: dict[int, list[tuple[float, float]]]) -> _Part:
    """Return the rows of a comparison whose values are between those of two, tested at the end nearest to 0.

    Args:
        least: with the least difference of every id.
        most: with the greatest.
        censored: bool [n_rows], which differ in them.
        gaps: bounds of base and new of rows that are not tested.
    """
    ends = np.column_stack([part.frame["difference"].fill_null(np.nan).to_numpy() for part in (least, most)])
    sides = np.column_stack(
        [part.frame[name].fill_null(np.nan).to_numpy() for name in ("base", "new") for part in (most, least)]
    )  # base at least and at most, new at most and at least
    for i, (of_base, of_new) in gaps.items():
        sides[i] = (*of_base, of_new[1], of_new[0])
        ends[i] = of_new[0] - of_base[1], of_new[1] - of_base[0]
    untestable = np.array([i in gaps for i in range(len(censored))])
    above, below = censored & (ends[:, 0] > 0) & ~untestable, censored & (ends[:, 1] < 0) & ~untestable
    tested = []
    for one, other in ((least.base, most.base), (least.new, most.new)):
        assert one is not None and other is not None
        chosen = np.where(below, other, one)
        chosen[:, :, censored & ~above & ~below] = np.nan
        tested.append(chosen)
    frame = least.frame.with_columns(
        pl.when(pl.Series(below)).then(most.frame["p"]).otherwise(least.frame["p"]).alias("p"),
        *(
            pl.when(pl.Series(censored)).then(pl.Series(values, nan_to_null=True)).alias(name)
            for name, values in zip(
                ("least", "most", "base_least", "base_most", "new_most", "new_least"), [*ends.T, *sides.T], strict=True
            )
        ),
    )
    known = {"base": sides[:, 0] == sides[:, 1], "new": sides[:, 2] == sides[:, 3]}
    gone = [pl.when(pl.Series(~censored | known.get(name, np.False_))).then(name).alias(name) for name in _OF_VALUES]
    undecided = pl.Series(censored & ~above & ~below)
    frame = frame.with_columns(*gone, pl.when(~undecided).then("p").alias("p"))
    return _Part(frame.select(least.frame.columns), least.ids, tested[0], tested[1])


def _of_values(
    base: Sequence[Values], new: Sequence[Values], cells: Cells, seed: int, units: dict[str, int] | None
) -> _Part:
    """Compare values that are all exact."""
    about = base[0]
    gone = np.any([np.isnan(one.values) for one in (*base, *new)], axis=0)
    stacked = [np.stack([np.where(gone, np.nan, one.values) for one in side]) for side in (base, new)]
    means = [side.mean(axis=0) for side in stacked]
    columns, linear, blocks = _rows_of(about, cells)
    tested = [
        np.stack([np.hstack([one[:, columns], *(shares(one, each)[:, None] for each in linear)]) for one in side])
        for side in stacked
    ]
    clusters = None if units is None else np.array([units[one] for one in about.ids], dtype=np.int64)
    several = min(len(base), len(new)) > 1
    if several:
        found = crossed(tested[0], tested[1], clusters=clusters)
        low, high = found.low, found.high
    else:
        difference = means[1] - means[0]
        low, high = _intervals(difference, columns, linear, gone.any(), clusters, seed, _replicates(about))
    of_columns = [column_means(side)[0] for side in means]
    values = [np.concatenate([m[columns], aggregated(m[None], linear)[0]]) for m in of_columns]
    keys = [*(about.columns[i] for i in columns), *(one.key for one in linear)]
    frame = _described(_frame(keys, values[0], values[1], low, high), tested[1].mean(axis=0) - tested[0].mean(axis=0))
    n_units = (by_unit(tested[0][0], clusters)[1] > 0).sum(axis=0)
    frame = frame.with_columns(
        pl.Series("n_units", n_units), pl.lit(min(len(base), len(new)), dtype=pl.Int64).alias("n_seeds")
    )
    if several:
        frame = frame.with_columns(pl.Series("p", found.p, nan_to_null=True))
    if blocks:
        w = _filled(_w_differences(base, new, blocks, clusters, seed))
        frame = pl.concat([frame, w.select(frame.columns)])
        tested = [np.pad(side, ((0, 0), (0, 0), (0, w.height)), constant_values=np.nan) for side in tested]
    return _Part(frame, about.ids, tested[0], tested[1])


def _intervals(
    difference: Floats,
    columns: list[int],
    linear: list[Aggregate],
    gaps: bool,
    clusters: Ints | None,
    seed: int,
    replicates: int,
) -> tuple[Floats, Floats]:
    """Return the ends of bootstrap intervals of the columns, then of the aggregates."""
    n = difference.shape[1]
    if gaps or len(columns) == n:
        rest = sorted(set(range(n)).difference(columns))
        if rest:  # only the aggregates see them
            order = [*columns, *rest]
            place = np.argsort(order)
            linear = [
                replace(one, columns=tuple(place[list(one.columns)]), minus=tuple(place[list(one.minus)]))
                for one in linear
            ]
            difference = difference[:, order]
        found = bootstrap_intervals(
            difference,
            derive=lambda means: aggregated(means, linear),
            derived_from=[(*one.columns, *one.minus) for one in linear],
            hidden=len(rest),
            clusters=clusters,
            replicates=replicates,
            seed=seed,
        )
    else:  # Where every id has every cell, the mean of its shares is the aggregate in every replicate as well.
        added = [shares(difference, one)[:, None] for one in linear]
        found = bootstrap_intervals(
            np.hstack([difference[:, columns], *added]), clusters=clusters, replicates=replicates, seed=seed
        )
    return found.low, found.high


def _w_differences(
    base: Sequence[Values], new: Sequence[Values], which: Sequence[int], clusters: Ints | None, seed: int
) -> pl.DataFrame:
    """Compare Kendall's W, over the ids that all encoders have: an interval, and no p.

    W of a side is the mean over its encoders. With several on both sides the interval is over ids and seeds, of what
    each id adds to W to first order; else it is of replicates.
    """
    about = base[0]
    everyone = [*base, *new]
    gone = [np.any([np.isnan(one.blocks[i].ranks).all(axis=1) for one in everyone], axis=0)[:, None] for i in which]
    each = [
        [Concordance(np.where(away, np.nan, one.blocks[i].ranks)) for i, away in zip(which, gone, strict=True)]
        for one in everyone
    ]
    w = np.array([[one.w for one in encoder] for encoder in each])
    before, after = w[: len(base)].mean(axis=0), w[len(base) :].mean(axis=0)
    if min(len(base), len(new)) > 1:
        influences = np.stack([np.column_stack([one.influences() for one in encoder]) for encoder in each])
        ends = crossed(influences[: len(base)], influences[len(base) :], clusters=clusters)
        low, high = np.maximum(ends.low, -1), np.minimum(ends.high, 1)
    else:
        together = Concordances([one for encoder in each for one in encoder], len(about.ids), clusters)

        def difference(w: Floats) -> Floats:
            sides = w.reshape(len(w), len(everyone), len(which))
            return np.asarray(sides[:, len(base) :].mean(axis=1) - sides[:, : len(base)].mean(axis=1))

        found = bootstrap_intervals(
            together.parts,
            derive=lambda means: difference(together.of(means)),
            drawn=lambda means: difference(together.of_drawn(means)),
            derived_from=[
                [column for columns in together.columns[i :: len(which)] for column in columns]
                for i in range(len(which))
            ],
            hidden=together.parts.shape[1],
            clusters=clusters,
            replicates=_replicates(about),
            seed=seed,
        )
        low, high = found.low, found.high
    return _frame([about.blocks[i].key for i in which], before, after, low, high)


def shares(difference: Floats, aggregate: Aggregate) -> Floats:
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


def _described(frame: pl.DataFrame, differences: Floats) -> pl.DataFrame:
    """Add effect size, paired t-test and counts of ids, from each id's difference in each row, [n_ids, n_rows]."""
    signs = np.array([-1.0 if measure_of(name).better == "low" else 1.0 for name in frame["measure"]])
    counted = outcomes(differences * signs)
    return _filled(
        frame.with_columns(
            pl.Series("p_t", paired_t(differences).p, nan_to_null=True),
            pl.Series("effect_size", cohens_dz(differences), nan_to_null=True),
            pl.Series("n_better", counted.better),
            pl.Series("n_equal", counted.equal),
            pl.Series("n_worse", counted.worse),
            pl.Series("n_ids", (~np.isnan(differences)).sum(axis=0)),
        )
    )


def _filled(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with every column of a comparison, null where it has none."""
    return frame.with_columns(
        pl.lit(None, dtype=dtype).alias(name) for name, dtype in COMPARISON_SCHEMA.items() if name not in frame.columns
    )


def _shared(base: Sequence[Values], new: Sequence[Values]) -> tuple[list[Values], list[Values]]:
    """Return both sides with the ids that all of their encoders have. Raises RunError for other columns."""
    first = base[0]
    everyone = [*base, *new]
    if any(one.columns != first.columns for one in everyone):
        raise RunError(f"{first.measure}: the two runs were not evaluated on the same languages")
    if all(one.ids == first.ids for one in everyone):
        return list(base), list(new)
    common = set(first.ids).intersection(*(one.ids for one in everyone))
    ids = [one for one in first.ids if one in common]
    return [_rows(one, ids) for one in base], [_rows(one, ids) for one in new]


def _rows(values: Values, ids: list[str]) -> Values:
    place = {one: i for i, one in enumerate(values.ids)}
    rows: Ints = np.array([place[one] for one in ids], dtype=np.int64)
    blocks = tuple(replace(one, ranks=one.ranks[rows]) for one in values.blocks)
    most = None if values.most is None else values.most[rows]
    return replace(values, ids=tuple(ids), values=values.values[rows], blocks=blocks, most=most)


def _corrected(parts: Sequence[_Part], permutations: int, seed: int, units: dict[str, int] | None) -> pl.DataFrame:
    """Return all rows with their p-values: over the cells of a measure, and over all numbers that are no cells."""
    if not parts:
        return pl.DataFrame(schema=COMPARISON_SCHEMA)
    frame = pl.concat([part.frame for part in parts])
    cell = pl.col("query_language").is_not_null() | pl.col("passage_language").is_not_null()
    named = frame.select(pl.when(cell).then(pl.col("measure")).otherwise(pl.lit("")).alias("family"))["family"]
    family = named.rank("dense").cast(pl.Int64).to_numpy()
    if frame["n_seeds"].max() == 1:
        p, corrected = _flipped(parts, family, permutations, seed, units)
    else:
        p = frame["p"].fill_null(np.nan).to_numpy()
        corrected = _by_family(holm, p, family)
    columns = {"p": p, "p_corrected": corrected, "p_holm": _by_family(holm, p, family)}
    columns["p_bh"] = _by_family(benjamini_hochberg, p, family)
    return frame.with_columns(pl.Series(name, values, nan_to_null=True) for name, values in columns.items())


def _flipped(
    parts: Sequence[_Part], family: Ints, permutations: int, seed: int, units: dict[str, int] | None
) -> tuple[Floats, Floats]:
    """Return the p-values of sign flips of every row, alone and corrected over its family.

    All flip the same signs, also where ids differ.
    """
    ids = sorted(set().union(*(part.ids for part in parts)))
    clusters = None if units is None else np.array([units[one] for one in ids], dtype=np.int64)
    place = {one: i for i, one in enumerate(ids)}
    of_parts = [(np.array([place[one] for one in part.ids], dtype=np.int64), part.by_id) for part in parts]
    part_of = np.repeat(np.arange(len(parts)), [by_id.shape[1] for _, by_id in of_parts])
    column = np.concatenate([np.arange(by_id.shape[1]) for _, by_id in of_parts])
    p, corrected = np.empty(len(family)), np.empty(len(family))
    for chosen in _families_together(family, _FLIPPED // max(len(ids), 1)):
        together = np.full((len(ids), len(chosen)), np.nan)
        for i in np.unique(part_of[chosen]):
            here = np.flatnonzero(part_of[chosen] == i)
            rows, by_id = of_parts[i]
            together[np.ix_(rows, here)] = by_id[:, column[chosen[here]]]
        tests = flip_tests(together, family[chosen], clusters=clusters, permutations=permutations, seed=seed)
        p[chosen], corrected[chosen] = tests.p, tests.p_family
    return p, corrected


def _families_together(family: Ints, most: int) -> Iterator[Ints]:
    """Yield the places of whole families, in order, as many rows at a time as `most`, at least one family."""
    names, sizes = np.unique(family, return_counts=True)
    groups: list[list[int]] = [[]]
    held = 0
    for name, size in zip(names.tolist(), sizes.tolist(), strict=True):
        if groups[-1] and held + size > most:
            groups.append([])
            held = 0
        groups[-1].append(name)
        held += size
    for group in groups:
        yield np.flatnonzero(np.isin(family, group))


def _by_family(correct: Callable[[Floats], Floats], p: Floats, family: Ints) -> Floats:
    adjusted = np.empty(len(p))
    for one in np.unique(family):
        adjusted[family == one] = correct(p[family == one])
    return adjusted
