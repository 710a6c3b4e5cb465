"""What the sampler changes, target by target, or one encoder against another; with the study's verdict.

The verdict is that of `xlbias.results.study.contrasts.contrasts`, which compares all pairs of source and target and so
takes minutes. Until it is there, differences are those between seeds, and nothing is confirmed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from xlbias.cells import ALL
from xlbias.dashboard.views.domains import Domains, Member, Shift, mean_cell, members_sheet
from xlbias.dashboard.views.sheet import Sheet, Spot
from xlbias.measures.measure import Measure
from xlbias.measures.registry import measure_of
from xlbias.report.numbers import (
    EMPTY,
    MARK,
    Entry,
    difference_entry,
    difference_interval,
    measured,
    probability,
    said_of_p,
    signed_text,
)
from xlbias.results.cell import Cell
from xlbias.results.matrix import difference
from xlbias.results.study.design import HEADLINES
from xlbias.results.written import named

_COUNTED = ("better", "worse", "equal", "unclear", "open", "untested")
_FINAL = {
    "better": "better, confirmed", "worse": "worse, confirmed", "equal": "equal within the margin of the plan",
    "unclear": "unclear", "open": "open: depends on the pairs to come",
    "untested": "not tested: not a primary contrast of the plan",
}  # fmt: skip
_CONFIRMED = (
    f"{MARK} confirmed: p < .05 over query ids (documents where a target names them) and trainings, "
    "corrected (Holm) over "
)
_FAMILIES = {True: "the primary contrasts of the plan", False: "all rows of the measure"}


def contrast_sheet(
    domains: Domains, shift: Shift, found: pl.DataFrame | None, remark: str = "", *, going_on: bool = False
) -> Sheet:
    """Return every sampler of a study minus its baseline, for each source and target.

    Args:
        domains: the numbers of a study.
        shift: measure and setting.
        found: the frame of `xlbias.results.study.contrasts`, or `judged` of some pairs; None where there is none.
        remark: why it is not there, or how far it is.
        going_on: whether more of it is to come, of all pairs or of some.
    """
    assert domains.study is not None
    about, base = measure_of(shift[0]), domains.study.baseline
    members = [one for one in domains.members if one.arm != base]
    tested = found is not None and shift in HEADLINES
    rows = _verdicts(found, base.label, shift) if found is not None else {}
    cells, said = [], {}
    for one in members:
        assert one.arm is not None
        line = []
        for target in domains.targets:
            row = rows.get((one.source, target, one.arm.label))
            seeds = _over_seeds(domains, one, target, shift, about)
            line.append(_tested(row, about) if row else seeds)
            said[one.name, target] = _verdict_note(row, about, going_on) if row else _untested(seeds, going_on)
        cells.append(tuple(line))
    counts = Counter(row["verdict"] for row in rows.values())
    headline = tuple(
        (verdict, Entry(f"{counts[verdict]:,}"))
        for verdict in _COUNTED
        if tested and (counts[verdict] or verdict not in ("equal", "open", "untested"))
    )
    confirmed = _CONFIRMED + _FAMILIES[bool(domains.study.primary)]
    what = confirmed if tested else "intervals are t-intervals over seeds; nothing here is tested over query ids"
    if going_on:
        what = f"Pairs are tested one by one; until then a number has its t-interval over seeds. {confirmed}"
    reading = (
        f"Each sampler minus {base.label} of the same source and seed. {_good(about)} {what[0].upper()}{what[1:]}. "
        "It holds for these sources and targets only."
    )
    if not remark and shift not in HEADLINES:
        remark = "no verdict: the study does not test this measure"
    sheet = members_sheet(
        domains, f"{named(*shift)} minus {base.label}", about, members, cells, reading, said, diverging=True
    )
    return replace(sheet, headline=headline, remark=remark)


def baseline_sheet(
    domains: Domains,
    shift: Shift,
    against: str,
    pairs: Mapping[Spot, tuple[float | None, float | None]],
    tested: Mapping[Spot, Mapping[str, Any]],
    remark: str = "",
) -> Sheet:
    """Return every encoder of a run that is no study minus the baseline.

    Args:
        domains: the numbers of the run.
        shift: measure and setting.
        against: what the baseline is called.
        pairs: by encoder and task, the baseline's number and the encoder's.
        tested: by encoder and task, the row of `xlbias.results.compare.compare`, where that is there.
        remark: how far the comparisons are.
    """
    about = measure_of(shift[0])
    cells, said = [], {}
    for one in domains.members:
        line = []
        for target in domains.targets:
            spot = (one.name, target)
            base, new = pairs.get(spot, (None, None))
            row = tested.get(spot)
            if row is not None and row["difference"] is not None:
                line.append(difference_entry(difference(row), about))
                said[spot] = f"{measured(row['base'], about)} → {measured(row['new'], about)}  " + (
                    said_of_p(row["p_corrected"])
                )
            elif base is not None and new is not None:
                line.append(difference_entry(Cell(new - base), about))
                said[spot] = f"{measured(base, about)} → {measured(new, about)}  not tested yet"
            else:
                line.append(EMPTY)
        cells.append(tuple(line))
    reading = (
        f"Encoder minus baseline, paired by query id; {MARK} p < .05 (corrected over the settings of the measure), "
        f"[low, high] 95% over ids. {_good(about)}"
    )
    if any(row["one_training"] for row in tested.values()):
        reading += " One training each: another seed may differ."
    title = f"{named(*shift)} minus {against}"
    sheet = members_sheet(domains, title, about, domains.members, cells, reading, said, diverging=True)
    return replace(sheet, remark=remark)


def _verdicts(found: pl.DataFrame, base: str, shift: Shift) -> dict[tuple[str, str, str], dict[str, Any]]:
    chosen = found.filter(
        (pl.col("base") == base) & (pl.col("measure") == shift[0]) & pl.col("setting").eq_missing(pl.lit(shift[1]))
        & (pl.col("cells") == ALL)
    )  # fmt: skip
    return {(row["source"], row["target"], row["new"]): row for row in chosen.iter_rows(named=True)}


def _tested(row: Mapping[str, Any], about: Measure) -> Entry:
    """Return a difference with the study's verdict as its mark; the interval is over ids and seeds, n is seeds."""
    confirmed = row["verdict"] in ("better", "worse")
    ends = (row["difference"], row["low"], row["high"])
    return difference_entry(Cell(*ends, row["n_seeds"], significant=confirmed), about)


