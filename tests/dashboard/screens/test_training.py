"""The training screen: figures, charts, several encoders, hostile names, and a training that goes on."""

import polars as pl
import pytest
from dashboard.made import metadata, opened, press, ranking_rows, screen_lines, settled, until
from dashboard.terminal.test_terminal import HOSTILE

from xlbias.dashboard import places
from xlbias.dashboard.terminal.plot import MARKS
from xlbias.dashboard.widgets.chart import Chart
from xlbias.runs.journal import Journal

pytestmark = pytest.mark.integration

CARD = {"sampler": "hybrid", "steps": 100, "best_step": 60, "training_seconds": 75.0, "device": "cpu"}


def logged(model, steps, **more):
    rows = [
        {
            "model": model, "step": step, "epoch": step / 50, "loss": 4.0 / step, "learning_rate": 0.01,
            "pairs_per_second": 1234.0, "tokens_per_second": 9.0, "memory_bytes": 1_500_000_000,
            "n_monolingual_batches": step // 4, "n_cross_lingual_batches": step - step // 4, "n_mixed_batches": 0,
            **more,
        }
        for step in steps
    ]  # fmt: skip
    return pl.DataFrame(rows)


def validated(model, step, tasks=("mlqa",)):
    rows = [
        {
            "model": model, "task": task, "domain": "d", "step": step, "n_queries": 9, "loss": 2.0,
            "map_monolingual": 0.7, "map_cross_lingual": 0.4 + i / 10, "map_multilingual": 0.3,
            "rank_distance": 40.0 + i, "rank_distance_normalised": 0.1,
        }
        for i, task in enumerate(tasks)
    ]  # fmt: skip
    return pl.DataFrame(rows)


@pytest.fixture
def begin(tmp_path):
    """Begin trainings; their journals are closed at the end."""
    journals = []

    def start(*names, tasks=(), card=CARD, **more):
        models = [{"name": name, "card": card} for name in names]
        about = metadata(tasks=tasks)["tasks"]
        content = {"models": models, "tasks": about, "device": "cpu", **more}
        journals.append(Journal.open(tmp_path / "training.parquet", content, identity="x", overwrite=True))
        return journals[-1]

    yield start
    for journal in journals:
        journal.close()


@pytest.fixture
def finished(begin):
    """The finished training of two encoders."""
    journal = begin("first", "second")
    for number, name in enumerate(("first", "second")):
        journal.write("training", f"{number}-1", logged(name, range(10, 110, 10)))
        for step in (0, 60, 100):
            journal.write("validation", f"{number}-{step}", validated(name, step))
    return journal.finish()


async def shown(pilot, app):
    await until(pilot, lambda: app.view.training is not None)
    await settled(pilot)
    return "\n".join(screen_lines(app))


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (140, 45)], ids=lambda size: "{}x{}".format(*size))
async def test_a_run_that_holds_only_a_training_opens_on_it(finished, size):
    async with opened(finished, size=size) as (app, pilot):
        text = await shown(pilot, app)
        assert app.place == places.TRAINING
        assert "encoder 1/2  first" in text
        assert "step 100 of 100 · took 1m 15" in text
        assert "25 monolingual (25.0%) · 75 cross-lingual (75.0%)" in text
        assert "loss  training .040  ▲ validation 2.000" in text
        charts = [chart for chart in app.view.query(Chart) if chart.size.area and chart.parent.display]
        assert len(charts) == {60: 1, 80: 1, 140: 4}[size[0]]
        assert all(chart.lines for chart in charts)


async def test_tab_goes_through_all_panels_and_back(finished):
    async with opened(finished, size=(80, 24)) as (app, pilot):
        await shown(pilot, app)
        seen = []
        for _ in range(7):
            await settled(pilot)
            seen.append(next(line for line in screen_lines(app)[5:7] if line.strip()).split("  ")[0].strip(" ━"))
            await press(pilot, "tab")
        assert seen[:4] == ["loss", "validation mAP", "learning rate", "validation rank distance"]
        assert seen[4:6] == ["pairs a second", "resident memory in GB"]
        assert app.view.page == 0
        await press(pilot, "shift+tab")
        assert app.view.table.display
        assert app.view.page == 6


async def test_arrows_choose_the_encoder_on_every_panel(finished):
    async with opened(finished, size=(80, 24)) as (app, pilot):
        await shown(pilot, app)
        await press(pilot, "tab", "down")
        assert "encoder 2/2  second" in await shown(pilot, app)
        assert "validation mAP" in "\n".join(screen_lines(app))
        await press(pilot, "down")
        assert app.view.training.model == "second"
        await press(pilot, "g")
        assert app.view.training.model == "first"


