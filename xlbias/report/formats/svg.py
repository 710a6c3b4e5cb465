"""Figures of a page as SVG, drawn by us: dots with intervals, and lines over steps.

Colours are classes of the page's style (``s0``, ``s1``, ...), so that they follow light, dark and paper; every series
has a mark of its own, too, for readers who see no hue. All text is escaped.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from xlbias.colour import MAX_SERIES
from xlbias.report.document import Curves, Dots
from xlbias.report.formats.escaping import escape
from xlbias.report.numbers import difference_entry, entry, measured
from xlbias.text import cut
from xlbias.text import width as cells

_WIDTH = 420
_HEIGHT = 220  # of a figure of lines
_EDGE = 12
_CHARACTER = 6.6  # units that one takes in a label, of 11 units high
_LONGEST_LABEL = 14
_MOST_TOOLTIPS = 400  # dots up to which each says its numbers
_MOST_POINTS = 240  # of a line
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)

_MARKS = (
    "M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0z",
    "M-3.2 -3.2h6.4v6.4h-6.4z",
    "M0 -4.6L4.6 0L0 4.6L-4.6 0z",
    "M0 -4.2L4 3.2H-4z",
    "M0 4.2L4 -3.2H-4z",
    "M-4 -1.3H-1.3V-4H1.3V-1.3H4V1.3H1.3V4H-1.3V1.3H-4z",
    "M-4.2 0L3.2 -4V4z",
    "M4.2 0L-3.2 -4V4z",
)


def mark(series: int) -> str:
    """Return the mark of a series, for a legend."""
    return f'<svg class="mark" viewBox="-6 -6 12 12" aria-hidden="true">{_mark(series, 0, 0)}</svg>'


def dots(block: Dots) -> Iterator[str]:
    """Yield a figure of dots with intervals; undefined numbers have no dot."""
    matrix = block.matrix
    found = [cell for line in matrix.cells for cell in line if cell.value is not None]
    ends = [end for cell in found for end in (cell.value, cell.low, cell.high) if end is not None]
    axis = _Axis.over([*ends, *(level.value for level in block.levels)])
    labels = [cut(name, _LONGEST_LABEL) for name in matrix.rows]
    left = _EDGE + _CHARACTER * max(map(cells, labels), default=0)
    n = len(matrix.columns)
    row_height = max(15.0, 8.0 * n + 5)
    top = 16 if block.levels else 6
    bottom = top + row_height * len(labels)
    yield _opened(block.title, _WIDTH, bottom + 18)
    yield from _ticks(axis, left, top, bottom, lambda value: measured(value, matrix.measure))
    for level in block.levels:
        at = _f(axis.at(level.value, left))
        yield f'<path class="level" d="M{at} {top - 2}V{_f(bottom)}"/>'
        yield f'<text x="{at}" y="11" text-anchor="middle" class="soft">{escape(cut(level.name, 20))}</text>'
    told = len(found) <= _MOST_TOOLTIPS
    write = difference_entry if matrix.differs else entry
    for i, (label, line) in enumerate(zip(labels, matrix.cells, strict=True)):
        middle = top + row_height * (i + 0.5)
        if i % 2:
            edge = _f(middle - row_height / 2)
            yield f'<path class="band" d="M{_f(left)} {edge}H{_WIDTH - _EDGE}v{_f(row_height)}H{_f(left)}z"/>'
        yield f'<text x="{_f(left - 5)}" y="{_f(middle + 4)}" text-anchor="end">{escape(label)}</text>'
        for series, cell in enumerate(line):
            if cell.value is None:
                continue
            y = middle + 8 * (series - (n - 1) / 2)
            named = f"{matrix.rows[i]}, {matrix.columns[series]}: {write(cell, matrix.measure).whole}"
            title = f"<title>{escape(named)}</title>" if told else ""
            reach = ""
            if cell.low is not None and cell.high is not None:
                reach = (
                    f'<path class="reach" d="M{_f(axis.at(cell.low, left))} {_f(y)}H{_f(axis.at(cell.high, left))}"/>'
                )
            shape = _mark(series, axis.at(cell.value, left), y)
            yield f'<g class="s{series % MAX_SERIES}">{title}{reach}{shape}</g>'
    yield "</svg>"


def lines(block: Curves) -> Iterator[str]:
    """Yield a figure of lines over steps, each with its mark at its end."""
    points = [point for line in block.lines for point in line.points]
    axis = _Axis.over([value for _, value in points])
    steps = _Axis.over([step for step, _ in points], exact=True)
    left, top, bottom = 48.0, 8.0, _HEIGHT - 30.0
    yield _opened(block.title, _WIDTH, _HEIGHT)
    for value in axis.ticks:
        y = _f(bottom - (bottom - top) * axis.share(value))
        yield f'<path class="grid" d="M{_f(left)} {y}H{_WIDTH - _EDGE}"/>'
        yield f'<text x="{_f(left - 5)}" y="{_f(float(y) + 4)}" text-anchor="end">{_plain(value)}</text>'
    for value in steps.ticks:
        at = _f(steps.at(value, left))
        yield f'<text x="{at}" y="{_f(bottom + 14)}" text-anchor="middle">{_plain(value)}</text>'
    yield f'<text x="{_f((left + _WIDTH) / 2)}" y="{_HEIGHT - 3}" text-anchor="middle" class="soft">step</text>'
    for line in block.lines:
        placed = [
            (steps.at(step, left), bottom - (bottom - top) * axis.share(value)) for step, value in _thinned(line.points)
        ]
        way = "M" + "L".join(f"{_f(x)} {_f(y)}" for x, y in placed)
        dashed = ' stroke-dasharray="5 3"' if line.dashed else ""
        end = _mark(line.series, *placed[-1])
        named = ", ".join(filter(None, (line.name, line.part)))
        yield f'<g class="s{line.series % MAX_SERIES}"><title>{escape(named)}</title>'
        yield f'<path class="line" d="{way}"{dashed}/>{end}</g>'
    yield "</svg>"


class _Axis:
    """Values on a line of the figure's width, with round ticks."""

    def __init__(self, low: float, high: float, ticks: Sequence[float]) -> None:
        self._low, self._high, self.ticks = low, high, tuple(ticks)

    @classmethod
    def over(cls, values: Sequence[float], *, exact: bool = False) -> _Axis:
        """Return an axis that holds all values: from tick to tick, or `exact` from the least to the greatest."""
        low, high = min(values, default=0.0), max(values, default=1.0)
        if not high > low:
            low, high = low - abs(low) / 10 - 0.05, high + abs(high) / 10 + 0.05
        unit = 10.0 ** math.floor(math.log10((high - low) / 4))
        step = next(unit * one for one in _STEPS if unit * one * 5 >= high - low)
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        ticks = [i * step for i in range(first, last + 1)]
        if exact:
            return cls(low, high, [tick for tick in ticks if low <= tick <= high])
        return cls(first * step, last * step, ticks)

    def share(self, value: float) -> float:
        """Return where a value is, from 0 to 1."""
        return (value - self._low) / (self._high - self._low)

    def at(self, value: float, left: float) -> float:
        """Return where a value is in a figure whose labels take so much room on the left."""
        return left + (_WIDTH - _EDGE - left) * self.share(value)


