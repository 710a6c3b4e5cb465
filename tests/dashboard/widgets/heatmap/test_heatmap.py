"""The heatmap: a number in every cell, heads that stay, order, cursor, and what it looks like without colour."""

from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from textual.app import App
from textual.events import MouseScrollDown

from xlbias.dashboard.terminal.theme import quiet_colours
from xlbias.dashboard.views.matrix import matrix_sheet
from xlbias.dashboard.widgets.heatmap.heat_map import HeatMap
from xlbias.dashboard.widgets.heatmap.layout import Layout, small_size
from xlbias.dashboard.widgets.heatmap.legend import legend
from xlbias.dashboard.widgets.heatmap.order import OF_LANGUAGES
from xlbias.languages import script_of
from xlbias.report.document import MatrixBlock
from xlbias.results.cell import Cell
from xlbias.results.matrix import MATRIX_MEASURES, Matrix


def matrix_of(values, languages=("de", "hi", "th"), pools=None, measure="map", n=5, excluded=0):
    pools = pools or (*languages, "multilingual")
    cells = tuple(tuple(Cell(v, n=0 if v is None else n, n_excluded=excluded) for v in row) for row in values)
    return Matrix(MATRIX_MEASURES[measure], tuple(languages), tuple(pools), cells, "m", "t")


EXACT = (32, 5)
"""The panel that the smallest cells of `SMALL` fill, with a line left over."""

SMALL = matrix_of([[0.9, 0.4, 0.1, 0.5], [0.3, 0.8, 0.2, 0.6], [0.7, 0.5, None, 0.4]])


def large(n=24):
    languages = tuple(f"{chr(97 + i // 5)}{chr(97 + i % 5)}" for i in range(n))
    return matrix_of([[(r + c) / (2 * n) for c in range(n + 1)] for r in range(n)], languages)


def show(view, matrix):
    view.show(matrix_sheet(matrix) if matrix else None)


class HeatApp(App):
    def __init__(self, matrix, no_colour=False):
        super().__init__(ansi_color=True if no_colour else None)
        self.view = HeatMap(OF_LANGUAGES)
        self.first = matrix

    def get_theme_variable_defaults(self):
        return quiet_colours(self.current_theme)

    def compose(self):
        yield self.view

    def on_mount(self):
        show(self.view, self.first)


@asynccontextmanager
async def heatmap(matrix, size=(60, 8), no_colour=False):
    app = HeatApp(matrix, no_colour)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield app.view, pilot


def lines(view):
    return [view.render_line(y).text.rstrip() for y in range(view.size.height)]


async def test_numbers_missing_cells_and_the_multilingual_pool_set_apart():
    async with heatmap(SMALL, EXACT) as (view, _):
        assert lines(view) == [
            " query  de    hi    th   │multi",
            " de   [.900] .400  .100  │ .500",
            " hi    .300  .800  .200  │ .600",
            " th    .700  .500   ·    │ .400",
            "",
        ]


async def test_the_cursor_is_framed_and_its_heads_stand_out_without_colour():
    async with heatmap(SMALL, EXACT) as (view, _):
        view.move("down")
        view.move("right")

        assert view.cursor == ("hi", "hi")
        assert "[.800]" in "".join(lines(view))
        for y in (0, 2):
            head = next(s for s in view.render_line(y) if s.text == "hi")
            assert head.style.reverse
            assert head.style.bold


async def test_colours_run_from_bad_to_good_also_where_low_is_good():
    async with heatmap(SMALL) as (view, pilot):
        best, worst = cell_colour(view, 1, ".900"), cell_colour(view, 1, ".100")
        assert sum(best) > sum(worst) + 200

        distances = matrix_of([[None, None, None, 9000.0], [None] * 3 + [20.0], [None] * 4], measure="rank_distance")
        show(view, distances)
        await pilot.pause()
        assert sum(cell_colour(view, 2, "20.0")) > sum(cell_colour(view, 1, "9,000")) + 200


def cell_colour(view, y, text):
    segment = next(s for s in view.render_line(y) if text in s.text)
    return segment.style.bgcolor.get_truecolor()


