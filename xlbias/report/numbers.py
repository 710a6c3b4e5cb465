"""How a number is written, the same in every format: as text, with its interval, and as a cell."""

from __future__ import annotations

import math

from xlbias.measures.measure import Measure
from xlbias.report.document import Cell
from xlbias.results.compare import ALPHA, PERMUTATIONS

NOTHING = "·"
"""Shown where there is no number."""

EMPTY = Cell(NOTHING, kind="number")
"""A cell without a number."""

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


def interval(low: float | None, high: float | None, measure: Measure) -> str:
    """Return an interval as every format shows it, ``[.472, .500]``; empty where there is none."""
    return "" if low is None or high is None else f"[{measured(low, measure)}, {measured(high, measure)}]"


def difference_interval(low: float | None, high: float | None, measure: Measure) -> str:
    """Return the interval of a difference, its ends written as the difference is."""
    return "" if low is None or high is None else f"[{difference_text(low, measure)}, {difference_text(high, measure)}]"


def count(n: int | None) -> Cell:
    """Return a count as a cell."""
    return Cell(NOTHING if n is None else f"{n:,}", None if n is None else float(n), kind="number")


MARK = "*"
"""After a difference: corrected p < .05."""


def difference_cell(row: dict[str, object], about: Measure) -> Cell:
    """Return a difference as a cell, with its mark and its interval."""
    value, low, high, p, n = (row[name] for name in ("difference", "low", "high", "p_corrected", "n_ids"))
    assert value is None or isinstance(value, float)
    text = difference_text(value, about)
    if value is not None and value > 0 and text.strip("0.,"):
        text = f"+{text}"
    p = p if isinstance(p, float) else None
    if p is not None and p < ALPHA:
        text += MARK
    low, high = (end if isinstance(end, float) else None for end in (low, high))
    return Cell(
        text, value, low, high, difference_interval(low, high, about), n if isinstance(n, int) else None, "number", p
    )


NOT_TESTED = "not tested"

LEAST_P = 1 / (PERMUTATIONS + 1)
"""The least p that as many sign flips as usual can give."""


def probability(p: object, least: float | None = LEAST_P) -> Cell:
    """Return a p-value as a cell, where it is known; `least` is the least that its test can give, which says "or less".

    None for a test, such as Student's t, that can give any.
    """
    if not isinstance(p, float):
        return Cell(NOT_TESTED, kind="number")
    if least is not None and p <= least * (1 + 1e-9):
        return Cell(f"≤{f'{p:.1g}'.removeprefix('0')}", p, kind="number")
    return Cell("<.001" if p < 0.0005 else number(p), p, kind="number")


def said_of_p(p: object) -> str:
    """Return a p-value in a sentence: ``p .031``, or ``not tested``."""
    return f"p {probability(p).text}" if isinstance(p, float) else NOT_TESTED
