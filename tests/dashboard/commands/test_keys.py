"""Every key of the registry does what it says, says why it cannot, and stands in help, palette and footer."""

import re
import weakref
from pathlib import Path

import pytest
from dashboard.made import opened, press, screen_lines, settled, shows, until
from textual.command import CommandPalette

from xlbias.dashboard import places
from xlbias.dashboard.commands import keys
from xlbias.dashboard.commands.keys import registry
from xlbias.dashboard.dialogs.copy import CopyDialog
from xlbias.dashboard.dialogs.export import ExportDialog
from xlbias.dashboard.dialogs.picker import PickDialog
from xlbias.dashboard.screens.base import View
from xlbias.dashboard.screens.help import HelpScreen, help_text
from xlbias.dashboard.screens.picker import PickerScreen
from xlbias.dashboard.workers.snapshot import take_snapshot
from xlbias.folders import state_folder
from xlbias.results.matrix import MATRIX_MEASURES

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("place", places.SCREENS)
def test_every_screen_has_what_the_keys_that_work_on_it_ask(place):
    screen = places.SCREENS[place].load()
    asked = [key.action for key in registry().values() if isinstance(key.action, str) and place in key.where]
    assert asked
    assert [name for name in asked if not hasattr(screen, name)] == []
    for method, key_id in {"copied": "copy", "scopes": "copy", "why_no_range": "range", "follow_to": "follow"}.items():
        has_its_own = getattr(screen, method) is not getattr(View, method)
        assert has_its_own == (place in registry()[key_id].where), method


def test_what_screens_list_is_the_name_of_a_key():
    known = {key.listed or key.id.partition(".")[0] for key in registry().values() if key.on == "some"}
    assert set().union(*(place.keys for place in (*places.SCREENS.values(), places.PICKER_PLACE))) == known


class Driver:
    """Presses keys by their id."""

    def __init__(self, app, pilot):
        self.app, self.pilot = app, pilot

    async def press(self, key_id, alternative=0):
        await press(self.pilot, registry()[key_id].keys[alternative])

    @property
    def table(self):
        return self.app.view.table

    def value(self, language, pool):
        """A value of the heat map."""
        block = self.heat.sheet.block
        return self.heat.sheet.value(block.rows.index(language), block.columns.index(pool))

    @property
    def heat(self):
        return self.app.view.view

    def said(self):
        return [notification.message for notification in self.app._notifications]


@pytest.fixture
async def finished(finished_run):
    async with opened(finished_run) as (app, pilot):
        yield Driver(app, pilot)


async def test_screens_lead_into_each_other_and_back_without_losing_place(finished):
    assert finished.app.place == places.OVERVIEW
    await finished.press("move.down")
    await finished.press("open")
    assert finished.app.place == places.MATRIX
    assert finished.app.state.chosen == ("hybrid", "xquad-r")  # rows stand by task
    await finished.press("move.right")
    cursor = finished.heat.cursor

    await finished.press("back")
    assert finished.app.place == places.OVERVIEW
    assert finished.table.cursor_key == ("hybrid", "xquad-r")
    await finished.press("matrix")
    assert finished.heat.cursor == cursor
    await finished.press("overview")
    assert finished.app.place == places.OVERVIEW


async def test_every_screen_has_its_number_and_its_way_back(finished):
    for number, key_id in enumerate(("overview", "matrix", "bias", "domains", "queries"), 1):
        assert registry()[key_id].keys == (str(number),)
        await finished.press(key_id)
        assert finished.app.place == key_id
    await finished.press("back")
    assert finished.app.place == places.MATRIX  # where Queries belongs, as it was not opened from elsewhere
    await finished.press("back")
    assert finished.app.place == places.OVERVIEW


