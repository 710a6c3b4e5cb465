"""The fifth screen: which queries a filter leaves, in which order, and what is said of them."""

import polars as pl
import pytest
from dashboard.listed import KEY, keys_of, listed, queries_of, raw, typed, varied_content, write_texts
from dashboard.made import LANGUAGES, opened, press, screen_lines, until

from xlbias.dashboard import places
from xlbias.dashboard.dialogs.prompt import PromptDialog
from xlbias.report.documents.queries import LONGEST, queries_table
from xlbias.results.compare import Side, compare
from xlbias.results.run import open_run

pytestmark = pytest.mark.integration

HOSTILE = ("\x1b]52;c;eA==\x07clip", "[/]", "[@click=app.quit]quit[/]", "\u202eevil", "x" * 1_000_000)
"""A megabyte without a space among them."""


@pytest.fixture
def varied_run(live_run):
    """Two models on one task whose queries all differ."""
    return varied_content(live_run(tasks=("xquad-r",)))


async def test_without_a_filter_the_multilingual_pool_stands_there_the_failing_queries_first(varied_run):
    async with queries_of(varied_run) as (app, _, screen):
        rows = [row for row in raw(varied_run) if row["pool"] == "multilingual"]
        assert keys_of(screen) == [tuple(r[name] for name in KEY) for r in sorted(rows, key=lambda r: r["ap"])]
        mean = sum(row["ap"] for row in rows) / len(rows)
        text = screen_lines(app)
        assert f"20 of 20 rows  mean AP {mean:.3f}".replace("0.", ".") in text[1]
        assert "no filter" in text[1]
        assert "mono on xquad-r" in text[2]
        assert "▲AP" in text[4]
        worst = min(rows, key=lambda r: r["ap"])
        said = f"{worst['query_language']}  multi  {worst['ap']:.3f}".replace("0.", " .")
        assert " ".join(said.split()) in " ".join(text[5].split())
        assert text[5].endswith(f"text {worst['query_id'][1:]} {worst['query_language']}")


async def test_a_filter_that_is_typed_leaves_its_rows_and_x_brings_all_back(varied_run):
    async with queries_of(varied_run) as (app, pilot, screen):
        await typed(app, pilot, "q:hi,de d:de rank>=10 -id:q1")
        expected = {
            tuple(row[name] for name in KEY)
            for row in raw(varied_run)
            if row["query_language"] in ("hi", "de") and row["pool"] == "de"
            and row["first_rank"] >= 10 and row["query_id"] != "q1"
        }  # fmt: skip
        assert expected
        assert set(keys_of(screen)) == expected
        line = screen_lines(app)[1]
        assert line.startswith(f" {len(expected)} of 10 rows")
        assert line.endswith("q:hi,de d:de rank>=10 -id:q1")

        await press(pilot, "x")
        await listed(app, pilot)
        assert screen.table.height == 20


async def test_a_filter_that_is_none_keeps_the_dialog_open_and_says_why(varied_run):
    async with queries_of(varied_run) as (app, pilot, screen):
        await press(pilot, "slash")
        for text, why in [
            ("ap<", "ap is compared with a number"), ("q:fr", "xquad-r has no queries in 'fr'"),
            ("Δ<0", "Δ needs a baseline"), ("p<.05", "p needs a baseline"), ("model:x", "no encoder is called 'x'"),
        ]:  # fmt: skip
            app.screen.query_one("Entry").value = text
            await pilot.pause()
            assert why in "\n".join(screen_lines(app))
            await press(pilot, "enter")
            assert isinstance(app.screen, PromptDialog)
        await press(pilot, "escape")
        assert str(screen.filter) == ""


async def test_words_are_found_whatever_their_case_and_marks(varied_run):
    async with queries_of(varied_run) as (app, pilot, screen):
        await typed(app, pilot, "text~ВОЙНА")
        assert keys_of(screen) == [("q2", "hi", "multilingual")]
        await typed(app, pilot, "STRASSE d:th,multi")
        assert sorted(keys_of(screen)) == [("q3", "de", "multilingual"), ("q3", "de", "th")]
        await typed(app, pilot, "-text")
        assert sorted(keys_of(screen)) == [("q2", "hi", "multilingual"), ("q3", "de", "multilingual")]


