"""The virtual table: quick with a million rows, and a cursor that stays on its row whatever happens around it."""

import random
import time
from contextlib import asynccontextmanager

import polars as pl
import pytest
from textual.app import App

from xlbias.dashboard.terminal.theme import quiet_colours
from xlbias.dashboard.widgets.table.columns import Column
from xlbias.dashboard.widgets.table.virtual_table import VirtualTable

COLUMNS = (
    Column("n", "n", 9, "{:,}".format, best_first=True),
    Column("code", "code", 6, align="left"),
    Column("text", "text", 40, text=True),
)


class TableApp(App):
    def __init__(self, frame, columns=COLUMNS):
        super().__init__()
        self.table = VirtualTable(columns, ("id",))
        self.frame = frame
        self.moved = []
        self.opened = []

    def get_theme_variable_defaults(self):
        return quiet_colours(self.current_theme)

    def compose(self):
        yield self.table

    def on_mount(self):
        self.table.replace(self.frame)

    def on_virtual_table_moved(self, message):
        self.moved.append(message.key)

    def on_virtual_table_chosen(self, message):
        self.opened.append(message.key)


def frame_of(n, seed=0):
    rng = random.Random(seed)
    numbers = rng.sample(range(n * 10), n)
    return pl.DataFrame(
        {
            "id": [f"q{i}" for i in range(n)],
            "n": numbers,
            "code": ["hi→en"] * n,
            "text": [f"text {i}" for i in range(n)],
        }
    )


@asynccontextmanager
async def table_of(frame, size=(80, 20), columns=COLUMNS):
    app = TableApp(frame, columns)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield app.table, pilot


def lines(table):
    return [table.render_line(y).text for y in range(table.size.height)]


async def test_a_line_is_cursor_mark_aligned_columns_and_text_last():
    async with table_of(pl.DataFrame({"id": ["a"], "n": [1234], "code": ["hi→en"], "text": ["Привет"]})) as (table, _):
        head, first, *_ = lines(table)

        assert head.split() == ["n", "code", "text"]
        assert first.rstrip() == "▸     1,234  hi→en   Привет"
        assert len(first) == 80


async def test_moves_stop_at_both_ends():
    async with table_of(frame_of(50)) as (table, _):
        for where, row in [
            ("up", 0), ("down", 1), ("page_down", 19), ("last", 49), ("down", 49), ("page_up", 31), ("start", 0),
            ("end", 49),
        ]:  # fmt: skip
            table.move(where)
            assert table.cursor == row
        assert lines(table)[-1].startswith("▸")


async def test_cursor_scroll_and_sort_stay_when_rows_come_in_above():
    frame = frame_of(200)
    async with table_of(frame) as (table, pilot):
        table.sort("n", descending=True)
        table.go_to(table.key_at(120))
        await pilot.pause()
        key, seen = table.cursor_key, lines(table)
        at = next(i for i, line in enumerate(seen) if line.startswith("▸"))

        more = pl.DataFrame({"id": ["x", "y"], "n": [10**6, 10**6 + 1], "code": ["a", "b"], "text": ["", ""]})
        table.replace(pl.concat([more, frame]))
        await pilot.pause()

        assert table.cursor_key == key
        assert table.cursor == 122
        assert lines(table)[at] == seen[at]
        assert table.ordered()["n"].is_sorted(descending=True)


async def test_a_row_that_is_gone_leaves_the_cursor_inside_the_table():
    async with table_of(frame_of(10)) as (table, pilot):
        table.move("last")
        table.replace(frame_of(3))
        await pilot.pause()

        assert table.cursor == 2
        table.replace(frame_of(0))
        assert table.cursor_key is None


