"""Every theme of the palette draws every screen, says the same with it, and can be read."""

import re

import pytest
from dashboard.idle import rested
from dashboard.made import opened, press, screen_lines, settled, until
from rich.color import Color as TerminalColour
from textual.color import Color

from xlbias.colour import contrast
from xlbias.dashboard.commands.keys import registry
from xlbias.dashboard.places import SCREENS
from xlbias.dashboard.terminal.scroll_bar import QuietScrollBar
from xlbias.dashboard.terminal.theme import DARK, LIGHT, NO_COLOUR
from xlbias.dashboard.widgets.text.line import Line

pytestmark = pytest.mark.integration

SHADES = "█▓▒░▌▐▁▂▃▄▅▆▇▏▎▍▋▊▉"


async def test_every_theme_draws_every_screen_with_the_same_numbers_and_marks(finished_run):
    async with opened(finished_run, size=(80, 24)) as (app, pilot):
        app.view.toggle_details()  # what stands below arrives when the cursor rests
        own, seen = app.theme, 0
        for place in (place for place in SCREENS if registry()[place].why_not(app) is None):
            await press(pilot, *registry()[place].keys)
            expected = await _still(app, pilot)
            seen += 1
            for theme in sorted(app.available_themes):
                app.theme = theme
                await pilot.pause()
                assert _said(screen_lines(app)) == expected, (place, theme)
            app.theme = own
        assert seen >= 5


async def _still(app, pilot):
    """What is said on a screen once all that is computed beside it is there."""
    said = None
    while said != (said := _said(screen_lines(app))):
        await rested(pilot.app)
        await until(pilot, lambda: not app.baseline.comparisons.busy)
        await rested(pilot.app)
    return said


def _said(lines):
    """Numbers, words and marks: without colours, shades and frames stand in for those."""
    return [re.findall(r"[\w.,:%→·*±▲▼▸■+−-]+", line) for line in lines]


@pytest.mark.parametrize("theme", [DARK.name, LIGHT.name, "nord", "gruvbox", "ansi-dark", "ansi-light"])
async def test_a_theme_can_be_asked_for_at_the_start(finished_run, theme):
    async with opened(finished_run, size=(80, 24), theme=theme) as (app, pilot):
        assert app.theme == theme
        for keys in (("2",), ("y",), ("escape", "e"), ("escape", "question_mark"), ("escape", "ctrl+p")):
            await press(pilot, *keys)
            assert any(line.strip() for line in screen_lines(app))


async def test_without_colour_shades_and_a_frame_carry_what_colours_do(finished_run, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    async with opened(finished_run, size=(80, 24)) as (app, pilot):
        assert app.theme == NO_COLOUR
        await press(pilot, "2", "down")
        text = "\n".join(screen_lines(app))
        assert re.search(r"█ *1\.00", text)
        assert not re.search(r"[█▓▒░] *\.100", text)
        assert re.search(r"[│[] *\.500 *[\]│]", text), "the cell under the cursor has a frame"
        assert "░░▒▒▓▓██" in text
        for strip in app.screen._compositor.render_strips():
            for segment in strip:
                for colour in (segment.style.color, segment.style.bgcolor) if segment.style else ():
                    assert colour is None or colour.is_default


async def test_texts_can_be_read_in_every_theme(finished_run):
    async with opened(finished_run, size=(80, 24)) as (app, pilot):
        for theme in sorted(app.available_themes):
            app.theme = theme
            await until(pilot, lambda theme=theme: app.theme == theme)
            await settled(pilot)
            least = 3.2 if theme in (DARK.name, LIGHT.name) else 2.0  # Textual's own accents are its own matter
            for strip in app.screen._compositor.render_strips():
                for segment in strip:
                    style = segment.style
                    words = segment.text.strip(SHADES + " 1234567")  # numbers of screens that cannot be shown are faint
                    if words and style and style.color and style.bgcolor and style.color.triplet:
                        ink, paper = Color.from_rich_color(style.color), Color.from_rich_color(style.bgcolor)
                        assert contrast(ink.rgb, paper.rgb) >= least, (theme, segment.text, ink.hex, paper.hex)


async def test_the_legend_follows_another_theme(finished_run):
    async with opened(finished_run, size=(80, 24)) as (app, pilot):
        await press(pilot, "3")
        app.selection.take_baseline("hybrid")
        await press(pilot, "2")
        await until(pilot, lambda: "minus hybrid" in "\n".join(screen_lines(app)))
        before = app.view._legend()
        app.theme = LIGHT.name
        await settled(pilot)
        shown = next(line.parts for line in app.view.query(Line) if any("better" in part.text for part in line.parts))
        assert list(shown) == app.view._legend()
        assert list(shown) != before


@pytest.mark.parametrize(("colour", "thumb"), [("#3a4856", " "), ("default", "│"), ("blue", "│")])
def test_a_scroll_bar_is_a_thin_line_in_the_terminals_own_colours(colour, thumb):
    bar = QuietScrollBar.render_bar(
        8, 32, 8, 8, back_color=TerminalColour.parse("#000000"), bar_color=TerminalColour.parse(colour)
    )
    grabbed = [one for one in bar.segments if one.style.meta["@mouse.down"] == "grab"]
    assert [one.text for one in grabbed] == [thumb] * 2
    assert all(one.style.color is None for one in grabbed) == (thumb == "│")
