"""How queries are listed: in a thread, while keys are answered, and nothing moves by itself."""

import json
import threading
from dataclasses import replace

import polars as pl
import pytest
from dashboard.listed import keys_of, listed, queries_of, typed, varied, varied_content
from dashboard.made import opened, press, rank_of, screen_lines, settled, text_on, until

from xlbias.dashboard import places
from xlbias.dashboard.screens.queries import screen as queries_screen
from xlbias.dashboard.screens.queries.screen import Read
from xlbias.dashboard.workers import query_list
from xlbias.dashboard.workers.query_list import QueryListings, Wanted
from xlbias.results.queries.filter import parse_filter
from xlbias.results.run import open_run

pytestmark = pytest.mark.integration


@pytest.fixture
def varied_run(live_run):
    """Two models on one task whose queries all differ."""
    return varied_content(live_run(tasks=("xquad-r",)))


async def test_new_rows_of_a_live_run_leave_cursor_filter_and_order_alone(live_run):
    run = live_run(models=("m",), tasks=("t",))
    run.write("de")
    async with queries_of(run.path, "set:cross ap<0.2", size=(60, 10)) as (_, pilot, screen):
        await press(pilot, "G", "k")
        before = (screen.table.cursor_key, str(screen.filter), screen.sorted_by, screen.descending)
        line = screen.table.cursor - round(screen.table.scroll_y)
        assert screen.table.height == 5
        for language in ("ar", "hi"):
            run.write(language)
        await until(pilot, lambda: screen.table.height == 15)
        await settled(pilot)
        assert (screen.table.cursor_key, str(screen.filter), screen.sorted_by, screen.descending) == before
        assert screen.table.cursor - round(screen.table.scroll_y) == line
        assert all(1 / rank_of(key[1], key[2]) < 0.2 for key in keys_of(screen))


async def test_excluded_queries_are_counted_stand_last_and_fulfil_no_number(live_run):
    run = live_run(models=("m",), tasks=("t",))
    none = (pl.col("pool") == "multilingual") & pl.col("query_id").is_in(["q0", "q1"])
    rows = varied("m", "t", "de").with_columns(
        pl.when(none).then(0).otherwise("n_relevant").alias("n_relevant"),
        pl.when(none).then(pl.col("relevants").list.head(0)).otherwise("relevants").alias("relevants"),
        *(pl.when(none).then(None).otherwise(name).alias(name) for name in ("ap", "first_rank", "last_rank")),
    )
    run.journal.write("ranking", "000-000-00001", rows)
    async with queries_of(run.path) as (app, pilot, screen):
        assert "5 of 5 rows" in screen_lines(app)[1]
        assert "2 excluded" in screen_lines(app)[1]
        assert {key[0] for key in keys_of(screen)[-2:]} == {"q0", "q1"}
        await press(pilot, "S")
        await listed(app, pilot)
        assert {key[0] for key in keys_of(screen)[-2:]} == {"q0", "q1"}
        await typed(app, pilot, "ap>=0")
        assert screen.table.height == 3


async def test_the_view_of_the_last_time_is_restored(varied_run):
    async with queries_of(varied_run, "q:hi d:de,multi") as (app, pilot, screen):
        await press(pilot, "s", "S", "j", "j")
        await listed(app, pilot)
        key = screen.table.cursor_key
        saved = json.loads(json.dumps(screen.saved()))
        await press(pilot, "q")
    async with opened(varied_run) as (app, pilot):
        await listed(app, pilot)
        screen = app.view
        assert app.place == places.QUERIES
        assert screen.saved() == saved
        assert (str(screen.filter), screen.sorted_by, screen.descending) == ("q:hi d:de,multi", "first_rank", False)
        assert screen.table.cursor_key == key


@pytest.mark.parametrize("saved", [{"filter": "ap<", "sort": "x"}, {"filter": 3, "cursor": [1, 2, 3]}, {"cursor": "q"}])
async def test_what_does_not_fit_is_not_restored(finished_run, saved):
    async with queries_of(finished_run) as (app, pilot, screen):
        screen._filter_given = False
        screen.restore(saved)
        screen.show()
        await listed(app, pilot)
        assert str(screen.filter) == ""
        assert screen.table.height == 20


async def test_once_there_are_rows_the_footer_says_that_they_can_be_copied(varied_run, monkeypatch, go):
    slow = query_list.query_rows
    monkeypatch.setattr(query_list, "query_rows", lambda *args: go.wait() and slow(*args))
    async with opened(varied_run, size=(140, 45)) as (app, pilot):
        try:
            await pilot.press("5")
            await until(pilot, lambda: "reading …" in text_on(app))
            assert "y copy" not in screen_lines(app)[-1]
        finally:
            go.set()
        await until(pilot, lambda: "y copy" in screen_lines(app)[-1])


