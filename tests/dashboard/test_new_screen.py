"""A screen is one file and one entry: header, keys, help, palette and navigation find it."""

import pytest
from dashboard.made import opened, press, screen_lines, shows

from xlbias.dashboard import places
from xlbias.dashboard.commands.keys import registry
from xlbias.dashboard.places import OVERVIEW, Place
from xlbias.dashboard.screens.base import View
from xlbias.dashboard.widgets.text.line import Line

pytestmark = pytest.mark.integration

POOLS = "pools"


class PoolsScreen(View):
    """How many passages each language of the chosen task has."""

    PLACE = POOLS

    def content(self):
        yield Line(id="pools")

    def show(self):
        super().show()
        state = self.dashboard.state
        if state.snapshot is not None and state.chosen is not None:
            sizes = state.snapshot.run.task(state.chosen[1]).pool_sizes
            self.query_one("#pools", Line).set([], " ".join(f"{code}={size}" for code, size in sizes.items()))


@pytest.fixture
def registered(monkeypatch):
    entry = Place(POOLS, "Pools", "Passages by language", f"{__name__}.PoolsScreen", frozenset({"task"}))
    monkeypatch.setitem(places.SCREENS, POOLS, entry)


async def test_a_screen_of_one_file_and_one_entry_is_found_everywhere(registered, finished_run):
    assert registry()[POOLS].keys == ("8",)
    async with opened(finished_run, size=(120, 40)) as (app, pilot):
        assert " 7 Training  8 Pools " in screen_lines(app)[0]
        await press(pilot, "8")
        assert app.place == POOLS
        assert "ar=100 de=100 hi=100 th=100" in "\n".join(screen_lines(app))
        assert "t task" in screen_lines(app)[-1]

        await press(pilot, "t")
        assert app.state.chosen == ("mono", "mlqa")
        await press(pilot, "m")
        assert [note.message for note in app._notifications] == ["m: works on Matrix (2) and Bias (3) and Domains (4)"]
        await press(pilot, "y")
        assert [note.message for note in app._notifications] == ["y: there is nothing to copy on this screen"]

        await press(pilot, "question_mark")
        await shows(pilot, "8            Passages by language")
        await press(pilot, "escape", "escape")
        assert app.place == OVERVIEW
        await press(pilot, "ctrl+p")
        await pilot.press(*"passages by")
        await shows(pilot, "Pools (8): Passages by language")
        await press(pilot, "enter")
        await shows(pilot, "ar=100 de=100")
        assert app.place == POOLS


async def test_where_it_was_left_is_where_the_dashboard_begins(registered, finished_run):
    async with opened(finished_run) as (app, pilot):
        await press(pilot, "8", "q")
    async with opened(finished_run) as (app, _):
        assert app.place == POOLS
