"""Pictures of every screen and dialog in the default, the light and the no-colour theme, all taken on one walk."""

import os
import time
from pathlib import Path

import pytest
from dashboard import pictured
from dashboard.golden import Album
from dashboard.made import press, settled, shows, until
from dashboard.screens.test_picker import picking

from xlbias.dashboard import places
from xlbias.dashboard.app import DashboardApp
from xlbias.dashboard.commands.palette import CleanInput
from xlbias.dashboard.terminal.theme import DARK, LIGHT, NO_COLOUR
from xlbias.dashboard.views import bias_panels, domains
from xlbias.results.matrix import MATRIX_MEASURES

pytestmark = pytest.mark.integration

LOOKS = [
    *((theme, (80, 24)) for theme in (DARK.name, LIGHT.name, NO_COLOUR)),
    *(pytest.param(DARK.name, size, marks=pytest.mark.slow) for size in ((60, 20), (140, 45))),
]


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    return pictured.write(tmp_path_factory.mktemp("pictured") / "run.parquet").read_bytes()


@pytest.fixture
def folder(content, tmp_path, monkeypatch):
    """A run, an older one and a broken one; the walk begins in the folder, so that no path is drawn."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    for days, (name, held) in enumerate((("run", content), ("older", content), ("cut", content[:2000])), 2):
        (tmp_path / f"{name}.parquet").write_bytes(held)
        made = time.time() - (days + 0.5) * 86_400
        os.utime(tmp_path / f"{name}.parquet", (made, made))
    yield tmp_path
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(("theme", "size"), LOOKS)
async def test_every_screen_and_dialog_is_as_it_was_when_it_was_looked_at(folder, monkeypatch, says, theme, size):
    if theme == NO_COLOUR:
        monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(DashboardApp, "_display", lambda *_: None)  # nobody looks at what is sent to a terminal
    album = Album(theme, size)
    async with picking(Path(), size, theme=None if theme == NO_COLOUR else theme) as (app, pilot):
        for chapter in (_picker, _overview, _matrix, _bias, _domains, _queries, _query, _training):
            await chapter(app, pilot, album)
    album.close()


async def _picker(app, pilot, album):
    await until(pilot, lambda: len(app.view.listed.thumbnails) == 2)
    await album.take(pilot, "picker")
    await press(pilot, "space", "space")
    await album.take(pilot, "picker-marked")
    await press(pilot, "g", "space", "down", "space", "g", "enter")


async def _overview(app, pilot, album):
    await until(pilot, lambda: app.place == places.OVERVIEW and app.view.findings.n)
    await album.take(pilot, "overview")
    await press(pilot, "tab", "down")
    await album.take(pilot, "overview-findings")
    await press(pilot, "question_mark")
    await album.take(pilot, "help")
    await press(pilot, "escape", "ctrl+p")
    app.screen.query_one(CleanInput).value = "bias"
    await shows(pilot, "theme: xlbias-light")
    await album.take(pilot, "palette")
    await press(pilot, "escape")


async def _matrix(app, pilot, album):
    await press(pilot, "2", "t", "T", "down", "right")
    await album.take(pilot, "matrix")
    await _measure(app, pilot, "rank_distance")
    await album.take(pilot, "distances")
    await _measure(app, pilot, "map")
    await press(pilot, "b")
    await album.take(pilot, "compare-with")
    app.screen.dismiss(None)
    await settled(pilot)
    app.selection.take_baseline("mono")
    await shows(pilot, "minus mono", "significant*")
    await album.take(pilot, "difference")
    for name, key in (("copy", "y"), ("export", "e")):
        await press(pilot, key)
        await album.take(pilot, name)
        await press(pilot, "escape")


async def _measure(app, pilot, name):
    app.state.measure = MATRIX_MEASURES[name]
    app.navigation.show()
    await settled(pilot)


async def _bias(app, pilot, album):
    await press(pilot, "3", "B")
    for panel in bias_panels.PANELS:
        await album.take(pilot, f"bias-{panel}")
        await press(pilot, "tab")
    await press(pilot, "tab", "m")
    await album.take(pilot, "bias-ratio")


async def _domains(app, pilot, album):
    await press(pilot, "4")
    await until(pilot, lambda: app.view.domains is not None)
    for panel in domains.PANELS:
        await album.take(pilot, f"domains-{panel}")
        await press(pilot, "tab")


async def _queries(app, pilot, album):
    await press(pilot, "5")
    await shows(pilot, "rows  mean AP")
    await press(pilot, "slash")
    app.screen.query_one("Entry").value = "q:th d:multi"
    await press(pilot, "enter")
    await shows(pilot, "16 of 16 rows")
    await album.take(pilot, "queries")
    await press(pilot, "slash")
    await album.take(pilot, "filter")
    await press(pilot, "escape")
    await shows(pilot, "16 of 16 rows")


async def _query(app, pilot, album):
    await press(pilot, "enter")
    await until(pilot, lambda: app.view.query_view is not None)
    await album.take(pilot, "query")
    await press(pilot, "L")
    await album.take(pilot, "languages")
    await press(pilot, "enter")
    await album.take(pilot, "query-translated")
    for panel in ("relevant", "languages", "ranks"):
        await press(pilot, "tab")
        await album.take(pilot, f"query-{panel}")


async def _training(app, pilot, album):
    await press(pilot, "7")
    await until(pilot, lambda: app.view.training is not None)
    await album.take(pilot, "training")
    await press(pilot, "tab")
    await album.take(pilot, "training-map")
