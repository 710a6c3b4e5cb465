"""Each target at home and away: does quality, fairness or alignment survive a change of domain?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from xlbias.dashboard.views.domains import (
    AXES,
    GOOD,
    Domains,
    Member,
    Shift,
    drops_of,
    nobody_away,
    nothing_sheet,
    of_trainings,
    percent_cell,
    seeds_cell,
)
from xlbias.dashboard.views.sheet import Sheet, block_of
from xlbias.measures.registry import measure_of
from xlbias.results.study.shift import SHIFTED
from xlbias.results.written import named

HomeRow = tuple[str, Member, list[float], list[float], list[float]]
"""A target, who is at home there, and one value a seed: at home, away, and lost."""


def home_sheet(domains: Domains, shift: Shift) -> Sheet:
    """Return each target at home, away (a mean over other sources), and the mean drop: does it survive?"""
    about = measure_of(shift[0])
    if shift not in SHIFTED:
        return nothing_sheet(domains, shift, "no drop: this measure has no good direction")
    rows = _home_rows(domains, shift)
    cells = tuple(
        tuple(
            of_trainings(domains, cell)
            for cell in (seeds_cell(home, about), seeds_cell(away, about), percent_cell(drop))
        )
        for _, _, home, away, drop in rows
    )
    who = "encoders of other sources, same sampler and seed" if domains.study else "its other tasks"
    reading = (
        f"Home: trained on the target's domain. Away: mean over {who}. Does {named(*shift)} survive the shift? "
        f"{GOOD[about.better]} Drop: mean share that "
        f"{'it grows by' if about.better == 'low' else 'is lost'}, 0% nothing."
    )
    names, columns = tuple(_row_name(target, own) for target, own, *_ in rows), ("home", "away", "drop")
    block = block_of(f"{named(*shift)} at home and away", about, names, columns, cells, AXES)
    return Sheet(
        block,
        reading,
        heads=tuple((target, own.head[-1]) for target, own, *_ in rows),
        remark="" if rows else nobody_away(domains),
        shades=tuple((line[0].value, line[1].value, None) for line in cells),
        form="text",
        name_of=lambda spot: spot[0],
        opens={(_row_name(target, own), column): (own.first, target) for target, own, *_ in rows for column in columns},
    )


def _row_name(target: str, own: Member) -> str:
    return f"{target}: {own.name}"


def _home_rows(domains: Domains, shift: Shift) -> list[HomeRow]:
    """Return a row for each target and sampler of a study, or for each encoder and its own task."""
    found: list[HomeRow] = []
    for target in domains.targets:
        for own in (one for one in domains.members if target in one.home):
            if domains.study:
                others = [one for one in domains.members if one.arm == own.arm and target not in one.home]
                away = _by_seed([{s: domains.value(m, target, shift) for s, m in one.models.items()} for one in others])
                drops = _by_seed([_drops_by_seed(domains, one, target, shift) for one in others])
            else:
                elsewhere = [t for t in domains.targets if t not in own.home]
                away = _by_seed([{0: domains.value(own.first, t, shift)} for t in elsewhere])
                here = replace(own, home=(target,))  # it may be at home on several
                drops = _by_seed([_drops_by_seed(domains, here, t, shift) for t in elsewhere])
            home = domains.of_seeds(own, target, shift)
            if home and away:
                found.append((target, own, home, away, drops))
    return found


def _drops_by_seed(domains: Domains, one: Member, target: str, shift: Shift) -> dict[int, float]:
    return {
        seed: drops[0]
        for seed, model in one.models.items()
        if (drops := drops_of(domains, replace(one, models={seed: model}), target, shift))
    }


def _by_seed(parts: Sequence[Mapping[int, float]]) -> list[float]:
    """Return the mean over several of each seed's values."""
    seeds = sorted({seed for part in parts for seed in part})
    means = []
    for seed in seeds:
        known = [part[seed] for part in parts if seed in part and np.isfinite(part[seed])]
        if known:
            means.append(float(np.mean(known)))
    return means
