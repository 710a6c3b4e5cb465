"""Dialogs leave the table in sight, and a filter leaves its rows while it is typed."""

import pytest
from dashboard.made import opened, press, screen_lines, settled, shows, until
from textual.widgets import OptionList

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("no_colour", [False, True])
async def test_the_table_is_seen_behind_filter_copy_and_picker(finished_run, monkeypatch, no_colour):
    if no_colour:
        monkeypatch.setenv("NO_COLOR", "1")
    async with opened(finished_run, size=(80, 24)) as (app, pilot):
        await press(pilot, "2")
        for key, title in (("y", "─ copy "), ("b", "─ compare with ")):
            await press(pilot, key)
            await shows(pilot, title)
            seen = "\n".join(screen_lines(app))
            assert " query    ar " in seen, key
            await press(pilot, "escape")
        await press(pilot, "5", "slash")
        await shows(pilot, "─ filter ", "rows  mean AP")


async def test_the_rows_that_a_filter_leaves_are_counted_while_it_is_typed(finished_run):
    async with opened(finished_run, size=(80, 24)) as (app, pilot):
        await press(pilot, "5")
        await shows(pilot, "20 of 20 rows")
        await press(pilot, "slash", *"q:de")
        await shows(pilot, "─ filter ", "5 of 5 rows", "q:de")
        await press(pilot, *" d:th")
        await shows(pilot, "─ filter ", "5 of 5 rows", "de  th ")
        await press(pilot, "escape")
        await settled(pilot)
        await until(pilot, lambda: "20 of 20 rows" in "\n".join(screen_lines(app)))
        await press(pilot, "slash", *"q:hi", "enter")
        await shows(pilot, "5 of 5 rows", "hi  multi")


async def test_the_entry_under_the_cursor_is_seen_without_colour(finished_run, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    async with opened(finished_run, size=(80, 24)) as (app, pilot):
        await press(pilot, "2", "b")
        await shows(pilot, "─ compare with ")
        for key, name in (("", "mono"), ("down", "hybrid")):
            await press(pilot, *([key] if key else []))
            options = app.screen.query_one(OptionList)
            drawn = [segment for y in range(3) for segment in options.render_line(y) if segment.text.strip()]
            assert [segment.text for segment in drawn if segment.style.underline] == [name]
