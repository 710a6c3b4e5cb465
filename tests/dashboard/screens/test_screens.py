"""What the screens say in every state a run can be in."""

import json
from dataclasses import replace

import polars as pl
import pytest
from dashboard.made import metadata, opened, press, ranking_rows, screen_lines, settled, until
from msgspec import structs

from xlbias.dashboard import places
from xlbias.dashboard.messages import Arrived, Compared, ProcessEnded
from xlbias.dashboard.screens.base import View
from xlbias.dashboard.terminal.numbers import THIN
from xlbias.dashboard.views.matrix import in_full
from xlbias.dashboard.views.status import banner, progress_line
from xlbias.dashboard.widgets.heatmap.cell_text import number_in
from xlbias.dashboard.widgets.table.virtual_table import VirtualTable
from xlbias.results.matrix import matrix
from xlbias.results.run import open_run
from xlbias.runs.journal import Journal

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("width", [60, 80, 140])
async def test_the_header_says_screen_state_and_path(finished_run, width):
    async with opened(finished_run, size=(width, 24)) as (app, _):
        header = screen_lines(app)[0]
        others = (
            " 2 Matrix  3 Bias  4 Domains  5 Queries  6 Query  7 Training " if width == 140 else " 2  3  4  5  6  7 "
        )
        assert header.startswith(f" xlbias  1 Overview {others}  ■ finished  ")
        assert len(header) <= width


async def test_the_matrix_tells_the_cell_under_the_cursor_in_full(finished_run):
    async with opened(finished_run) as (app, pilot):
        await press(pilot, "2", "down", "right", "right")
        text = "\n".join(screen_lines(app))
        assert "de→hi  mAP .500000  n 5" in text
        assert "German (Latn) queries in 100 Hindi (Deva) passages" in text
        await press(pilot, "end")
        assert "German (Latn) queries in all 400 passages of 4 languages" in "\n".join(screen_lines(app))


def test_a_cell_and_its_interval_have_as_many_digits(finished_run):
    shown = matrix(open_run(finished_run), "map", "mono", "xquad-r")
    cells = [[structs.replace(cell, low=0.1234564, high=1.0) for cell in row] for row in shown.cells]
    known = replace(shown, cells=cells)
    ranks = replace(known, measure=replace(shown.measure, unit="ranks", high=1e9))
    assert in_full(known, ("de", "hi")) == (".500000", "[.123456, 1.000000]")
    assert in_full(ranks, ("de", "hi")) == ("0.5", "[0.1, 1.0]")


async def test_queries_without_a_relevant_passage_are_counted_in_the_cell(live_run):
    run = live_run(models=("m",), tasks=("t",))
    here = (pl.col("pool") == "hi") & (pl.col("query_id").is_in(["q0", "q1"]))
    rows = ranking_rows("m", "t", "de").with_columns(
        pl.when(here).then(pl.lit(0)).otherwise("n_relevant").alias("n_relevant"),
        pl.when(here).then(pl.col("relevants").list.head(0)).otherwise("relevants").alias("relevants"),
    )
    run.journal.write("ranking", "000-000-00001", rows)
    async with opened(run.path) as (app, pilot):
        await press(pilot, "2", "down", "right", "right")
        assert "de→hi  mAP .500000  n 3  2 excluded" in "\n".join(screen_lines(app))


async def test_a_run_with_nothing_in_it_says_so(tmp_path):
    with Journal.open(tmp_path / "run.parquet", {"models": [], "tasks": []}, identity="x") as journal:
        path = journal.finish()
    async with opened(path) as (app, pilot):
        assert "This run has no evaluation" in "\n".join(screen_lines(app))
        for key in ("2", "3", "4", "5", "s", "enter", "slash", "b", "e"):
            await press(pilot, key)
            assert "no encoder evaluated" in [notification.message for notification in app._notifications][-1], key
        await press(pilot, "y")
        assert "there is no row to copy" in [notification.message for notification in app._notifications][-1]
        assert app.place == places.OVERVIEW


async def test_a_run_whose_encoder_is_still_loading_and_then_begins(live_run):
    run = live_run(models=())
    async with opened(run.path) as (app, pilot):
        assert "the first encoder is being loaded" in "\n".join(screen_lines(app))

        run.about = metadata()
        run.journal.describe("models", run.about["models"])
        await until(pilot, lambda: app.view.table.height == 4)
        await settled(pilot)
        assert "No rankings yet" in "\n".join(screen_lines(app))

        await press(pilot, "2")
        assert "no rankings yet" in "\n".join(screen_lines(app))
        run.write("de")
        await until(pilot, lambda: app.view.view.sheet.value(0, 0) is None and app.view.view.sheet.value(1, 1) == 1.0)


