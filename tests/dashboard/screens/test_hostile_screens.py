"""The hostile corpus through every screen, dialog, toast, copy, export and picture: nothing crashes or escapes."""

import base64
import csv
import io
import json
import re
from contextlib import asynccontextmanager
from html.parser import HTMLParser
from itertools import product
from xml.etree import ElementTree

import pytest
from dashboard.hostile import CONTROLS, hostile_run
from dashboard.idle import rested
from dashboard.made import press, settled, until
from dashboard.terminal.test_terminal import Terminal

from xlbias.dashboard import places
from xlbias.dashboard.app import DashboardApp
from xlbias.dashboard.commands.keys import registry
from xlbias.dashboard.dialogs.copy import FORMS as COPIES
from xlbias.dashboard.dialogs.copy import Copy
from xlbias.dashboard.dialogs.export import FORMS as REPORTS
from xlbias.dashboard.workers.follower import Follower
from xlbias.folders import state_folder
from xlbias.text import width

pytestmark = pytest.mark.integration

PANELS = 5
"""More panels than any screen has: Tab goes round."""


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    return hostile_run(tmp_path_factory.mktemp("hostile") / "run.parquet").read_bytes()


@pytest.fixture
def hostile_path(content, tmp_path):
    path = tmp_path / "ho\x1b]52;c;aGFja2Vk\x07stile\u202e[red][@click=app.quit].parquet"
    path.write_bytes(content)
    return path


@asynccontextmanager
async def walked(path, size, **options):
    """The dashboard with its toasts, which `made.opened` leaves out."""
    follower = Follower(path, interval=0.02)
    follower.start()
    app = DashboardApp(follower, **options)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: app.state.snapshot is not None or app.state.event is not None)
        await settled(pilot)
        assert app.state.snapshot is not None, app.state.problem
        yield app, pilot


def assert_clean(app, where):
    """Nothing that is drawn holds a control or a link, and no line is wider than the screen."""
    for strip in app.screen._compositor.render_strips():
        drawn = "".join(segment.text for segment in strip)
        assert not CONTROLS.search(drawn), (where, drawn)
        assert strip.cell_length <= app.size.width, (where, drawn)
        for segment in strip:
            assert not (segment.style and segment.style.link), (where, segment)
            assert "click" not in str(segment.style and segment.style.meta), (where, segment)
    for notification in app._notifications:
        assert not CONTROLS.search(notification.message.replace("\n", "")), (where, notification.message)
        assert notification.markup is False, where


def drawn(app):
    """Everything on the screen but the header, which names the file."""
    lines = ["".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips()]
    return "\n".join(lines[1:])


async def visit(app, pilot, place):
    """Show a screen by its number; Query is reached through Queries, once its rows are there."""
    if place == places.QUERY:
        await press(pilot, "5")
        await until(pilot, lambda: app.view.table.height)
        await press(pilot, "enter")
    else:
        await press(pilot, *registry()[place].keys)
    await rested(app)
    assert app.place == place


@pytest.mark.parametrize(
    "size",
    [pytest.param((60, 20), marks=pytest.mark.slow), (80, 24), pytest.param((140, 45), marks=pytest.mark.slow)],
    ids=lambda size: "{}x{}".format(*size),
)
async def test_every_screen_panel_and_key(hostile_path, size):
    async with walked(hostile_path, size) as (app, pilot):
        for place in places.SCREENS:
            await press_every_key(app, pilot, place, size)
        assert app.is_running


async def press_every_key(app, pilot, place, size):
    pressed = [key for key in registry().values() if key.section in ("View", "Move") and place in key.where] + [
        registry()["reload"]
    ]
    few = [key for key in pressed if key.id in ("sort", "measure", "move.last", "move.right", "info")]
    await visit(app, pilot, place)
    assert_clean(app, place)
    assert "␛" in drawn(app), "none of the attacks is seen: this test cannot fail"
    for panel in range(PANELS if place in registry()["panel"].where else 1):
        if panel:
            await press(pilot, "tab")
        for key in few if panel or size != (80, 24) else pressed:
            await press(pilot, key.keys[0])
            assert_clean(app, (place, panel, key.id))
            if app.screen is not app.view:
                await pilot.press(*"a[/]")
                await pilot.pause()
                assert_clean(app, (place, panel, key.id, "typed"))
                await press(pilot, "escape")
            if app.place != place:
                await visit(app, pilot, place)


async def test_every_copy_of_every_screen_and_panel(hostile_path):
    async with walked(hostile_path, (80, 24)) as (app, pilot):
        for place in places.SCREENS:
            await take_every_copy(app, pilot, place)


