"""Bars: as long as their values, with their intervals, on an axis that says where it begins."""

import pytest
from dashboard.made import opened, press, screen_lines, settled

from xlbias.dashboard.widgets.heatmap.bars import Axis, bar
from xlbias.results.cell import Cell


@pytest.mark.parametrize(
    ("cell", "neutral", "drawn"),
    [
        (Cell(5.0), None, "█████"), (Cell(2.5), None, "██▌"), (Cell(0.0), None, ""), (Cell(None), None, ""),
        (Cell(5.0, 3.0, 8.0), None, "███▒▒───┤"), (Cell(5.0, 4.9, 5.05), None, "████▒┤"),
        (Cell(8.0), 5.0, "     ███"), (Cell(2.0), 5.0, "  ███│"), (Cell(5.0), 5.0, "     │"),
        (Cell(3.0, 1.0, 6.0), 5.0, " ├─▒▒─┤"),
    ],
)  # fmt: skip
def test_a_bar_begins_at_the_origin_and_ends_at_its_value(cell, neutral, drawn):
    assert bar(cell, Axis(0.0, 10.0, neutral or 0.0, 10)) == drawn


def test_the_axis_has_room_for_every_interval_and_begins_at_zero_or_at_the_neutral_value():
    cells = [Cell(2.0, 1.0, 4.0), Cell(-1.0), Cell(None)]
    assert Axis.over(cells, None, 20) == Axis(-1.0, 4.0, 0.0, 20)
    assert Axis.over(cells, 6.0, 20) == Axis(-1.0, 6.0, 6.0, 20)
    assert Axis.over([Cell(None)], None, 20) is None
    assert Axis.over([Cell(0.0)], None, 20) is None


@pytest.mark.integration
async def test_what_bars_stand_for_is_said_over_them(finished_run):
    async with opened(finished_run, size=(80, 24)) as (app, pilot):
        await press(pilot, "3")
        await settled(pilot)
        (head,) = [line for line in screen_lines(app) if "bars from" in line]
        assert "bars from 0 to 9.0" in head
