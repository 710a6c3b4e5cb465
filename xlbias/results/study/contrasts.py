"""What the sampler changed in a study, where, and whether it is confirmed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import product

import numpy as np
import polars as pl

from xlbias.cells import PAIRS, Cells
from xlbias.errors import RunError
from xlbias.measures.registry import measure_of
from xlbias.results.compare import ALPHA
from xlbias.results.run_numbers import RunNumbers
from xlbias.results.study.by_id import ById, NumbersById, aligned
from xlbias.results.study.design import HEADLINES, REFERENCE, Arm, Headline, Study, compared_arms
from xlbias.results.summary import replicates_for
from xlbias.stats.bootstrap import bootstrap_intervals, by_unit
from xlbias.stats.means import column_means
from xlbias.stats.multiplicity import holm
from xlbias.stats.seeds import crossed, equivalence

PAIR = pl.Schema({
    **dict.fromkeys(("measure", "setting", "cells"), pl.String()),
    **dict.fromkeys(("difference", "low", "high", "p", "p_within"), pl.Float64()),
    "n_seeds": pl.Int64(),
    "n_units": pl.Int64(),
    **dict.fromkeys(("source", "target", "base", "new"), pl.String()),
})  # fmt: skip
"""Columns of the differences of one source and target, not yet judged; see `contrasts`."""


def contrasts(
    run: RunNumbers,
    study: Study,
    *,
    numbers: NumbersById | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> pl.DataFrame:
    """Return the paired differences of every arm from the baseline, of hybrid arms from ``cross``, and of all from the
    untrained encoder where there is one.

    Columns: ``source, target, base, new, measure, setting``; ``cells``, all or those of languages that the source
    trains in, where those are fewer; ``difference``, a mean over query ids and seeds, with ``low`` and ``high`` and
    ``p``, over both as crossed random factors (`xlbias.stats.seeds`), ``n_seeds``, how many the smaller side has, and
    ``n_units``, how many ids are drawn, or documents where the target names some (`xlbias.results.documents`);
    ``p_corrected``, Holm's, over the family; ``verdict``: ``better`` or ``worse`` where p_corrected < .05, which
    confirms the difference; ``equal`` where ``p_within``, corrected in the same way, is: it lies within the margin that
    the plan gives; ``unclear`` otherwise, ``untested`` for what is in no family. ``within``: it is sure to lie within
    that margin, also where it is confirmed.

    The family is all rows that the plan names as primary contrasts of pairs; where it names no primary contrast, all
    rows of one measure, setting and kind of cells. With one seed there is no p: nothing can be said of samplers then,
    and the interval is over query ids. A measure whose direction is neither good nor bad is called better where it
    falls (the gap between own and other languages).
    """
    numbers = numbers or NumbersById(run, study)
    parts = []
    for source, target in product(study.sources, study.targets):
        tell(f"comparing samplers: {source} to {target}")
        parts.append(pair_contrasts(run, study, source, target, numbers=numbers))
    return judged(run, study, parts)


def pair_contrasts(
    run: RunNumbers, study: Study, source: str, target: str, *, numbers: NumbersById | None = None
) -> pl.DataFrame:
    """Return the differences of one source and target, not yet judged: columns as PAIR. Takes seconds."""
    numbers = numbers or NumbersById(run, study)
    rows = []
    for base, new in compared_arms(study, source):
        ours, theirs = (numbers.of(source, arm, target) for arm in (base, new))
        for (headline, cells), one in ours.items():
            if (headline, cells) not in theirs:
                continue
            planned = study.planned(base, new, headline, PAIRS, cells)
            before, after = aligned([one, theirs[headline, cells]])
            found = _difference(before, after, planned.margin if planned else None, fixed=base == REFERENCE)
            rows.append((*headline, cells, *found, source, target, base.label, new.label))
    frame = pl.DataFrame(rows, schema=PAIR, orient="row")
    return frame.with_columns(pl.col(pl.Float64).fill_nan(None))


def _difference(
    base: ById, new: ById, margin: float | None, *, fixed: bool
) -> tuple[float, float, float, float, float, int, int]:
    """Return ``difference, low, high, p, p_within, n_seeds, n_units``; with a `fixed` base, which is no training."""
    n_seeds = len(new.values) if fixed else min(len(base.values), len(new.values))
    by_id = (new.values.mean(axis=0) - base.values.mean(axis=0))[:, None]
    n_units = int((by_unit(by_id, new.units)[1] > 0).sum())
    if n_seeds > 1:
        found = crossed(base.values[..., None], new.values[..., None], clusters=new.units, fixed=fixed)
        within = float(equivalence(found, margin)[0]) if margin is not None else np.nan
        difference, low, high, p = (float(one[0]) for one in (found.difference, found.low, found.high, found.p))
        return difference, low, high, p, within, n_seeds, n_units
    ends = bootstrap_intervals(by_id, clusters=new.units, replicates=replicates_for(len(by_id)))
    difference, low, high = float(column_means(by_id)[0][0]), float(ends.low[0]), float(ends.high[0])
    return difference, low, high, np.nan, np.nan, n_seeds, n_units


def judged(
    run: RunNumbers, study: Study, parts: Sequence[pl.DataFrame], *, to_come: Sequence[tuple[str, str]] = ()
) -> pl.DataFrame:
    """Return the verdicts on the differences of pairs, see `contrasts`.

    Where pairs of source and target are still `to_come`, ``p_corrected`` is the most that it can become, and the
    verdict is ``open`` where it depends on them; all other verdicts stay.
    """
    whole = pl.concat(parts) if parts else pl.DataFrame(schema=PAIR)
    if whole.is_empty():
        raise RunError(f"{run.path}: the study has nothing to compare yet")
    tasks = {task.name: task for task in run.tasks}
    missing = Counter(
        _family(study, base, new, headline, cells)
        for source, target in to_come
        for base, new in compared_arms(study, source)
        for headline in HEADLINES
        for cells in study.cells(source, tasks.get(target))
    )
    arms = {arm.label: arm for arm in (*study.arms, REFERENCE)}
    columns = ["base", "new", "measure", "setting", "cells"]
    families = [
        _family(study, arms[base], arms[new], (measure, setting), cells)
        for base, new, measure, setting, cells in whole.select(columns).iter_rows()
    ]
    return with_verdicts(whole, families, missing)


def _family(study: Study, base: Arm, new: Arm, headline: Headline, cells: Cells) -> str | None:
    """Return the name of the family that a row belongs to, None where it is not tested."""
    if study.primary:
        return "primary" if study.planned(base, new, headline, PAIRS, cells) else None
    return f"{headline} {cells}"


def with_verdicts(
    frame: pl.DataFrame, families: Sequence[str | None], missing: Mapping[str | None, int] | None = None
) -> pl.DataFrame:
    """Add ``p_corrected``, Holm's over each family, ``verdict`` and ``within``; see `contrasts`.

    Args:
        frame: with ``measure, difference, p, p_within``.
        families: the family of each row; None: not tested.
        missing: how many rows of each family are still to come.
    """
    family = pl.Series("family", list(families), dtype=pl.String)
    most, least, within = (np.full(frame.height, np.nan) for _ in range(3))
    p, p_within = (frame[name].fill_null(np.nan).to_numpy() for name in ("p", "p_within"))
    for one in family.drop_nulls().unique(maintain_order=True):
        rows = np.flatnonzero((family == one).fill_null(value=False))
        to_come = np.ones((missing or {}).get(one, 0))
        most[rows] = holm(np.concatenate([p[rows], to_come]))[: len(rows)]
        least[rows] = holm(p[rows])
        within[rows] = holm(np.concatenate([p_within[rows], to_come]))[: len(rows)]
    falls = [measure for measure, _ in HEADLINES if measure_of(measure).better != "high"]
    up = (frame["difference"] > 0) != frame["measure"].is_in(falls)
    confirmed, can_be, equal = (pl.Series(values < ALPHA) for values in (most, least, within))
    verdict = (
        pl.when(family.is_null()).then(pl.lit("untested"))
        .when(confirmed & up).then(pl.lit("better"))
        .when(confirmed).then(pl.lit("worse"))
        .when(equal).then(pl.lit("equal"))
        .when(can_be).then(pl.lit("open"))
        .otherwise(pl.lit("unclear"))
    )  # fmt: skip
    corrected = pl.Series("p_corrected", most, nan_to_null=True)
    return frame.with_columns(corrected, verdict.alias("verdict"), equal.alias("within"))
