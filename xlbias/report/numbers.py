"""Numbers as every format shows them; aligned columns and wrapped lines: what text reports are laid out with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from xlbias.text import clean, cut
from xlbias.text import width as cells

if TYPE_CHECKING:
    from xlbias.measures.measure import Measure

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


def interval(low: float | None, high: float | None, measure: Measure) -> str:
    """Return an interval as every format shows it, ``[.472, .500]``; empty where there is none."""
    return "" if low is None or high is None else f"[{measured(low, measure)}, {measured(high, measure)}]"


def difference_interval(low: float | None, high: float | None, measure: Measure) -> str:
    """Return the interval of a difference, its ends written as the difference is."""
    return "" if low is None or high is None else f"[{difference_text(low, measure)}, {difference_text(high, measure)}]"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 0) -> list[str]:
    """Return aligned lines; columns are right-aligned but for the last `left` ones; cells are cleaned."""
    heads, rows = [clean(head) for head in heads], [[clean(cell) for cell in row] for row in rows]
    widths = [max(cells(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    first_left = len(heads) - left

    def line(cells: Sequence[str]) -> str:
        return "  ".join(
            cell.rjust(widths[i]) if i < first_left else (cell if i == len(heads) - 1 else cell.ljust(widths[i]))
            for i, cell in enumerate(cells)
        )

    return [line(heads), *(line(row) for row in rows)]


def cut_all(lines: list[str], width: int) -> list[str]:
    """Return lines of at most `width` cells."""
    return [cut(line, width) for line in lines]


def blocks(firsts: Sequence[str], heads: Sequence[str], body: Sequence[Sequence[str]], width: int) -> list[str]:
    """Return a table with a row per name in `firsts`, in blocks of as many columns as fit the width."""
    first = max((len(name) for name in firsts), default=0)
    widest = max(len(cell) for row in [heads, *body] for cell in row) + 2
    per_line = max(1, (width - first) // widest)
    lines = []
    for start in range(0, len(heads), per_line):
        part = slice(start, start + per_line)
        rows = [[name, *row[part]] for name, row in zip(firsts, body, strict=True)]
        lines += table(["", *heads[part]], rows)
    return lines


def wrapped(text: str, width: int) -> list[str]:
    """Return `text` in indented lines of at most `width` cells; a word that is longer is cut."""
    lines: list[str] = []
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines else ""
        if lines and cells(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(cut(f"  {word}", width))
    return lines