async def test_every_cell_differs_by_glyph_where_there_is_no_colour():
    async with heatmap(SMALL, EXACT, no_colour=True) as (view, _):
        body = "\n".join(lines(view)[1:4])

        assert "░.400" in body
        assert "▓.700" in body
        assert " .100" in body
        segment = next(s for s in view.render_line(1) if ".400" in s.text)
        assert segment.style.bgcolor is None or segment.style.bgcolor.is_default


async def test_monolingual_cells_are_bold():
    async with heatmap(SMALL, EXACT) as (view, _):
        assert next(s for s in view.render_line(2) if ".800" in s.text).style.bold
        assert not next(s for s in view.render_line(2) if ".300" in s.text).style.bold


async def test_n_is_in_every_cell_where_there_is_room():
    async with heatmap(SMALL, size=(60, 8)) as (view, _):
        shown = lines(view)
        first, *others = shown[2].split()
        assert (first.strip("─└┘"), first[0], first[-1]) == ("5", "└", "┘")
        assert others == ["5", "5", "│", "5"]


async def test_a_measure_of_the_multilingual_pool_only_is_a_list_with_bars():
    distances = matrix_of([[None] * 3 + [10917.0], [None] * 3 + [5458.5], [None] * 4], measure="rank_distance")
    async with heatmap(distances, size=(60, 4)) as (view, _):
        head, de, hi, th = lines(view)

        assert head.split() == ["query", "multi", "n", *"bars from 0 to 10,917".split()]
        assert "10,917" in de
        assert abs(de.count("█") / 2 - hi.count("█")) <= 1
        assert "█" not in th
        assert "·" in th


@pytest.mark.parametrize(
    ("sort", "reverse", "rows", "columns"),
    [
        ("language", False, ("de", "hi", "th"), ("de", "hi", "th", "multilingual")),
        ("language", True, ("th", "hi", "de"), ("th", "hi", "de", "multilingual")),
        # row means over single languages: de .467, hi .433, th .6; column means: de .633, hi .567, th .15
        ("mean", False, ("th", "de", "hi"), ("de", "hi", "th", "multilingual")),
        ("mean", True, ("hi", "de", "th"), ("th", "hi", "de", "multilingual")),
        # Deva, Latn, Thai
        ("script", False, ("hi", "de", "th"), ("hi", "de", "th", "multilingual")),
    ],
)
async def test_order_of_rows_and_columns(sort, reverse, rows, columns):
    async with heatmap(SMALL) as (view, _):
        view.go_to(("hi", "th"))
        view.order_by(sort, reverse=reverse)

        assert view.row_names == rows
        assert view.column_names == columns
        assert view.cursor == ("hi", "th")


async def test_mean_puts_the_best_first_where_low_is_good_and_unknown_last():
    values = [[None, None, None, 50.0], [None, None, None, 10.0], [None] * 4]
    async with heatmap(matrix_of(values, measure="rank_distance")) as (view, _):
        view.order_by("mean", reverse=False)
        assert view.row_names == ("hi", "de", "th")
        view.order_by("mean", reverse=True)
        assert view.row_names == ("de", "hi", "th")


async def test_newer_values_keep_cursor_order_and_scroll():
    async with heatmap(large(), size=(60, 10)) as (view, pilot):
        view.order_by("language", reverse=True)
        view.go_to(("cc", "cd"))
        await pilot.pause()
        place, cursor = (view.top, view.left), view.cursor

        show(view, large())
        await pilot.pause()
        assert (view.top, view.left) == place
        assert view.cursor == cursor
        assert view.reverse


async def test_a_measure_without_the_cursor_s_pool_does_not_lose_it():
    async with heatmap(SMALL) as (view, _):
        view.go_to(("hi", "th"))
        show(view, matrix_of([[None] * 3 + [1.0]] * 3, measure="rank_distance"))
        assert view.cursor == ("hi", "multilingual")
        show(view, SMALL)
        assert view.cursor == ("hi", "th")


async def test_heads_stay_when_a_large_matrix_scrolls_both_ways():
    async with heatmap(large(), size=(60, 10)) as (view, pilot):
        assert lines(view)[0].startswith("↓query")
        assert lines(view)[0].endswith("›")
        view.move("last")
        view.move("end")
        await pilot.pause()

        shown = lines(view)
        assert view.cursor == ("ed", "multilingual")
        assert shown[0].startswith("↑quer‹")
        assert shown[0].endswith("│multi")
        assert shown[9].startswith(" ed")
        assert all(len(line) <= 60 for line in shown)