def expected_with(path, word, passages):
    """Keys of the multilingual pool with a relevant passage that has a word, one by one."""
    return {
        tuple(row[name] for name in KEY)
        for row in raw(path)
        if row["pool"] == "multilingual"
        and any(word in passages.get(found["passage_id"], "").casefold() for found in row["relevants"])
    }


async def test_words_of_a_relevant_passage_are_found(live_run):
    run = live_run(tasks=("xquad-r",))
    passages = {"ar-1": "Der KÖLNER Dom", "ar-3": "Kolner", "ar-0": "siehe 3 hi", "none": "Kölner"}
    rows = [{"task": "xquad-r", "passage_id": i, "language": i[:2], "text": text} for i, text in passages.items()]
    run.journal.write("passage", "000", pl.DataFrame(rows))
    path = varied_content(run)
    async with queries_of(path) as (app, pilot, screen):
        for typed_word in ("passage:kölner", "passage~KOLNER", 'passage:"kolner"'):
            await typed(app, pilot, typed_word)
            found = expected_with(path, "kölner", passages) | expected_with(path, "kolner", passages)
            assert found
            assert set(keys_of(screen)) == found
        await typed(app, pilot, "-passage:kolner")
        everything = {tuple(row[n] for n in KEY) for row in raw(path) if row["pool"] == "multilingual"}
        assert set(keys_of(screen)) == everything - found
        asked = {key for key in everything if key[:2] == ("q3", "hi")}
        found = expected_with(path, "3 hi", passages)
        assert asked
        assert found - asked
        await typed(app, pilot, 'any:"3 HI"')
        assert set(keys_of(screen)) == asked | found
        await typed(app, pilot, '-any:"3 hi"')
        assert set(keys_of(screen)) == everything - asked - found
        await typed(app, pilot, "passage:kolner war")
        assert "no query has 'war' in its text; x clears" in "\n".join(screen_lines(app))


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (140, 45)])
async def test_a_filter_that_leaves_nothing_says_which_term_does(varied_run, size):
    async with queries_of(varied_run, size=size) as (app, pilot, screen):
        said_of = [
            ("church", "no query has 'church' in its text; x clears"),
            ("id:zzz", "no query has 'zzz' in its id"),
            ("text rank>1000", "no query matches rank>1000; x clears"),
            ("passage:x", "no query has a relevant passage with 'x' in its text"),
            ("any:zebra", "no query has 'zebra' in its text or in that of a relevant passage"),
            ("set:mono d:multi", "no language pair matches set:mono d:multi; x clears"),
            ("q:hi война id:q1", "no query that matches война also matches id:q1; x clears"),
            ('"[/]\x1b[2J"', "no query has '[/]␛[2J' in its text; x clears"),
        ]
        for filter, said in said_of if size == (80, 24) else said_of[:1]:
            await typed(app, pilot, filter)
            assert screen.table.height == 0
            assert said[: size[0] - 4] in "\n".join(screen_lines(app)), filter
        await press(pilot, "x")
        await listed(app, pilot)
        assert "x clears" not in "\n".join(screen_lines(app))


async def test_task_and_model_in_a_filter_are_chosen_and_leave_it(finished_run):
    async with queries_of(finished_run) as (app, pilot, screen):
        await typed(app, pilot, "task:mlqa model:HYB q:hi")
        assert app.state.chosen == ("hybrid", "mlqa")
        assert str(screen.filter) == "q:hi"
        assert (screen.listing.wanted.model, screen.listing.wanted.task) == ("hybrid", "mlqa")
        await press(pilot, "t")
        await listed(app, pilot)
        assert "hybrid on xquad-r" in screen_lines(app)[2]
        assert str(screen.filter) == "q:hi"


