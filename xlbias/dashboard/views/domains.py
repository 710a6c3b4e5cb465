"""What a change of domain does: encoders by target, what is lost away from home, and what the sampler changes there.

Of a study a row is a source and a sampler, a mean over seeds; of another run a row is an encoder. `read_domains` reads
the numbers once; the sheets are then made from them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np
import polars as pl

from xlbias.dashboard.views.sheet import Sheet, Spot, block_of
from xlbias.errors import RunError
from xlbias.measures.measure import Direction, Measure
from xlbias.measures.registry import measure_of
from xlbias.measures.shift import relative_drop
from xlbias.report.numbers import EMPTY, Entry, entry, interval, measured, numeric
from xlbias.results.cell import Cell
from xlbias.results.overview import who_on_what
from xlbias.results.run import Run
from xlbias.results.study.design import HEADLINES, Arm, Study, read_study
from xlbias.results.study.shift import SHIFTED
from xlbias.results.summary import OVERALL
from xlbias.results.written import named
from xlbias.runs.run_info import ModelInfo, TaskInfo
from xlbias.stats.paired import t_interval

Shift = tuple[str, str | None]
"""Measure and setting."""

SHIFTS: tuple[Shift, ...] = (*HEADLINES, *(shift for shift in SHIFTED if shift not in HEADLINES))
"""What a change of domain is measured by: quality, bias, alignment of queries."""

PANELS = {"values": "Values", "drop": "Relative drop", "contrast": "Against the baseline", "home": "Home and away"}
"""The panels, with their titles."""

AXES = ("encoder", "target")
"""What rows and columns are called."""


@dataclass(frozen=True)
class Member:
    """A row: an encoder, or those of one source and sampler that differ in their seed only.

    Attributes:
        name: names the row.
        head: the parts of its head.
        about: what it is, in a line that may hold text from data.
        models: the encoders by seed; of another run the one, by 0.
        source: what it was trained on; empty where that is not known.
        arm: its sampler in a study, None in another run.
        home: targets of its own domain.
    """

    name: str
    head: tuple[str, ...]
    about: str
    models: Mapping[int, str]
    source: str
    arm: Arm | None
    home: tuple[str, ...]

    @property
    def first(self) -> str:
        """The encoder of the first seed."""
        return self.models[min(self.models)]


@dataclass(frozen=True, eq=False)
class Domains:
    """The numbers of a run by member and target.

    Attributes:
        study: its design, None for a run that is no study.
        members: the rows.
        targets: the columns.
        shifts: measures with any number.
        found: (encoder, target, shift) → value, low, high and n; ends are over query ids.
    """

    study: Study | None
    members: tuple[Member, ...]
    targets: tuple[str, ...]
    shifts: tuple[Shift, ...]
    found: Mapping[tuple[str, str, Shift], tuple[float | None, float | None, float | None, int]]

    def value(self, model: str, target: str, shift: Shift) -> float:
        """Return an encoder's number on a target; NaN where there is none."""
        found = self.found.get((model, target, shift))
        return float("nan") if found is None or found[0] is None else found[0]

    def of_seeds(self, member: Member, target: str, shift: Shift) -> list[float]:
        """Return a member's defined values on a target, one for each seed."""
        values = (self.value(model, target, shift) for model in member.models.values())
        return [value for value in values if np.isfinite(value)]

    def at_home(self, target: str, like: Member) -> Member | None:
        """Return who was trained on the domain of a target, with the same sampler as `like`; None if nobody was."""
        own = self.study.in_domain.get(target) if self.study else None
        return next((one for one in self.members if one.arm == like.arm and one.source == own), None) if own else None

    def opens(self, members: Sequence[Member]) -> dict[Spot, tuple[str, str]]:
        """Return the encoder and the task behind each cell; of several seeds the first."""
        return {(one.name, target): (one.first, target) for one in members for target in self.targets}


def read_domains(run: Run) -> Domains:
    """Return the numbers of a run by domain: of its study, or else of its encoders. Takes a moment."""
    study = design(run)
    members = _of_study(study) if study else _of_encoders(run)
    targets = tuple(task.name for task in run.tasks)
    wanted = pl.DataFrame(list(SHIFTS), schema={"measure": pl.String, "setting": pl.String}, orient="row")
    chosen = run.summary.filter(OVERALL & pl.col("measure").is_in(wanted["measure"].unique().to_list()))
    rows = chosen.join(wanted, on=["measure", "setting"], how="semi", nulls_equal=True)
    if study:  # seeds have intervals: what these need is slow to import, and here somebody waits anyway
        t_interval(np.zeros(2))
    found = {
        (model, task, (measure, setting)): (value, low, high, n)
        for model, task, measure, setting, value, low, high, n in rows.select(
            "model", "task", "measure", "setting", "value", "low", "high", "n_ids"
        ).iter_rows()
    }
    there = {shift for (_, _, shift), row in found.items() if row[0] is not None}
    return Domains(study, members, targets, tuple(s for s in SHIFTS if s in there) or SHIFTS[:1], found)