async def test_that_there_are_more_pools_is_seen_at_every_width():
    async with heatmap(large(), size=(60, 10)) as (view, pilot):
        for width in range(40, 61):
            await pilot.resize_terminal(width, 10)
            await pilot.pause()
            assert lines(view)[0].endswith("›"), width
            assert len(lines(view)[0]) <= width


async def test_every_move_keeps_the_cursor_in_sight():
    async with heatmap(large(), size=(50, 9)) as (view, _):
        for where in "down right page_down end up left page_up start last first".split() * 3:
            view.move(where)
            row, column = view.place
            assert row in view._grid.rows_from(view.top)
            assert column in view._grid.columns_from(view.left)
            assert "[" in "".join(lines(view))


async def test_a_cursor_move_repaints_two_rows_and_no_more():
    async with heatmap(large(8), size=(80, 9)) as (view, pilot):
        painted = []
        render = view.render_line
        view.render_line = lambda y: (painted.append(y), render(y))[1]
        view.move("down")
        await pilot.pause()
        assert sorted(set(painted)) == [1, 2]

        painted.clear()
        view.move("right")
        await pilot.pause()
        assert sorted(set(painted)) == [0, 2]


async def test_the_mouse_puts_the_cursor_on_a_cell_and_the_wheel_scrolls():
    async with heatmap(large(), size=(60, 10)) as (view, pilot):
        await pilot.click(HeatMap, offset=(20, 3))
        assert view.cursor == ("ac", "ac")
        await pilot.click(HeatMap, offset=(20, 0))
        assert view.cursor == ("ac", "ac")
        await pilot._post_mouse_events([MouseScrollDown], HeatMap, offset=(20, 3))
        assert view.top == 1
        assert view.cursor == ("ac", "ac")


async def test_the_scale_fits_the_values_or_spans_0_to_1():
    async with heatmap(SMALL) as (view, _):
        assert (view.range.low, view.range.high) == (0.1, 0.9)
        view.set_full_range(True)
        assert (view.range.low, view.range.high) == (0.0, 1.0)


async def test_a_scale_that_is_shared_reaches_over_the_values_of_all_sheets():
    async with heatmap(SMALL) as (view, _):
        view.show(view.sheet, (0.05, 0.6))
        assert (view.range.low, view.range.high) == (0.05, 0.9)
        view.set_full_range(True)
        assert (view.range.low, view.range.high) == (0.0, 1.0)
        view.set_full_range(False)
        view.show(view.sheet)
        assert (view.range.low, view.range.high) == (0.1, 0.9)


def with_intervals(matrix, n=5):
    cells = tuple(tuple(Cell(c.value, c.value - 0.012, c.value + 0.012, n=n) for c in line) for line in matrix.cells)
    return replace(matrix, cells=cells)


FULL = matrix_of([[0.9, 0.4, 0.1, 0.5], [0.3, 0.8, 0.2, 0.6], [0.7, 0.5, 0.6, 0.4]])


async def test_where_n_is_the_same_everywhere_a_cell_has_its_interval_in_its_place():
    async with heatmap(with_intervals(FULL), size=(60, 8)) as (view, _):
        assert view.shows_intervals
        assert lines(view)[4] == "       .288–.312  .788–.812  .188–.212  │ .588–.612"
        few = with_intervals(FULL)
        view.show(matrix_sheet(replace(few, cells=(with_intervals(FULL, 4).cells[0], *few.cells[1:]))))
        assert not view.shows_intervals
        assert lines(view)[4].split() == ["5", "5", "5", "│", "5"]
    async with heatmap(with_intervals(FULL), size=(50, 8)) as (view, _):  # no room for intervals
        assert not view.shows_intervals
        assert lines(view)[4].split() == ["5", "5", "5", "│", "5"]


