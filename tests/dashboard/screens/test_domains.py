"""The screen of domains: a study and other runs, its panels, keys, the study's verdict, and names that mean harm."""

import numpy as np
import polars as pl
import pytest
from dashboard.made import opened, press, screen_lines, settled, until
from dashboard.ranked import write

from xlbias.dashboard import places
from xlbias.dashboard.views.domains import PANELS
from xlbias.dashboard.workers.disk_cache import folder_of
from xlbias.dashboard.workers.study_contrasts import StudyContrasts
from xlbias.results.compare import Side, compare
from xlbias.results.run import open_run
from xlbias.results.study.contrasts import contrasts
from xlbias.results.study.design import read_study

pytestmark = pytest.mark.integration

PLAN = {
    "title": "A small study", "samplers": ["mono", "hybrid"], "alphas": [0.5], "seeds": [0, 1],
    "sources": {"here": [], "there": []}, "targets": {}, "in_domain": {"home": "here", "away[split=test]": "there"},
    "baseline": "mono",
}  # fmt: skip
TARGETS = ("home", "away[split=test]")
MODELS = tuple(f"{s}-{arm}-seed{n}" for s in ("here", "there") for arm in ("mono", "hybrid-alpha0.5") for n in (0, 1))


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    path = write(tmp_path_factory.mktemp("study") / "run.parquet", models=MODELS, tasks=TARGETS, study=PLAN)
    return path.read_bytes()


@pytest.fixture
def study_file(content, tmp_path):
    path = tmp_path / "run.parquet"
    path.write_bytes(content)
    return path


@pytest.fixture(scope="module")
def plain_content(tmp_path_factory):
    path = write(tmp_path_factory.mktemp("plain") / "run.parquet", tasks=("ntrex", "other"))
    return path.read_bytes()


@pytest.fixture
def plain_file(plain_content, tmp_path):
    path = tmp_path / "run.parquet"
    path.write_bytes(plain_content)
    return path


def value(run, model, task, measure, setting):
    """The number of the summary."""
    chosen = (pl.col("model") == model) & (pl.col("task") == task) & (pl.col("measure") == measure)
    overall = pl.col("query_language").is_null() & pl.col("passage_language").is_null()
    return run.summary.filter(chosen & overall & (pl.col("setting") == setting))["value"].item()


def cell(sheet, row, column):
    return sheet.block.entries[sheet.block.rows.index(row)][sheet.block.columns.index(column)]


async def begin(app, pilot, *pressed):
    """Go to the screen and wait until its numbers are read."""
    await press(pilot, "4")
    await until(pilot, lambda: app.view.domains is not None)
    await settled(pilot)
    await press(pilot, *pressed)


async def to_measure(app, pilot, name):
    for _ in range(9):
        if app.view.shift[0] == name:
            return app.view.view.sheet
        await press(pilot, "m")
    raise AssertionError(name)


async def test_a_study_shows_means_over_seeds_by_source_and_sampler(study_file):
    run = open_run(study_file)
    async with opened(study_file, size=(80, 24)) as (app, pilot):
        await begin(app, pilot)
        sheet = await to_measure(app, pilot, "rank_distance.normalised")
        values = [value(run, f"there-mono-seed{n}", "home", "rank_distance.normalised", "multilingual") for n in (0, 1)]
        found = cell(sheet, "there · mono", "home")
        assert found.value == pytest.approx(np.mean(values))
        half = 12.706205 * np.std(values, ddof=1) / np.sqrt(2)
        assert (found.cell.low, found.cell.high) == pytest.approx((found.value - half, found.value + half))
        text = "\n".join(screen_lines(app))
        assert "8 encoders of 2 sources on 2 targets  A small study" in text
        assert "Values  rank dist. norm." in text
        assert "here  α=0.5" in text
        assert f"{found.value:.3f}"[1:] in text


