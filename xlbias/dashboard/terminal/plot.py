"""Line charts made of characters: from points to lines of text, for a terminal with or without colour.

Lines are drawn in braille dots, four high and two wide in a cell. What tells several series apart are the marks on
their points, which the legend repeats; colour only helps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from xlbias.text import width as cells_of

Point = tuple[float, float]

AXIS = -1
"""In place of the number of a series: axes and their labels."""

MARKS = "■▲●◆○□△◇"
"""Marks of the series, in their order."""

SEVERAL = "✱"
"""Where points of several series fall into one cell."""

BLOCKS = "▁▂▃▄▅▆▇█"

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # of a braille cell, by row and column
_BRAILLE = 0x2800
_MARK_GAP = 5  # cells between two marks of a series
_LEAST_WIDTH, _LEAST_HEIGHT = 6, 3  # of the canvas


@dataclass(frozen=True)
class Series:
    """Points to draw, by x.

    Attributes:
        label: what the legend calls it: own words, or cleaned.
        points: x and y; those that are not finite are left out.
        marked: whether marks stand on the points; a series alone needs none.
    """

    label: str
    points: Sequence[Point]
    marked: bool = True


Span = tuple[str, int]
"""Part of a line, and the number of the series that it belongs to, or `AXIS`."""

Drawn = tuple[tuple[Span, ...], ...]
"""The lines of a chart."""


def short_number(value: float) -> str:
    """Return a number as short as it can be told: ``0.25``, ``1,200``, ``1e-05``."""
    if value == 0:
        return "0"
    if 0.0001 <= abs(value) < 1e6:
        return f"{value:,.4f}".rstrip("0").rstrip(".") if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:.3g}"


def plot(
    series: Sequence[Series],
    width: int,
    height: int,
    *,
    nothing: str = "nothing yet",
) -> Drawn:
    """Return a chart of exactly `height` lines of exactly `width` cells: axes with numbers, and the series.

    Where there is room, the x axis says that it is of steps, and where the y axis starts if that is not at 0.

    Args:
        series: what to draw; points of later ones come on top.
        width: in cells.
        height: in lines, of which the last two are the x axis.
        nothing: said where there is no point.
    """
    if width < 1 or height < 1:
        return ()
    points = [
        _fewer([p for p in one.points if math.isfinite(p[0]) and math.isfinite(p[1])], 4 * width) for one in series
    ]
    every = [point for some in points for point in some]
    if not every:
        return _said(nothing, width, height)
    rows = height - 2
    y_low, y_high, y_ticks = _ticks(min(y for _, y in every), max(y for _, y in every), max(2, rows // 3))
    labels = {tick: short_number(tick) for tick in y_ticks}
    margin = max(map(cells_of, labels.values()))
    columns = width - margin - 1
    if columns < _LEAST_WIDTH or rows < _LEAST_HEIGHT:
        return _said("no room for a chart", width, height)
    x_low, x_high = min(x for x, _ in every), max(x for x, _ in every)
    if x_low == x_high:
        x_low, x_high = x_low - 0.5, x_high + 0.5
    canvas = _Canvas(columns, rows, (x_low, x_high), (y_low, y_high))
    for number, (one, some) in enumerate(zip(series, points, strict=True)):
        canvas.draw(some, number, marked=one.marked)
    at = {canvas.row_of(tick): label for tick, label in labels.items()}
    lines: list[tuple[Span, ...]] = []
    for row in range(rows):
        label = at.get(row)
        axis = f"{label or '':>{margin}}{'┤' if label is not None else '│'}"
        lines.append(((axis, AXIS), *canvas.spans(row)))
    xs = {x for x, _ in every}
    gap = 12 if y_low <= 0 <= y_high else 16  # cells between ticks: room for where the y axis starts
    ticks = [xs.pop()] if len(xs) == 1 else _ticks(x_low, x_high, max(2, columns // gap))[2]
    if all(float(x).is_integer() for x in xs):
        ticks = [tick for tick in ticks if tick.is_integer()]
    said: list[tuple[str, ...]] = [("step",)]
    if y_low > 0 or y_high < 0:
        end = labels.get(y_ticks[0], short_number(y_low))
        said.append((f"y starts at {end}, not 0", f"y starts at {end}", f"y from {end}"))
    lines += [((line, AXIS),) for line in _x_axis(canvas, margin, ticks, said)]
    return tuple(lines)


def legend(series: Sequence[Series], y_text: Callable[[float], str] = short_number) -> tuple[Span, ...]:
    """Return each series' mark, label and last value; the mark only where it stands in the chart."""
    spans = []
    for number, one in enumerate(series):
        last = next((y for _, y in reversed(one.points) if math.isfinite(y)), None)
        mark = f"{mark_of(number)} " if one.marked else ""
        spans.append((f"{mark}{one.label} {'·' if last is None else y_text(last)}", number))
    return tuple(spans)


