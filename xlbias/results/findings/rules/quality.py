"""Good? Mean average precision of every setting, beside chance, the base of the training and printed results."""

from __future__ import annotations

from collections.abc import Iterator

from xlbias.results.findings.context import Context, said
from xlbias.results.findings.finding import Destination, Finding, Number
from xlbias.results.per_query import Key
from xlbias.results.written import number
from xlbias.runs.schema import SETTING_SHORT

KINDS = ("quality", "chance_level")

_CHANCE = "chance"


def found(context: Context) -> Iterator[Finding]:
    """Yield the quality of every encoder on every task, and in which settings it is not above chance."""
    for model, task in context.ranked:
        own: list[Number] = []
        levels: dict[str, list[Number]] = {}
        for setting in SETTING_SHORT:
            one = context.number(model.name, task.name, Key("map", setting))
            if one is not None:
                own.append(one)
                levels[setting] = context.level(model.name, task.name, "map", setting)
        if not own:
            continue
        at_chance = [one for one in own if _at_chance(one, levels[str(one.setting)])]
        beside = [level for of_one in levels.values() for level in of_one]
        best = max(one.value or 0.0 for one in own)
        texts = list(_beside(own, levels))
        of_chance = [text for text in texts if text.startswith(_CHANCE)]
        sentence = f"{'; '.join([_own(own), *texts])}."
        short = f"{'; '.join([_own(own, with_interval=False), *of_chance])}."
        place = Destination("overview", "overview", "map")
        yield Finding(
            "quality", "good", sentence, best, place, model.name, task.name, numbers=(*own, *beside), concern=False,
            short=short,
        )  # fmt: skip
        if at_chance:
            names = ", ".join(SETTING_SHORT[str(one.setting)] for one in at_chance)
            numbers = tuple(n for one in at_chance for n in (one, *levels[str(one.setting)][:1]))
            yield Finding(
                "chance_level", "good", f"no better than chance in the settings {names}: {_pairs(numbers)}.",
                1 + len(at_chance), place, model.name, task.name, numbers=numbers,
            )  # fmt: skip


def _at_chance(one: Number, levels: list[Number]) -> bool:
    chance = next((level.value for level in levels if level.role == _CHANCE), None)
    return chance is not None and one.low is not None and one.low <= chance


def _own(own: list[Number], *, with_interval: bool = True) -> str:
    values = (f"{SETTING_SHORT[str(one.setting)]} {said(one, with_interval=with_interval)}" for one in own)
    return f"mAP {', '.join(values)}"


def _beside(own: list[Number], levels: dict[str, list[Number]]) -> Iterator[str]:
    """Yield what the levels are, in the order of the settings."""
    for role, called in ((_CHANCE, _CHANCE), ("base", "")):
        of_role = [[one for one in levels[str(each.setting)] if one.role == role] for each in own]
        if any(of_role):
            name = called or next(some[0].encoder or "" for some in of_role if some)
            values = ", ".join(number(some[0].value) if some else "·" for some in of_role)
            yield f"{name} {values}"
    printed = [[one.value for one in levels[str(each.setting)] if one.role == "published"] for each in own]
    if any(printed):
        known = [[value for value in some if value is not None] for some in printed]
        ranges = [f"{number(min(some))} to {number(max(some))}" if some else "·" for some in known]
        yield f"printed for these pools {', '.join(ranges)}"


def _pairs(numbers: tuple[Number, ...]) -> str:
    return ", ".join(
        f"{said(one)} where chance is {number(level.value)}"
        for one, level in zip(numbers[::2], numbers[1::2], strict=True)
    )