def _ticks(axis: _Axis, left: float, top: float, bottom: float, write: object) -> Iterator[str]:
    assert callable(write)
    for tick in axis.ticks:
        at = _f(axis.at(tick, left))
        yield f'<path class="grid" d="M{at} {_f(top)}V{_f(bottom)}"/>'
        yield f'<text x="{at}" y="{_f(bottom + 13)}" text-anchor="middle">{escape(write(tick))}</text>'


def _opened(title: str, width: float, height: float) -> str:
    return f'<svg class="figure" viewBox="0 0 {_f(width)} {_f(height)}" role="img" aria-label="{escape(title)}">'


def _mark(series: int, x: float, y: float) -> str:
    place = f' transform="translate({_f(x)} {_f(y)})"' if x or y else ""
    return f'<path class="s{series % MAX_SERIES} dot" d="{_MARKS[series % len(_MARKS)]}"{place}/>'


def _thinned(points: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    """Return at most so many points as can be told apart: means over equal parts, and the last one as it is."""
    size = math.ceil(len(points) / _MOST_POINTS)
    if size <= 1:
        return points
    parts = [points[i : i + size] for i in range(0, len(points) - 1, size)]
    means = [(sum(x for x, _ in part) / len(part), sum(y for _, y in part) / len(part)) for part in parts]
    return [*means, points[-1]]


def _plain(value: float) -> str:
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}" if value else "0"
    return text[1:] if text.startswith("0.") else text


def _f(value: float) -> str:
    """Return a place with one digit after the point, and none where that is 0."""
    return f"{value:.1f}".removesuffix(".0")