def design(run: Run) -> Study | None:
    """Return the design of the study that a run holds, None where it holds none that can be read."""
    try:
        study = read_study(run)
    except (RunError, KeyError, TypeError, ValueError, AttributeError):
        return None
    return study if study.members else None


def _of_study(study: Study) -> tuple[Member, ...]:
    found = []
    for source in study.sources:
        for arm in study.arms:
            models = {s: study.members[source, arm, s] for s in study.seeds if (source, arm, s) in study.members}
            if models:
                short = arm.label if arm.alpha is None else f"α={arm.alpha:g}"
                home = tuple(target for target, own in study.in_domain.items() if own == source)
                name = f"{source} · {arm.label}"
                found.append(
                    Member(name, (source, short), f"{arm.label}, trained on {source}", models, source, arm, home)
                )
    return tuple(found)


def _of_encoders(run: Run) -> tuple[Member, ...]:
    found = []
    for model in run.models:
        about = who_on_what(model, None)
        source = about["source"] or ""
        sampler = f"{about['sampler']} sampler, " if about["sampler"] else ""
        words = f"{model.name}: {sampler}trained on {source}" if source else f"{model.name}: training data not known"
        home = tuple(task.name for task in run.tasks if _is_own(model, task))
        found.append(Member(model.name, (model.name,), words, {0: model.name}, source, None, home))
    return tuple(found)


def _is_own(model: ModelInfo, task: TaskInfo) -> bool:
    """Whether an encoder was trained on a task, or on another part of it.

    That is the same fingerprint, the same name but for its part, or the same domain of the same data set.
    """
    return any(
        (source.fingerprint and source.fingerprint == task.fingerprint)
        or (_is_known(source.domain, source.source) and (source.domain, source.source) == (task.domain, task.source))
        or source.name.partition("[")[0] == task.name.partition("[")[0]
        for source in model.card.trained_on
    )


def _is_known(*origin: object) -> bool:
    return not any(part in ("", "unknown", None) for part in origin)


_FORMULA = ("(M[T,T] − M[S,T]) / M[T,T]", "(M[S,T] − M[T,T]) / M[T,T]")
_OWN = ("(own − here) / own", "(here − own) / own")
_LOST = ("Share lost away from home:", "Low is good, so a loss is growth away from home:")
"""By whether low values are good; see `xlbias.measures.shift`."""

# -- sheets --------------------------------------------------------------------------------------------------------


def values_sheet(domains: Domains, shift: Shift) -> Sheet:
    """Return the numbers of every member on every target."""
    about = measure_of(shift[0])
    cells = tuple(tuple(_value_cell(domains, one, t, shift, about) for t in domains.targets) for one in domains.members)
    said = {
        (one.name, target): " and ".join(
            filter(None, ("at home" if target in one.home else "", _spread(domains, one, target, shift, about)))
        )
        for one in domains.members
        for target in domains.targets
    }
    means = "a mean over seeds with its 95% t-interval; the choice of sources is not in it"
    number_ = means if domains.study else "a number with its 95% interval over query ids"
    reading = (
        f"{GOOD[about.better]} Each cell is {number_}. Compare within a column: tasks differ in size and difficulty."
    )
    sheet = _sheet(domains, named(*shift), about, cells, reading, said)
    return replace(sheet, meaning=f"{about.label}: {about.definition}.")


def drop_sheet(domains: Domains, shift: Shift) -> Sheet:
    """Return the share of the number at home that is lost away from it."""
    about = measure_of(shift[0])
    if shift not in SHIFTED:
        return nothing_sheet(domains, shift, "no drop: this measure has no good direction")
    cells = tuple(tuple(_drop_cell(domains, one, t, shift) for t in domains.targets) for one in domains.members)
    said = {
        (one.name, target): _drop_note(domains, one, target) for one in domains.members for target in domains.targets
    }
    whose = (
        f"{_FORMULA[about.better == 'low']} with the same sampler and seed, mean over seeds"
        if domains.study
        else f"{_OWN[about.better == 'low']}, own: mean over the tasks it was trained on; tasks differ in difficulty"
    )
    reading = (
        f"{_LOST[about.better == 'low']} {whose}. 0%: nothing is lost; above 0%: worse. A large drop may come from a "
        f"{'small' if about.better == 'low' else 'strong'} value at home: compare with the values. Undefined where "
        "no encoder is at home."
    )
    remark = "" if _known(cells) else f"no drop: {nobody_away(domains)}"
    sheet = _sheet(domains, f"drop of {named(*shift)}", about, cells, reading, said)
    drop = replace(about, better="low", low=-np.inf, high=np.inf)
    block = replace(sheet.block, matrix=replace(sheet.block.matrix, measure=drop))
    return replace(sheet, block=block, form="percent", diverging=True, remark=remark)


def _sheet(
    domains: Domains,
    title: str,
    about: Measure,
    cells: Sequence[Sequence[Entry]],
    reading: str,
    said: Mapping[Spot, str],
) -> Sheet:
    across = "source and sampler down, target across" if domains.study else "encoder down, task across"
    return members_sheet(domains, f"{title}: {across}", about, domains.members, cells, reading, said)


