"""What the colours of a heat map stand for: both ends, in words and numbers."""

from __future__ import annotations

from dataclasses import replace

from xlbias.colour import RGB, SHADES, Range, colour_at
from xlbias.dashboard.terminal.plot import short_number
from xlbias.dashboard.views.bias import FURTHEST
from xlbias.dashboard.views.sheet import Sheet
from xlbias.dashboard.widgets.heatmap.paint import ABOVE, BELOW, Depth, displayed
from xlbias.dashboard.widgets.text.line import Part
from xlbias.report.numbers import difference_text, measured, number

_END_MARKS = {-FURTHEST: "≤", FURTHEST: "≥"}


def legend(
    sheet: Sheet, found: Range, depth: Depth, *, narrow: bool, whole: bool = False, ground: RGB = (0, 0, 0)
) -> list[Part]:
    """Return what the colours of a sheet stand for.

    Args:
        sheet: the numbers.
        found: the values at the ends of the colours.
        depth: what the terminal can show.
        narrow: whether there is little room.
        ground: the background, which differences of nothing have.
        whole: show all colours of differences, not only those that are there.
    """
    about = sheet.block.measure
    words = ("low", "high") if about.better == "neither" else ("worse", "better")
    values = _ends(sheet, found, whole=whole)
    cells = 12 if narrow or found.diverging else 24
    if depth == "none":
        bar = [Part(_without_colour(sheet, found, values))]
    else:
        first, last = (found.goodness(end) for end in values)
        places = (first + (last - first) * i / (cells - 1) for i in range(cells))
        behind = ground if found.diverging else None
        steps = (displayed(colour_at(at, diverging_on=behind), depth) for at in places)
        bar = [Part(" ", f"on rgb({r},{g},{b})") for r, g, b in steps]
    worst, best = (_written(sheet, end) for end in values)
    return [Part(f"{words[0]} {worst} ", "$quiet"), *bar, Part(f" {best} {words[1]}", "$quiet")]


def _without_colour(sheet: Sheet, found: Range, ends: tuple[float, float]) -> str:
    """Return the glyphs that stand in cells where there are no colours; signs of differences speak for themselves."""
    if not found.diverging:
        return "".join(glyph * 2 for glyph in SHADES)
    if sheet.sided:
        middle = "0" if sheet.neutral is None else short_number(round(sheet.neutral, 3))
        return f"{BELOW}    {middle}    {ABOVE}"
    return "… 0 …" if min(ends) < 0 < max(ends) else "…"


def _ends(sheet: Sheet, found: Range, *, whole: bool) -> tuple[float, float]:
    """Return the values at both ends; colours of differences spread as far to both sides, also where none are."""
    if found.diverging and not whole:
        n_rows, n_columns = len(sheet.block.rows), len(sheet.block.columns)
        known = [s for r in range(n_rows) for c in range(n_columns) if (s := sheet.shade(r, c)) is not None]
        found = replace(found, low=min(known), high=max(known))
    return found.worst, found.best


def _written(sheet: Sheet, end: float) -> str:
    about = sheet.block.measure
    if sheet.logarithms:  # of ratios, cut at both ends
        return f"{_END_MARKS.get(end, '')}{number(2.0**end, digits=2)}"
    if sheet.form == "percent":
        return f"{end:.0%}"
    if sheet.neutral is not None:
        return measured(sheet.neutral + end, about)
    return difference_text(end, about) if sheet.diverging else measured(end, about)
