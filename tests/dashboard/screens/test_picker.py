"""The picker: which runs it lists, what it says of them, and how one leads to a run and back."""

import os
from contextlib import asynccontextmanager

import polars as pl
import pytest
from dashboard.made import LiveRun, opened, press, settled, shows, text_on, until

from xlbias.dashboard import places
from xlbias.dashboard.app import DashboardApp
from xlbias.dashboard.commands.keys import registry
from xlbias.dashboard.session import recent, remember
from xlbias.dashboard.views import picker
from xlbias.dashboard.workers.shelf import Shelf
from xlbias.folders import state_folder
from xlbias.results.run import open_run
from xlbias.runs.heads import Head
from xlbias.runs.journal import Journal

pytestmark = pytest.mark.integration


@asynccontextmanager
async def picking(folder, size=(80, 24), **options):
    """The picker over a folder, once it has looked at all of it."""
    shelf = Shelf(folder, lambda: recent(state_folder()), interval=0.02)
    shelf.start()
    app = DashboardApp(None, shelf=shelf, **options)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.view.listed is not None and not app.view.listed.searching)
        await settled(pilot)
        yield app, pilot
        await settled(pilot)


@pytest.fixture
def folder(tmp_path, finished_content, monkeypatch):
    """Two runs, one of them older, a broken one and a file of something else."""
    monkeypatch.chdir(tmp_path)
    for i, name in enumerate(("old.parquet", "new.parquet")):
        (tmp_path / name).write_bytes(finished_content)
        os.utime(tmp_path / name, (1_700_000_000 + i, 1_700_000_000 + i))
    (tmp_path / "cut.parquet").write_bytes(finished_content[:2000])
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "data.parquet")
    return tmp_path


def listed(app):
    return app.view.table.ordered()["run"].to_list()


async def test_runs_are_listed_the_newest_first_and_broken_ones_last_with_their_sentence(folder):
    async with picking(folder) as (app, pilot):
        assert app.place == places.PICKER
        assert listed(app) == ["new.parquet", "old.parquet", "cut.parquet"]
        text = text_on(app)
        assert "3 runs" in text
        assert "✖ broken" in text
        assert "is truncated" in text
        await shows(pilot, "mAP to 1.000")  # the thumbnail of the run under the cursor
        assert "encoders     2: mono, hybrid" in text_on(app)


async def test_enter_opens_a_run_and_escape_comes_back_to_the_same_row(folder):
    async with picking(folder) as (app, pilot):
        await press(pilot, "down", "enter")
        await shows(pilot, "1 Overview", "old.parquet", "xquad-r")
        await press(pilot, "enter")
        assert app.place == places.MATRIX
        await press(pilot, "escape", "escape")
        assert app.place == places.PICKER
        assert app.view.head.path.name == "old.parquet"
        await press(pilot, "up", "enter")
        await shows(pilot, "new.parquet")
        assert app.state.path.name == "new.parquet"
        await shows(pilot, "xquad-r")
        await press(pilot, "2")
        assert app.place == places.MATRIX


async def test_two_marked_runs_are_compared_in_three_keys(folder):
    async with picking(folder) as (app, pilot):
        await press(pilot, "space", "space")
        assert "Enter compares: old.parquet with new.parquet as its base" in text_on(app)
        await press(pilot, "enter")
        await shows(pilot, "old.parquet against new.parquet")
        assert (app.state.path.name, app.state.base_path.name) == ("old.parquet", "new.parquet")
        await press(pilot, "escape")
        assert app.place == places.PICKER
        assert app.view.marked == []


async def test_two_runs_without_a_task_in_common_are_not_compared(folder):
    path = folder / "old.parquet"
    other = path.with_name("other.parquet")
    about = open_run(path).metadata
    tasks = [{**task, "fingerprint": f"{task['fingerprint']}, changed"} for task in about["tasks"]]
    with Journal.open(other, {**about, "tasks": tasks}, identity="other") as journal:
        journal.finish()
    async with picking(folder) as (app, pilot):
        app.view.marked = [path, other]
        app.view.show()
        assert "the two runs have no task in common: Space unmarks one" in text_on(app)
        await press(pilot, "enter")
        assert app.place == places.PICKER
        assert app.view.marked == [path, other]


async def test_a_mark_is_taken_back_and_what_cannot_be_compared_is_not_marked(folder):
    async with picking(folder) as (app, pilot):
        await press(pilot, *registry()["mark"].keys)
        assert "1 marked: mark another one" in text_on(app)
        await press(pilot, "up", "space")
        assert app.view.marked == []
        await press(pilot, "G", "space")
        assert "a broken run cannot be compared" in [note.message for note in app._notifications]
        assert app.view.marked == []