async def test_sorting_keeps_the_cursor_on_its_row_puts_nulls_last_and_shows_its_direction():
    frame = pl.DataFrame({"id": ["a", "b", "c"], "n": [2, None, 1], "code": ["x"] * 3, "text": ["t"] * 3})
    async with table_of(frame) as (table, _):
        table.sort("n")
        assert table.ordered()["id"].to_list() == ["c", "a", "b"]
        assert table.cursor_key == ("a",)
        assert "▲n" in lines(table)[0]

        table.reverse_sort()
        assert table.ordered()["id"].to_list() == ["a", "c", "b"]
        assert "▼n" in lines(table)[0]

        table.sort(None)
        table.reverse_sort()
        assert table.ordered()["id"].to_list() == ["c", "b", "a"]


async def test_cycling_the_sort_goes_through_all_columns_and_back_to_the_order_of_the_run():
    async with table_of(frame_of(5)) as (table, _):
        seen = []
        for _ in range(4):
            table.cycle_sort()
            seen.append((table.sorted_by, table.descending))
        assert seen == [("n", True), ("code", False), ("text", False), (None, False)]


async def test_the_mouse_moves_opens_and_sorts():
    async with table_of(frame_of(50)) as (table, pilot):
        await pilot.click(VirtualTable, offset=(10, 5))
        assert table.cursor == 4
        await pilot.click(VirtualTable, offset=(10, 5))
        assert pilot.app.opened == [("q4",)]
        await pilot.click(VirtualTable, offset=(10, 0))
        assert (table.sorted_by, table.descending) == ("n", True)
        await pilot.click(VirtualTable, offset=(10, 0))
        assert (table.sorted_by, table.descending) == ("n", False)
        assert table.cursor_key == ("q4",)


async def test_the_wheel_scrolls_and_leaves_the_cursor():
    async with table_of(frame_of(500)) as (table, pilot):
        table.scroll_to(y=100, animate=False, immediate=True)
        await pilot.pause()

        assert table.cursor == 0
        assert "q100" not in lines(table)[1]  # the key itself is not shown
        assert "text 100" in lines(table)[1]


@pytest.mark.parametrize("width", [60, 80, 140])
async def test_hostile_text_stays_one_inert_line_of_the_panel(width):
    texts = [
        "\x1b]52;c;aGk=\x07",
        "[/]",
        "[@click=app.quit]x[/]",
        "\u202eabc",
        "a\x00b\nc",
        "x" * 1_000_000,
        "\x9b31m",
        "日" * 100,
    ]
    frame = pl.DataFrame({"id": texts, "n": range(len(texts)), "code": texts, "text": texts})
    async with table_of(frame, size=(width, 20)) as (table, _):
        for y in range(1, len(texts) + 1):
            strip = table.render_line(y)
            assert strip.cell_length == width
            assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c == "\u202e" for c in strip.text)
            assert not any(segment.style and segment.style.meta for segment in strip)


async def test_a_cursor_move_repaints_two_lines_only():
    async with table_of(frame_of(100)) as (table, pilot):
        painted = []
        render = table.render_line
        table.render_line = lambda y: (painted.append(y), render(y))[1]
        table.move("down")
        await pilot.pause()

        assert sorted(set(painted)) == [1, 2]


async def test_a_million_rows_without_a_pause():
    n = 1_000_000
    frame = pl.DataFrame(
        {"id": pl.int_range(n, eager=True), "n": pl.int_range(n, eager=True).shuffle(seed=1)}
    ).with_columns(pl.lit("hi→en").alias("code"), pl.format("text {}", "id").alias("text"))
    async with table_of(frame.head(0), size=(140, 45)) as (table, pilot):
        started = time.process_time()
        table.replace(frame)
        lines(table)
        built = time.process_time() - started

        pages = []
        for where in ["page_down"] * 20 + ["last", "page_up", "first"]:
            started = time.process_time()
            table.move(where)
            lines(table)
            pages.append(time.process_time() - started)

        started = time.process_time()
        table.sort("n", descending=True)
        lines(table)
        sorting = time.process_time() - started

        assert built < 0.3
        assert sorted(pages)[len(pages) // 2] < 0.1
        assert sorting < 1.0
        assert table.row_at(0)["n"] == n - 1
        await pilot.pause()
