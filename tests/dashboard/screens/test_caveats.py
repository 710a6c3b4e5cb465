"""Caveats on the screens: a mark at the row and its reason below, and above a matrix; of differences those of both."""

from dataclasses import replace

import pytest
from dashboard.made import metadata, opened, press, screen_lines, shows, until
from support import make_task, make_vectors

from xlbias.dashboard.widgets.caveats import CaveatLine
from xlbias.dashboard.workers.follower import Follower
from xlbias.evaluation import evaluate
from xlbias.report.documents.caveats import MARK

pytestmark = pytest.mark.integration

ESCAPE = "\x1b]52;c;ZXZpbA==\x07"
TASK = make_task(60)


def leaky(names=("mono", "hybrid"), tasks=("xquad-r", "mlqa")):
    """Metadata in which the first encoder was trained on the first task."""
    about = metadata(names, tasks)
    about["models"][0]["card"]["sources"] = [{"name": "x", "fingerprint": about["tasks"][0]["fingerprint"]}]
    return about


@pytest.fixture
def leaky_run(live_run):
    run = live_run(models=("mono", "hybrid"), tasks=("xquad-r", "mlqa"))
    run.write_all()
    run.journal.describe("models", leaky()["models"])
    return run.finish()


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (140, 45)])
async def test_the_overview_marks_the_row_and_says_why(leaky_run, size):
    async with opened(leaky_run, size=size) as (app, pilot):
        rows = [line for line in screen_lines(app) if "xquad-r" in line or "mlqa" in line]
        marked = [line for line in rows if f"  {MARK}  " in line]
        assert len(marked) == 1
        assert "mono" in marked[0] and "xquad-r" in marked[0]
        if size[1] < 24:
            await press(pilot, "i")
        text = "\n".join(screen_lines(app))
        assert f"{MARK} caveat" in text
        assert "was trained on this task itself" in text
        if size[1] >= 24:
            await press(pilot, "down")
            assert f"{MARK} caveat" not in "\n".join(screen_lines(app))


async def test_the_matrix_says_the_caveats_of_its_numbers_and_a_copy_has_them(leaky_run):
    async with opened(leaky_run, size=(80, 24)) as (app, pilot):
        await press(pilot, "2")
        assert any(line.startswith(f" {MARK} was trained on this task itself") for line in screen_lines(app))
        block, _ = app.view.copied("all")
        assert any(note.startswith(f"{MARK} was trained on this task itself") for note in block.notes)
        await press(pilot, "T")
        assert not any(f" {MARK} was trained" in line for line in screen_lines(app))


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (140, 45)])
@pytest.mark.parametrize("key", ["3", "5"])
async def test_bias_and_queries_say_the_caveats_of_what_they_show_and_a_copy_has_them(leaky_run, size, key):
    async with opened(leaky_run, size=size) as (app, pilot):
        await press(pilot, key)
        await shows(pilot, f" {MARK} was trained on this task itself")
        await until(pilot, lambda: app.view.why_no_copy() is None)
        block, _ = app.view.copied("all")
        assert any(note.startswith(f"{MARK} was trained on this task itself") for note in block.notes)
        await press(pilot, "T")
        await until(pilot, lambda: f" {MARK} was trained" not in "\n".join(screen_lines(app)))


async def test_domains_say_the_caveats_of_all_and_whose_they_are(leaky_run):
    async with opened(leaky_run, size=(80, 24)) as (app, pilot):
        await press(pilot, "4")
        await shows(pilot, f" {MARK} mono on xquad-r: was trained on this task itself")
        block, _ = app.view.copied("all")
        assert any(note.startswith(f"{MARK} mono on xquad-r: was trained on this task") for note in block.notes)


async def test_without_caveats_no_line_is_taken(finished_run):
    async with opened(finished_run, size=(80, 24)) as (app, pilot):
        for key in "2345":
            await press(pilot, key)
            await shows(pilot, "xquad-r")
            assert not app.view.query_one(CaveatLine).display


async def test_differences_have_the_caveats_of_both_sides_also_of_a_task_with_another_name(tmp_path):
    card = {"sources": [{"name": "made", "fingerprint": TASK.fingerprint}]}
    base = evaluate(
        replace(make_vectors(TASK), name="m", card=card), TASK.renamed("held out"), tmp_path / "base.parquet"
    )
    new = evaluate(replace(make_vectors(TASK, 1), name="m"), TASK, tmp_path / "new.parquet")
    follower = Follower(base.path, interval=0.02)
    follower.start()
    async with opened(new.path, size=(100, 30), base=follower) as (app, pilot):
        await press(pilot, "2")
        await shows(pilot, "base: was trained on this task itself")
        assert app.view.matrix.against == "m of base.parquet"
        await press(pilot, "3")
        await shows(pilot, "base: was trained on this task itself")


async def test_a_caveat_from_data_commands_no_terminal(live_run):
    run = live_run(models=("mono",), tasks=("t",))
    run.write_all()
    about = leaky(("mono",), ("t",))["models"]
    run.journal.describe("models", [{**about[0], "mitigation": f"mean{ESCAPE}"}])
    async with opened(run.finish(), size=(100, 30)) as (app, pilot):
        for key in ("1", "2"):
            await press(pilot, key)
            text = "\n".join(screen_lines(app))
            assert "\x1b" not in text and "\x07" not in text
            assert MARK in text