async def test_series_of_a_validation_have_marks_in_chart_and_legend(finished):
    async with opened(finished, size=(80, 24)) as (app, pilot):
        await shown(pilot, app)
        await press(pilot, "tab")
        text = await shown(pilot, app)
        assert "■ mono .700  ▲ cross .400  ● multi .300  on mlqa" in text
        chart = "".join(text for line in app.view.query_one("#chart-0 Chart", Chart).lines for text, _ in line)
        assert [chart.count(mark) for mark in MARKS[:3]] == [3, 3, 3]


async def test_every_task_of_a_validation_can_be_seen(begin):
    journal = begin("m")
    tasks = ("ntrex", "mlqa", "ta\u202esk [@click=app.quit]x[/]")
    journal.write("training", "1", logged("m", [10]))
    journal.write("validation", "1", validated("m", 10, tasks))
    journal.finish()
    async with opened(journal.path, size=(180, 45)) as (app, pilot):
        text = await shown(pilot, app)
        assert "validation mAP, mean of 3 tasks  ■ mono .700  ▲ cross .500" in text
        assert "■ 40.0 ntrex  ▲ 41.0 mlqa  ● 42.0 ta⟨U+202E⟩sk" in text
        await press(pilot, "tab")
        text = await shown(pilot, app)
        await press(pilot, "tab")
        text += await shown(pilot, app)
        assert "validation mAP 1/3" in text
        assert "▲ cross .400  ● multi .300  on ntrex" in text
        assert "on ta⟨U+202E⟩sk [@click=app.quit]x[/]" in text


async def test_a_training_is_followed_from_before_its_first_step(begin):
    journal = begin("m", card={"sampler": "mono", "recipe": {"steps": 100}})
    async with opened(journal.path, size=(80, 24)) as (app, pilot):
        assert app.place == places.TRAINING
        assert "100 steps to come" in await shown(pilot, app)
        assert "nothing logged yet" in "\n".join(screen_lines(app))

        journal.write("training", "1", logged("m", [10]))
        journal.progress("m: training", 12, 100, "steps", force=True)
        # The part and the progress are two files: a read between them sees the first one only.
        await until(pilot, lambda: app.view.training.step == 10 and "step 12 of 100" in "\n".join(screen_lines(app)))
        text = await shown(pilot, app)
        assert "step 12 of 100 · ETA · · 1,234 pairs/s · 1.50 GB resident memory" in text

        await press(pilot, "tab")
        assert "not validated yet" in await shown(pilot, app)
        journal.write("training", "2", logged("m", [20]))
        journal.write("validation", "2", validated("m", 20))
        await until(pilot, lambda: app.view.training.tasks == ["mlqa"])
        assert "■ mono .700" in await shown(pilot, app)
        assert app.view.page == 1  # the panel does not move by itself
        journal.finish()
        await until(pilot, lambda: app.state.snapshot.finished)
        await settled(pilot)
        assert app.view.page == 1


async def test_the_eta_comes_from_the_progress_of_this_encoder(begin, monkeypatch):
    journal = begin("a", "b", card={})
    journal.write("training", "1", logged("a", [100]))
    for at, done in ((1000.0, 10), (1010.0, 30)):
        monkeypatch.setattr("xlbias.runs.journal.time.time", lambda at=at: at)
        journal.progress("b: training", done, 100, "steps", force=True)
    async with opened(journal.path, size=(80, 24)) as (app, pilot):
        await shown(pilot, app)
        monkeypatch.setattr("xlbias.runs.journal.time.time", lambda: 1015.0)
        journal.progress("b: training", 40, 100, "steps", force=True)
        await until(pilot, lambda: app.state.pace.rate)
        assert "ETA" not in await shown(pilot, app)
        await press(pilot, "down")
        assert "step 40 of 100 · ETA 30 s" in await shown(pilot, app)  # two a second, sixty to go


async def test_a_paused_screen_stays(begin):
    journal = begin("m")
    journal.write("training", "1", logged("m", [10]))
    async with opened(journal.path, size=(80, 24)) as (app, pilot):
        await shown(pilot, app)
        await press(pilot, "space")
        journal.write("training", "2", logged("m", [20]))
        await until(pilot, lambda: len(app.state.newest.run.files) == 2)
        await settled(pilot)
        assert app.view.training.step == 10
        await press(pilot, "space")
        await until(pilot, lambda: app.view.training.step == 20)


async def test_the_curves_of_an_evaluated_encoder_are_reached_from_its_row(begin):
    journal = begin("first", "second", "plain", tasks=("t",))
    for number, name in enumerate(("first", "second", "plain")):
        journal.write("ranking", f"{number}", ranking_rows(name, "t", "de"))
    for name in ("first", "second"):
        journal.write("training", name, logged(name, [10, 20]))
    journal.finish()
    async with opened(journal.path, size=(80, 24)) as (app, pilot):
        assert app.place == places.OVERVIEW
        await press(pilot, "down", "7")
        assert "encoder 2/2  second" in await shown(pilot, app)
        await press(pilot, "up")
        assert app.state.chosen == ("first", "t")
        await press(pilot, "escape")
        assert app.place == places.OVERVIEW


