"""How a number is written, the same in every sentence, table, format and screen."""

from __future__ import annotations

import math

from xlbias.measures.measure import Measure
from xlbias.measures.registry import measure_of, side_of
from xlbias.results.compare import PERMUTATIONS
from xlbias.runs.schema import OTHER, OWN, SETTING_SHORT, SETTINGS

OWN_OR_OTHER = {SETTINGS[2]: "", OWN: " own language", OTHER: " other languages"}
"""Setting of a measure of bias, or side of one by query and answer language, as words after its label."""

NOTHING = "·"
"""Shown where there is no number."""

_NARROW = 8.0  # values of a measure whose range is within ±8 are told apart by three digits


def number(
    value: float | None,
    *,
    unit_range: bool = True,
    digits: int | None = None,
    nothing: str = NOTHING,
) -> str:
    """Return a value as tables show it: ``.573`` in [0, 1], ``10,917`` for ranks, `nothing` for none.

    Args:
        value: the value; None and NaN are none.
        unit_range: whether three digits after the point tell values apart; else one, and none from 100 on.
        digits: after the point, instead of that.
        nothing: what stands for none.
    """
    if value is None or math.isnan(value):
        return nothing
    if digits is None:
        digits = 3 if unit_range else 0 if abs(value) >= 100 else 1
    text = f"{abs(value):,.{digits}f}"
    sign = "-" if value < 0 and text.strip("0.") else ""
    if digits >= 3 and text.startswith("0."):
        text = text[1:]
    return sign + text


def measured(value: float | None, measure: Measure) -> str:
    """Return a value of a measure as every format shows it."""
    if measure.name == "friedman_p" and value is not None and value < 0.0005:
        return "<.001"
    if measure.low >= -_NARROW and measure.high <= _NARROW:
        return number(value)
    if measure.unit == "ranks" or value is None:
        return number(value, unit_range=False)
    return number(value, digits=0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2)


def difference_text(value: float | None, measure: Measure) -> str:
    """Return a difference of a measure: below 1 with three digits after the point, whatever the measure's range."""
    return number(value) if value is not None and abs(value) < 1 else measured(value, measure)


def signed_text(value: float | None, measure: Measure) -> str:
    """Return a difference with its sign, also where that is a plus."""
    text = difference_text(value, measure)
    return f"+{text}" if value is not None and value > 0 and text.strip("0.,") else text


def interval(low: float | None, high: float | None, measure: Measure) -> str:
    """Return an interval as every format shows it, ``[.472, .500]``; empty where there is none."""
    return "" if low is None or high is None else f"[{measured(low, measure)}, {measured(high, measure)}]"


def difference_interval(low: float | None, high: float | None, measure: Measure) -> str:
    """Return the interval of a difference, its ends written as the difference is."""
    return "" if low is None or high is None else f"[{difference_text(low, measure)}, {difference_text(high, measure)}]"


def bounds(least: float, most: float, measure: Measure, *, narrow: bool = False) -> str:
    """Return the bounds of a number of censored ranks: ``.412–.437``; where there is little room, ``≥.412``.

    So too where both are written alike: it is never written as if it were exact.
    """
    low, high = measured(least, measure), measured(most, measure)
    return f"≥{low}" if narrow or low == high else f"{low}–{high}"


def difference_bounds(least: float, most: float, measure: Measure) -> str:
    """Return the bounds of a difference with their signs: ``-.012 to +.034``."""
    return f"{signed_text(least, measure)} to {signed_text(most, measure)}"


NOT_TESTED = "not tested"

LEAST_P = 1 / (PERMUTATIONS + 1)
"""The least p that as many sign flips as usual can give."""


def p_text(p: object, least: float | None = LEAST_P) -> str:
    """Return a p-value as it is written, where it is known; `least` is the least that its test can give.

    That is written with "or less" before it. None for a test, such as Student's t, that can give any.
    """
    if not isinstance(p, float):
        return NOT_TESTED
    if least is not None and p <= least * (1 + 1e-9):
        return f"≤{f'{p:.1g}'.removeprefix('0')}"
    return "<.001" if p < 0.0005 else number(p)


def largest_p(p: object, least: float | None = LEAST_P) -> str:
    """Return the largest of several p-values in a sentence, as their bound: ``p ≤ .031``, ``p < .001``."""
    text = p_text(p, least)
    sign, bound = ("<", text[1:]) if text.startswith("<") else ("≤", text.removeprefix("≤"))
    return f"p {sign} {bound}" if isinstance(p, float) else NOT_TESTED


def said_of_p(p: object, least: float | None = LEAST_P) -> str:
    """Return a p-value in a sentence: ``p .031``, ``p ≤.0001``, or ``not tested``."""
    return f"p {p_text(p, least)}" if isinstance(p, float) else NOT_TESTED


def label_of(name: str) -> str:
    """Return the short name of a measure, with its side where it is one of alignment."""
    side = side_of(name)
    return f"{measure_of(name).label} ({side})" if side else measure_of(name).label


def named(measure: str, setting: str | None) -> str:
    """Return a measure and its setting in a word or two; the setting is left out where there is only one."""
    about, words = measure_of(measure), SETTING_SHORT.get(setting or "", "")
    if about.family == "quality":
        return f"{about.label} {words}"
    return f"{label_of(measure)}{OWN_OR_OTHER.get(setting or '', '')}"
