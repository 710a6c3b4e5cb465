"""Pictures of a screen load nothing, run nothing, and keep their columns."""

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from dashboard.made import opened, press, screen_lines, shows, until
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import MONOKAI, SVG_EXPORT_THEME

from xlbias.dashboard.app import DashboardApp
from xlbias.dashboard.commands.keys import registry
from xlbias.dashboard.terminal.screenshot import as_html, as_svg
from xlbias.dashboard.workers.follower import Follower
from xlbias.folders import state_folder

pytestmark = pytest.mark.integration

HOSTILE = (
    "<script>alert(1)</script>", "]]><svg onload=alert(1)>", "@font-face{src:url(http://x.example/f)}",
    "</style><style>*{background:url(http://x.example)}", '" onload="alert(1)', "\uffff\ufffe\x1b]52;c;eA==\x07",
    "&lt;b&gt; &#0; <!-- ", "--> http://x.example/",
)  # fmt: skip
SVG = "{http://www.w3.org/2000/svg}"
COLUMN, LINE = 10, 20
PICTURE, PAGE = (registry()[name].keys[0] for name in ("screenshot", "screenshot.html"))


async def pictures_of(app, pilot, *keys):
    """Press keys; return the new SVG or HTML text."""
    before = set(state_folder().glob("xlbias-*.*"))
    await press(pilot, *keys)
    await until(pilot, lambda: set(state_folder().glob("xlbias-*.*")) - before)
    await until(pilot, lambda: app._notifications)
    (file,) = set(state_folder().glob("xlbias-*.*")) - before
    return file.read_text("utf-8")


class Tags(HTMLParser):
    """Every start tag of a page with its attributes, and its texts."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.found, self.texts = [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    handle_startendtag = handle_starttag

    def handle_data(self, data):
        self.texts.append(data)


def assert_inert(root):
    """Only what a picture is made of, and no reference to anything but its own clip paths."""
    for element in root.iter():
        assert element.tag.removeprefix(SVG) in {"svg", "title", "clipPath", "rect", "g", "text"}, element.tag
        for name, value in element.attrib.items():
            assert not name.lower().startswith("on"), name
            assert "href" not in name.lower()
            assert not re.search(r"https?:|javascript:|data:", value), value
            for target in re.findall(r"url\(([^)]*)\)", value):
                assert target == "#terminal-line"


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (140, 45)])
async def test_a_picture_of_hostile_names_is_valid_xml_that_loads_and_runs_nothing(live_run, size):
    run = live_run(models=HOSTILE, tasks=HOSTILE[:2]).write_all()
    async with opened(run.path, size=size) as (app, pilot):
        for keys in ((PICTURE,), ("2", PICTURE), ("G", PICTURE)):
            svg = await pictures_of(app, pilot, *keys)
            root = ElementTree.fromstring(svg)
            assert_inert(root)
            assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]", svg)
            assert svg.count("http") - sum((e.text or "").count("http") for e in root.iter(f"{SVG}text")) == 1


async def test_every_word_stands_in_the_columns_that_it_took_on_the_screen(live_run):
    run = live_run(models=("ÅÄ 日本語 हिन्दी  Z̴͎̈a", "b"), tasks=("x",)).write_all()
    async with opened(run.path, size=(100, 24)) as (app, pilot):
        before = [line.rstrip() for line in screen_lines(app)]
        svg = await pictures_of(app, pilot, PICTURE)
        lines = {}
        for group in ElementTree.fromstring(svg).iter(f"{SVG}g"):
            line = int(re.fullmatch(r"translate\(0 (\d+)\)", group.get("transform")).group(1)) // LINE
            for text in group.iter(f"{SVG}text"):
                assert int(text.get("textLength")) == cell_len(text.text) * COLUMN
                lines.setdefault(line, []).append((int(text.get("x")) // COLUMN, text.text))
        for number, line in enumerate(before):
            drawn = ""
            for column, words in sorted(lines.get(number, [])):
                drawn += " " * (column - cell_len(drawn)) + words
            assert drawn.rstrip() == line


async def test_the_page_holds_the_picture_and_a_policy_that_forbids_everything_else(live_run):
    run = live_run(models=HOSTILE, tasks=HOSTILE[:2]).write_all()
    async with opened(run.path, size=(100, 30)) as (app, pilot):
        page = await pictures_of(app, pilot, PAGE)
        tags = Tags(page)
        names = {tag for tag, _ in tags.found}
        assert names <= {"html", "head", "meta", "title", "style", "body", "svg", "clippath", "rect", "g", "text"}
        assert not any(name.startswith("on") or name in ("src", "href") for _, about in tags.found for name in about)
        policy = next(about["content"] for _, about in tags.found if "http-equiv" in about)
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
        assert f"'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'" in policy
        assert "style=" not in page
        assert "xlbias · Overview" in tags.texts
        inline = page[page.index("<svg") : page.index("</svg>") + 6]
        assert_inert(ElementTree.fromstring(inline))
        assert "<script>alert(1)</script>" in "".join(tags.texts)


async def test_a_picture_shows_the_screen_without_the_toast_that_lies_on_it(finished_run):
    follower = Follower(finished_run, interval=0.02)
    follower.start()
    app = DashboardApp(follower)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: app.state.snapshot is not None)
        app.notify("this lies on the screen", markup=False)
        await shows(pilot, "this lies")
        svg = await pictures_of(app, pilot, PICTURE)
        assert "this lies" not in svg
        assert any("picture" in notification.message for notification in app._notifications)


def drawn(*segments, theme=SVG_EXPORT_THEME):
    """What is drawn of one line: tag, attributes and text of each element."""
    root = ElementTree.fromstring(as_svg([[Segment(text, Style.parse(style)) for text, style in segments]], "x", theme))
    return [(element.tag.removeprefix(SVG), element.attrib, element.text) for element in root.find(f"{SVG}g")]


def test_what_is_drawn_has_the_colours_of_the_line():
    paper, ground, ink = drawn((" " * 9, "on #ffffff"), ("a  b c", "bold #ff0000 on #00ff00"))[-3:]
    assert paper == ("rect", {"x": "90", "width": "60", "height": "20", "fill": "#00ff00",
                              "shape-rendering": "crispEdges"}, None)  # fmt: skip
    assert (ground[1]["x"], ground[1]["fill"], ground[1]["font-weight"], ground[2]) == ("90", "#ff0000", "bold", "a")
    assert (ink[1]["x"], ink[1]["textLength"], ink[2]) == ("120", "30", "b c")
    ((_, about, _),) = drawn(("x", "reverse #ff0000 on #00ff00"))
    assert about["fill"] == "#00ff00"
    ((_, about, _),) = drawn(("x", "dim #000000 on #ffffff"))
    assert about["fill"] == "#666666"
    for theme in (SVG_EXPORT_THEME, MONOKAI):
        ((_, about, _),) = drawn(("x", "underline"), theme=theme)
        assert about["fill"] == theme.foreground_color.hex
        assert about["text-decoration"] == "underline"


def test_titles_are_escaped_and_nothing_to_draw_is_a_picture_too():
    svg = as_svg([], "<b>\x1b")
    assert ElementTree.fromstring(svg).find(f"{SVG}title").text == "<b>␛"
    assert "<title>&lt;b&gt;␛</title>" in as_html([], "<b>\x1b")