async def test_a_broken_run_says_what_can_be_done_and_leads_back(folder):
    async with picking(folder) as (app, pilot):
        await press(pilot, "G", "enter")
        await shows(pilot, "This run cannot be shown", "is truncated")
        await press(pilot, "escape")
        assert app.place == places.PICKER


async def test_a_filter_leaves_runs_by_path_encoder_task_and_state(folder):
    async with picking(folder) as (app, pilot):
        await press(pilot, "slash", *"old hybrid", "enter")
        assert listed(app) == ["old.parquet"]
        assert "1 of 3 runs" in text_on(app)
        await press(pilot, "x")
        assert len(listed(app)) == 3


async def test_runs_in_progress_come_first_and_move(folder):
    run = LiveRun(folder / "going.parquet")
    run.journal.progress("encoding", 1, 4, "texts")
    async with picking(folder) as (app, pilot):
        assert listed(app)[0] == "going.parquet"
        await shows(pilot, "● 25 % done")
        run.journal.progress("ranking", 2, 4, "cells")
        await shows(pilot, "● 50 % done")
        run.write_all().finish()
        await until(pilot, lambda: "●" not in text_on(app))
    run.journal.close()


async def test_a_run_that_was_looked_at_elsewhere_is_listed(folder, tmp_path_factory, finished_content):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "other.parquet"
    elsewhere.write_bytes(finished_content)
    remember(state_folder(), elsewhere, {"path": str(elsewhere), "theme": "xlbias-light"})
    remember(state_folder(), folder / "gone.parquet", {"path": str(folder / "gone.parquet")})
    assert set(recent(state_folder())) == {elsewhere, folder / "gone.parquet"}
    async with picking(folder) as (app, _):
        assert listed(app)[0].rpartition("/")[2] == "other.parquet"
        assert len(listed(app)) == 4


async def test_an_empty_folder_says_how_a_run_is_made(tmp_path):
    async with picking(tmp_path) as (app, pilot):
        assert "There is no run here" in text_on(app)
        await press(pilot, "enter")
        assert "there is no run in the list" in [note.message for note in app._notifications][-1]
        LiveRun(tmp_path / "run.parquet").write_all().finish()
        await press(pilot, "r")
        await shows(pilot, "1 run")


async def test_keys_of_a_run_say_that_none_is_open(folder):
    async with picking(folder) as (app, pilot):
        for key in ("2", "m", "y", "e", "b", "f"):
            app.clear_notifications()
            await press(pilot, key)
            assert "no run is open" in [note.message for note in app._notifications][-1], key
        await press(pilot, "escape")
        assert "this is the first screen" in [note.message for note in app._notifications][-1]
        await press(pilot, "question_mark")
        assert "Mark a run" in text_on(app)


async def test_from_a_run_that_was_named_the_picker_shows_its_folder(folder):
    async with opened(folder / "new.parquet") as (app, pilot):
        await press(pilot, "2", registry()["picker"].keys[0])
        await until(pilot, lambda: app.place == places.PICKER and app.view.table.height == 3)
        await press(pilot, "enter")
        await shows(pilot, "new.parquet")


async def test_names_are_hostile(tmp_path, finished_content):
    name = os.fsdecode(b"\xff[red]\x1b]52;c;x\x07.parquet")
    (tmp_path / name).write_bytes(finished_content)
    async with picking(tmp_path) as (app, pilot):
        text = text_on(app)
        assert "\x1b" not in text
        assert "[red]" in text
        await press(pilot, "space", "enter")
        await shows(pilot, "1 Overview")


def test_the_last_theme_is_that_of_the_picker(finished_run):
    remember(state_folder(), finished_run, {"path": str(finished_run), "theme": "xlbias-light"})
    assert DashboardApp(None, shelf=Shelf(finished_run.parent, list))._theme_name == "xlbias-light"


def test_ages_and_sizes_are_short():
    assert [picker.age(s) for s in (0, 59, 60, 7200, 3 * 86_400, 800 * 86_400)] == [
        "now", "now", "1 min", "2 h", "3 d", "2 y",
    ]  # fmt: skip
    assert [picker.bytes_of(n) for n in (0, 812, 34_000, 1_234_000, 999_900_000)] == [
        "0 B", "812 B", "34 kB", "1.2 MB", "1.0 GB",
    ]  # fmt: skip
    assert picker.profile([0.0, 0.05, 0.1, None]) == "▁▅█·"


def test_runs_without_a_word_of_the_filter_go(tmp_path):
    heads = [Head(tmp_path / "a.parquet", "finished", ("Ünïcode",), ("t",)), Head(tmp_path / "b.parquet", "died")]
    assert [one.path.name for one in picker.matching(heads, "unicode")] == ["a.parquet"]
    assert [one.path.name for one in picker.matching(heads, "died")] == ["b.parquet"]