async def test_moves_in_the_table(finished):
    for key_id, alternative, row in [
        ("move.down", 0, 1), ("move.down", 1, 2), ("move.up", 0, 1), ("move.up", 1, 0), ("move.last", 0, 3),
        ("move.first", 0, 0), ("move.end", 0, 3), ("move.start", 0, 0), ("move.page_down", 0, 3),
        ("move.page_up", 0, 0), ("move.page_down", 1, 3), ("move.page_up", 1, 0),
    ]:  # fmt: skip
        await finished.press(key_id, alternative)
        assert finished.table.cursor == row, key_id


async def test_moves_in_the_matrix(finished):
    await finished.press("matrix")
    for key_id, alternative, cell in [
        ("move.down", 0, ("de", "ar")), ("move.right", 0, ("de", "de")), ("move.right", 1, ("de", "hi")),
        ("move.left", 0, ("de", "de")), ("move.left", 1, ("de", "ar")), ("move.up", 1, ("ar", "ar")),
        ("move.end", 0, ("ar", "multilingual")), ("move.start", 0, ("ar", "ar")), ("move.last", 0, ("th", "ar")),
        ("move.first", 0, ("ar", "ar")), ("move.page_down", 0, ("th", "ar")), ("move.page_up", 0, ("ar", "ar")),
    ]:  # fmt: skip
        await finished.press(key_id, alternative)
        assert finished.heat.cursor == cell, key_id


async def test_measures_go_round_both_ways(finished):
    await finished.press("matrix")
    names = list(MATRIX_MEASURES)
    for name in [*names[1:], names[0]]:
        await finished.press("measure")
        assert finished.app.state.measure.name == name == finished.app.view.matrix.measure.name
    await finished.press("measure.previous")
    assert finished.app.view.matrix.measure.name == names[-1]


async def test_task_and_model_go_round(finished):
    await finished.press("matrix")
    seen = []
    for key_id in ("task", "encoder", "task", "encoder"):
        await finished.press(key_id)
        seen.append((finished.app.view.matrix.model, finished.app.view.matrix.task))
    assert seen == [("mono", "mlqa"), ("hybrid", "mlqa"), ("hybrid", "xquad-r"), ("mono", "xquad-r")]


async def test_sort_and_reverse(finished):
    await finished.press("sort")
    assert (finished.table.sorted_by, finished.table.descending) == ("map_mono", True)
    await finished.press("sort.reverse")
    assert finished.table.descending is False

    await finished.press("matrix")
    orders = []
    for key_id in ("sort", "sort.reverse", "sort", "sort", "sort"):
        await finished.press(key_id)
        orders.append((finished.heat.sort, finished.heat.reverse))
    assert orders == [("mean", False), ("mean", True), ("script", False), ("family", False), ("language", False)]


async def test_range_of_the_colours(finished):
    await finished.press("matrix")
    scales = []
    for _ in range(4):
        scales.append((finished.app.view.scale, finished.heat.range.low, finished.heat.range.high))
        await finished.press("range")
    assert [scale for scale, *_ in scales] == ["encoders", "shown", "full", "encoders"]
    values = pytest.approx([0.1, 1.0])
    assert [ends for _, *ends in scales] == [values, values, [0.0, 1.0], values]


async def test_details_can_be_hidden_and_take_the_table_s_place_on_a_low_screen(finished, finished_run):
    below = finished.app.view.query_one("#below")
    assert below.display
    await finished.press("info")
    assert not below.display
    await finished.press("info")
    assert below.display

    async with opened(finished_run, size=(60, 20)) as (app, pilot):
        below = app.view.query_one("#below")
        assert not below.display
        await press(pilot, "i")
        assert below.display
        assert not app.view.table.display
        await press(pilot, "escape")
        assert app.view.table.display


async def test_what_is_taken_along_is_asked_for_and_can_be_had_again(finished):
    for key_id, dialog in (("copy", CopyDialog), ("export", ExportDialog)):
        await finished.press(key_id)
        assert isinstance(finished.app.screen, dialog)
        await press(finished.pilot, "escape")
        assert finished.app.screen is finished.app.view
        assert finished.app.clipboard == ""
    await finished.press("copy")
    await press(finished.pilot, "a", "t")
    everything = finished.app.clipboard
    assert everything.count("\n") == 5
    await finished.press("move.down")
    await finished.press("copy.again")
    assert finished.app.clipboard == everything


