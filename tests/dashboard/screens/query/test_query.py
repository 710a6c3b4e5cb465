"""The Query screen: one query in all its languages, walked through, read in a thread, and compared with a baseline."""

import unicodedata

import polars as pl
import pytest
from dashboard.idle import rested
from dashboard.made import metadata, opened, press, row_of, screen_lines, settled, shows, until
from dashboard.ranked import write as ranked_run
from results import searched
from results.searched import IDS, LANGUAGES, TASK, Searched, answers, ranked
from rich.cells import cell_len

from xlbias.dashboard import places
from xlbias.dashboard.commands import keys
from xlbias.dashboard.screens.query import stepping
from xlbias.dashboard.screens.query.labels import PANELS
from xlbias.dashboard.terminal.codepoints import code_points, name_of
from xlbias.dashboard.terminal.wrapping import MOST, wrapped
from xlbias.dashboard.workers import query_list
from xlbias.dashboard.workers.follower import Follower
from xlbias.dashboard.workers.query_reader import Views, Wanted, valid_query, why_not_comparable
from xlbias.results.queries.query import move, query_view
from xlbias.results.queries.top import first_rows
from xlbias.results.run import open_run
from xlbias.runs.journal import Journal
from xlbias.text import clean

pytestmark = pytest.mark.integration

SIZES = [(60, 20), (80, 24), (140, 45)]
KEY = ("q1", "hi", "multilingual")

HOSTILE = (
    "\x1b]52;c;aGFja2Vk\x07clip", "[/]", "[@click=app.quit]quit[/]", "\x9b31mc1\x9d52;c;eA==\x9c", "x" * 1_000_000,
    "\u202eevil\u2066", "nul\x00bel\x07", "line\nbreak\rreturn\ttab", "👩‍👩‍👧" * 300, "a" + "\u0301" * 5000,
    "नमस्ते दुनिया " * 400, "สวัสดีชาวโลก" * 200, "今天的天气怎么样" * 300, "שלום עולם " * 100, "",
)  # fmt: skip


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    return Searched(tmp_path_factory.mktemp("searched") / "run.parquet").finish().read_bytes()


@pytest.fixture
def run(content, tmp_path):
    path = tmp_path / "run.parquet"
    path.write_bytes(content)
    return path


FILTERED = [(query_id, "hi", "multilingual") for query_id in IDS]


async def show_filtered(app, pilot, key=KEY):
    """List the queries of Hindi in all passages by their ids, and open one of them."""
    app.selection.choose(("new", TASK))
    app.navigation.open_queries("q:hi d:multi")
    await settled(pilot)
    table = app.view.table
    await until(pilot, lambda: table.height == len(IDS))
    app.view.table.sort("query_id")
    await until(pilot, lambda: table.sorted_by == "query_id")
    table.go_to(key)
    await press(pilot, "enter")
    await read(app, pilot)
    return app.view


async def show(app, pilot, key=KEY, model="new"):
    """Open a query and wait until it has been read."""
    app.selection.choose((model, TASK))
    app.navigation.open_query(key)
    await settled(pilot)
    await read(app, pilot)
    return app.view


async def read(app, pilot, *, other=False):
    def there():
        view = app.view.query_view
        both = not other or app.view.other_view is not None
        wanted = app.state.chosen[0], app.state.query_key[0]
        return view is not None and (view.model, view.query_id) == wanted and both

    await until(pilot, there)
    await settled(pilot)


def text_of(app):
    return "\n".join(screen_lines(app))


def under(app):
    return app.view.query_one("#under").text


# -- what is shown -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
async def test_every_panel_is_reached_by_tab_and_shows_its_numbers(run, size):
    async with opened(run, size=size) as (app, pilot):
        screen = await show(app, pilot)
        order = ranked("new", *KEY)
        view = screen.query_view
        lines = text_of(app)
        assert f"hi→all  ap {view.ap:.3f}".replace("0.", ".") in lines
        assert searched.query_text("q1", "hi") in lines
        assert under(app).startswith("rank 1  ")
        assert under(app).endswith(order[0][0])

        first = next((rank, name) for rank, (name, _) in enumerate(order, 1) if name in answers("q1"))
        await press(pilot, "tab")
        assert screen.panel == "relevant"
        assert under(app).startswith(f"rank {first[0]}  ")
        assert "✓ relevant" in under(app)

        await press(pilot, "tab")
        assert screen.panel == "languages"
        assert "asked in Hindi, hi→all" in under(app)  # the cursor is on the chosen language

        await press(pilot, "tab")
        assert screen.panel == "ranks"
        grid = " · ".join(
            f"{answer} {rank}" for answer, rank in zip(view.passage_languages, view.chosen.ranks, strict=True)
        )
        assert grid in text_of(app)
        row = next(line for line in screen_lines(app) if "●hi" in line and f"{view.chosen.ranks[0]}" in line)
        assert [int(cell) for cell in row.split("●hi")[1].split()[1:4]] == list(view.chosen.ranks)

        await press(pilot, "tab")
        assert screen.panel == "top"
        await press(pilot, "shift+tab")
        assert screen.panel == "ranks"
        assert all(cell_len(line) <= size[0] for line in screen_lines(app))


