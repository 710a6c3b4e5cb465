"""The report of the run, and its comparison, as files."""

import json

import pytest
from dashboard.made import opened, press, screen_lines, until
from dashboard.taking import EXPORT, Taker

from xlbias.dashboard.dialogs.export import ExportDialog
from xlbias.dashboard.workers.follower import Follower
from xlbias.report.render import render_comparison, render_report
from xlbias.results.caveats import of_side
from xlbias.results.compare import PERMUTATIONS, Side, compare
from xlbias.results.run import open_run

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(
    ("letter", "form", "suffix"),
    [("t", "text", "txt"), ("m", "markdown", "md"), ("l", "latex", "tex"), ("h", "html", "html"), ("c", "csv", "csv"),
     ("j", "json", "json")],
)  # fmt: skip
async def test_the_report_of_the_run_is_saved_as_xlbias_report_writes_it(taker, monkeypatch, letter, form, suffix):
    told = []
    notify = taker.app.notify
    monkeypatch.setattr(taker.app, "notify", lambda said, **more: (told.append(said), notify(said, **more)))
    text = await taker.take(EXPORT, letter)
    assert text == render_report([open_run(taker.app.state.path)], form, to_file=True)
    (file,) = taker.newest
    assert file.suffix == f".{suffix}"
    assert [said.split(" as ")[0] for said in told] == ["writing the report", "report"]
    assert len(taker.said()) == 1
    assert file.name in taker.said()[-1].replace("\n", "")
    if form == "json":
        assert json.loads(text)["schema"] == 2
    await press(taker.pilot, EXPORT)
    assert isinstance(taker.app.screen, ExportDialog)
    again = await taker.take("enter")
    assert again == text


async def test_with_a_second_run_the_comparison_is_saved_too(finished_content, tmp_path):
    for name in ("base.parquet", "new.parquet"):
        (tmp_path / name).write_bytes(finished_content)
    base = Follower(tmp_path / "base.parquet", interval=0.02)
    base.start()
    async with opened(tmp_path / "new.parquet", base=base) as (app, pilot):
        await until(pilot, lambda: app.state.base is not None)
        taker = Taker(app, pilot)
        await press(pilot, EXPORT)
        assert "also saves the comparison" in "\n".join(screen_lines(app))
        await taker.take("j")
        report, comparison = sorted(taker.newest, key=lambda file: file.name.startswith("comparison"))
        assert json.loads(report.read_text("utf-8"))["schema"] == 2
        model = app.state.chosen[0]
        old, new = open_run(tmp_path / "base.parquet"), open_run(tmp_path / "new.parquet")
        sides = Side(old, (model,)), Side(new, (model,))
        frames = {task: compare(*sides, task) for task in ("xquad-r", "mlqa")}
        doubts = {task: tuple(of_side(side, task) for side in sides) for task in frames}
        labels = (f"{model} (base.parquet)", f"{model} (new.parquet)")
        expected = render_comparison(frames, *labels, "json", permutations=PERMUTATIONS, doubts=doubts)
        assert comparison.read_text("utf-8") == expected


async def test_a_run_that_finishes_while_it_is_exported_is_opened_again(live_run):
    run = live_run(models=("m",), tasks=("t",))
    run.write_all()
    async with opened(run.path) as (app, pilot):
        snapshot = app.state.snapshot
        app.live.follower.stop()
        run.finish()
        app.state.snapshot = snapshot
        taker = Taker(app, pilot)
        assert "m" in await taker.take(EXPORT, "t")


async def test_a_report_that_cannot_be_made_is_said_in_a_sentence(taker, monkeypatch):
    def broken(*_, **__):
        raise ValueError("the file has \x1b]52;c;eA==\x07 changed\nTraceback")

    monkeypatch.setattr("xlbias.report.render.render_report", broken)
    await taker.take(EXPORT, "t")
    said = taker.said()[-1]
    assert "failed: the file has ␛]52;c;eA==␇ changed" in said
    assert "Traceback" not in said
    assert taker.files() == []