async def test_the_cell_line_has_names_in_full_interval_seeds_and_where_enter_leads(study_file):
    async with opened(study_file, size=(118, 24)) as (app, pilot):
        await begin(app, pilot, "down", "right")
        text = "\n".join(screen_lines(app))
        assert "hybrid α=0.5, trained on here → away[split=test]" in text
        assert "n 2  " in text
        assert "seeds 0: " in text
        assert "(Enter: here-hybrid-alpha0.5-seed0)" in text
        await press(pilot, "enter")
        assert app.place == places.MATRIX
        assert app.state.chosen == ("here-hybrid-alpha0.5-seed0", "away[split=test]")
        await press(pilot, "escape")
        assert app.place == places.DOMAINS
        assert app.view.view.cursor == ("here · hybrid α=0.5", "away[split=test]")


async def test_panels_share_the_measure_and_keep_their_cursors(study_file):
    async with opened(study_file, size=(80, 24)) as (app, pilot):
        await begin(app, pilot, "down")
        first = app.view.shift
        for panel in [*list(PANELS)[1:], "values"]:
            await press(pilot, "tab")
            assert app.view.panel == panel
            assert PANELS[panel] in "\n".join(screen_lines(app))
        assert app.view.view.cursor[0] == "here · hybrid α=0.5"
        shifts = app.view.domains.shifts
        for shift in [*shifts[shifts.index(first) + 1 :], *shifts[: shifts.index(first) + 1]]:
            await press(pilot, "m")
            assert app.view.shift == shift
        await press(pilot, "M")
        assert app.view.shift == shifts[shifts.index(first) - 1]


async def test_the_verdict_is_that_of_the_study(study_file):
    run = open_run(study_file)
    expected = contrasts(run, read_study(run))
    async with opened(study_file, size=(80, 24)) as (app, pilot):
        await begin(app, pilot)
        assert app.view.contrasts is None  # nobody has asked
        await press(pilot, "tab", "tab")
        assert "comparing" in app.view.view.sheet.remark
        assert not any(one.text.endswith("*") for row in app.view.view.sheet.block.entries for one in row)
        await until(pilot, lambda: app.view.contrasts.found is not None)
        await until(pilot, lambda: app.view.view.sheet.remark == "")
        sheet = await to_measure(app, pilot, "rank_distance.normalised")
        rows = expected.filter(pl.col("measure") == "rank_distance.normalised")
        assert rows.height == 4
        for row in rows.iter_rows(named=True):
            found = cell(sheet, f"{row['source']} · {row['new']}", row["target"])
            assert (found.value, found.cell.low, found.cell.high) == (row["difference"], row["low"], row["high"])
            assert found.text.endswith("*") == (row["verdict"] != "unclear")
        counted = {label: int(one.text) for label, one in sheet.headline}
        assert counted == {v: rows.filter(pl.col("verdict") == v).height for v in ("better", "worse", "unclear")}


async def test_finished_pairs_are_kept_and_a_restart_goes_on(study_file, tmp_path):
    folder = folder_of("contrasts", study_file, (1,))
    first = StudyContrasts(study_file, lambda: None, folder)
    first._reader.join()
    kept = sorted(folder.iterdir())
    assert [one.name for one in kept] == ["0000", "0001", "0002", "0003"]
    run = open_run(study_file)
    assert first.found.equals(contrasts(run, read_study(run)))
    kept[1].write_bytes(b"damaged")
    before = [one.stat().st_mtime_ns for one in kept]
    told = []
    again = StudyContrasts(study_file, lambda: told.append(again.remark), folder)
    again._reader.join()
    assert again.found.equals(first.found)
    assert told[0].startswith("comparing … 3 of 4 pairs")
    after = [one.stat().st_mtime_ns for one in kept]
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, False, True, True]
    assert folder_of("contrasts", study_file, (2,)) != folder != folder_of("contrasts", tmp_path, (1,))


async def test_a_dashboard_that_writes_no_files_keeps_no_pairs(study_file, tmp_path, monkeypatch):
    monkeypatch.setenv("XLBIAS_CACHE", str(tmp_path / "cache"))
    async with opened(study_file, size=(80, 24), read_only=True) as (app, pilot):
        await begin(app, pilot, "tab", "tab")
        await until(pilot, lambda: app.view.contrasts.found is not None)
    assert not (tmp_path / "cache").exists()


