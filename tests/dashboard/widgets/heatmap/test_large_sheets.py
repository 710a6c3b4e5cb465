"""Sheets of very many numbers: what is not seen is not written."""

import pytest

from xlbias.dashboard.views.sheet import Said, Sheet
from xlbias.dashboard.widgets.heatmap.layout import Layout, longest_interval, wanted_width
from xlbias.measures.registry import measures
from xlbias.report.document import MatrixBlock
from xlbias.results.cell import Cell
from xlbias.results.matrix import Matrix


def sheet(n: int, *, interval: bool = True) -> Sheet:
    names = tuple(f"n{i:03d}" for i in range(n))
    cell = Cell(0.5, 0.25, 0.75, 9) if interval else Cell(0.5, n=9)
    matrix = Matrix(measures("quality")["map"], names, names, ((cell,) * n,) * n)
    return Sheet(MatrixBlock("title", matrix), "reading")


def test_where_cells_have_no_room_for_intervals_they_are_not_written(monkeypatch):
    monkeypatch.setattr(MatrixBlock, "entries", property(lambda _: pytest.fail("all were written")))
    large = sheet(60)
    grid = Layout.fit(large, 140, 40)
    assert wanted_width(large) > 140
    assert (grid.cell, grid.intervals) == (6, False)
    assert Layout.fit(sheet(60, interval=False), 140, 40).intervals


@pytest.mark.parametrize("width", [30, 60, 66, 72, 78, 90, 120, 200])
def test_intervals_are_shown_where_the_longest_one_has_room(width):
    small = sheet(5)
    grid = Layout.fit(small, width, 40)
    assert longest_interval(small) == len("[.250, .750]")
    assert grid.intervals == (longest_interval(small) + 2 <= grid.cell)


def test_what_is_said_of_a_cell_is_made_when_it_is_asked_for():
    asked = []
    said = Said(("a", "b"), ("c",), lambda row, column: asked.append(row) or f"{row}{column}")
    assert said["b", "c"] == "bc" and asked == ["b"]
    assert said.get(("c", "b"), "") == "" and asked == ["b"]
    assert dict(said) == {("a", "c"): "ac", ("b", "c"): "bc"} and len(said) == 2