@pytest.mark.parametrize(
    ("key_id", "changed"),
    [
        ("panel", lambda screen: screen.panel == "relevant"),
        ("panel.previous", lambda screen: screen.panel == "ranks"),
        ("text", lambda screen: screen.panel_open),
        ("query", lambda screen: screen.dashboard.place == places.QUERY),
        ("move.right", lambda screen: screen.dashboard.state.query_key == ("q2", "hi", "multilingual")),
        ("move.left", lambda screen: screen.dashboard.state.query_key == ("q0", "hi", "multilingual")),
        ("move.down", lambda screen: screen._active.cursor == 1),
        ("move.last", lambda screen: screen._active.cursor == searched.K - 1),
    ],
)
async def test_every_key_of_the_screen_does_something(run, key_id, changed):
    async with opened(run, size=(80, 24)) as (app, pilot):
        screen = await show_filtered(app, pilot)
        if key_id == "query":
            await press(pilot, "1")
        assert not changed(screen)
        await press(pilot, keys.registry()[key_id].keys[0])
        await pilot.pause()
        assert changed(screen)


async def test_one_panel_at_a_time_where_there_is_no_room_and_several_where_there_is(run):
    async with opened(run, size=(140, 45)) as (app, pilot):
        await show(app, pilot)
        assert [panel.name_of for panel in app.view.query("QueryPanel") if panel.display] == [
            "top", "ranks", "relevant", "languages",
        ]  # fmt: skip
        for size in [(80, 24), (60, 20)]:
            await pilot.resize_terminal(*size)
            await settled(pilot)
            assert [panel.name_of for panel in app.view.query("QueryPanel") if panel.display] == ["top"]
            assert "top k 4" in text_of(app)


async def test_the_cursor_moves_in_the_panel_and_the_text_below_follows(run):
    async with opened(run, size=(80, 24)) as (app, pilot):
        await show(app, pilot)
        order = [name for name, _ in ranked("new", *KEY)]
        for key, rank in [("j", 2), ("down", 3), ("k", 2), ("G", 4), ("g", 1), ("pagedown", 4), ("home", 1)]:
            await press(pilot, key)
            await pilot.pause()
            assert under(app).startswith(f"rank {rank}  ")
            assert under(app).endswith(order[rank - 1])
            assert searched.passage_text(order[rank - 1]) in text_of(app)


async def test_another_model_is_read_on_its_key(run):
    async with opened(run, size=(80, 24)) as (app, pilot):
        await show(app, pilot)
        await press(pilot, "T")
        await read(app, pilot)
        assert app.view.query_view == query_view(app.state.snapshot.run, "old", TASK, *KEY)
        assert "old on qa" in text_of(app)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (("no\x1b[31mpe", "hi", "ar"), "There is no such query in qa."),
        (("q0", "fr", "ar"), "This query does not exist in French."),
        (("q0", "hi", "fr"), "This query has not been ranked here yet."),
        (("q2", "ar", "zh"), "nothing relevant in this pool"),
    ],
)
async def test_what_is_not_there_is_said(run, key, said):
    async with opened(run, size=(80, 24)) as (app, pilot):
        await show(app, pilot, key)
        assert said in text_of(app)
        for _ in PANELS:
            await press(pilot, "tab", "v")
        assert app.place == places.QUERY


async def test_a_run_without_texts_says_so(tmp_path):
    path = Searched(tmp_path / "run.parquet", texts=False).finish()
    async with opened(path, size=(80, 24)) as (app, pilot):
        await show(app, pilot)
        assert "The run does not store the text of this query." in text_of(app)
        for _ in range(3):
            assert "The run does not store this text." in text_of(app)
            await press(pilot, "tab")
        await press(pilot, "v", "v", "down", "G")
        assert "The run does not store this text." in text_of(app)


async def test_no_row_and_no_text_is_taken_for_markup_or_reaches_the_screen_as_control(tmp_path):
    texts = dict(zip(searched.passages(), HOSTILE * 2, strict=False))
    path = Searched(tmp_path / "run.parquet", passage=lambda name: texts[name]).finish()
    async with opened(path, size=(80, 24)) as (app, pilot):
        seen = ""
        for query_id, size in zip(IDS, SIZES, strict=True):
            await pilot.resize_terminal(*size)
            await show(app, pilot, (query_id, "hi", "multilingual"))
            for pressed in (["j"], ["j", "j"], ["v"], ["v", "G"], ["v", "tab"], ["j", "j"], ["v"], ["v"]):
                await press(pilot, *pressed)
                lines = screen_lines(app)
                assert all(cell_len(line) <= size[0] for line in lines)
                seen += "".join(lines)
            await press(pilot, "v", "shift+tab", "g")
        assert app.place == places.QUERY
        assert not [c for c in set(seen) if unicodedata.category(c) == "Cc" or c in "\u202e\u2066"]
        assert "␛]52;c;" in seen
        assert "[@click=app.quit]" in seen


