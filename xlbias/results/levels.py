"""Reference levels: what a number of a run is read beside.

Chance, the expectation in a random order of the same pools, in closed form; the encoder that another one was trained
from, where the run has it; and what papers printed for the same pools.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Literal
from weakref import WeakKeyDictionary

import numpy as np
import polars as pl

from xlbias.measures import chance
from xlbias.measures.registry import measures
from xlbias.results.per_query import Key
from xlbias.results.published import MEAN, rows_for, sources
from xlbias.results.run_numbers import RunNumbers
from xlbias.runs.run_info import ModelInfo, TaskInfo
from xlbias.runs.schema import MULTILINGUAL_POOL, SETTINGS, setting_of

Kind = Literal["chance", "base", "published"]


@dataclass(frozen=True)
class Level:
    """A number to read another one beside.

    Attributes:
        kind: ``chance``, ``base`` (the encoder that this one was trained from) or ``published``.
        name: what to call it, such as ``chance``, the name of an encoder, or that of a paper's encoder and sampler.
        measure: of what it is.
        setting: of which setting.
        value: the number.
        low: lower end of its 95% interval, None where there is none.
        high: upper end.
        source: where it is from: the arXiv id and table of a printed number.
    """

    kind: Kind
    name: str
    measure: str
    setting: str
    value: float
    low: float | None = None
    high: float | None = None
    source: str = ""


_Asked = tuple[tuple[float, ...], int]
"""The grades of what is relevant to a query, and how many queries have these."""

_printed: WeakKeyDictionary[RunNumbers, dict[str, tuple[Level, ...]]] = WeakKeyDictionary()
_chances: WeakKeyDictionary[RunNumbers, dict[tuple[str, tuple[str, ...]], tuple[Level, ...]]] = WeakKeyDictionary()


def levels(run: RunNumbers, model: str, task: str, wanted: Sequence[str] = ()) -> tuple[Level, ...]:
    """Return the reference levels of an encoder on a task: chance first, then its base, then printed numbers.

    `wanted` names measures; by default they are all that have a level.

    Chance is of every measure of quality that says what it is (`Measure.chance`), of normalised rank distance and of
    own-language preference; the others are of the measures that they have. Where queries are left out of their own
    pools, chance is that of the whole pool, less than 1 / N off.
    """
    about = next(one for one in run.models if one.name == model)
    on = next(one for one in run.tasks if one.name == task)
    of_papers = _printed.setdefault(run, {})
    if task not in of_papers:
        of_papers[task] = printed(on)
    rest = [one for one in (*_base(run, about, on), *of_papers[task]) if not wanted or one.measure in wanted]
    return (*chance_levels(run, on, wanted), *rest)


def chance_levels(run: RunNumbers, task: TaskInfo, wanted: Sequence[str] = ()) -> tuple[Level, ...]:
    """Return what a random order of the pools of a task gives, by measure and setting; all measures by default."""
    of_run = _chances.setdefault(run, {})
    key = (task.name, tuple(wanted))
    if key not in of_run:
        bias = [one for one in _chance_of_bias(run, task) if not wanted or one.measure in wanted]
        of_run[key] = (*_chance(run, task, [m for m in measures("quality") if not wanted or m in wanted]), *bias)
    return of_run[key]


def _chance(run: RunNumbers, task: TaskInfo, wanted: Sequence[str]) -> Sequence[Level]:
    if not wanted:
        return []
    counts = _relevants(run, task, graded=any(name.startswith("ndcg") for name in wanted))
    if counts.is_empty():
        return []
    sizes = {**task.pool_sizes, MULTILINGUAL_POOL: sum(task.pool_sizes.values())}
    pools: dict[tuple[str, str], list[_Asked]] = {}
    for asked, pool, grades, n in counts.select("query_language", "pool", "grades", "n").iter_rows():
        pools.setdefault((asked, pool), []).append((tuple(grades), n))
    cells = [(setting_of(*names), sizes.get(names[1], 0), tuple(known)) for names, known in pools.items()]
    cells = [(setting, n, known) for setting, n, known in cells if all(0 < len(grades) <= n for grades, _ in known)]
    found: list[Level] = []
    for name in wanted:
        if (of_one := measures("quality")[name].chance) is None:
            continue
        expected = cache(partial(_mean_chance, cache(of_one)))  # most pools are of one size, and asked alike
        by_setting: dict[str, list[float]] = {}
        for setting, n, known in cells:
            by_setting.setdefault(setting, []).append(expected(n, known))
        for setting in SETTINGS:
            if means := by_setting.get(setting):
                found.append(Level("chance", "chance", name, setting, float(np.mean(means))))
    return found


def _mean_chance(of_one: Callable[[int, Sequence[float]], float], n: int, known: Sequence[_Asked]) -> float:
    """Return chance in a pool of `n` passages, a mean over its queries."""
    values = [of_one(n, grades) for grades, _ in known]
    return float(np.average(values, weights=[weight for _, weight in known]))


def _chance_of_bias(run: RunNumbers, task: TaskInfo) -> Sequence[Level]:
    """Return chance of normalised rank distance and of own-language preference where translations stand in all pools.

    Where they do not, a run does not say how many translations an answer has.
    """
    languages = len(task.pool_sizes)
    defined = run.summary.filter(
        (pl.col("task") == task.name)
        & (pl.col("measure") == "same_language@1")
        & pl.col("query_language").is_null()
        & (pl.col("n") > 0)
        & (pl.col("n_excluded") == 0)
    )
    if languages < 2 or defined.is_empty():
        return []
    distance = chance.normalised_rank_distance(languages)
    return [
        Level("chance", "chance", "rank_distance.normalised", SETTINGS[2], distance),
        Level("chance", "chance", "same_language@1", SETTINGS[2], 1 / languages),
    ]


def _relevants(run: RunNumbers, task: TaskInfo, *, graded: bool) -> pl.DataFrame:
    """Return ``query_language, pool, grades, n``: how many queries have relevant passages of these grades in a pool.

    They are the same for all encoders; one that has been ranked on most of the task is asked. Grades are read only
    where they are wanted, and are 1 otherwise.
    """
    of_task = run.summary.filter((pl.col("task") == task.name) & (pl.col("measure") == "map"))
    most = of_task.group_by("model", maintain_order=True).agg(pl.col("n").sum()).sort("n", descending=True)
    if most.is_empty():
        return pl.DataFrame()
    chosen = (pl.col("task") == task.name) & (pl.col("model") == most["model"][0]) & (pl.col("n_relevant") > 0)
    rows = run.rankings.filter(chosen)
    one = pl.element().struct.field("relevance").cast(pl.Float64)
    graded = graded and rows.select((pl.col("relevants").list.eval(one).list.max() != 1).any()).collect().item()
    grades = pl.col("relevants").list.eval(one).list.sort() if graded else pl.lit(1.0).repeat_by("n_relevant")
    keys = ["query_language", "pool", "grades" if graded else "n_relevant"]
    counted = rows.select(*keys[:2], grades.alias("grades") if graded else "n_relevant").group_by(keys).len("n")
    return counted.sort(*keys).collect().with_columns(pl.col("grades") if graded else grades.alias("grades"))


def base_of(run: RunNumbers, model: ModelInfo) -> ModelInfo | None:
    """Return the encoder of the run that another one was trained from, None where the run has none of them."""
    base = (model.card.base or "").rstrip("/").rpartition("/")[2]
    return next((one for one in run.models if base and one.name == base and one.name != model.name), None)


def _base(run: RunNumbers, model: ModelInfo, task: TaskInfo) -> Sequence[Level]:
    if (base := base_of(run, model)) is None:
        return []
    known, wanted = run.numbers.of(base.name, task.name), {*measures("quality"), *measures("bias")}
    return [
        Level("base", base.name, key.measure, setting, row.value, row.low, row.high)
        for key in known
        if (setting := key.setting) is not None
        and key == Key(key.measure, setting)
        and key.measure in wanted
        and (row := known[key]).value is not None
    ]


def printed(task: TaskInfo) -> tuple[Level, ...]:
    """Return the means that papers printed for exactly the pools of a task, of the measures that are ours, too."""
    known = {*measures("quality"), *measures("bias")}
    found = []
    for source in sources():
        rows = rows_for(source, task).filter(
            pl.col("same_pools") & (pl.col("query_language") == MEAN) & pl.col("measure").is_in(known)
        )
        found += [
            Level("published", " ".join(filter(None, (row["encoder"], row["sampler"]))), row["measure"],
                  row["setting"], row["value"], source=_table(source, row['table']))
            for row in rows.iter_rows(named=True)
        ]  # fmt: skip
    return tuple(found)


def _table(source: str, table: str) -> str:
    return f"arXiv {source}, {f'table {table}' if table.isdecimal() else table}"