async def test_cells_fill_in_while_cursor_sort_and_scroll_stay(live_run):
    run = live_run(models=("m",), tasks=("t",))
    run.write("de")
    async with opened(run.path, size=(60, 10)) as (app, pilot):
        await press(pilot, "2", "s", "G", "end")
        view = app.view.view
        before = (view.cursor, view.sort, view.left)
        for language in ("ar", "hi", "th"):
            run.write(language)
        await until(pilot, lambda: len(app.state.snapshot.cells) == 20)
        await settled(pilot)
        assert (view.cursor, view.sort, view.left) == before
        framed = next(line for line in screen_lines(app) if "[" in line)
        assert number_in(view.sheet, *view.spot, THIN) in framed


async def test_progress_is_told_with_a_rate_and_the_time_left(live_run, monkeypatch):
    run = live_run()
    monkeypatch.setattr("xlbias.runs.journal.time.time", lambda: 1000.0)
    run.journal.progress("m · t: queries", 0, 100, "queries", force=True)
    async with opened(run.path) as (app, pilot):
        monkeypatch.setattr("xlbias.runs.journal.time.time", lambda: 1002.0)
        run.journal.progress("m · t: queries", 40, 100, "queries", force=True)
        await until(pilot, lambda: app.state.pace.rate)
        await settled(pilot)
        line = "\n".join(screen_lines(app))
        assert "40 %  3 s left  40 of 100 queries  20/s  m · t: queries" in line
        assert "● running 40 %" in screen_lines(app)[0]


async def test_share_and_time_left_are_those_of_all_the_work_in_header_and_bar(live_run):
    run = live_run()
    run.journal.progress("m · t: ranking", 90, 100, "queries", share=0.2999, left=75.0, force=True)
    async with opened(run.path) as (app, pilot):
        await settled(pilot)
        line = "\n".join(screen_lines(app))
        assert f"{'█' * 5}{'░' * 15}  29 %  1m 15 left  90 of 100 queries  m · t: ranking" in line
        assert "● running 29 %" in screen_lines(app)[0]


async def test_the_end_of_a_run_is_said_and_ends_the_pause(live_run):
    run = live_run().write_all()
    async with opened(run.path) as (app, pilot):
        await press(pilot, "space")
        run.finish()
        await until(pilot, lambda: app.state.snapshot.finished)
        await settled(pilot)
        assert "■ finished" in screen_lines(app)[0]
        assert "paused" not in screen_lines(app)[0]
        assert [notification.message for notification in app._notifications] == ["The run has finished."]


async def test_a_dead_writer_is_announced_in_words(live_run):
    run = live_run()
    run.write("de")
    async with opened(run.path) as (app, pilot):
        pretend(run, pid=2**22 + 1)
        await until(pilot, lambda: app.state.newest.state.status == "died")
        await settled(pilot)
        text = " ".join(" ".join(screen_lines(app)).split())
        assert "✖ writer died" in text
        assert "✖ The writer of this run (process 4194305) has died. What it finished is kept and shown" in text
        assert "--resume" in text
        assert app.state.snapshot.cells


async def test_a_writer_elsewhere_is_said_honestly(live_run):
    run = live_run()
    pretend(run, host="\x1b[31mgpu-box")
    async with opened(run.path) as (app, _):
        text = "\n".join(screen_lines(app))
        assert "◌ written elsewhere" in text
        assert "Written on ␛[31mgpu-box: this machine cannot see whether the writer still runs." in text


def pretend(run, **changes):
    """Change what the journal says of its writer."""
    file = run.journal.folder / "writer.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


async def test_a_file_that_vanishes_leaves_its_numbers_on_the_screen(finished_run):
    content = finished_run.read_bytes()
    async with opened(finished_run) as (app, pilot):
        finished_run.unlink()
        await until(pilot, lambda: app.state.problem)
        await settled(pilot)
        text = "\n".join(screen_lines(app))
        assert "run.parquet is gone. The screen shows it as of" in text
        assert "hybrid" in text

        finished_run.write_bytes(content)
        await until(pilot, lambda: not app.state.problem)
        await settled(pilot)
        assert "is gone" not in "\n".join(screen_lines(app))