async def test_keys_are_answered_while_rows_are_read_and_the_old_ones_stay(varied_run, monkeypatch, go):
    slow = query_list.query_rows
    async with queries_of(varied_run) as (app, pilot, screen):
        calls = []

        def waits(*args):
            calls.append(args)
            go.wait()
            return slow(*args)

        monkeypatch.setattr(query_list, "query_rows", waits)
        try:
            await press(pilot, "slash")
            app.screen.query_one("Entry").value = "q:hi d:de"
            await press(pilot, "enter", "j", "j")
            await until(pilot, lambda: "reading …" in screen_lines(app)[1])
            assert screen.table.height == 20
            assert screen.table.cursor == 2
            screen.set_filter("q:th d:de")
            screen.show()
            screen.set_filter("q:ar d:de")
            screen.show()
        finally:
            go.set()
        await listed(app, pilot)
        assert {key[1] for key in keys_of(screen)} == {"ar"}
        assert len(calls) == 2  # what was wanted in between is never read
        assert "reading" not in screen_lines(app)[1]


@pytest.mark.parametrize(("seconds", "said"), [(60.0, True), (0.0, False)])
async def test_that_rows_are_being_sorted_is_said_at_once_where_it_took_long_before(
    varied_run, monkeypatch, go, seconds, said
):
    quick, begun = query_list.ordered, threading.Event()

    def waits(*args, **options):
        begun.set()
        go.wait()
        return quick(*args, **options)

    monkeypatch.setattr(queries_screen, "_PATIENCE", 30.0)
    async with queries_of(varied_run, "q:hi") as (app, pilot, screen):
        monkeypatch.setattr(query_list, "ordered", waits)
        screen.listing = replace(screen.listing, seconds=seconds)
        before = keys_of(screen)
        try:
            await press(pilot, "S")
            await until(pilot, begun.is_set)
            assert ("sorting …" in screen_lines(app)[1]) == said
            assert "reading" not in screen_lines(app)[1]
            assert keys_of(screen) == before
        finally:
            go.set()
        await listed(app, pilot)
        assert "sorting" not in screen_lines(app)[1]
        assert keys_of(screen) != before
        assert screen.listing.seconds > 0


async def test_a_list_that_is_no_longer_wanted_is_not_shown(varied_run):
    async with queries_of(varied_run, "q:hi") as (app, pilot, screen):
        old = Wanted(app.state.snapshot.run, *app.state.chosen, parse_filter("q:th"))
        screen.post_message(Read(old, QueryListings().of(old)))
        await pilot.pause()
        assert {key[1] for key in keys_of(screen)} == {"hi"}


def test_lists_keep_what_they_read_and_forget_what_belongs_to_no_run_at_hand(varied_run, monkeypatch):
    calls = []
    slow = query_list.query_rows
    monkeypatch.setattr(query_list, "query_rows", lambda *args: calls.append(args) or slow(*args))
    lists, run = QueryListings(), open_run(varied_run)
    for line in ("q:hi ap<0.5", "q:hi ap<0.1", "ap<0.1 q:HI"):
        lists.of(Wanted(run, "mono", "xquad-r", parse_filter(line)))
    assert len(calls) == 1
    again = open_run(varied_run)
    lists.of(Wanted(again, "mono", "xquad-r", parse_filter("q:hi")))
    assert {key[1] for key in lists._cache} == {again}
    assert lists.of(Wanted(again, "mono", "xquad-r", parse_filter("q:de")), lambda: True) is None


async def test_a_file_that_cannot_be_read_any_more_is_said(varied_run):
    async with queries_of(varied_run) as (app, pilot, screen):
        varied_run.write_bytes(b"nothing")
        screen.set_filter("q:hi d:de")
        screen.show()
        await until(pilot, lambda: "cannot be read" in "\n".join(screen_lines(app)))
        assert screen.table.height == 20


async def test_a_language_that_the_next_task_lacks_is_said(live_run):
    run = live_run(models=("m",), tasks=("one", "two"))
    one, two = run.about["tasks"]
    run.journal.describe("tasks", [one, {**two, "n_queries": {"de": 5}}])
    run.write("hi")
    async with queries_of(run.path, "q:hi") as (app, pilot, screen):
        await press(pilot, "t")
        await listed(app, pilot)
        assert screen.table.height == 0
        assert "two has no queries in 'hi': it has de" in "\n".join(screen_lines(app))
        await press(pilot, "enter", "j", "G")
        assert app.place == places.QUERIES