@pytest.mark.parametrize("size", SIZES)
async def test_model_and_task_are_named_whatever_the_size(tmp_path, size):
    long = "sentence-transformers/" + "long-name-" * 20
    path = Searched(tmp_path / "run.parquet", models=(long,)).finish()
    async with opened(path, size=size) as (app, pilot):
        await show(app, pilot, model=long)
        line = next(line for line in screen_lines(app)[1:4] if "sentence-tr" in line)
        assert "… on qa" in line


async def test_every_panel_shows_its_eleven_rows_at_140_columns(live_run):
    languages = ("ar", "de", "el", "en", "es", "hi", "ru", "th", "tr", "vi", "zh")
    made = live_run(models=("m",), tasks=("t",), languages=languages)
    made.write_all()
    async with opened(made.finish(), size=(140, 45)) as (app, pilot):
        app.navigation.open_query(("q0", "hi", "multilingual"))
        await settled(pilot)
        await until(pilot, lambda: app.view.query_view is not None)
        await settled(pilot)
        for panel in app.view.query("QueryPanel"):
            table = panel.table
            assert table.height <= table.size.height - table._head, panel.name_of
        assert sum("zh" in line.split() for line in screen_lines(app)) >= 3


# -- texts -------------------------------------------------------------------------------------------------------------


async def test_v_shows_the_whole_text_then_its_code_points_then_the_panels_again(tmp_path):
    path = Searched(tmp_path / "run.parquet", passage=lambda name: f"{name} " + "नि\u202e" + " word" * 300).finish()
    async with opened(path, size=(60, 20)) as (app, pilot):
        screen = await show(app, pilot)
        name = ranked("new", *KEY)[0][0]
        await press(pilot, "v")
        await pilot.pause()
        assert screen.panel_open
        assert "whole text  line 1 of " in under(app)
        assert f"{name} नि⟨U+202E⟩ word" in text_of(app)
        whole = screen.query_one("#whole")
        await press(pilot, "G")
        assert whole.top == whole.n_lines - whole.size.height > 0
        assert f"line {whole.top + 1} of {whole.n_lines}" in under(app)

        await press(pilot, "v")
        await pilot.pause()
        lines = text_of(app)
        first = [line for line in screen_lines(app) if "U+" in line][: len(name)]
        assert [line.split()[1] for line in first] == [f"U+{ord(c):04X}" for c in name]
        await press(pilot, "pagedown")
        lines += text_of(app)
        assert "U+0928" in lines
        assert "DEVANAGARI VOWEL SIGN I" in lines
        assert "RLO  RIGHT-TO-LEFT OVERRIDE" in lines

        await press(pilot, "v")
        assert not screen.panel_open
        await press(pilot, "v", "escape")
        assert app.place == places.QUERY
        assert screen.form is None
        assert "top k" in text_of(app)


async def test_the_text_that_is_open_changes_with_the_query(run):
    async with opened(run, size=(80, 24)) as (app, pilot):
        screen = await show_filtered(app, pilot)
        await press(pilot, "v", "right")
        await read(app, pilot)
        assert screen.form == "text"
        assert searched.passage_text(ranked("new", *FILTERED[2])[0][0]) in text_of(app)


def test_wrapping_keeps_every_grapheme_and_the_width():
    for text in HOSTILE:
        for cells in (2, 7, 58):
            lines = list(wrapped(text, cells))
            assert all(cell_len(line) <= cells for line in lines)
            if len(text) < MOST and "\u0301" not in text:
                assert "".join("".join(lines).split()) == "".join(clean(text).split())
    assert list(wrapped("a" + "\u0301" * 5000, 10)) == ["a" + "\u0301" * 31]
    assert list(wrapped("天a", 1)) == ["a"]
    assert list(wrapped("one two three", 7)) == ["one two", "three"]
    assert list(wrapped("aa bbbbbbbb", 4)) == ["aa", "bbbb", "bbbb"]
    assert list(wrapped("今天的天气", 5)) == ["今天", "的天", "气"]
    assert list(wrapped("a\n\nb", 5)) == ["a", "", "b"]
    assert "980,000 more characters" in list(wrapped("x" * 1_000_000, 80))[-1]


def test_first_lines_of_a_megabyte_cost_nothing():
    lines = wrapped("x" * 1_000_000, 80)
    assert next(lines) == "x" * 80


def test_code_points_name_every_character_of_every_grapheme():
    rows = list(code_points("a\u202eनि\x1b", 60))
    assert [own.split() for own, _ in rows] == [
        ["1", "U+0061", "L", "LATIN", "SMALL", "LETTER", "A"],
        ["2", "U+202E", "RLO", "RIGHT-TO-LEFT", "OVERRIDE"],
        ["3", "U+0928", "L", "DEVANAGARI", "LETTER", "NA"],
        ["U+093F", "L", "DEVANAGARI", "VOWEL", "SIGN", "I"],
        ["4", "U+001B", "BN", "control:", "ESCAPE"],
    ]
    assert [shown for _, shown in rows] == ["a", "⟨U+202E⟩", "नि", "", "␛"]
    assert [name_of(c) for c in "\x7f\x85\ue000\ufdd0"] == [
        "control: DELETE", "control", "private use", "not assigned",
    ]  # fmt: skip
    assert list(code_points("ﷺ" * 5000, 20))[-1] == ("… 3,000 more characters", "")
    assert all(len(own) <= 40 for own, _ in code_points("ﷺ", 40))
    assert len(list(code_points("ﷺ", 40))) > 1


