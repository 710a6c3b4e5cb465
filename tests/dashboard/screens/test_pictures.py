"""Golden screens beside those of `test_screens`, in the default, the light and the no-colour theme; and a walk."""

import os
from pathlib import Path

import pytest
from dashboard.golden import assert_golden, picture
from dashboard.made import opened, press, settled, shows

pytestmark = pytest.mark.integration

LOOKS = [((60, 20), ""), ((140, 45), ""), ((80, 24), "light"), ((80, 24), "none")]


@pytest.mark.parametrize(("size", "theme"), LOOKS)
async def test_golden_pictures(measured_content, tmp_path, monkeypatch, size, theme):
    if theme == "none":
        monkeypatch.setenv("NO_COLOR", "1")
    path = tmp_path / "run.parquet"
    path.write_bytes(measured_content)
    shown = {}
    async with opened(path, size=size) as (app, pilot):
        if theme == "light":
            app.theme = "xlbias-light"
        app.navigation.open_query(("q0", "de", "multilingual"))
        await settled(pilot)
        for name, key in (("query", "tab"), ("matrix-measured", "2"), ("bias", "3"), ("domains", "4")):
            await press(pilot, key)
            shown[name] = picture(app)
    assert_golden(shown, size, theme)


@pytest.mark.parametrize("size", [(80, 24), (140, 45)])
async def test_a_figure_for_a_paper_takes_two_keys_from_the_matrix(measured_content, tmp_path, size):
    path = tmp_path / "run.parquet"
    path.write_bytes(measured_content)
    async with opened(path, size=size, notifications=True) as (_, pilot):
        await press(pilot, "2")
        await press(pilot, "y", "l")
        await shows(pilot, ".tex")
        (copy,) = Path(os.environ["XDG_STATE_HOME"]).rglob("*.tex")
        assert "\\toprule" in copy.read_text("utf-8")


@pytest.mark.parametrize(("size", "theme"), [((80, 24), ""), ((80, 24), "none"), ((140, 45), "")])
async def test_golden_pictures_of_a_comparison_and_of_queries(measured_content, tmp_path, monkeypatch, size, theme):
    if theme:
        monkeypatch.setenv("NO_COLOR", "1")
    path = tmp_path / "run.parquet"
    path.write_bytes(measured_content)
    shown = {}
    async with opened(path, size=size) as (app, pilot):
        await press(pilot, "5")
        await shows(pilot, "20 of 20 rows")
        shown["queries"] = picture(app)
        await press(pilot, "2")
        app.selection.take_baseline("hybrid")
        await shows(pilot, "minus hybrid", "significant*")
        await settled(pilot)
        shown["difference"] = picture(app)
        await press(pilot, "b")
        shown["compare-with"] = picture(app)
    assert_golden(shown, size, theme)