async def test_s_steps_through_the_columns_and_the_cursor_stays_on_its_query(varied_run):
    async with queries_of(varied_run, "d:ar,de,hi,th") as (app, pilot, screen):
        await press(pilot, "j", "j", "j")
        under = screen.table.cursor_key
        rows = {tuple(r[name] for name in KEY): r for r in raw(varied_run)}
        seen = []
        for _ in range(7):
            await press(pilot, "s")
            await listed(app, pilot)
            seen.append((screen.sorted_by, screen.descending))
            values = [rows[key].get(screen.sorted_by) for key in keys_of(screen)]
            if screen.sorted_by:
                assert values == sorted(values, reverse=screen.descending), screen.sorted_by
            assert screen.table.cursor_key == under
            if screen.sorted_by == "first_rank":
                assert "▼first" in screen_lines(app)[4]
                await press(pilot, "S")
                await listed(app, pilot)
                assert keys_of(screen) == sorted(keys_of(screen), key=lambda key: rows[key]["first_rank"])
        assert seen == [
            ("first_rank", True), ("last_rank", True), ("n_relevant", False), (None, False),
            ("query_language", False), ("pool", False), ("ap", False),
        ]  # fmt: skip


async def test_a_click_on_a_head_sorts(varied_run):
    async with queries_of(varied_run) as (app, pilot, screen):
        x = screen_lines(app)[4].index("first")
        await pilot.click(screen.table, offset=(x + 1, 0))
        await listed(app, pilot)
        assert (screen.sorted_by, screen.descending) == ("first_rank", True)


async def test_enter_opens_the_query_and_walking_moves_the_cursor(varied_run):
    async with queries_of(varied_run, "q:hi d:de") as (app, pilot, screen):
        order = keys_of(screen)
        await press(pilot, "j", "enter")
        assert app.place == places.QUERY
        assert app.state.query_key == order[1]
        assert app.navigation.step_query(1)
        assert app.state.query_key == order[2] == screen.table.cursor_key
        assert app.navigation.step_query(-1) and app.navigation.step_query(-1)
        assert not app.navigation.step_query(-1)
        assert app.state.query_key == order[0]
        await press(pilot, "escape")
        assert app.place == places.QUERIES
        assert screen.table.cursor_key == order[0]


async def test_walking_needs_a_list(finished_run):
    async with opened(finished_run) as (app, _):
        assert not app.navigation.step_query(1)


async def test_differences_to_a_baseline_are_those_of_the_same_query(varied_run):
    async with queries_of(varied_run, "set:cross") as (app, pilot, screen):
        assert "delta" not in screen.table.frame.columns
        app.selection.choose(("hybrid", "xquad-r"))
        app.baseline.model = "mono"
        app.navigation.show()
        await listed(app, pilot)
        base, new = ({tuple(r[n] for n in KEY): r["ap"] for r in raw(varied_run, m)} for m in ("mono", "hybrid"))
        frame = screen.table.frame
        assert frame.height == 60
        for key, delta in zip(keys_of(screen), frame["delta"], strict=True):
            assert delta == pytest.approx(new[key] - base[key], abs=1e-6)
        assert "Δ to mono" in screen_lines(app)[2]

        await typed(app, pilot, "set:cross Δ<-0.1")
        expected = {key for key in new if key[2] not in (key[1], "multilingual") and new[key] - base[key] < -0.1}
        assert set(keys_of(screen)) == expected

        await press(pilot, "x", "B")
        await listed(app, pilot)
        assert "delta" not in screen.table.frame.columns


async def test_p_leaves_the_cells_that_the_comparison_calls_different(live_run):
    varied_run = varied_content(live_run(tasks=("xquad-r",), n_queries=12))  # with a few ids there is no test
    async with queries_of(varied_run) as (app, pilot, screen):
        app.selection.choose(("hybrid", "xquad-r"))
        app.baseline.model = "mono"
        app.navigation.show()
        run = open_run(varied_run)
        found = compare(Side(run, ("mono",)), Side(run, ("hybrid",)), "xquad-r", measures={"map"})
        cells = {
            (r["query_language"], r["passage_language"])
            for r in found.filter(pl.col("query_language").is_not_null()).to_dicts()
            if r["p_corrected"] is not None and r["p_corrected"] <= 0.99
        }  # fmt: skip
        assert cells
        everything = {(q, d) for q in LANGUAGES for d in (*LANGUAGES, "multilingual")}
        await typed(app, pilot, "d:ar,de,hi,th,multi p<=0.99")
        await until(pilot, lambda: not screen._comparing)
        await listed(app, pilot)
        assert {key[1:] for key in keys_of(screen)} == cells
        await typed(app, pilot, "d:ar,de,hi,th,multi -p<=0.99")
        assert {key[1:] for key in keys_of(screen)} == everything - cells