# -- walking and reading -----------------------------------------------------------------------------------------------


async def test_arrows_walk_through_the_filtered_queries_and_say_where_they_end(run):
    async with opened(run, size=(80, 24)) as (app, pilot):
        await show_filtered(app, pilot)
        await press(pilot, "right")
        assert app.state.query_key == FILTERED[2]
        await read(app, pilot)
        assert searched.query_text("q2", "hi") in text_of(app)
        await press(pilot, "l")
        assert app.state.query_key == FILTERED[2]
        assert [n.message for n in app._notifications] == ["this is the last query of the list"]
        await press(pilot, "h", "left")
        await read(app, pilot)
        assert app.state.query_key == FILTERED[0]
        await press(pilot, "left")
        assert [n.message for n in app._notifications][-1] == "this is the first query of the list"
        assert "hi→all  1 of 3  ap" in text_of(app)


def by_ap(model="new"):
    """All queries in the multilingual pool, those that fail first: what is listed without a filter."""
    keys_ = [(query_id, language, "multilingual") for language in LANGUAGES for query_id in IDS]
    ap = {k: searched.average_precision([n for n, _ in ranked(model, *k)], answers(k[0])) for k in keys_}
    return sorted(keys_, key=lambda k: ap[k])


async def test_where_no_queries_have_been_listed_the_arrows_list_them_first(run, monkeypatch, go):
    real = query_list.query_rows
    monkeypatch.setattr(query_list, "query_rows", lambda *args: (go.wait(), real(*args))[1])
    order = by_ap()
    async with opened(run, size=(80, 24)) as (app, pilot):
        await show(app, pilot, order[2])
        await press(pilot, "right")
        assert app.state.query_key == order[2]
        assert "reading the list …" in text_of(app)
        go.set()
        await until(pilot, lambda: app.state.query_key == order[3])
        await read(app, pilot)
        assert "4 of 9" in text_of(app)
        assert app.place == places.QUERY
        await press(pilot, "left", "left")
        assert app.state.query_key == order[1]
        await press(pilot, "5")
        assert app.view.table.cursor_key == order[1]
        assert "9 of 9 rows" in text_of(app)


async def test_a_list_that_cannot_be_made_is_said_and_walks_nowhere(run, monkeypatch):
    monkeypatch.setattr(query_list, "query_rows", lambda *_: 1 / 0)
    async with opened(run, size=(80, 24)) as (app, pilot):
        await show(app, pilot)
        await press(pilot, "right")
        assert [n.message for n in app._notifications] == ["cannot be read: division by zero"]
        assert app.state.query_key == KEY


async def test_a_filter_that_leaves_nothing_is_no_list_to_walk(run):
    async with opened(run, size=(80, 24)) as (app, pilot):
        app.navigation.open_queries("ap>2")
        await until(pilot, lambda: app.view.listing is not None)
        await show(app, pilot)
        await press(pilot, "right")
        assert [n.message for n in app._notifications] == ["the filter matches no query: press 5 to change it"]
        assert app.state.query_key == KEY


async def test_place_and_list_of_the_last_time_are_there_again_without_opening_queries(run):
    order = [key for key in by_ap() if key[1] == "hi"]
    async with opened(run, size=(80, 24)) as (app, pilot):
        app.selection.choose(("new", TASK))
        app.navigation.open_queries("q:hi d:multi")
        await until(pilot, lambda: app.view.listing is not None)
        await press(pilot, "j", "enter")
        await read(app, pilot)
        assert app.state.query_key == order[1]
        await press(pilot, "q")
    for at, pressed, found in [(1, "right", 2), (2, "left", 1)]:
        async with opened(run, size=(80, 24)) as (app, pilot):
            assert app.state.query_key == order[at]
            await read(app, pilot)
            await shows(pilot, f"{at + 1} of 3")
            await press(pilot, pressed)
            assert app.state.query_key == order[found]
            assert str(app.get_screen(places.QUERIES).filter) == "q:hi d:multi"
            await press(pilot, "q")


async def test_a_list_that_was_not_looked_at_is_remembered_all_the_same(run):
    async with opened(run, size=(80, 24)) as (app, pilot):
        await show_filtered(app, pilot)
        await press(pilot, "1", "q")
    async with opened(run, size=(80, 24)) as (app, pilot):
        assert app.get_screen(places.QUERIES).saved()["filter"] == "q:hi d:multi"  # asked by who leaves