def mark_of(number: int) -> str:
    """The mark of a series."""
    return MARKS[number % len(MARKS)]


def sparkline(values: Iterable[float | None], width: int) -> str:
    """Return values as blocks of different height, at most `width` cells, the last value last; ``·`` where undefined.

    Where there are more values than cells, a cell is the mean of its share. All equal values are of middle height.
    """
    found = [value if value is not None and math.isfinite(value) else None for value in values]
    if width < 1 or not found:
        return ""
    size = min(width, len(found))
    bounds = [round(i * len(found) / size) for i in range(size + 1)]
    means = [_mean(found[start:end]) for start, end in pairwise(bounds)]
    known = [mean for mean in means if mean is not None]
    if not known:
        return "·" * size
    low, high = min(known), max(known)
    return "".join("·" if mean is None else BLOCKS[_level(mean, low, high)] for mean in means)


def _level(value: float, low: float, high: float) -> int:
    share = _share(value, low, high)
    return min(len(BLOCKS) - 1, int(share * len(BLOCKS)))


def _share(value: float, low: float, high: float) -> float:
    """Place of a value between two others, in halves where their difference would be no number."""
    span = high / 2 - low / 2
    return 0.5 if not span > 0 else min(1.0, max(0.0, (value / 2 - low / 2) / span))


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(value / len(known) for value in known) if known else None