async def take_every_copy(app, pilot, place):
    await visit(app, pilot, place)
    for panel in range(PANELS if place in registry()["panel"].where else 1):
        if panel:
            await press(pilot, "tab")
            await rested(app)
        if app.view.why_no_copy() is not None:  # a panel that this run has no numbers for
            assert panel, place
            continue
        for scope in app.view.scopes if not panel else app.view.scopes[-1:]:
            for form in COPIES.values():
                before = set(files())
                if panel:  # the dialog has been seen: a key less, and no screen to settle
                    app.exports.last_copy = Copy(scope, form.value)
                    await press(pilot, "Y")
                else:
                    await press(pilot, "y", scope[0], form.key)
                await until(pilot, lambda before=before: set(files()) - before)
                await until(pilot, lambda: app._notifications)
                assert_clean(app, (place, panel, scope, form.name))
                (file,) = set(files()) - before
                assert_inert_file(file)


@pytest.mark.parametrize("form", list(REPORTS))
async def test_every_export_and_the_comparison(hostile_path, content, tmp_path, form):
    (tmp_path / "base.parquet").write_bytes(content)
    base = Follower(tmp_path / "base.parquet", interval=0.02)
    base.start()
    async with walked(hostile_path, (80, 24), base=base) as (app, pilot):
        await until(pilot, lambda: app.state.base is not None)
        await press(pilot, "e")
        assert_clean(app, form)
        await press(pilot, REPORTS[form].key)
        await until(pilot, lambda: len(files()) == 2)
        await until(pilot, lambda: not any(n.message.startswith("writing") for n in app._notifications))
        assert_clean(app, form)
        for file in files():
            assert_inert_file(file)


async def test_pictures_of_every_screen(hostile_path):
    async with walked(hostile_path, (140, 45)) as (app, pilot):
        for place, key in product(places.SCREENS, ("p", "P")):
            await visit(app, pilot, place)
            before = set(files())
            await press(pilot, key)
            await until(pilot, lambda before=before: set(files()) - before)
            (file,) = set(files()) - before
            assert_inert_file(file)


async def test_help_palette_lists_and_baseline(hostile_path):
    async with walked(hostile_path, (80, 24)) as (app, pilot):
        for keys in (("question_mark", "pagedown"), ("ctrl+p",), ("2", "o", "down"), ("b", "down")):
            await press(pilot, *keys)
            await settled(pilot)
            assert_clean(app, keys)
            await press(pilot, "escape")
        for typed in ("matrix", "baseline", "hi>de", "x", "q:x", "[/]", 'q:"x [/]" ap<1'):
            await press(pilot, "ctrl+p")
            app.screen.query_one("CommandInput").value = typed
            await rested(app)
            assert_clean(app, typed)
            await press(pilot, "escape")
        await press(pilot, "b", "down", "enter")
        await until(pilot, lambda: not app.baseline.comparisons.busy)
        for place in (places.OVERVIEW, places.MATRIX, places.BIAS, places.QUERIES, places.QUERY):
            await visit(app, pilot, place)
            assert_clean(app, ("baseline", place))


async def test_what_is_remembered_of_a_hostile_run_is_shown_again(hostile_path):
    for _ in range(2):
        async with walked(hostile_path, (80, 24)) as (app, pilot):
            await visit(app, pilot, places.QUERY)
            assert_clean(app, "remembered")
            app.exit()


def files():
    """What has been written for the user."""
    folder = state_folder()
    return [file for file in folder.iterdir() if file.is_file()] if folder.exists() else []


