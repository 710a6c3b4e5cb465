"""Pictures of a screen load nothing, run nothing, and keep their columns."""

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from dashboard.made import opened, press, screen_lines, shows, until
from rich.cells import cell_len

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
CELL = 12.2
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
        assert element.tag.removeprefix(SVG) in {
            "svg", "title", "style", "defs", "clipPath", "rect", "g", "circle", "text",
        }, element.tag  # fmt: skip
        for name, value in element.attrib.items():
            assert not name.lower().startswith("on"), name
            assert "href" not in name.lower()
            assert not re.search(r"https?:|javascript:|data:", value), value
            for target in re.findall(r"url\(([^)]*)\)", value):
                assert target.startswith("#terminal-")
    style = root.find(f"{SVG}style").text
    assert not re.search(r"url|@|http|expression|import", style)


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
        for text in ElementTree.fromstring(svg).iter(f"{SVG}text"):
            if "-r" in text.get("class"):
                words = text.text.replace("\u00a0", " ")
                assert float(text.get("textLength")) == pytest.approx(cell_len(words) * CELL, rel=1e-4)
                line = round((float(text.get("y")) - 20) / 24.4)
                lines.setdefault(line, []).append((round(float(text.get("x")) / CELL), words))
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
        assert names <= {
            "html", "head", "meta", "title", "style", "body", "svg", "defs", "clippath", "rect", "g", "circle", "text",
        }  # fmt: skip
        assert not any(name.startswith("on") or name in ("src", "href") for _, about in tags.found for name in about)
        policy = next(about["content"] for _, about in tags.found if "http-equiv" in about)
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        styles = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
        assert len(styles) == 2
        for style in styles:
            assert f"'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'" in policy
        assert "xlbias · Overview" in tags.texts
        inline = page[page.index("<svg") : page.index("</svg>") + 6]
        assert_inert(ElementTree.fromstring(inline))
        assert "<script>alert(1)</script>" in "".join(tags.texts).replace("\u00a0", " ")


async def test_a_picture_shows_the_screen_without_the_toast_that_lies_on_it(finished_run):
    follower = Follower(finished_run, interval=0.02)
    follower.start()
    app = DashboardApp(follower)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: app.state.snapshot is not None)
        app.notify("this lies on the screen", markup=False)
        await shows(pilot, "this lies")
        svg = await pictures_of(app, pilot, PICTURE)
        assert "this&#160;lies" not in svg
        assert "this lies" not in svg
        assert any("picture" in notification.message for notification in app._notifications)


def test_titles_are_escaped_and_fonts_are_those_of_the_machine():
    drawn = (
        '<svg class="rich-terminal" viewBox="0 0 1 1" xmlns="http://www.w3.org/2000/svg">\n<!-- https://x --><style>\n'
        '@font-face { src: url("https://x") }\n.t-matrix { font-family: Fira Code, monospace; }</style></svg>'
    )
    svg = as_svg(drawn, "<b>\x1b")
    assert ElementTree.fromstring(svg).find(f"{SVG}title").text == "<b>␛"
    assert "https" not in svg
    assert "Fira" not in svg
    assert "<title>&lt;b&gt;␛</title>" in as_html(drawn, "<b>\x1b")