def members_sheet(
    domains: Domains,
    title: str,
    about: Measure,
    members: Sequence[Member],
    cells: Sequence[Sequence[Entry]],
    reading: str,
    said: Mapping[Spot, str],
    *,
    diverging: bool = False,
) -> Sheet:
    """Return a sheet of a row for each member and a column for each target."""
    about_of = {one.name: one.about for one in members}
    return Sheet(
        block_of(title, about, [one.name for one in members], domains.targets, cells, AXES, differs=diverging),
        reading,
        heads=tuple(one.head for one in members),
        diverging=diverging,
        form="difference" if diverging else "value",
        said=said,
        name_of=lambda spot: f"{about_of[spot[0]]} → {spot[1]}",
        opens=domains.opens(members),
    )


def nothing_sheet(domains: Domains, shift: Shift, remark: str) -> Sheet:
    """Return a sheet without numbers, which says why."""
    cells = tuple(tuple(EMPTY for _ in domains.targets) for _ in domains.members)
    sheet = _sheet(domains, named(*shift), measure_of(shift[0]), cells, "", {})
    return replace(sheet, remark=remark, reading="m shows another measure.")


def nobody_away(domains: Domains) -> str:
    """Return why there is nothing to compare: nobody is known to be at home anywhere, or nobody is away."""
    if any(one.home for one in domains.members):
        return "every encoder at home on a target has no other target"
    return "no encoder is known to be trained on any target's domain"


def _known(cells: Sequence[Sequence[Entry]]) -> bool:
    return any(cell.value is not None for line in cells for cell in line)


# -- cells ---------------------------------------------------------------------------------------------------------

GOOD = {"high": "High is good.", "low": "Low is good.", "neither": "Neither way is good in itself."}


def _value_cell(domains: Domains, one: Member, target: str, shift: Shift, about: Measure) -> Entry:
    if domains.study:
        return seeds_cell(domains.of_seeds(one, target, shift), about)
    found = domains.found.get((one.name, target, shift))
    if found is None or found[0] is None:
        return EMPTY
    value, low, high, n = found
    return entry(Cell(value, low, high, n), about)


def seeds_cell(values: Sequence[float], about: Measure) -> Entry:
    """Return a mean over seeds with its t-interval; n is the number of seeds."""
    return mean_cell(values, lambda value: measured(value, about), lambda low, high: interval(low, high, about))


def percent_cell(values: Sequence[float]) -> Entry:
    """Return a mean share in percent over seeds, with its t-interval."""
    return mean_cell(values, lambda value: f"{value:.0%}", lambda low, high: f"[{low:.0%}, {high:.0%}]")


def mean_cell(values: Sequence[float], write: Callable[[float], str], ends: Callable[[float, float], str]) -> Entry:
    """Return the mean of one value a seed, with its 95% t-interval where there are several."""
    if not values:
        return EMPTY
    found = t_interval(np.array(values, dtype=np.float64))
    if not np.isfinite(found.low):
        return Entry(write(found.mean), Cell(found.mean, n=len(values)), kind="number")
    cell = Cell(found.mean, found.low, found.high, len(values))
    return Entry(write(found.mean), cell, ends(found.low, found.high), kind="number")


def _spread(domains: Domains, one: Member, target: str, shift: Shift, about: Measure) -> str:
    if not domains.study:
        return ""
    seeds = (f"{seed}: {measured(domains.value(m, target, shift), about)}" for seed, m in one.models.items())
    return f"seeds {', '.join(seeds)}"


def drops_of(domains: Domains, one: Member, target: str, shift: Shift) -> list[float]:
    """Return the relative drop of a member on a target, one for each seed with both numbers; none at home."""
    better: Direction = "low" if measure_of(shift[0]).better == "low" else "high"
    pairs = []
    if target in one.home:
        return []
    if domains.study:
        own = domains.at_home(target, one)
        if own is not None:
            pairs = [
                (domains.value(own.models[s], target, shift), m, s) for s, m in one.models.items() if s in own.models
            ]
        values = [(home, domains.value(model, target, shift)) for home, model, _ in pairs]
    else:
        homes = [domains.value(one.name, home, shift) for home in one.home]
        values = [(float(np.mean(homes)), domains.value(one.name, target, shift))] if homes else []
    drops = [float(relative_drop(np.array(home), np.array(away), better)) for home, away in values]
    return [drop for drop in drops if np.isfinite(drop)]


def _drop_cell(domains: Domains, one: Member, target: str, shift: Shift) -> Entry:
    if target in one.home:
        return numeric("home")
    return of_trainings(domains, percent_cell(drops_of(domains, one, target, shift)))


def of_trainings(domains: Domains, mean: Entry) -> Entry:
    """Return a mean over seeds; of a run that is no study without its n, which would say one training."""
    return mean if domains.study else replace(mean, cell=msgspec.structs.replace(mean.cell, n=None))


def _drop_note(domains: Domains, one: Member, target: str) -> str:
    if target in one.home:
        return "at home: the others are compared with it" if domains.study else "its own task"
    if domains.study:
        return "" if domains.at_home(target, one) else "undefined: no encoder is at home here"
    return "" if one.home else "undefined: its own task is not known"