async def test_both_queries_beside_are_read_once_one_is_looked_at(run, monkeypatch):
    async with opened(run, size=(80, 24)) as (app, pilot):
        screen = await show_filtered(app, pilot, FILTERED[1])
        await until(pilot, lambda: len(screen.views) == 3)
        monkeypatch.setattr(Wanted, "read", lambda _: pytest.fail("read again"))
        await press(pilot, "right")
        assert screen.query_view.query_id == "q2"
        await press(pilot, "left", "left")
        assert screen.query_view.query_id == "q0"


async def test_the_next_query_on_the_way_is_read_ahead(run, monkeypatch):
    monkeypatch.setattr(stepping, "SETTLED", 60)
    async with opened(run, size=(80, 24)) as (app, pilot):
        screen = await show_filtered(app, pilot, FILTERED[0])
        assert len(screen.views) == 1  # not before there is a way
        await press(pilot, "right")
        await read(app, pilot)
        await until(pilot, lambda: len(screen.views) == 3)
        monkeypatch.setattr(Wanted, "read", lambda _: pytest.fail("read again"))
        await press(pilot, "right")
        assert screen.query_view.query_id == "q2"


async def test_a_pool_whose_first_passages_were_not_kept_begins_with_the_relevant_ones(tmp_path):
    made = Searched(tmp_path / "run.parquet", models=("new",))
    made.write("new", "hi", lambda rows: rows.with_columns(top=pl.when(pool="multilingual").then("top")))
    async with opened(made.path, size=(80, 24)) as (app, pilot):
        screen = await show(app, pilot, ("q0", "hi", "hi"))
        assert screen.panel == "relevant"
        assert "✓ relevant" in under(app)
        await press(pilot, "shift+tab")
        assert "top k of all languages" in text_of(app)
        ids = [row.passage.passage_id for row in first_rows(screen.query_view, None)]
        united = query_view(screen.dashboard.state.snapshot.run, "new", TASK, "q0", "hi", "multilingual")
        assert ids[: searched.K] == [passage.passage_id for passage in united.top]
        app.state.query_key = ("q0", "hi", "multilingual")
        app.navigation.show()
        await read(app, pilot)
        assert screen.panel == "top"
        assert under(app).startswith("rank 1  ")
    made.journal.close()


async def test_a_key_is_answered_before_the_query_has_been_read_and_no_queue_builds_up(run, monkeypatch, go):
    monkeypatch.setattr(stepping, "SETTLED", 60)
    async with opened(run, size=(80, 24)) as (app, pilot):
        screen = await show_filtered(app, pilot)
        asked, real = [], Wanted.read

        def slowly(wanted):
            asked.append(wanted.query[0])
            go.wait()
            return real(wanted)

        monkeypatch.setattr(Wanted, "read", slowly)
        await press(pilot, "right")
        assert screen.query_view is None
        assert "hi→all  3 of 3  reading …  q2" in text_of(app)
        assert searched.query_text("q1", "hi") not in text_of(app)
        assert searched.query_text("q2", "hi") in text_of(app)  # the list knows it
        assert screen.has_class("-stale")  # the panels of before stay, dimmed
        before = ranked("new", *KEY)
        assert searched.passage_text(before[0][0]) in text_of(app)
        await press(pilot, "j", "tab", "shift+tab")
        assert under(app).startswith("rank 2  ")
        assert screen.why_no_copy() == "the query is still being read"
        await press(pilot, "y")  # nothing to copy yet, and it says so
        assert app.place == places.QUERY
        await press(pilot, "left", "left")
        assert "hi→all  1 of 3  reading …  q0" in text_of(app)
        go.set()
        await read(app, pilot)
        assert asked == ["q2", "q0"]  # q1 is kept from before
        assert searched.query_text("q0", "hi") in text_of(app)
        assert not screen.has_class("-stale")
        assert searched.passage_text(ranked("new", *FILTERED[0])[0][0]) in text_of(app)


async def test_what_was_read_is_kept(run, monkeypatch):
    async with opened(run, size=(80, 24)) as (app, pilot):
        screen = await show_filtered(app, pilot)
        await press(pilot, "right")
        await read(app, pilot)
        monkeypatch.setattr(Wanted, "read", lambda _: pytest.fail("read again"))
        await press(pilot, "left")
        assert screen.query_view.query_id == "q1"
        await press(pilot, "escape")
        app.navigation.open_query(KEY)
        await settled(pilot)
        assert screen.query_view.query_id == "q1"


async def test_a_read_that_fails_is_said_and_nothing_else_breaks(run, monkeypatch):
    async with opened(run, size=(80, 24)) as (app, pilot):
        monkeypatch.setattr("xlbias.results.queries.query._rankings", lambda *_: 1 / 0)
        app.navigation.open_query(KEY)
        await shows(pilot, "This query cannot be read: division by zero")
        await press(pilot, "tab", "v", "v", "v", "j")
        monkeypatch.undo()
        app.state.query_key = ("q0", "hi", "ar")
        app.navigation.show()
        await read(app, pilot)