async def test_a_broken_run_has_one_clear_screen_that_gives_way_once_it_is_mended(finished_run, tmp_path):
    path = tmp_path / "bad.parquet"
    path.write_bytes(finished_run.read_bytes()[:-50])
    async with opened(path, size=(60, 20)) as (app, pilot):
        text = " ".join(" ".join(screen_lines(app)).split())
        assert "✖ This run cannot be shown" in text
        assert "is truncated" in text
        assert "What you can do" in text
        await press(pilot, "1", "y")
        assert app.place == places.NOTICE

        await press(pilot, "question_mark")
        path.write_bytes(finished_run.read_bytes())
        await until(pilot, lambda: app.state.snapshot is not None)
        await press(pilot, "escape")
        assert app.place == places.OVERVIEW


async def test_a_run_that_is_not_there_yet_is_waited_for(live_run, tmp_path):
    async with opened(tmp_path / "run.parquet") as (app, pilot):
        assert "◌ waiting for run.parquet …" in "\n".join(screen_lines(app))
        live_run().write("de")
        await until(pilot, lambda: app.place == places.OVERVIEW)
        await settled(pilot)
        assert "mono" in "\n".join(screen_lines(app))


async def test_sizes_change_under_way(finished_run):
    async with opened(finished_run, size=(140, 45)) as (app, pilot):
        await press(pilot, "2")
        for size in [(60, 20), (20, 6), (140, 45), (80, 24)]:
            await pilot.resize_terminal(*size)
            await settled(pilot)
            assert all(len(line) <= size[0] for line in screen_lines(app))
        await press(pilot, "1")
        await pilot.resize_terminal(60, 20)
        await settled(pilot)
        assert "mono" in "\n".join(screen_lines(app))


async def test_the_matrix_is_mounted_while_the_overview_is_looked_at_and_shows_what_is_chosen_then(
    finished_run, monkeypatch
):
    asked, make_ready = [], View.make_ready
    monkeypatch.setattr(View, "make_ready", lambda _, *what: asked.append(what))
    async with opened(finished_run) as (app, pilot):
        await until(pilot, lambda: asked == [(places.MATRIX,)])
        assert not app.get_screen(places.MATRIX).is_running
        make_ready(app.view, *asked[0])
        await until(pilot, lambda: app.get_screen(places.MATRIX).is_running)
        assert app.place == places.OVERVIEW
        await press(pilot, "j", "2")
        assert app.place == places.MATRIX
        assert app.view.matrix.model == app.state.chosen[0]
        assert app.state.chosen != tuple(app.state.snapshot.overview.select("model", "task").row(0))


async def test_of_very_many_cells_all_screens_that_take_long_are_made_ready_but_none_that_begins_a_comparison(
    finished_run, monkeypatch
):
    monkeypatch.setattr("xlbias.dashboard.screens.overview.MANY_CELLS", 1)
    long = (places.MATRIX, places.BIAS, places.DOMAINS, places.QUERIES)
    async with opened(finished_run) as (app, pilot):
        await until(pilot, lambda: all(app.get_screen(place).is_running for place in long))
        assert app.place == places.OVERVIEW
        await until(pilot, lambda: app.navigation.queries.listing is not None and not app.navigation.queries.reading)
        await press(pilot, "j", "3")
        assert app.view.which()[1].startswith(app.state.chosen[0])
        await press(pilot, "1")
        app.baseline.take(app.state.snapshot.run.models[0].name)
        assert app.view._later_screens(app.state.snapshot) == []


async def test_a_screen_that_is_left_asks_nothing_of_the_next_one_before_that_is_there(finished_run):
    async with opened(finished_run) as (app, pilot):
        overview = app.view
        app.navigation.go(places.BIAS)  # it is on top at once, and composed when there is time
        assert app.view is not overview
        overview.show()
        await settled(pilot)
        assert app.place == places.BIAS


async def test_what_a_thread_brings_while_the_screens_are_taken_down_is_not_shown_any_more(finished_run):
    async with opened(finished_run) as (app, pilot):
        table = app.view.table
        app._running = False  # as Textual begins
        await app.screen.remove_children()
        for message in (Compared(), Arrived(of_base=False), ProcessEnded()):
            app.post_message(message)
        app.screen.post_message(VirtualTable.Moved(table, None))
        assert await pilot._wait_for_screen()  # False where one of them could not be worked off