async def test_the_comparison_is_stopped_when_the_dashboard_is_left(study_file):
    async with opened(study_file, size=(80, 24)) as (app, pilot):
        await begin(app, pilot, "tab", "tab")
        process = app.view.contrasts._process
        await press(pilot, "q")
    assert process.wait(60) is not None


def test_a_run_that_cannot_be_compared_says_why(plain_file, tmp_path):
    for path, why in [(plain_file, "not a study run"), (tmp_path / "nothing.parquet", "no such run")]:
        told = []
        contrasting = StudyContrasts(path, lambda told=told: told.append(1))
        contrasting._reader.join()
        assert contrasting.found is None
        assert why in contrasting.trouble
        assert told


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (140, 45)], ids=lambda size: "{}x{}".format(*size))
async def test_every_panel_can_be_seen_and_read_at_every_size(study_file, size):
    async with opened(study_file, size=size) as (app, pilot):
        await begin(app, pilot)
        for panel, title in PANELS.items():
            lines = screen_lines(app)
            assert all(len(line) <= size[0] for line in lines)
            text = "\n".join(lines)
            assert title in text
            assert " ".join(app.view.view.sheet.reading.split()[:3]) in text
            assert sum(" α=0.5" in line for line in lines) >= 2, panel
            beside = size[0] > 120 and panel in ("values", "drop")
            assert len(app.view.visible_panels) == (2 if beside else 1)
            if size[0] > 120 and panel == "home":
                assert cell(app.view.view.sheet, "home: here · mono", "away").interval in text
            await press(pilot, "tab")


async def test_orders_by_sampler_and_by_the_column_under_the_cursor(study_file):
    async with opened(study_file, size=(80, 24)) as (app, pilot):
        await begin(app, pilot, "right", "s")
        view = app.view.view
        assert view.sort == "sampler"
        heads = [view.sheet.head(r) for r in view.rows]
        assert heads == [("here", "mono"), ("there", "mono"), ("here", "α=0.5"), ("there", "α=0.5")]
        await press(pilot, "s", "s")
        assert view.sort == "this column"
        values = [view.sheet.block.entries[r][1].value for r in view.rows]
        assert values == sorted(values, reverse=True)
        await press(pilot, "S")
        assert [view.sheet.block.entries[r][1].value for r in view.rows] == values[::-1]


async def test_what_is_copied_has_full_names_and_intervals(study_file):
    async with opened(study_file, size=(80, 24)) as (app, pilot):
        await begin(app, pilot)
        block, name = app.view.copied("all")
        assert block.columns == TARGETS
        assert block.rows[1] == "here · hybrid α=0.5"
        assert block.entries[0][0].interval.startswith("[")
        assert name == "domains-values"


async def test_a_run_that_is_no_study_has_its_encoders_with_intervals(plain_file):
    run = open_run(plain_file)
    async with opened(plain_file, size=(80, 24)) as (app, pilot):
        await begin(app, pilot)
        sheet = await to_measure(app, pilot, "rank_distance.normalised")
        found = cell(sheet, "hybrid", "other")
        assert found.value == value(run, "hybrid", "other", "rank_distance.normalised", "multilingual")
        assert found.cell.low < found.value < found.cell.high
        assert "2 encoders on 2 tasks" in "\n".join(screen_lines(app))
        await press(pilot, "tab")  # its card says that it was trained on ntrex
        home, away = (
            value(run, "hybrid", task, "rank_distance.normalised", "multilingual") for task in ("ntrex", "other")
        )
        sheet = app.view.view.sheet
        assert cell(sheet, "hybrid", "other").value == pytest.approx((away - home) / home)
        assert cell(sheet, "hybrid", "ntrex").text == "home"