def _verdict_note(row: Mapping[str, Any], about: Measure, going_on: bool) -> str:
    if row["p_corrected"] is None:
        return f"{_FINAL[row['verdict']]}{'' if row['verdict'] == 'untested' else ': no p with one seed'}"
    ends = difference_interval(row["low"], row["high"], about)
    p = probability(row["p_corrected"]).text
    return f"{_FINAL[row['verdict']]}  p {'at most ' if going_on else ''}{p}  {ends} over ids and seeds"


def _untested(seeds: Entry, going_on: bool) -> str:
    if seeds.value is None:
        return ""
    return "over seeds, not tested yet" if going_on else "over seeds, not tested"


def _over_seeds(domains: Domains, one: Member, target: str, shift: Shift, about: Measure) -> Entry:
    """Return the difference from the baseline of the same source, paired by seed, with its t-interval."""
    assert domains.study is not None
    base = next((b for b in domains.members if b.source == one.source and b.arm == domains.study.baseline), None)
    if base is None:
        return EMPTY
    pairs = [(base.models[s], model) for s, model in one.models.items() if s in base.models]
    differences = [domains.value(new, target, shift) - domains.value(old, target, shift) for old, new in pairs]
    known = [value for value in differences if np.isfinite(value)]
    return mean_cell(
        known, lambda value: signed_text(value, about), lambda low, high: difference_interval(low, high, about)
    )


def _good(about: Measure) -> str:
    return {
        "high": "Above 0 is better.",
        "low": "Below 0 is better.",
        "neither": "A decrease counts as better: less preference for the own language.",
    }[about.better]


def overall_row(frame: Any, measure: str, setting: str | None) -> Mapping[str, Any] | None:
    """Return the overall row of a measure and setting in a comparison; None where there is none, or no comparison."""
    if not isinstance(frame, pl.DataFrame):
        return None
    rows = frame.filter(
        (pl.col("measure") == measure)
        & pl.col("setting").eq_missing(pl.lit(setting))
        & pl.col("query_language").is_null()
        & pl.col("passage_language").is_null()
    )
    return rows.row(0, named=True) if rows.height else None