async def test_reload_reads_the_run_again(finished):
    before = finished.app.state.snapshot
    await finished.press("reload")
    await until(finished.pilot, lambda: finished.app.state.snapshot is not before)


async def test_what_is_read_again_while_keys_are_worked_off_is_not_kept_in_a_queue(finished, monkeypatch):
    app, pilot = finished.app, finished.pilot
    read, taken = [], []
    take = app.live.take
    monkeypatch.setattr(app.live, "take", lambda snapshot: (taken.append(snapshot.read_at), take(snapshot)))
    for _ in range(5):  # as the follower does, while the application does not come to its messages
        snapshot = take_snapshot(app.state.path)
        read.append(weakref.ref(snapshot.run))
        app.live.post(snapshot, of_base=False)
    last = snapshot.read_at
    del snapshot
    assert [run() is None for run in read] == [True] * 4 + [False]
    await until(pilot, lambda: taken)
    await pilot.pause()
    assert taken == [last]


async def test_to_read_again_what_is_still_to_be_shown_asks_for_nothing(finished, monkeypatch):
    app, pilot = finished.app, finished.pilot
    asked = []
    monkeypatch.setattr(app.live.follower, "reload", lambda: asked.append("run"))
    app.live.post(take_snapshot(app.state.path), of_base=False)
    app.live.reload()
    assert asked == []
    await until(pilot, lambda: not app.live.waits)
    app.live.reload()
    assert asked == ["run"]


async def test_a_run_that_was_read_again_leaves_no_numbers_behind(finished):
    app, pilot = finished.app, finished.pilot
    await press(pilot, "5", "1")  # the screen of queries has asked for a list of this run
    before = app.state.snapshot
    assert "summary" in before.run.__dict__
    await press(pilot, "r")
    await until(pilot, lambda: app.state.snapshot is not before)
    assert "summary" not in before.run.__dict__
    assert "summary" in app.state.snapshot.run.__dict__
    assert before.run.summary.equals(app.state.snapshot.run.summary)  # where one is still needed it is read


async def test_a_picture_loads_nothing_from_elsewhere(finished):
    await finished.press("screenshot")
    svg = next(state_folder().glob("xlbias-overview-*.svg")).read_text("utf-8")
    assert svg.startswith("<svg")
    assert "@font-face" not in svg
    assert "url(http" not in svg
    assert "cdnjs" not in svg
    assert "rank" in svg


async def test_help_lists_every_key_and_says_why_one_cannot_be_used(finished):
    await finished.press("help")
    assert isinstance(finished.app.screen, HelpScreen)
    text = help_text(finished.app).plain
    for key in registry().values():
        assert key.description in " ".join(text.split())
        assert key.symbols in text
    entries = [" ".join(entry.split()) for entry in re.split(r"\n(?=\S)", text)]  # what is broken is indented
    assert "not now: the run is finished" in next(entry for entry in entries if entry.startswith("f "))
    assert "not now" not in next(entry for entry in entries if entry.startswith("y "))

    before = screen_lines(finished.app)
    await press(finished.pilot, "pagedown")
    assert screen_lines(finished.app) != before
    for closing in ("escape", "question_mark", "q"):
        await press(finished.pilot, closing)
        assert finished.app.place == places.OVERVIEW
        assert not isinstance(finished.app.screen, HelpScreen)
        await finished.press("help")


async def test_the_palette_goes_to_a_cell_by_name(finished):
    await finished.press("matrix")
    await finished.press("palette")
    assert isinstance(finished.app.screen, CommandPalette)
    await finished.pilot.press(*"hi>th")
    await shows(finished.pilot, "hi→th  Hindi → Thai")
    await press(finished.pilot, "enter")
    await until(finished.pilot, lambda: finished.heat.cursor == ("hi", "th"))