async def test_a_timer_that_ends_while_the_screens_are_taken_down_does_nothing(finished_run, monkeypatch):
    called = []
    async with opened(finished_run) as (app, _):
        monkeypatch.setattr(app.view, "set_timer", lambda _, callback: callback)
        end = app.view.after(1.0, lambda: called.append("ended"))
        with monkeypatch.context() as patched:
            patched.setattr(type(app), "is_running", False)
            end()
        assert called == []
        end()
        assert called == ["ended"]


async def test_every_theme_shows_every_screen(finished_run):
    async with opened(finished_run, theme="xlbias-light") as (app, pilot):
        await press(pilot, "2")
        assert app.theme == "xlbias-light"
        for theme in app.available_themes:
            app.theme = theme
            await pilot.pause()
            cell = next(segment for segment in app.view.view.render_line(2) if ".250" in segment.text)
            coloured = cell.style.bgcolor is not None and cell.style.bgcolor.triplet is not None
            assert coloured != app.current_theme.ansi


def test_words_for_a_run_that_is_well_are_none():
    assert banner(None, "") == ("", False)


def test_progress_of_an_unknown_total(live_run):
    from xlbias.dashboard.workers.pace import Pace
    from xlbias.dashboard.workers.snapshot import take_snapshot

    run = live_run()
    run.journal.progress("reading", 1234, None, "texts", force=True)
    words, phase = progress_line(take_snapshot(run.path), Pace(), wide=True)
    assert words == "1,234 texts"
    assert phase == "reading"


def test_a_phase_that_counts_nothing_has_its_name_only(live_run):
    from xlbias.dashboard.workers.pace import Pace
    from xlbias.dashboard.workers.snapshot import take_snapshot

    run = live_run()
    run.journal.progress("loading", 0, None, "", force=True)
    assert progress_line(take_snapshot(run.path), Pace(), wide=True) == ("", "loading")


def test_advice_fits_what_is_wrong_with_a_run(tmp_path):
    from xlbias.dashboard.screens.notice import advice
    from xlbias.dashboard.workers.snapshot import Broken
    from xlbias.errors import RunError
    from xlbias.results.run import open_run
    from xlbias.runs.parquet import check_schema

    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "training.parquet").touch()
    (tmp_path / "text.parquet").write_text("not Parquet at all")
    (tmp_path / "cut.parquet").write_bytes(b"PAR1" + b"x" * 100)
    said = {}
    for name in ("folder", "text.parquet", "cut.parquet"):
        with pytest.raises(RunError) as caught:
            open_run(tmp_path / name)
        said[name] = " ".join(advice(Broken(tmp_path / name, str(caught.value))))
    with pytest.raises(RunError) as caught:
        check_schema(tmp_path / "new.parquet", {"schema": 10_000})
    said["new"] = " ".join(advice(Broken(tmp_path / "new.parquet", str(caught.value))))
    assert "In this folder: training.parquet" in said["folder"]
    assert "xlbias evaluate" in said["text.parquet"]
    assert "Upgrade xlbias" in said["new"]
    assert ["repaired" in text for text in said.values()] == [False, False, True, False]


async def test_help_lists_what_works_here_first_and_other_screens_keys_in_a_line_each(finished_run):
    from xlbias.dashboard.commands.keys import registry
    from xlbias.dashboard.screens.help import help_text

    async with opened(finished_run, size=(60, 20)) as (app, pilot):
        here, _, elsewhere = help_text(app).plain.partition("\nElsewhere\n")
        assert "not now: works on" not in here + elsewhere
        lines = elsewhere.splitlines()
        assert len(lines) == sum(app.place not in key.where for key in registry().values())
        assert max(map(len, lines)) <= 53
        assert registry()["measure"].description in elsewhere and registry()["measure"].description not in here
        assert next(line for line in lines if line.startswith("m ")).endswith("(2–4)")
        await press(pilot, "2")
        assert registry()["measure"].description in help_text(app).plain.partition("\nElsewhere\n")[0]


async def test_a_screen_that_is_told_on_the_way_out_has_nothing_to_tell_it_to(finished_run):
    """What is mounted once the application leaves is composed of nothing."""
    async with opened(finished_run) as (app, pilot):
        app._exit = True
        await app.push_screen(places.NOTICE)
        assert not list(app.screen.children)
        assert not app.view.is_mounted
        app.live.toggle_pause()
        app.navigation.show()
        await pilot.pause()
        app._exit = False  # and it does leave
