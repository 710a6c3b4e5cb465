"""Line charts of characters: where points land, what axes say, and what odd numbers do."""

import math
import re

import pytest

from xlbias.dashboard.terminal.plot import AXIS, MARKS, SEVERAL, Series, legend, plot, sparkline
from xlbias.text import width


def lines(drawn):
    return ["".join(text for text, _ in line) for line in drawn]


def place_of(drawn, mark):
    return {(x, y) for y, line in enumerate(lines(drawn)) for x, cell in enumerate(line) if cell == mark}


@pytest.mark.parametrize("size", [(20, 6), (40, 9), (79, 16), (140, 30)])
@pytest.mark.parametrize("n", [0, 1, 2, 7, 5000])
def test_a_chart_fills_its_room_exactly(size, n):
    points = [(float(i), math.sin(i / 50)) for i in range(n)]
    drawn = lines(plot([Series("a", points), Series("b", points[: n // 2])], *size))
    assert len(drawn) == size[1]
    assert {width(line) for line in drawn} == {size[0]}


def test_a_line_of_two_points_goes_from_corner_to_corner():
    drawn = plot([Series("a", [(0, 0), (10, 1)], marked=False)], 26, 12)
    rows = lines(drawn)[:10]
    inner = [row[-22:] for row in rows]  # 26 cells: three of labels, one of the axis
    # Steepest first: of 40 rows of dots and 44 columns, the diagonal runs through the cell at the same share of both.
    for y, row in enumerate(inner):
        filled = [x for x, cell in enumerate(row) if cell != " "]
        assert filled, y
        expected = (9 - y + 0.5) / 10 * 22
        assert min(filled) - 1.5 <= expected <= max(filled) + 1.5


def test_marks_stand_where_their_points_are():
    drawn = plot([Series("a", [(0, 0), (100, 1)]), Series("b", [(0, 1), (100, 0)])], 30, 12)
    rows = lines(drawn)
    left, right = rows[0].index("┤") + 1, 29
    assert place_of(drawn, MARKS[0]) == {(left, 9), (right, 0)}
    assert place_of(drawn, MARKS[1]) == {(left, 0), (right, 9)}


def test_points_of_several_series_in_one_cell_say_so():
    drawn = plot([Series("a", [(0, 0), (100, 1)]), Series("b", [(0, 1), (100, 1)])], 30, 12)
    assert len(place_of(drawn, SEVERAL)) == 1
    assert len(place_of(drawn, MARKS[0])) == len(place_of(drawn, MARKS[1])) == 1


def test_series_are_told_apart_without_colour():
    series = [Series(name, [(i, n + i / 10) for i in range(10)]) for n, name in enumerate("abcdefgh")]
    drawn = plot(series, 60, 40)
    assert all(place_of(drawn, mark) for mark in MARKS)
    assert [text.split()[0] for text, _ in legend(series)] == list(MARKS)


@pytest.mark.parametrize("values", [(0.0, 1.0), (0.2, 0.37), (-3.0, 5000.0), (1e-5, 9e-5), (7.0, 7.0)])
def test_numbers_of_the_axis_are_on_the_rows_of_their_values(values):
    low, high = values
    rows = lines(plot([Series("a", [(0, low), (1, high)])], 60, 22))[:20]
    ticks = [(y, float(row.split("┤")[0].replace(",", ""))) for y, row in enumerate(rows) if "┤" in row]
    assert len(ticks) >= 2
    assert ticks[-1][1] <= low <= high <= ticks[0][1]
    (top, top_value), (bottom, bottom_value) = ticks[0], ticks[-1]
    for y, value in ticks:  # linear, up to the height of a row
        expected = top + (top_value - value) / (top_value - bottom_value) * (bottom - top)
        assert abs(y - expected) <= 1


def test_the_x_axis_says_what_it_is_and_its_numbers_do_not_touch():
    *_, axis, numbers = lines(plot([Series("a", [(i * 1000.0, 1.0) for i in range(60)])], 60, 10))
    assert " step " in axis
    assert [int(n.replace(",", "")) for n in numbers.split()] == sorted(
        int(n.replace(",", "")) for n in numbers.split()
    )
    assert axis.count("┬") == len(numbers.split()) >= 3


@pytest.mark.parametrize("width_", [40, 60, 100])
@pytest.mark.parametrize(("low", "high", "start"), [(200.0, 260.0, "200"), (0.83, 0.99, "0.8"), (0.0, 1.0, None),
                                                     (-1.0, 1.0, None)])  # fmt: skip
def test_a_y_axis_that_does_not_hold_0_says_where_it_starts(low, high, start, width_):
    drawn = lines(plot([Series("a", [(0, low), (800, high)])], width_, 14))
    assert " step " in drawn[-2]
    found = re.search(r" y (?:starts at|from) (\S+?),? ", drawn[-2])
    assert (found and found[1]) == start
    if start:
        assert drawn[-3].lstrip().startswith(f"{start}┤")


@pytest.mark.parametrize(("steps", "expected"), [([0], ["0"]), ([7], ["7"]), ([1, 2, 3], ["1", "2", "3"])])
def test_steps_are_whole_numbers(steps, expected):
    assert lines(plot([Series("a", [(float(step), 1.0) for step in steps])], 60, 10))[-1].split() == expected


@pytest.mark.parametrize(
    "values",
    [
        [math.nan, 1.0, math.inf, 2.0, -math.inf], [1e308, -1e308, 1e308], [5e-324, 1e-323], [1e308, 1e308],
        [1e16, 1e16 + 2], [0.0] * 9, [-1e-300, 1e-300],
    ],
)  # fmt: skip
@pytest.mark.parametrize("x", [float, lambda i: 1e15 + i, lambda i: 9.2e18, lambda i: -i * 1e300])
def test_odd_numbers_break_nothing(values, x):
    drawn = lines(plot([Series("a", [(x(i), value) for i, value in enumerate(values)])], 50, 12))
    assert [width(line) for line in drawn] == [50] * 12
    assert "nan" not in "".join(drawn)
    assert "inf" not in "".join(drawn)


def test_nothing_to_draw_and_no_room_are_said():
    assert "not yet" in "".join(lines(plot([Series("a", [])], 40, 8, nothing="not yet")))
    assert "no room for a chart" in "".join(lines(plot([Series("a", [(0, 1)])], 30, 4)))
    assert plot([Series("a", [(0, 1)])], 0, 5) == ()


def test_a_spike_among_very_many_points_is_seen():
    points = [(float(i), 0.0) for i in range(50_000)]
    points[31_234] = (31_234.0, 1.0)
    rows = lines(plot([Series("a", points, marked=False)], 80, 20))
    assert any("⠀" < cell <= "⣿" for cell in rows[0])


def test_axes_belong_to_no_series():
    drawn = plot([Series("a", [(0, 0), (1, 1)])], 40, 10)
    assert {number for line in drawn for _, number in line} == {AXIS, 0}


def test_a_sparkline_is_low_where_values_are_low():
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8) == "▁▂▃▄▅▆▇█"
    assert sparkline([0, 0, 0, 0, 7, 7], 3) == "▁▁█"
    assert sparkline([7, 0], 10) == "█▁"


@pytest.mark.parametrize(
    ("values", "cells", "expected"),
    [
        ([], 5, ""), ([1, 2], 0, ""), ([None, None], 4, "··"), ([None, 1.0, math.nan, 2.0], 4, "·▁·█"),
        ([3, 3, 3], 3, "▅▅▅"), ([1e308, -1e308], 2, "█▁"), ([5], 9, "▅"),
    ],
)  # fmt: skip
def test_sparklines_of_odd_values(values, cells, expected):
    assert sparkline(values, cells) == expected