async def test_a_small_sheet_is_as_narrow_as_its_numbers_and_follows_another_one():
    small = replace(matrix_sheet(FULL), small=True)
    assert small_size(small) == (6 + 4 * 5 + 2, 4)
    async with heatmap(FULL, (28, 4)) as (view, pilot):
        leader = HeatMap(OF_LANGUAGES)
        await pilot.app.mount(leader)
        leader.show(matrix_sheet(FULL))
        view.interactive, view.leader = False, leader
        view.show(small)
        assert lines(view) == [
            " query de   hi   th   │multi", " de    .900 .400 .100 │ .500", " hi    .300 .800 .200 │ .600",
            " th    .700 .500 .600 │ .400",
        ]  # fmt: skip
        leader.order_by("mean", reverse=False)
        leader.go_to(("hi", "th"))
        view.follow_leader()
        assert (view.row_names, view.cursor) == (leader.row_names, ("hi", "th"))
        here = next(segment for y in range(4) for segment in view.render_line(y) if ".200" in segment.text)
        assert here.style.reverse


async def test_hostile_language_codes_stay_inert_and_in_their_cells():
    bad = ("\x1b]52;c;aGk=\x07", "[@click=app.quit]x", "\u202ede\x00")
    async with heatmap(matrix_of([[0.1, 0.2, 0.3, 0.4]] * 3, bad), size=(70, 5)) as (view, _):
        for y in range(4):
            strip = view.render_line(y)
            assert strip.cell_length == 70
            assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c == "\u202e" for c in strip.text)


async def test_nothing_to_show_is_blank():
    async with heatmap(None) as (view, _):
        assert set(lines(view)) == {""}
        view.move("down")
        show(view, matrix_of([[None] * 4] * 3))
        assert view.range is None
        assert lines(view)[1].count("·") == 4


async def test_a_measure_without_a_value_in_any_column_is_blank_until_there_is_one():
    pools = ("de", "hi", "th")  # no pool of all languages, which the list of such a measure would be of
    async with heatmap(matrix_of([[None] * 3] * 3, pools=pools, measure="kendall_w")) as (view, pilot):
        assert lines(view) == [""] * 8
        await pilot.press("down", "right")
        view.move("last")
        assert view.cursor is None
        show(view, SMALL)
        assert view.cursor == ("de", "de")


async def test_a_cursor_that_was_not_moved_stays_on_its_cell_in_another_order():
    for compact in (True, False):
        async with heatmap(None) as (view, _):
            view.show(replace(matrix_sheet(SMALL), compact=compact))
            view.order_by("language", reverse=True)
            assert view.cursor == ("de", "de")
            assert view.place == (2, 2)


async def test_cells_of_many_languages_are_written_when_they_are_seen(monkeypatch):
    made = []
    written = MatrixBlock.entry
    monkeypatch.setattr(MatrixBlock, "entry", lambda block, r, c: (made.append((r, c)), written(block, r, c))[1])
    async with heatmap(large(24), size=(60, 10)) as (view, _):
        view.order_by("mean", reverse=False)
        lines(view)
        assert len(set(made)) <= 10 * 9 < 24 * 25


def test_without_colours_the_middle_of_differences_is_named_and_no_sign_stands_at_the_better_end():
    sheet = replace(matrix_sheet(matrix_of([[-2.0, 1.0, 0.5, 1.0]] * 3, measure="rank_distance")), diverging=True)
    said = "".join(part.text for part in legend(sheet, sheet.range(full=False), "none", narrow=False, whole=True))
    assert said == "worse 2.0 … 0 … -2.0 better"


def test_scripts_come_from_likely_subtags_and_are_unknown_for_what_is_no_language():
    assert [script_of(tag) for tag in ("hi", "zh", "zh-Hant", "sr", "ja", "[/]", "")] == [
        "Deva", "Hans", "Hant", "Cyrl", "Jpan", "Zyyy", "Zyyy",
    ]  # fmt: skip


@pytest.mark.parametrize("width", [20, 60, 80, 140])
@pytest.mark.parametrize("height", [3, 12, 45])
def test_what_is_drawn_at_a_point_is_what_a_click_there_finds(width, height):
    grid = Layout.fit(matrix_sheet(large(11)), width, height)
    for row in grid.rows_from(2):
        for column in grid.columns_from(1):
            region = grid.region(row, column, 2, 1)
            assert grid.at(region.x, region.y, 2, 1) == (row, column)
            assert grid.at(region.right - 1, region.bottom - 1, 2, 1) == (row, column)
    assert grid.at(0, 0, 0, 0) is None


def test_the_eleven_languages_of_xquad_r_fit_80_columns():
    grid = Layout.fit(matrix_sheet(large(11)), 80, 15)
    assert len(grid.columns_from(0)) == 12
    assert len(grid.rows_from(0)) == 11
