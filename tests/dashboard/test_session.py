"""How a run was last looked at comes back, as far as the run still has it."""

import json

import pytest
from dashboard.bare import parts
from dashboard.made import opened, press, screen_lines

from xlbias.dashboard import places
from xlbias.dashboard.session import Session, file_for, recall, remember
from xlbias.folders import state_folder
from xlbias.results.matrix import MATRIX_MEASURES

pytestmark = pytest.mark.integration


async def leave(app, pilot):
    await press(pilot, "q")


async def test_place_choice_measure_order_cursor_and_theme_come_back(finished_run):
    async with opened(finished_run) as (app, pilot):
        await press(pilot, "down", "enter", "m", "s", "S", "down", "right")
        app.theme = "xlbias-light"
        cursor = app.view.view.cursor
        chosen = app.state.chosen
        assert chosen == ("hybrid", "xquad-r")
        await leave(app, pilot)
    async with opened(finished_run) as (app, _):
        assert app.place == places.MATRIX
        assert app.state.chosen == chosen
        assert app.state.measure.name == "rr"
        assert (app.view.view.sort, app.view.view.reverse) == ("mean", True)
        assert app.view.view.cursor == cursor
        assert app.theme == "xlbias-light"


async def test_the_overview_comes_back_with_order_filter_and_cursor(finished_run):
    async with opened(finished_run) as (app, pilot):
        await press(pilot, "slash")
        await pilot.press(*"mono")
        await press(pilot, "enter", "s", "s", "down")
        assert app.view.table.sorted_by == "map_cross"
        key = app.view.table.cursor_key
        await leave(app, pilot)
    async with opened(finished_run) as (app, _):
        assert app.place == places.OVERVIEW
        assert app.view.table.sorted_by == "map_cross"
        assert app.view.table.cursor_key == key
        assert "2 of 4 rows" in "\n".join(screen_lines(app))


async def test_a_theme_given_now_wins_and_is_not_remembered(finished_run):
    async with opened(finished_run, theme="nord") as (app, pilot):
        await leave(app, pilot)
    async with opened(finished_run) as (app, _):
        assert app.theme == "xlbias-dark"


async def test_a_read_only_dashboard_writes_nothing(finished_run):
    async with opened(finished_run, read_only=True) as (app, pilot):
        await press(pilot, "2", "p")
        await leave(app, pilot)
    assert not list(state_folder().rglob("*"))


@pytest.mark.parametrize(
    "view",
    [
        {"place": "nowhere", "chosen": ["gone", "t"], "measure": "gone", "baseline": "gone", "theme": "gone"},
        {"place": 7, "chosen": 3, "measure": [], "baseline": {}, "theme": 1, "screens": 5},
        {"place": "query", "screens": {"matrix": {"sort": "x", "cursor": ["xx", "yy"]}, "overview": {"sort": "x"}}},
        {"place": "matrix", "screens": {"matrix": [], "overview": 1}},
    ],
)
async def test_what_no_longer_fits_is_left_out(finished_run, view):
    remember(state_folder(), finished_run, view)
    async with opened(finished_run) as (app, pilot):
        assert app.state.chosen == ("mono", "xquad-r")
        assert app.state.measure.name == "map"
        await press(pilot, "2")
        assert app.view.view.cursor == ("ar", "ar")


def test_a_damaged_memory_is_none(tmp_path):
    run = tmp_path / "run.parquet"
    remember(tmp_path, run, {"place": "matrix"})
    file = file_for(tmp_path, run)
    assert recall(tmp_path, run)["place"] == "matrix"
    for content in (b"", b"{", b"[]", b"\xff", json.dumps({"version": 99}).encode(), b"{" * 70_000):
        file.write_bytes(content)
        assert recall(tmp_path, run) == {}


def test_where_nothing_can_be_written_nothing_breaks(tmp_path):
    (tmp_path / "file").write_text("")
    remember(tmp_path / "file", tmp_path / "run.parquet", {})
    remember(tmp_path, tmp_path / "run.parquet", {"unwritable": object()})
    assert recall(tmp_path, tmp_path / "run.parquet") == {}


def test_without_a_terminal_what_was_looked_at_is_saved_and_restored_by_another_session(finished_run):
    app, state, baseline, navigation = parts(finished_run)
    session = Session(app, state, baseline, navigation)
    state.chosen, state.measure, baseline.model = ("hybrid", "mlqa"), MATRIX_MEASURES["rr"], "mono"
    navigation.go(places.MATRIX)
    app.screens[places.MATRIX].saved = lambda: {"sort": "mean"}
    app.screens[places.OVERVIEW].saved = lambda: {"filter": "x"}
    session.save("xlbias-light")

    app, state, baseline, navigation = parts(finished_run)
    session = Session(app, state, baseline, navigation)
    session.restore()
    assert (state.chosen, state.measure.name, baseline.model) == (("hybrid", "mlqa"), "rr", "mono")
    assert (navigation.place, session.theme) == (places.MATRIX, "xlbias-light")
    assert session.of_screen(places.MATRIX) == {"sort": "mean"}
    assert session.of_screen(places.MATRIX) == {}  # a screen takes it once


def test_a_screen_that_cannot_be_shown_is_not_returned_to(finished_run):
    remember(state_folder(), finished_run, {"place": places.TRAINING})
    app, state, baseline, navigation = parts(finished_run, {places.TRAINING: "the run has no training"}.get)
    Session(app, state, baseline, navigation).restore()
    assert navigation.place == places.OVERVIEW