def _said(sentence: str, width: int, height: int) -> Drawn:
    text = sentence if len(sentence) <= width else ""
    return tuple((((text if row == height // 2 else "").center(width), AXIS),) for row in range(height))


def _ticks(low: float, high: float, wanted: int) -> tuple[float, float, list[float]]:
    """Return round ends that hold all values, and at most `wanted` + 2 round numbers between them."""
    if low == high:
        around = abs(low) * 0.1 or 1.0
        low, high = low - around, high + around
    span = high - low
    raw = span / wanted
    if not math.isfinite(span) or raw == 0 or not math.isfinite(1 / raw):  # numbers at the ends of what a float holds
        return low, high, [low, high]
    power = 10.0 ** math.floor(math.log10(raw))
    step = next((factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw * 0.999), raw)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    if last - first > 4 * wanted + 4:  # steps too small for the numbers around them
        return low, high, [low, high]
    ticks = [float(f"{number * step:.12g}") for number in range(first, last + 1)]
    return min(low, ticks[0]), max(high, ticks[-1]), ticks


class _Canvas:
    """Cells to draw on: dots of lines, and marks on points."""

    def __init__(self, columns: int, rows: int, x: Point, y: Point) -> None:
        self.columns, self.rows, self.x, self.y = columns, rows, x, y
        self._dots: dict[tuple[int, int], int] = {}
        self._owner: dict[tuple[int, int], int] = {}
        self._marks: dict[tuple[int, int], tuple[str, int]] = {}

    def row_of(self, y: float) -> int:
        """Row of cells that a value falls into."""
        return self._dot((self.x[0], y))[1] // 4

    def column_of(self, x: float) -> int:
        """Column of cells that a value falls into."""
        return self._dot((x, self.y[0]))[0] // 2

    def _dot(self, point: Point) -> tuple[int, int]:
        across, up = _share(point[0], *self.x), _share(point[1], *self.y)
        return round(across * (2 * self.columns - 1)), round((1 - up) * (4 * self.rows - 1))

    def draw(self, points: Sequence[Point], number: int, *, marked: bool) -> None:
        """Draw a line through points, and marks on some of them, the last one always."""
        dots = [self._dot(point) for point in points]
        seen = _thinned(dots)
        for start, end in pairwise(seen):
            for x, y in _line(start, end):
                cell = (x // 2, y // 4)
                self._dots[cell] = self._dots.get(cell, 0) | _DOTS[y % 4][x % 2]
                self._owner[cell] = number
        if marked or len(dots) == 1:
            before: int | None = None
            for x, y in reversed(dots):
                cell = (x // 2, y // 4)
                if before is None or before - cell[0] >= _MARK_GAP:
                    before = cell[0]
                    other = self._marks.get(cell)
                    shared = other is not None and other[1] != number
                    self._marks[cell] = (SEVERAL if shared else mark_of(number), number)

    def spans(self, row: int) -> list[Span]:
        """The cells of a row, those of one series joined."""
        spans: list[Span] = []
        for column in range(self.columns):
            cell = (column, row)
            if cell in self._marks:
                text, number = self._marks[cell]
            elif cell in self._dots:
                text, number = chr(_BRAILLE + self._dots[cell]), self._owner[cell]
            else:
                text, number = " ", AXIS
            if spans and spans[-1][1] == number:
                spans[-1] = (spans[-1][0] + text, number)
            else:
                spans.append((text, number))
        return spans


def _fewer(points: Sequence[Point], most: int) -> Sequence[Point]:
    """Return what is seen of very many points, about `most` of them: the highest and the lowest of each stretch."""
    if len(points) <= 2 * most:
        return points
    size = 2 * len(points) // most
    extremes = [points[0]]
    for start in range(0, len(points), size):
        stretch = range(start, min(start + size, len(points)))
        ends = {min(stretch, key=lambda i: points[i][1]), max(stretch, key=lambda i: points[i][1])}
        extremes += [points[i] for i in sorted(ends)]
    return [*extremes, points[-1]]


def _thinned(dots: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return what is seen of very many dots: of each column the first, the lowest, the highest and the last."""
    columns: dict[int, list[int]] = {}
    for x, y in dots:
        seen = columns.get(x)
        if seen is None:
            columns[x] = [y, y, y, y]
        else:
            seen[1], seen[2], seen[3] = min(seen[1], y), max(seen[2], y), y
    return [(x, y) for x, ys in columns.items() for y in ys]


def _line(start: tuple[int, int], end: tuple[int, int]) -> list[tuple[int, int]]:
    (x, y), (to_x, to_y) = start, end
    steps = max(abs(to_x - x), abs(to_y - y))
    if not steps:
        return [start]
    return [(round(x + (to_x - x) * i / steps), round(y + (to_y - y) * i / steps)) for i in range(steps + 1)]


def _x_axis(
    canvas: _Canvas,
    margin: int,
    ticks: Sequence[float],
    said: Sequence[Sequence[str]],
) -> tuple[str, str]:
    """Return the axis with its ticks and what is said of the axes, and the numbers below, which never touch.

    Of each thing to say the first wording stands between two ticks that has room there.
    """
    low, high = canvas.x
    axis, below = ["─"] * canvas.columns, [" "] * (margin + 1 + canvas.columns)
    taken = -1
    for tick in (tick for tick in ticks if low <= tick <= high):
        column, text = canvas.column_of(tick), short_number(tick)
        start = min(margin + 1 + column - len(text) // 2, len(below) - len(text))
        if start > taken and start >= 0:
            axis[column] = "┬"
            below[start : start + len(text)] = text
            taken = start + len(text)
    for wordings in said:
        places = ((text, start) for text in wordings for start in range(1, canvas.columns - len(text) - 1))
        for text, start in places:
            if set(axis[start - 1 : start + len(text) + 1]) == {"─"}:
                axis[start - 1 : start + len(text) + 1] = f" {text} "
                break
    return f"{'':{margin}}└{''.join(axis)}", "".join(below)
