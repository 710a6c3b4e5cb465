"""What the sampler changed in a study, where, and whether it is confirmed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import chain, product

import numpy as np
import polars as pl

from xlbias.errors import RunError
from xlbias.measures.registry import measure_of
from xlbias.results.compare import ALPHA, PERMUTATIONS, Side, Sided, compare_sided
from xlbias.results.run_numbers import RunNumbers
from xlbias.results.study.design import HEADLINES, Study, compared_arms
from xlbias.stats.multiplicity import holm

PAIR = pl.Schema({
    **dict.fromkeys(("measure", "setting"), pl.String()),
    **dict.fromkeys(("difference", "low", "high", "p"), pl.Float64()),
    "n_seeds": pl.Int64(),
    **dict.fromkeys(("source", "target", "base", "new"), pl.String()),
})  # fmt: skip
"""Columns of the differences of one source and target, not yet judged; see `contrasts`."""

_COMPARED = ("map", "rank_distance.normalised", "single_gold")


def contrasts(
    run: RunNumbers,
    study: Study,
    *,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
    tell: Callable[[str], None] = lambda _: None,
) -> pl.DataFrame:
    """Return the paired differences of every arm from the baseline, and of hybrid arms from ``cross``.

    Columns: ``source, target, base, new, measure, setting``; ``difference``, a mean over query ids and seeds, with
    ``low`` and ``high`` and ``p``, over both as crossed random factors (`xlbias.stats.seeds`), and ``n_seeds``, how
    many the smaller side has; ``p_corrected``, Holm's, over the family; ``verdict``: ``better`` or ``worse`` where
    p_corrected < .05, which confirms the difference, ``unclear`` otherwise, ``untested`` for what is in no family.

    The family is all rows that the plan names as primary contrasts; where it names none, all rows of one measure and
    setting. With one seed there is no p: nothing can be said of samplers then. A measure whose direction is neither
    good nor bad is called better where it falls (the gap between own and other languages).
    """
    parts = []
    for source, target in product(study.sources, study.targets):
        tell(f"comparing samplers: {source} to {target}")
        parts.append(pair_contrasts(run, study, source, target, permutations=permutations, seed=seed))
    return judged(run, study, parts)


def pair_contrasts(
    run: RunNumbers, study: Study, source: str, target: str, *, permutations: int = PERMUTATIONS, seed: int = 0
) -> pl.DataFrame:
    """Return the differences of one source and target, not yet judged: columns as PAIR. Takes seconds."""
    arms = compared_arms(study, source)
    sides = {
        arm: Sided(Side(run, study.of(source, arm)), target, _COMPARED)
        for arm in dict.fromkeys(chain.from_iterable(arms))
    }
    parts = [pl.DataFrame(schema=PAIR)]
    for base, new in arms:
        frame = compare_sided(sides[base], sides[new], False, permutations, seed)
        about = {"source": source, "target": target, "base": base.label, "new": new.label}
        chosen = frame.join(_headline_frame(), on=["measure", "setting"], how="semi", maintain_order="left")
        p = pl.when(pl.col("n_seeds") > 1).then("p").alias("p")
        parts.append(
            chosen.select("measure", "setting", "difference", "low", "high", p, "n_seeds").with_columns(
                pl.lit(value).alias(name) for name, value in about.items()
            )
        )
    return pl.concat(parts)


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
    missing = Counter(
        _family(study, base.label, new.label, *headline)
        for source, _ in to_come
        for base, new in compared_arms(study, source)
        for headline in HEADLINES
    )
    columns = ["base", "new", "measure", "setting"]
    family = pl.Series("family", [_family(study, *row) for row in whole.select(columns).iter_rows()], dtype=pl.String)
    return _with_verdicts(_with_holm(whole.with_columns(family), missing)).drop("family", "p_least")


def _family(study: Study, base: str, new: str, measure: str, setting: str) -> str | None:
    """Return the name of the family that a row belongs to, None where it is not tested."""
    if study.primary:
        return "primary" if (base, new, measure, setting) in study.primary else None
    return f"{measure} {setting}"


def _headline_frame() -> pl.DataFrame:
    return pl.DataFrame(list(HEADLINES), schema={"measure": pl.String, "setting": pl.String}, orient="row")


def _with_holm(frame: pl.DataFrame, missing: Mapping[str | None, int]) -> pl.DataFrame:
    """Add ``p_corrected``, the most that it can become, and ``p_least``, the least: the same where nothing is missing.

    `missing` counts the rows of each family that are still to come.
    """
    most, least = (np.full(frame.height, np.nan) for _ in range(2))
    p = frame["p"].fill_null(np.nan).to_numpy()
    for family in frame["family"].drop_nulls().unique(maintain_order=True):
        rows = np.flatnonzero((frame["family"] == family).fill_null(value=False))
        most[rows] = holm(np.concatenate([p[rows], np.ones(missing.get(family, 0))]))[: len(rows)]
        least[rows] = holm(p[rows])
    return frame.with_columns(
        pl.Series("p_corrected", most, nan_to_null=True), pl.Series("p_least", least, nan_to_null=True)
    )


def _with_verdicts(frame: pl.DataFrame) -> pl.DataFrame:
    falls = [measure for measure, _ in HEADLINES if measure_of(measure).better != "high"]
    sign = pl.when(pl.col("measure").is_in(falls)).then(-1.0).otherwise(1.0)
    confirmed, can_be = (pl.col(end) < ALPHA for end in ("p_corrected", "p_least"))
    up = pl.col("difference") * sign > 0
    verdict = (
        pl.when(pl.col("family").is_null()).then(pl.lit("untested"))
        .when(confirmed & up).then(pl.lit("better"))
        .when(confirmed & ~up).then(pl.lit("worse"))
        .when(can_be).then(pl.lit("open"))
        .otherwise(pl.lit("unclear"))
    )  # fmt: skip
    return frame.with_columns(verdict.alias("verdict"))