async def test_a_run_in_progress_shows_what_has_come_and_the_cursor_stays(tmp_path):
    made = Searched(tmp_path / "run.parquet")
    made.write("new", "hi")
    async with opened(made.path, size=(80, 24)) as (app, pilot):
        screen = await show(app, pilot)
        await press(pilot, "j", "j")
        assert [one.ranked for one in screen.query_view.languages] == [False, True, False]
        made.write("new", "zh")
        await until(pilot, lambda: screen.query_view and screen.query_view.languages[2].ranked)
        await settled(pilot)
        assert under(app).startswith("rank 3  ")
        made.journal.close()


# -- the baseline ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
async def test_with_a_baseline_every_passage_has_its_rank_there_and_its_move(run, size):
    async with opened(run, size=size) as (app, pilot):
        screen = await show(app, pilot)
        app.selection.take_baseline("old")
        await read(app, pilot, other=True)
        before = [name for name, _ in ranked("old", *KEY)]
        assert screen.query_view.ap != screen.other_view.ap
        assert f"was {screen.other_view.ap:.3f}".replace("0.", ".") in text_of(app)
        await press(pilot, "tab")
        for passage in screen.query_view.relevants:
            was = before.index(passage.passage_id) + 1
            moved = move(passage.rank, was)
            lines = [line for line in screen_lines(app) if f"({passage.passage_id})" in line]
            assert any(moved in line.split() and str(passage.rank) in line.split() for line in lines)
            assert f"was {was} {moved}" in under(app)
            await press(pilot, "j")
            await pilot.pause()
        await press(pilot, "B")
        assert screen.other_view is None
        assert "was" not in text_of(app)


async def test_at_140_columns_both_top_k_lists_stand_side_by_side(run):
    async with opened(run, size=(140, 45)) as (app, pilot):
        await show(app, pilot)
        app.selection.take_baseline("old")
        await read(app, pilot, other=True)
        new, old = ([name for name, _ in ranked(model, *KEY)][: searched.K] for model in ("new", "old"))
        lines = screen_lines(app)
        for mine, theirs in zip(new, old, strict=True):
            assert any(f"({mine})" in line and line.rstrip(" ▇▅").endswith(f"({theirs})") for line in lines)


@pytest.mark.parametrize("size", SIZES)
async def test_what_dropped_out_of_the_first_is_listed_with_its_rank_of_before(run, size):
    async with opened(run, size=size) as (app, pilot):
        screen = await show(app, pilot)
        app.selection.take_baseline("old")
        await read(app, pilot, other=True)
        new, old = ([name for name, _ in ranked(model, *KEY)] for model in ("new", "old"))
        dropped = [name for name in old[: searched.K] if name not in new[: searched.K]]
        assert dropped
        for i, name in enumerate(dropped):
            for _ in range(searched.K + i - screen._active.cursor):
                await press(pilot, "j")
            await pilot.pause()
            assert under(app).endswith(name)
            relevant = name in answers("q1")
            now, was = new.index(name) + 1, old.index(name) + 1
            assert f"was {was} {move(now, was) if relevant else '▼out'}" in under(app)
            row = next(line for line in screen_lines(app) if "▸" in line and f"({name})" in line)
            assert str(was) in row.split()
            assert (str(now) if relevant else f">{searched.K}") in row.split()
        assert screen.query_one("#reader").content[0] == searched.passage_text(dropped[-1])


async def test_two_runs_are_compared_query_by_query(run, tmp_path):
    path = Searched(tmp_path / "base.parquet", models=("old",)).finish()
    base = Follower(path, interval=0.02)
    base.start()
    async with opened(run, size=(80, 24), base=base) as (app, pilot):
        await until(pilot, lambda: app.state.base is not None)
        screen = await show(app, pilot)
        await read(app, pilot, other=True)
        assert screen.other_view == query_view(open_run(path), "old", TASK, *KEY)
        assert "moves since old of base.parquet" in text_of(app)


async def test_a_baseline_of_other_texts_is_not_compared(run, tmp_path):
    path = Searched(tmp_path / "base.parquet", models=("new",), fingerprint="d" * 64).finish()
    base = Follower(path, interval=0.02)
    base.start()
    async with opened(run, size=(80, 24), base=base) as (app, pilot):
        await until(pilot, lambda: app.state.base is not None)
        screen = await show(app, pilot)
        await shows(pilot, "was evaluated on other texts under this name")
        await rested(app)
        assert screen.other_view is None
    assert "has not been evaluated on" in why_not_comparable(open_run(run), open_run(path), "elsewhere", "old")


# -- taking along, and coming back -------------------------------------------------------------------------------------


async def test_copies_hold_the_panel_or_the_passage_under_the_cursor_in_full(tmp_path):
    path = Searched(tmp_path / "run.parquet", passage=lambda name: f"{name}\x1b " + "long " * 500).finish()
    async with opened(path, size=(80, 24)) as (app, pilot):
        screen = await show(app, pilot)
        order = [name for name, _ in ranked("new", *KEY)]
        await press(pilot, "j")
        block, name = screen.copied("row")
        assert block.rows[0][0].text == "2"
        assert block.rows[0][-1].text == f"{order[1]}␛ " + "long " * 500
        assert len(screen.copied("all")[0].rows) == searched.K
        assert name == "qa-q1-top"
        for panel in PANELS[1:]:
            await press(pilot, "tab")
            assert screen.why_no_copy() is None
            assert screen.copied("all")[1] == f"qa-q1-{panel}"
            assert len(screen.copied("row")[0].rows) == 1