async def test_hostile_texts_ids_and_filters_are_shown_as_marks(live_run):
    run = live_run(models=("m",), tasks=(HOSTILE[0],))
    write_texts(run, {(i, "de"): text for i, text in enumerate(HOSTILE)})
    run.write("de")
    for size in [(60, 20), (80, 24), (140, 45)]:
        async with queries_of(run.path, size=size) as (app, pilot, screen):
            seen = ""
            for _ in range(5 if size[1] == 45 else 1):  # the pane below the table shows one text after the other
                lines = screen_lines(app)
                seen += "\n".join(lines)
                assert all(len(line) <= size[0] for line in lines)
                assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c == "\u202e" for line in lines for c in line)
                await press(pilot, "j")
            text = "\n".join(lines)
            assert "[@click=app.quit]quit[/]" in text
            assert "␦evil" in text  # one cell in a row
            assert ("⟨U+202E⟩evil" in seen) == (size[1] == 45)  # in full below the table
            assert "␛]52;c;eA==␇clip" in text
            await typed(app, pilot, '"[@click=app.quit]" "[/]"')
            assert keys_of(screen) == [("q2", "de", "multilingual")]
            assert '"[@click=app.quit]" [/]' in screen_lines(app)[1 if size[1] < 34 else 2]


async def test_the_whole_text_stands_below_where_there_is_room(varied_run):
    async with queries_of(varied_run, "q:hi id:q2", size=(140, 45)) as (app, *_):
        lines = screen_lines(app)
        assert sum("Война и мир" in line for line in lines) == 2
        assert "q2" in lines[6]


async def test_a_run_without_texts_is_listed_all_the_same(finished_run):
    async with queries_of(finished_run, size=(140, 45)) as (app, _, screen):
        assert screen.table.height == 20
        assert "the run stores no texts" in "\n".join(screen_lines(app))


async def test_rows_are_copied_as_a_table_with_their_texts(varied_run):
    async with queries_of(varied_run, "d:de") as (_, pilot, screen):
        await press(pilot, "j")
        block, name = screen.copied("row")
        key = screen.table.cursor_key
        row = next(r for r in raw(varied_run) if tuple(r[n] for n in KEY) == key)
        cells = block.rows[0]
        assert [cell.text for cell in cells[:3]] == list(key)
        assert cells[3].value == pytest.approx(row["ap"], rel=1e-6)
        assert [cell.value for cell in cells[4:7]] == [row["first_rank"], row["last_rank"], 1]
        assert cells[7].text == f"text {key[0][1:]} {key[1]}"
        assert name == "xquad-r-mono-queries"
        block, _ = screen.copied("all")
        assert [tuple(cell.text for cell in line[:3]) for line in block.rows] == keys_of(screen)


def test_a_copy_of_many_rows_is_cut_and_says_so():
    n = LONGEST + 5
    rows = pl.DataFrame(
        {"query_id": ["q"] * n, "query_language": ["de"] * n, "pool": ["multilingual"] * n, "n_relevant": [1] * n,
         "ap": pl.Series([0.1] * n, dtype=pl.Float32), "first_rank": [10] * n, "last_rank": [10] * n,
         "delta": [0.25] * n}
    )  # fmt: skip
    table = queries_table(rows, lambda *_: None, "title", "base")
    assert len(table.rows) == LONGEST
    assert table.notes == ("Δ: AP minus that of base.", "The first 1,000 of 1,005 rows.")
    assert (table.rows[0][3].value, table.rows[0][4].text, table.rows[0][2].text) == (0.1, "+.250", "all")
