"""Edges of panels: which one keys go to, how the others are reached, and what is listed where few are seen."""

import pytest
from dashboard.made import opened, press, screen_lines, settled, shows

from xlbias.dashboard.widgets.edge import key_to, tabs


def test_the_keys_to_a_panel_are_the_fewest():
    assert [key_to(panel, 1, 5) for panel in range(5)] == ["⇧Tab", "", "Tab", "Tab Tab", "⇧Tab ⇧Tab"]
    assert key_to(0, 0, 1) == ""


@pytest.mark.parametrize("room", [10, 24, 40, 200])
def test_a_list_of_panels_always_has_the_one_that_is_seen(room):
    names = [(f"panel {i}", i == 4) for i in range(6)]
    parts = tabs(names, room)
    assert [part.text for part in parts if part.style == "bold reverse"] == [" panel 4 "]
    if room == 200:
        assert "".join(part.text for part in parts).split() == [*"panel 0 panel 1 panel 2 panel 3 panel 4".split(),
                                                                 "panel", "5", "Tab"]  # fmt: skip


@pytest.mark.parametrize("seen", range(6))
@pytest.mark.parametrize("room", range(22, 53))
def test_a_list_that_is_too_long_is_cut_between_names_and_keeps_the_key_that_leads_on(room, seen):
    parts = [part.text for part in tabs([(f"panel {i}", i == seen) for i in range(6)], room)]
    assert sum(map(len, parts)) <= room
    assert parts[-1] == "  Tab"
    names = [part.strip() for part in parts[:-1] if part != "…"]
    first, last = (int(name.removeprefix("panel ")) for name in (names[0], names[-1]))
    assert first <= seen <= last
    assert names == [f"panel {i}" for i in range(first, last + 1)]
    assert (parts[0] == "…", parts[-2] == "…") == (first > 0, last < 5)


@pytest.mark.integration
@pytest.mark.parametrize("size", [(60, 20), (80, 24), (140, 45)])
async def test_every_screen_of_panels_names_them_all_and_marks_the_one_with_the_keys(finished_run, size):
    async with opened(finished_run, size=size) as (app, pilot):
        await press(pilot, "3")
        await shows(pilot, "Rank distance", "Exposure", "━━ Rank distance ")
        if size[0] >= 80:
            await shows(pilot, "Single gold", "Places", "All numbers", "Tab")
        await press(pilot, "4")
        await shows(pilot, "━━ Values ", "Relative drop")
        app.navigation.open_query(("q0", "de", "multilingual"))
        await settled(pilot)
        await shows(pilot, "relevant", "languages", "ranks", "Tab")
        if size == (140, 45):
            await press(pilot, "tab")
            text = "\n".join(screen_lines(app))
            assert "── top k" in text
            assert "━━ relevant" in text
            assert "⇧Tab" in text