@pytest.mark.parametrize("size", SIZES)
async def test_the_drill_down_is_mounted_and_laid_out_while_the_list_is_looked_at(run, size):
    async with opened(run, size=size) as (app, pilot):
        app.navigation.open_queries("q:hi d:multi")
        query = app.get_screen(places.QUERY)
        assert not query.is_running
        await until(pilot, lambda: query.outer_size == app.size)
        assert app.place == places.QUERIES
        assert [panel.size.width > 0 for panel in query.query("QueryPanel")] == [
            query.several or panel.name_of == query.panel for panel in query.query("QueryPanel")
        ]
        table = app.view.table
        await until(pilot, lambda: table.height == len(IDS))
        await press(pilot, "enter")
        await read(app, pilot)
        assert app.view is query
        assert query.query_view.query_id in IDS


async def test_a_drill_down_that_was_mounted_but_not_seen_keeps_the_panel_of_the_last_time(run):
    async with opened(run) as (app, pilot):
        await show(app, pilot)
        await press(pilot, "tab", "tab")
        panel = app.view.panel
        assert panel != PANELS[0]
        await press(pilot, "5")
        await press(pilot, "q")
    async with opened(run) as (app, pilot):
        assert app.place == places.QUERIES
        screen = app.get_screen(places.QUERY)
        await until(pilot, lambda: screen.outer_size == app.size)
        assert app.state.query_key == KEY
        assert not screen.views  # nothing is read for a screen that nobody has asked for
        await press(pilot, "q")
    async with opened(run) as (app, pilot):
        await show(app, pilot)
        assert app.view.panel == panel


async def test_panel_and_query_are_restored_if_the_run_still_has_them(run):
    async with opened(run, size=(80, 24)) as (app, pilot):
        await show(app, pilot)
        await press(pilot, "tab", "tab", "q")
    async with opened(run, size=(80, 24)) as (app, pilot):
        assert app.state.query_key == KEY
        assert app.place == places.QUERY
        await read(app, pilot)
        assert app.view.panel == "languages"


@pytest.mark.parametrize(
    "saved", [None, "q1", ["q1", "hi"], ["q1", "hi", 3], ["q1", "fr", "ar"], ["q1", "hi", "fr"], {"query": 1}]
)
def test_what_is_no_query_of_the_run_is_not_restored(run, saved):
    opened_run = open_run(run)
    assert valid_query(saved, opened_run, TASK) is None
    assert valid_query(list(KEY), opened_run, TASK) == KEY
    assert valid_query(list(KEY), opened_run, "other task") is None


def test_the_queries_that_are_kept_are_bounded_in_number_and_in_characters(run):
    opened_run = open_run(run)
    views = Views(most=7)
    wanted = [Wanted(opened_run, "new", TASK, (query_id, "hi", pool)) for query_id in IDS for pool in LANGUAGES]
    for one in wanted:
        views.put(one, one.version, one.read())
    assert len(views) == 7
    assert views.get(wanted[0]) == (None, False)
    assert views.get(wanted[-1])[1]
    small = Views(most_characters=1)
    for one in wanted:
        small.put(one, one.version, one.read())
    assert len(small) == 6  # query and both beside it, and all in the baseline


async def test_the_mouse_chooses_a_panel_and_opens_a_text(run):
    async with opened(run, size=(140, 45)) as (app, pilot):
        screen = await show(app, pilot)
        panel = screen.query_one("#languages")
        await pilot.click(panel.table, offset=(10, 2))
        await settled(pilot)
        assert screen.panel == "languages"
        await pilot.click(panel.table, offset=(10, panel.table.cursor + 1))
        await settled(pilot)
        assert screen.form == "text"


async def test_nothing_is_painted_while_nothing_changes(run):
    async with opened(run, size=(80, 24)) as (app, pilot):
        screen = await show(app, pilot)
        state = screen._drawn
        frames = [panel.table.frame for panel in screen.query("QueryPanel")]
        app.navigation.show()
        await pilot.pause()
        assert screen._drawn is state
        assert all(panel.table.frame is frame for panel, frame in zip(screen.query("QueryPanel"), frames, strict=True))


CODES = ("ar", "de", "el", "en", "es", "hi", "ru", "th", "tr", "vi", "zh")


def heads(app):
    """The languages over the grid of ranks."""
    line = next(line for line in screen_lines(app) if line.startswith("   query "))
    return line.split()[1:]