async def test_without_a_training_the_key_says_why(finished_run):
    async with opened(finished_run) as (app, pilot):
        await press(pilot, "7")
        assert app.place == places.OVERVIEW
        assert any("the run has no training" in n.message for n in app._notifications)


@pytest.mark.parametrize("size", [(80, 24), (200, 60)], ids=lambda size: "{}x{}".format(*size))
async def test_charts_are_painted_at_their_size_from_the_first_frame_on(begin, monkeypatch, size):
    journal = begin("first", "second", tasks=("t",))
    for name in ("first", "second"):
        journal.write("ranking", name, ranking_rows(name, "t", "de"))
        journal.write("training", name, logged(name, range(10, 110, 10)))
        journal.write("validation", name, pl.concat([validated(name, step) for step in (0, 60, 100)]))
    journal.finish()
    painted = []
    paint = Chart.render_line

    def seen(chart, y):
        strip = paint(chart, y)
        if chart.lines:
            cells = {sum(len(text) for text, _ in line) for line in chart.lines}
            painted.append((tuple(chart.size), len(chart.lines), *cells))
        return strip

    monkeypatch.setattr(Chart, "render_line", seen)
    async with opened(journal.path, size=size) as (app, pilot):
        await until(pilot, lambda: app.get_screen(places.TRAINING).is_running)  # it is made ready beforehand
        await until(pilot, lambda: "curves" in app.state.snapshot.cache)
        await pilot.press("7")
        await until(pilot, lambda: painted)
        await settled(pilot)
        assert painted
        assert all((n_cells, n_lines) == at for at, n_lines, n_cells in painted)
        await pilot.resize_terminal(60, 20)
        await settled(pilot)
        assert all((n_cells, n_lines) == at for at, n_lines, n_cells in painted)
        assert app.view.query_one(Chart).size == painted[-1][0]


async def test_what_is_copied_are_all_logged_steps_or_the_last(finished):
    async with opened(finished, size=(80, 24)) as (app, pilot):
        await shown(pilot, app)
        whole, name = app.view.copied("all")
        assert name == "training-first"
        assert len(whole.rows) == 13
        last, _ = app.view.copied("row")
        assert [row[0].value for row in last.rows] == [100, 100]


async def test_the_view_is_restored(finished):
    async with opened(finished, size=(80, 24)) as (app, pilot):
        await shown(pilot, app)
        await press(pilot, "down", "tab", "tab", "q")
    async with opened(finished, size=(80, 24)) as (app, pilot):
        text = await shown(pilot, app)
        assert "encoder 2/2  second" in text
        assert "learning rate  last 0.01" in text


@pytest.mark.parametrize("size", [(60, 20), (140, 45)])
async def test_hostile_names_are_shown_as_marks(begin, size):
    names = [*HOSTILE[:11], HOSTILE[12]]
    journal = begin(*names, card={"sampler": "\x1b[31m[/]", "recipe": {"base": "\x1b"}})
    for number, name in enumerate(names):
        journal.write("training", f"{number}", logged(name, [1, 2]))
        journal.write("validation", f"{number}", validated(name, 2, (name, "x")))
    async with opened(journal.path, size=size) as (app, pilot):
        await shown(pilot, app)
        for key in ["down"] * len(names) + ["tab"] * 9:
            await press(pilot, key)
            text = "".join(screen_lines(app))
            assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c in "\u202e\u2066" for c in text)
        assert app.is_running


async def test_sixty_encoders_of_hundreds_of_steps_are_collected_off_the_screen(begin):
    names = [f"encoder-{i}" for i in range(60)]
    journal = begin(*names)
    for number, name in enumerate(names):
        journal.write("training", f"{number:02d}", logged(name, range(1, 501)))
        journal.write("validation", f"{number:02d}", pl.concat([validated(name, s) for s in range(0, 501, 50)]))
    journal.finish()
    async with opened(journal.path, size=(140, 45)) as (app, pilot):
        await shown(pilot, app)
        assert len(app.view.trainings) == 60
        await press(pilot, "G")
        assert "encoder 60/60  encoder-59" in await shown(pilot, app)


async def test_the_loss_of_each_kind_of_batches_is_a_line_of_its_own(begin):
    journal = begin("hybrid")
    for step in range(10, 60, 10):
        kind, loss = ("monolingual", 1.0) if step % 20 else ("cross_lingual", 3.0)
        journal.write("training", f"{step:03d}", logged("hybrid", [step], **{f"loss_{kind}": loss}))
    async with opened(journal.finish(), size=(80, 24)) as (app, pilot):
        await shown(pilot, app)
        text = "\n".join(screen_lines(app))
        assert f"{MARKS[0]} mono batches 1.000  {MARKS[1]} cross batches 3.000" in text
        assert "training" not in text.split("mono batches")[1].split("\n")[0]
