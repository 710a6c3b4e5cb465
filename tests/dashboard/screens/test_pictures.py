"""Golden screens beside those of `test_screens`, in the default, the light and the no-colour theme; and a walk."""

import os
from pathlib import Path

import pytest
from dashboard.made import opened, press, screen_lines, settled, shows

pytestmark = pytest.mark.integration

GOLDEN = Path(__file__).parent / "golden"
"""As in `test_screens`: rewritten by XLBIAS_UPDATE_GOLDEN=1, and looked at."""

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
            shown[name] = "\n".join(screen_lines(app)[1:]) + "\n"
    for name, lines in shown.items():
        # colours do not change what is said: the light theme would have the golden screens of the default one
        golden = GOLDEN / f"{name}-{size[0]}x{size[1]}{'-none' if theme == 'none' else ''}.txt"
        if os.environ.get("XLBIAS_UPDATE_GOLDEN"):
            golden.write_text(lines, "utf-8")
        assert lines == golden.read_text("utf-8"), name


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
