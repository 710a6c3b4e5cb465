"""Bars of one column of values: on an axis that is told, with their intervals, to both sides of a neutral value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from xlbias.results.cell import Cell

_EIGHTHS = " ▏▎▍▌▋▊▉"
_FULL, _UNSURE, _REACH, _END, _START, _AXIS = "█", "▒", "─", "┤", "├", "│"


@dataclass(frozen=True)
class Axis:
    """What the cells of a line of bars stand for.

    Attributes:
        low: value at the left end.
        high: value at the right end.
        origin: where bars begin: 0, or the neutral value.
        cells: width.
    """

    low: float
    high: float
    origin: float
    cells: int

    @classmethod
    def over(cls, cells: Iterable[Cell], neutral: float | None, width: int) -> Axis | None:
        """Return the axis on which all values and intervals have room; None where there is nothing to draw."""
        ends = [end for one in cells for end in (one.value, one.low, one.high) if end is not None]
        origin = 0.0 if neutral is None else neutral
        low, high = min([origin, *ends]), max([origin, *ends])
        return cls(low, high, origin, width) if ends and high > low else None

    def at(self, value: float) -> float:
        """Return where a value lies, in cells from the left end."""
        return self.cells * (value - self.low) / (self.high - self.low)


def bar(cell: Cell, axis: Axis) -> str:
    """Return the bar of a value: from the origin to the value, its interval as a lighter part and a reach beyond it.

    A bar to the right ends at an eighth of a cell, one to the left at a whole one. Intervals narrower than a cell are
    not seen.
    """
    if cell.value is None:
        return ""
    line = [" "] * axis.cells
    start, end = sorted((axis.at(axis.origin), axis.at(cell.value)))
    rightwards = cell.value >= axis.origin
    first = int(start) if rightwards else round(start)
    eighths = max(0, round(8 * (end - first)))
    for i in range(first, min(axis.cells, first + eighths // 8)):
        line[i] = _FULL
    if rightwards and eighths % 8 and first + eighths // 8 < axis.cells:
        line[first + eighths // 8] = _EIGHTHS[eighths % 8]
    if cell.low is not None and cell.high is not None:
        _draw_interval(line, (axis.at(cell.low), axis.at(cell.high)))
    if axis.origin > axis.low and (at := min(axis.cells - 1, int(axis.at(axis.origin)))) >= 0 and line[at] == " ":
        line[at] = _AXIS
    return "".join(line).rstrip()


def _draw_interval(line: list[str], ends: tuple[float, float]) -> None:
    low, high = int(ends[0]), min(len(line) - 1, int(ends[1]))
    if high <= low:
        return
    for i in range(low, high + 1):
        line[i] = _UNSURE if line[i] == _FULL else _REACH
    if line[high] == _REACH:
        line[high] = _END
    if line[low] == _REACH:
        line[low] = _START