async def test_the_palette_changes_the_theme(finished):
    await finished.press("palette")
    await finished.pilot.press(*"theme: nord")
    await until(finished.pilot, lambda: "theme: nord" in "\n".join(screen_lines(finished.app)[4:]))
    await settled(finished.pilot)
    await press(finished.pilot, "enter")
    await until(finished.pilot, lambda: finished.app.theme == "nord")


@pytest.mark.parametrize("alternative", range(3))
async def test_quit(finished, alternative):
    await finished.press("quit", alternative)
    await until(finished.pilot, lambda: not finished.app.is_running)


async def test_keys_that_come_after_it_was_left_do_nothing(finished):
    before = finished.app.screen
    finished.app.exit()
    keys.press(finished.app, "help")
    assert finished.app.screen is before


async def test_pause_holds_the_screen_and_counts_what_waits(live_run):
    run = live_run(models=("m",), tasks=("t",))
    run.write("de")
    async with opened(run.path) as (app, pilot):
        driver = Driver(app, pilot)
        await driver.press("matrix")
        await driver.press("pause")
        run.write("hi")
        await until(pilot, lambda: app.state.n_waiting == 5)
        await settled(pilot)
        assert "‖ paused · 5 new" in screen_lines(app)[0]
        assert driver.value("hi", "hi") is None

        await driver.press("pause")
        assert driver.value("hi", "hi") == 1.0
        assert "paused" not in screen_lines(app)[0]


async def test_follow_keeps_the_cursor_on_what_was_finished_last_until_it_is_moved(live_run):
    run = live_run(models=("m", "n"), tasks=("t",))
    run.write("de")
    async with opened(run.path) as (app, pilot):
        driver = Driver(app, pilot)
        await driver.press("matrix")
        await driver.press("follow")
        run.write("hi")
        await until(pilot, lambda: driver.heat.cursor == ("hi", "th"))
        run.write("ar", model=1)
        await until(pilot, lambda: app.state.chosen == ("n", "t") and driver.heat.cursor == ("ar", "th"))

        await press(pilot, "up", "left")
        assert not app.state.following
        before = driver.heat.cursor
        run.write("th", model=1)
        await until(pilot, lambda: len(app.state.snapshot.cells) == 20)
        await settled(pilot)
        assert driver.heat.cursor == before


async def test_keys_that_cannot_be_used_say_why(finished):
    for key, reason in [("f", "the run is finished"), ("space", "the run is finished"), ("escape", "first screen"),
                        ("m", "works on Matrix (2) and Bias (3)"), ("left", "works on Matrix (2)")]:  # fmt: skip
        await press(finished.pilot, key)
        assert reason in finished.said()[-1], key
    await press(finished.pilot, "2")
    while finished.app.state.measure.unit_range:
        await press(finished.pilot, "M")
    scales = []
    for _ in range(3):
        await press(finished.pilot, "c")
        scales.append(finished.app.view.scale)
    assert scales == ["shown", "encoders", "shown"]  # there is no range from 0 to 1
    await press(finished.pilot, "i")
    assert "works on Overview (1)" in finished.said()[-1]


async def test_with_one_task_and_one_model_there_is_no_next_one(live_run):
    path = live_run(models=("m",), tasks=("t",)).write_all().finish()
    async with opened(path) as (app, pilot):
        await press(pilot, "2")
        for key, reason in (("t", "only one task"), ("T", "only one encoder")):
            await press(pilot, key)
            assert reason in Driver(app, pilot).said()[-1]


