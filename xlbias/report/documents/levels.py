"""Reference levels as reports show them, beside the numbers that they are read with."""

from __future__ import annotations

from xlbias.report.numbers import number
from xlbias.results.findings.context import few_enough
from xlbias.results.levels import chance_levels
from xlbias.results.run import Run
from xlbias.runs.run_info import TaskInfo
from xlbias.runs.schema import SETTING_SHORT

_DISTANCE = "rank_distance.normalised"


def chance_note(run: Run, task: TaskInfo) -> list[str]:
    """Return what chance gives in the pools of a task, one sentence; nothing where there are too many rankings."""
    if not few_enough(run):
        return []
    found = chance_levels(run, task, ("map", _DISTANCE))
    of_map = [f"{SETTING_SHORT[one.setting]} {number(one.value)}" for one in found if one.measure == "map"]
    distance = [f"norm. {number(one.value)}" for one in found if one.measure == _DISTANCE]
    parts = ", ".join([*of_map, *distance])
    return [f"chance, a random order of the same pools: {parts}."] if parts else []