@pytest.mark.parametrize("size", [(60, 20), (80, 24)], ids=lambda size: "{}x{}".format(*size))
async def test_the_ranks_in_every_language_can_be_seen(tmp_path, monkeypatch, size):
    monkeypatch.setattr("xlbias.dashboard.screens.query.columns._most", lambda *_: 6)  # as of ranks above 9,999
    path = ranked_run(tmp_path / "run.parquet", languages=CODES)
    async with opened(path, size=size) as (app, pilot):
        app.navigation.open_query(("q1", "hi", "multilingual"))
        await read(app, pilot)
        await press(pilot, "shift+tab")
        await settled(pilot)
        assert app.view.panel == "ranks"
        if size[0] == 80:
            assert heads(app) == [*CODES]  # without ap
            return
        first = heads(app)
        assert first[-1].endswith("›")
        seen = [*first]
        for _ in range(3):
            await press(pilot, "end")
            seen += heads(app)
        assert heads(app)[0].startswith("‹")
        assert heads(app)[-1] == "zh"
        assert {name.strip("‹›") for name in seen} - {"ap"} == set(CODES)
        for _ in range(3):
            await press(pilot, "home")
        assert heads(app) == first


# -- reading in another language ---------------------------------------------------------------------------------------


@pytest.fixture
def english_run(tmp_path):
    """A search in Thai whose passages are known in English, but for one that answers nothing."""
    names = [f"{language}-{i}" for language in ("th", "en") for i in range(3)] + ["th-x"]
    texts = {name: f"{'ข้อความ' if name[:2] == 'th' else 'A text'} number {name[3:]}" for name in names}
    about = metadata(models=("m",), tasks=("t",), languages=("en", "th"), n_queries=3)
    with Journal.open(tmp_path / "run.parquet", about, identity="x", overwrite=True) as journal:
        for kind, column in (("query", "query_id"), ("passage", "passage_id")):
            rows = [("t", name[3:] if kind == "query" else name, name[:2], text) for name, text in texts.items()]
            journal.write(kind, "000", pl.DataFrame(rows, schema=["task", column, "language", "text"], orient="row"))
        rows = []
        for i in range(3):
            for pool in ("en", "th", "multilingual"):
                ranks = {code: rank for rank, code in enumerate(("th", "en"), 1) if pool in (code, "multilingual")}
                row = row_of("m", "t", i, "th", pool, ranks) | {"query_id": str(i)}
                top = ["th-2", "th-x", "th-0", "th-1"]
                row["top"] = [{"passage_id": name, "language": "th", "score": 1.0} for name in top]
                row["relevants"] = [one | {"parallel_id": None} for one in row["relevants"]]
                rows.append(row)
        journal.write("ranking", "000-000-00000", pl.DataFrame(rows, infer_schema_length=None))
        return journal.finish()


async def show_thai(app, pilot, pool="th"):
    app.selection.choose(("m", "t"))
    app.navigation.open_query(("0", "th", pool))
    await settled(pilot)
    await read(app, pilot)
    return app.view


@pytest.mark.parametrize("size", SIZES)
async def test_a_thai_top_k_is_read_in_english_with_two_keys(english_run, size):
    async with opened(english_run, size=size) as (app, pilot):
        screen = await show_thai(app, pilot)
        assert "text in English" not in text_of(app)
        await press(pilot, *keys.registry()["translate"].keys, "enter")
        await shows(pilot, "text in English", "A text number 2", "A text number 0", "A text number 1")
        listed = next(line for line in screen_lines(app) if " 2   " in line and "not in the run in English" in line)
        assert listed
        await shows(pilot, "en  A text number 2")  # below the passage itself
        assert screen.query_one("#asked-in").content[0] == "A text number 0"
        await press(pilot, "j")
        await shows(pilot, "Not in the run: it answers no query")


async def test_the_language_stays_and_is_left_again(english_run):
    async with opened(english_run) as (app, pilot):
        await show_thai(app, pilot)
        await press(pilot, "L", "enter")
        await shows(pilot, "text in English")
        app.session.save(None)
    async with opened(english_run) as (app, pilot):
        await show_thai(app, pilot, "multilingual")
        await shows(pilot, "text in English", "en  A text number 2")
        await press(pilot, "v")
        await shows(pilot, "whole text", "en  A text number 2")
        await press(pilot, "escape", "L", "end", *"none", "enter")
        await until(pilot, lambda: "text in English" not in text_of(app))
        assert app.view.language == ""


async def test_a_copy_has_both_texts(english_run):
    async with opened(english_run) as (app, pilot):
        screen = await show_thai(app, pilot)
        await press(pilot, "L", "enter")
        await shows(pilot, "A text number 2")
        made, _ = screen.copied("all")
        assert made.heads[-2:] == ("text", "in English")
        assert [row[-1].text for row in made.rows][::2] == ["A text number 2", "A text number 0"]
        assert made.rows[1][-1].text.startswith("Not in the run")


async def test_a_task_in_one_language_offers_none(live_run):
    path = live_run(models=("m",), tasks=("t",), languages=("de",)).write_all().finish()
    async with opened(path) as (app, pilot):
        app.selection.choose(("m", "t"))
        app.navigation.open_query(("q0", "de", "de"))
        await settled(pilot)
        await press(pilot, "L")
        assert [one.message for one in app._notifications][-1] == "L: the passages of this task are in one language"