class Page(HTMLParser):
    """What a browser would find in a page."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.tags = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    handle_startendtag = handle_starttag


def assert_inert_file(file):
    """No control character and, by the kind of the file, no formula, no script and no command."""
    assert re.fullmatch(r"[A-Za-z0-9._-]+", file.name)
    raw = file.read_bytes()
    assert raw
    written = raw.decode("utf-8")
    assert not CONTROLS.search(re.sub(r"[\n\t]" if file.suffix == ".tsv" else r"\n", "", written)), file.name
    check = {
        ".tsv": inert_table, ".csv": inert_table, ".html": inert_page, ".svg": inert_picture, ".json": json.loads,
        ".tex": inert_latex, ".md": inert_markdown, ".txt": lambda text: None,
    }  # fmt: skip
    check[file.suffix](written)


def inert_table(written):
    """Every field is a number, or begins with nothing that a spreadsheet takes for a formula; all rows are as long."""
    tabs = "\t" in written
    options = {"delimiter": "\t", "quoting": csv.QUOTE_NONE} if tabs else {}
    csv.field_size_limit(10_000_000)
    rows = list(csv.reader(io.StringIO(written), **options))
    assert len({len(row) for row in rows}) == 1
    for row in rows:
        for field in row:
            number = re.fullmatch(r"-?[0-9.]+(e-?[0-9]+)?", field)
            assert number or not re.match(r"\s*[=+\-@＝＋－＠]", field), field[:80]


def inert_page(written):
    for tag, attributes in Page(written).tags:
        assert tag not in ("script", "img", "iframe", "link", "object", "base"), tag
        assert not any(name.startswith("on") or name == "src" for name in attributes), attributes
        assert attributes.get("href", "#").startswith("#")
    policies = [about["content"] for tag, about in Page(written).tags if "http-equiv" in about]
    assert [policy[:18] for policy in policies] == ["default-src 'none'"]


def inert_picture(written):
    for element in ElementTree.fromstring(written).iter():
        assert element.tag.rpartition("}")[2] in {
            "svg", "title", "style", "defs", "clipPath", "rect", "g", "circle", "text",
        }  # fmt: skip
        assert not any(name.startswith("on") or "href" in name for name in element.attrib)


def inert_latex(written):
    for command in ("input", "write18", "write"):
        assert rf"\{command}{{" not in written
    body = re.sub(r"\\[\\{}$&#%_]|\\[a-zA-Z]+\*?", "", written)
    for line in body.splitlines():
        assert line.startswith("%") or "%" not in line
        assert "#" not in line
        assert line.startswith("%") or "_" not in line


def inert_markdown(written):
    for line in written.splitlines():
        assert not re.search(r"(?<!\\)<[a-zA-Z/!]", line)
        assert not re.search(r"(?<!\\)\]\(", line)
        assert not re.search(r"(?<![\\\w])(?:https?:)//", line)


# -- the whole program in a terminal -------------------------------------------------------------------------------

OWN = (
    rb"\x1b\[[?>=<]?[0-9;:]*[a-zA-Z]"  # CSI: colours, cursor, modes
    rb"|\x1b\[\?[0-9;]*\$p"  # mode queries
    rb"|\x1b\]22;[a-z]*\x07"  # pointer shape
    rb"|\x1b[78]"
)


def assert_no_escape(raw):
    """Only sequences of the interface's own were sent; what went to the clipboard is clean, too."""
    for copied in re.findall(rb"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", raw):
        taken = base64.b64decode(copied, validate=True).decode("utf-8")
        assert taken != "hacked"
        assert not CONTROLS.search(re.sub(r"[\n\t]", "", taken))
    rest = re.sub(rb"\x1b\]52;c;[A-Za-z0-9+/=]*\x07", b"", raw)
    assert b"\x1b[31m" not in rest
    assert b"\x1b[2J" not in rest.replace(b"\x1b[2J", b"", 1)  # one at the start is Textual's own
    rest = re.sub(OWN, b"", rest)
    rest = re.sub(rb"\x1b[\[\]?0-9;:]*$", b"", rest)  # the last sequence may be read in part
    assert not re.search(rb"[\x00-\x06\x07\x08\x0b\x0c\x0e-\x1f\x7f]", rest)
    assert not re.search("[\x80-\x9f\u202a-\u202e\u2066-\u2069\u200f\u061c]", rest.decode("utf-8", "ignore"))


def test_no_escape_of_the_data_reaches_a_terminal(hostile_path):
    with Terminal(hostile_path, size=(100, 30)) as terminal:
        terminal.until("xlbias")
        terminal.until("finished")
        for place in range(1, 8):
            for key in (f"{place}", "jl\tms\t", "yam", "Yp\t", "yrl"):
                terminal.press(key, quiet=0.05, longest=0.4)
            assert terminal.child.isalive(), place
        for key in (
            "5", "\r", "v", "j", "\t", "\x1b", "?", "\x1b", "\x10", "matrix of", "\x1b", "2", "o", "cl", "\x1b",
            "b", "\x1b[B", "\r", "1", "5", "/", "q:x ap<1", "\r", "eh", "eT", "et", "P",
        ):  # fmt: skip
            terminal.press(key, quiet=0.05, longest=0.4)
        assert_no_escape(terminal.raw)
        assert terminal.child.isalive()
        assert terminal.leave() == 0
    for file in files():
        assert_inert_file(file)


def test_the_widest_attacks_have_a_width():
    from dashboard.hostile import ALL

    from xlbias.text import one_line

    for attack in ALL:
        assert width(one_line(attack * 50, 20)) <= 20