def test_no_two_keys_share_a_key_and_every_binding_has_an_id():
    for place in (*places.SCREENS, places.NOTICE, places.PICKER):
        pressed = [key for entry in registry().values() if place in entry.where for key in entry.keys]
        assert len(pressed) == len(set(pressed)), place
    of_picker = [binding.id for binding in PickerScreen.BINDINGS]
    everywhere = [key.id for key in registry().values() if key.id not in of_picker]
    assert [binding.id for binding in keys.bindings()] == everywhere
    assert of_picker == [key.id for key in registry().values() if key.where == {places.PICKER}]
    of_keys = [key for entry in registry().values() if entry.id in everywhere for key in entry.keys]
    assert len(of_keys) == len(set(of_keys))


@pytest.mark.parametrize("width", [60, 80, 140])
async def test_the_footer_shows_usable_keys_and_always_help_and_quit(finished_run, width):
    async with opened(finished_run, size=(width, 24)) as (app, _):
        footer = screen_lines(app)[-1]
        assert "? help" in footer
        assert "q quit" in footer
        assert "follow" not in footer


async def test_a_click_in_the_frame_presses_the_key(finished):
    await finished.pilot.click("Header", offset=(21, 0))
    await settled(finished.pilot)
    assert finished.app.place == places.MATRIX
    back = screen_lines(finished.app)[-1].index("Esc")
    await finished.pilot.click("Footer", offset=(back + 1, 0))
    await settled(finished.pilot)
    assert finished.app.place == places.OVERVIEW


async def test_a_model_and_task_are_picked_from_a_list_by_typing(finished):
    await finished.press("matrix")
    await finished.press("pick")
    assert isinstance(finished.app.screen, PickDialog)
    await finished.pilot.press(*"HYB mlqa")
    await settled(finished.pilot)
    await press(finished.pilot, "enter")
    assert finished.app.state.chosen == ("hybrid", "mlqa")
    assert finished.app.view.matrix.model == "hybrid"
    await finished.press("pick")
    await press(finished.pilot, "escape")
    assert finished.app.state.chosen == ("hybrid", "mlqa")


async def test_rows_are_filtered_by_words_and_shown_again(finished):
    await finished.press("filter")
    await finished.pilot.press(*"Hybrid xquad")
    await press(finished.pilot, "enter")
    assert finished.table.frame.select("model", "task").rows() == [("hybrid", "xquad-r")]
    assert "1 of 4 rows" in "\n".join(screen_lines(finished.app))
    await finished.press("filter")
    await press(finished.pilot, "escape")
    assert finished.table.height == 1
    await finished.press("filter.clear")
    assert finished.table.height == 4
    assert "of 4 rows" not in "\n".join(screen_lines(finished.app))


async def test_a_filter_that_leaves_nothing_can_be_taken_back(finished):
    await finished.press("filter")
    await finished.pilot.press(*"nothing has this")
    await press(finished.pilot, "enter")
    assert finished.table.height == 0
    await press(finished.pilot, "down", "enter", "y")
    await finished.press("filter.clear")
    assert finished.table.height == 4


@pytest.mark.parametrize("place", list(places.SCREENS))
async def test_every_key_does_something_or_says_why_not_on_every_screen(finished, place):
    """No key does nothing silently: what it changes is the screen, a dialog, a toast or the application itself."""
    app = finished.app
    if place == places.QUERY:
        app.navigation.open_query(("q0", "de", "multilingual"))
        await settled(finished.pilot)
    elif keys.registry()[place].why_not(app) is None:
        await finished.press(place)
    for key in registry().values():
        if key.id == "quit" or key.where == {places.PICKER}:  # whose key is another one's here
            continue
        reason = key.why_not(app)
        if reason is None:
            continue
        app.clear_notifications()
        await finished.press(key.id)
        assert reason in finished.said()[-1], key.id


def test_every_key_of_the_registry_is_pressed_by_a_test():
    sources = "".join(file.read_text("utf-8") for file in Path(__file__).parents[1].rglob("test_*.py"))
    assert [key.id for key in registry().values() if f'"{key.id}"' not in sources] == []