async def test_with_a_baseline_its_differences_are_those_of_compare(plain_file):
    run = open_run(plain_file)
    measure = "rank_distance.normalised"
    frame = compare(Side(run, ("mono",)), Side(run, ("hybrid",)), "other", measures={measure})
    expected = frame.filter(pl.col("query_language").is_null()).row(0, named=True)
    async with opened(plain_file, size=(80, 24)) as (app, pilot):
        await begin(app, pilot)
        await to_measure(app, pilot, measure)
        await press(pilot, "tab", "tab")
        assert "choose a baseline first" in app.view.view.sheet.remark
        app.baseline.model = "mono"
        app.navigation.show()
        plain = cell(app.view.view.sheet, "hybrid", "other")
        assert plain.value == pytest.approx(expected["difference"])
        await until(pilot, lambda: cell(app.view.view.sheet, "hybrid", "other").interval)
        found = cell(app.view.view.sheet, "hybrid", "other")
        assert (found.value, found.cell.low, found.cell.high) == (
            expected["difference"],
            expected["low"],
            expected["high"],
        )
        assert found.text.endswith("*") == (expected["p_corrected"] < 0.05)
        assert cell(app.view.view.sheet, "mono", "other").text == "·"


async def test_the_view_of_the_last_time_is_restored(study_file):
    async with opened(study_file, size=(80, 24)) as (app, pilot):
        await begin(app, pilot, "tab", "m", "down", "s", "q")
        shift = app.view.shift
    async with opened(study_file, size=(80, 24)) as (app, pilot):
        await until(pilot, lambda: app.view.domains is not None)
        await settled(pilot)
        assert (app.place, app.view.panel, app.view.shift) == (places.DOMAINS, "drop", shift)
        assert (app.view.view.cursor[0], app.view.view.sort) == ("here · hybrid α=0.5", "sampler")


async def test_a_study_in_progress_fills_in_while_the_cursor_stays(live_run):
    run = live_run(models=MODELS[:2], tasks=TARGETS, study=PLAN)
    run.write("de")
    async with opened(run.path, size=(80, 24)) as (app, pilot):
        await begin(app, pilot, "right")
        before = app.view.view.sheet
        run.write_all()
        await until(pilot, lambda: app.state.snapshot.cells and app.view.view.sheet is not before)
        assert app.view.view.cursor == ("here · mono", "away[split=test]")
        await press(pilot, "tab", "tab")
        assert app.view.contrasts is None


async def test_names_and_plans_that_mean_harm_stay_text(tmp_path):
    bad = "[/][@click=app.quit]x[/]\x1b]52;c;aGk=\x07\u202e" + "w" * 100_000
    plan = {**PLAN, "sources": {bad: []}, "seeds": [0], "title": bad, "in_domain": {bad: bad}}
    models = (f"{bad}-mono-seed0", f"{bad}-hybrid-alpha0.5-seed0")
    path = write(tmp_path / "run.parquet", models=models, tasks=(bad, "t"), study=plan)
    async with opened(path, size=(80, 24)) as (app, pilot):
        await begin(app, pilot)
        for size in [(80, 24), (60, 20), (140, 45)]:
            await pilot.resize_terminal(*size)
            await settled(pilot)
            for _ in PANELS:
                lines = screen_lines(app)
                assert all(len(line) <= size[0] for line in lines)
                assert not {"\x1b", "\x07", "\u202e"} & set("".join(lines))
                await press(pilot, "tab", "down", "right")
            assert "[/][@click=app.quit]x[/]␛]52" in "\n".join(screen_lines(app))


@pytest.mark.parametrize("plan", [7, {"samplers": "mono"}, {**PLAN, "sources": None}, {**PLAN, "in_domain": []}])
async def test_a_damaged_plan_is_said_with_its_field(tmp_path, plan):
    path = write(tmp_path / "run.parquet", models=("a",), tasks=("t",), languages=("de",), study=plan)
    async with opened(path, size=(80, 24)) as (app, pilot):
        await until(
            pilot, lambda: "its run metadata is damaged: study" in " ".join("\n".join(screen_lines(app)).split())
        )
