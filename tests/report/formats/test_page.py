"""A page as its readers have it: contrasts, landmarks, heads of tables, figures, folded tables, pictures, one page."""

import base64
import re
import struct
import zlib
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import polars as pl
import pytest
from report.documents.test_audit_text import small_run
from support import make_task, make_vectors

from xlbias.cli import run as xlbias
from xlbias.colour import MIN_CONTRAST, SERIES, STEPS, colours, contrast, diverging_colours
from xlbias.evaluation import evaluate
from xlbias.measures.registry import measures
from xlbias.report.document import Curves, Document, Dots, Fold, Level, Line, MatrixBlock, Panels, Section, Table
from xlbias.report.documents.audit import DEFAULT_MATRICES, audit
from xlbias.report.documents.figures import _losses, _of_kinds
from xlbias.report.documents.findings import section as findings_section
from xlbias.report.documents.poster import poster
from xlbias.report.formats.html import to_html
from xlbias.report.formats.html_style import INKS, LIGHT
from xlbias.report.formats.markdown import to_markdown
from xlbias.report.formats.png import png
from xlbias.report.numbers import Entry, numeric
from xlbias.results.cell import Cell
from xlbias.results.findings import Finding
from xlbias.results.findings.finding import Destination
from xlbias.results.matrix import Matrix
from xlbias.results.run import open_run
from xlbias.results.training import Curves as Logged

MAP = measures("quality")["map"]


class Elements(HTMLParser):
    """Every element with its attributes, the names of those around it, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found, self.path = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append([tag, dict(attrs), [name for name, _ in self.path], ""])
        if tag not in ("meta", "img"):
            self.path.append((tag, self.found[-1]))

    def handle_startendtag(self, tag, attrs):
        self.found.append([tag, dict(attrs), [name for name, _ in self.path], ""])

    def handle_endtag(self, tag):
        assert self.path.pop()[0] == tag

    def handle_data(self, data):
        for _, element in self.path:
            element[3] += data

    def all(self, tag):
        return [element for element in self.found if element[0] == tag]


def page(*blocks, **of):
    return to_html([Document("title", "", (Section("s", blocks),), **of)])


def matrix(values, **of):
    names = [f"l{i:02}" for i in range(max(len(values), len(values[0])))]
    cells = tuple(tuple(Cell(None if v is None else float(v)) for v in row) for row in values)
    return Matrix(MAP, tuple(names[: len(values)]), tuple(names[: len(values[0])]), cells, **of)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    task = make_task(12, "all")
    return evaluate(
        [make_vectors(task, seed) for seed in (0, 1)], task, tmp_path_factory.mktemp("page") / "run.parquet"
    )


@pytest.fixture(scope="module")
def source(run):
    return to_html([audit(run, matrices=DEFAULT_MATRICES, by_language=True)])


def inks(html):
    """The inks of the style by name, as hex texts, on light and on dark pages."""
    style = re.search(r"<style>(.*?)</style>", html, re.S)[1]
    return [dict(re.findall(r"--(\w+): #(\w{6})", rule)) for rule in re.findall(r":root \{(.*?)\}", style)]


def rgb(text):
    return tuple(int(text[i : i + 2], 16) for i in (0, 2, 4))


def test_every_ink_can_be_read_on_every_ground_light_and_dark(source):
    schemes = inks(source)
    assert len(schemes) == 2 and all(set(scheme) == set(INKS) for scheme in schemes)
    for scheme in schemes:
        for ground in ("paper", "band"):
            for ink in ("ink", "soft", "link", "doubt"):
                assert contrast(rgb(scheme[ink]), rgb(scheme[ground])) >= MIN_CONTRAST, (ink, ground)


def test_marks_of_series_are_seen_on_every_ground():
    for place, series in enumerate(SERIES):
        assert len(set(series)) == len(series)
        for colour in series:
            for ground in ("paper", "band"):
                assert contrast(colour, INKS[ground][place]) >= MIN_CONTRAST


def test_all_text_has_one_of_the_inks_or_the_colour_of_a_step(source):
    style = re.search(r"<style>(.*?)</style>", source, re.S)[1]
    for colour in re.findall(r"(?<![-\w])(?:color|fill): ([^;}]+)", style):
        assert re.fullmatch(r"var\(--(ink|soft|link|doubt|band)\)|#\w{6}|currentColor|none", colour.strip()), colour


def test_landmarks_captions_and_heads_are_there_for_screen_readers(source):
    elements = Elements(source)
    for tag in ("header", "nav", "main", "h1"):
        assert len(elements.all(tag)) == 1, tag
    assert elements.all("nav")[0][1]["aria-label"]
    ids = [attributes["id"] for _, attributes, _, _ in elements.found if "id" in attributes]
    assert len(set(ids)) == len(ids)
    assert {attributes["href"] for _, attributes, _, _ in elements.all("a")} == {f"#{one}" for one in ids}
    assert len(elements.all("table")) == len(elements.all("caption")) > 10
    assert all(text.strip() for *_, text in elements.all("caption"))
    assert {attributes["scope"] for _, attributes, _, _ in elements.all("th")} == {"row", "col"}
    for _, attributes, path, _ in elements.all("table"):
        assert "div" in path, attributes
    for _, attributes, _, _ in elements.all("svg"):
        assert attributes.get("aria-hidden") == "true" or (attributes["role"] == "img" and attributes["aria-label"])
    assert len(elements.all("figure")) == len(elements.all("figcaption"))
    for _, attributes, _, _ in elements.all("div"):
        if attributes.get("class") == "scroll":
            assert attributes["tabindex"] == "0" and attributes["role"] == "region" and attributes["aria-label"]


def test_a_page_has_no_script_and_loads_nothing(source):
    assert not re.search(r"<script|<link|<iframe|javascript:|\son\w+=|https?://|@import|url\(|style=", source)


def test_long_tables_are_folded_and_short_ones_are_not():
    def rows(n):
        return tuple((Entry(f"r{i}", kind="name"), numeric(str(i), float(i))) for i in range(n))

    html = Elements(page(Table("short", ("", "v"), rows(12)), Table("long", ("", "v"), rows(13))))
    assert [("details" in path) for _, _, path, _ in html.all("table")] == [False, True]
    assert "long (13 rows)" in html.all("summary")[0][3]


def test_panels_share_scale_legend_and_notes():
    one = MatrixBlock("a on t", matrix([[0.1, 0.5]]), ("n = 3.",), scale=(0.1, 0.9), head="a")
    other = MatrixBlock("b on t", matrix([[0.9, 0.2]]), ("n = 3.",), scale=(0.1, 0.9), head="b")
    html = page(Panels("mAP on t", (one, other), ("Said once.",)))
    assert re.findall(r"<figcaption>(.*?)</figcaption>", html) == ["a", "b"]
    assert len(re.findall('<p class="legend">', html)) == 1
    assert html.count("n = 3.") == 1
    assert re.findall(r'<td class="(\w+)"', html) == ["h0", "h32", f"h{STEPS - 1}", "h8"]


def test_what_stands_before_panels_is_on_pages_only():
    shown = Panels("t", (MatrixBlock("difference", matrix([[0.1]])),), before=(MatrixBlock("base", matrix([[0.2]])),))
    document = Document("title", "", (Section("s", (shown,)),))
    assert "base" in to_html([document])
    assert "base" not in to_markdown(document)


def picture_of(data):
    """Width, height and rows of (red, green, blue, opacity) of a PNG with a palette and unfiltered rows."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    parts, at = {}, 8
    while at < len(data):
        (size,), name = struct.unpack(">I", data[at : at + 4]), data[at + 4 : at + 8]
        parts[name] = data[at + 8 : at + 8 + size]
        assert struct.unpack(">I", data[at + 8 + size : at + 12 + size])[0] == zlib.crc32(name + parts[name])
        at += 12 + size
    width, height, *how = struct.unpack(">IIBBBBB", parts[b"IHDR"])
    assert how == [8, 3, 0, 0, 0]  # 8 bits, a palette, deflate, filters by row, not interlaced
    palette = [tuple(parts[b"PLTE"][i : i + 3]) for i in range(0, len(parts[b"PLTE"]), 3)]
    opacities = parts.get(b"tRNS", b"").ljust(len(palette), b"\xff")
    raw = zlib.decompress(parts[b"IDAT"])
    assert len(raw) == height * (width + 1) and not any(raw[:: width + 1])
    lines = [raw[i + 1 : i + 1 + width] for i in range(0, len(raw), width + 1)]
    return [[(*palette[one], opacities[one]) for one in line] for line in lines]


def dots_of(html):
    places = re.findall(r'<g class="s(\d)"><title>(.*?)</title>(.*?)</g>', html)
    return {
        title: (
            int(series),
            float(re.search(r"translate\(([\d.]+) ", drawn)[1]),
            re.search(r"M([\d.]+) [\d.]+H([\d.]+)", drawn),
        )
        for series, title, drawn in places
    }


def test_dots_and_their_intervals_stand_where_their_values_are():
    cells = ((Cell(0.2, 0.1, 0.3), Cell(0.6)), (Cell(0.4, 0.35, 0.5), Cell()))
    found = dots_of(page(Dots("dots", Matrix(MAP, ("de", "en"), ("a", "b"), cells), (Level("chance", 0.0),))))
    assert list(found) == ["de, a: .200 [.100, .300]", "de, b: .600", "en, a: .400 [.350, .500]"]
    places = {title: x for title, (_, x, _) in found.items()}
    at = [places[title] for title in found]
    assert at[1] - at[0] == pytest.approx(2 * (at[2] - at[0]), abs=0.2)
    unit = (at[1] - at[0]) / 0.4
    low, high = (float(x) for x in found["de, a: .200 [.100, .300]"][2].groups())
    assert (at[0] - low, high - at[0]) == pytest.approx((0.1 * unit, 0.1 * unit), abs=0.2)
    assert found["de, b: .600"][2] is None
    assert [series for series, _, _ in found.values()] == [0, 1, 0]


def test_a_line_goes_through_its_points_and_a_long_one_through_means():
    html = page(Curves("c", (Line("a", ((0.0, 1.0), (10.0, 0.5), (20.0, 0.0))),)))
    points = [tuple(map(float, one.split())) for one in re.search(r'class="line" d="M([^"]+)"', html)[1].split("L")]
    assert points[1] == pytest.approx(np.mean([points[0], points[2]], axis=0), abs=0.1)
    many = tuple((float(i), float(i)) for i in range(10_001))
    html = page(Curves("c", (Line("a", many),)))
    assert 100 < len(re.search(r'class="line" d="M([^"]+)"', html)[1].split("L")) <= 241


def test_names_in_figures_are_texts():
    evil = "<script>alert(1)</script>\x1b\u202e"
    block = Dots(evil, Matrix(MAP, (evil,), (evil, "b"), ((Cell(0.5), Cell(0.2)),)), (Level(evil, 0.1),), evil)
    html = page(block, Curves(evil, (Line(evil, ((0.0, 0.1), (1.0, 0.2))), Line("x", ((0.0, 0.1),), 1)), evil))
    assert "<script" not in html and "\x1b" not in html and "\u202e" not in html
    Elements(html)


@pytest.mark.parametrize("differs", [False, True])
def test_a_very_large_matrix_is_a_picture_that_other_programs_read(differs):
    values = np.linspace(-1, 1, 33 * 34).reshape(33, 34).tolist()
    values[0][0] = None
    html = page(MatrixBlock("large", matrix(values, differs=differs)))
    (element,) = Elements(html).all("img")
    assert element[1]["alt"].startswith("large: 33 rows, l00 to l32, by 34 columns")
    picture = picture_of(base64.b64decode(element[1]["src"].partition(",")[2]))
    assert (len(picture), len(picture[0])) == (33, 34)
    assert picture[0][0][3] == 0, "nothing where there is no number"
    pixels = [picture[row][column] for row, column in ((0, 1), (16, 16), (32, 33))]
    if differs:
        scale = diverging_colours(LIGHT)
        assert [pixel[:3] for pixel in pixels[::2]] == [scale[0], scale[-1]]
        assert [pixel[3] for pixel in pixels[::2]] == [255, 255]
        assert pixels[1][3] < 40
    else:
        assert [pixel[:3] for pixel in pixels[::2]] == [colours()[0], colours()[-1]]
    assert "img-src data:" in html
    assert "highest l32→l33" in html


def test_twelve_encoders_on_a_hundred_languages_are_a_page_that_can_be_sent():
    chance = np.random.default_rng(0)
    panels = [MatrixBlock(f"m{i}", matrix(chance.random((100, 101))), head=f"m{i}") for i in range(12)]
    cells = tuple(tuple(Cell(v, v, v) for v in row) for row in chance.random((100, 8)))
    profile = Matrix(MAP, tuple(f"l{i}" for i in range(100)), tuple("abcdefgh"), cells)
    html = page(Panels("mAP", tuple(panels)), Panels("profiles", (Dots("d", profile),) * 3))
    assert 100_000 < len(html) < 2_000_000


def test_a_picture_says_what_it_is_made_of():
    scale = [(255, 0, 0), (0, 255, 0)]
    picture = picture_of(png([[0, 1, 1], [1, 0, 0]], scale))
    assert picture == [[(*scale[i], 255) for i in row] for row in ((0, 1, 1), (1, 0, 0))]


def test_several_runs_are_one_document_with_their_encoders_side_by_side(tmp_path):
    runs = [small_run(tmp_path / name) for name in ("first", "second")]
    runs = [open_run(run.path.rename(run.path.with_name(f"{run.path.parent.name}.parquet"))) for run in runs]
    document = audit(*runs, matrices=["map"])
    assert [section.title for section in document.sections].count("facts (test)") == 1
    (panels,) = [b for section in document.sections for b in section.blocks if isinstance(b, Panels)]
    assert [one.head for one in panels.blocks[:2]] == ["planted (first)", "planted (second)"]
    assert panels.blocks[2].head == "planted (second) minus planted (first)"
    assert set(panels.blocks[2].matrix.values) == {0.0}
    assert len(Elements(to_html([document])).all("h1")) == 1
    words = to_markdown(document).replace("\\", "")
    assert "planted (first)" in words and "Run of" in words


def test_runs_on_other_data_under_one_name_are_two_tasks(tmp_path):
    runs = [small_run(tmp_path / "a"), small_run(tmp_path / "b", languages=["en"])]
    document = audit(*runs, matrices=["map"])
    assert [one.title for one in document.sections if "(test)" in one.title] == [
        "facts (test)",
        "facts (other data) (test)",
    ]
    assert "Domains" in [one.title for one in document.sections]


def finding(i, question="fair"):
    return Finding("rank_distance", question, f"number {i}.", 1.0 - i / 1000, Destination("bias", "bias"), f"m{i}", "t")


def test_what_matters_most_stands_on_top_and_of_very_many_findings_the_rest_is_counted():
    found = [finding(i) for i in range(100)]
    section = findings_section(found, where="xlbias findings run.parquet")
    *top, fold = section.blocks
    assert isinstance(fold, Fold) and sum(len(one.entries) for one in top) == 14
    text = to_markdown(Document("t", "", (section,)))
    assert "46 more are left out: xlbias findings run.parquet." in text.replace("\\", "")
    assert "number 53." in text and "number 54." not in text
    assert all(
        f"number {i}." in to_markdown(Document("t", "", (findings_section(found, full=True),))) for i in range(100)
    )


def test_a_poster_is_one_page_of_two_encoders_and_their_difference(run):
    shown = poster(run)
    html = Elements(to_html([shown]))
    assert html.all("body")[0][1]["class"] == "poster"
    assert not html.all("details")
    captions = [text for *_, text in html.all("figcaption")]
    assert captions[:3] == ["random0", "random1", "random1 minus random0"]
    assert len(captions) <= 6
    wide = replace(shown.sections[-1].blocks[0].blocks[0], picture=True)
    assert "img-src data:" in page(wide, poster=True)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--poster"], "--poster is a page of html, not of text: add --format html"),
        (["--poster", "--format", "latex"], "--poster is a page of html, not of latex: add --format html"),
        (["--poster", "--format", "html", "--matrix", "map"], "--poster has what fits one page: leave out --matrix"),
        (["--poster", "--format", "html", "--full"], "--poster has what fits one page: leave out --matrix"),
    ],
)
def test_a_poster_of_anything_else_is_refused(tmp_path, capsys, words, sentence):
    out = tmp_path / "poster.html"
    assert xlbias(["report", str(small_run(tmp_path).path), *words, "--out", str(out)]) == 2
    assert sentence in capsys.readouterr().err
    assert not out.exists()


def test_a_poster_of_a_run_in_progress_says_so(tmp_path):
    run = small_run(tmp_path)
    empty = replace(run, metadata={**run.metadata, "models": []})
    assert "Nothing has been ranked yet." in to_html([poster(empty)])


def test_a_training_of_two_kinds_of_batches_has_two_lines():
    steps = pl.DataFrame({"step": [1, 2, 3], "loss": [2.0, 1.0, 0.9], **KINDS_OF_LOSS})
    hybrid = Logged("hybrid", steps, pl.DataFrame({"step": [], "task": []}))
    mono = Logged("mono", steps.with_columns(loss_cross_lingual=pl.lit(None, pl.Float64)), hybrid.validation)
    lines = [line for series, one in enumerate((hybrid, mono)) for line in _losses(one, series)]
    assert [(line.name, line.part, line.dashed, line.points[0]) for line in lines] == [
        ("hybrid", "monolingual", False, (1.0, 2.0)), ("hybrid", "cross-lingual", True, (1.0, 3.0)),
        ("mono", "", False, (1.0, 2.0)),
    ]  # fmt: skip
    assert _of_kinds(lines) == "Whole: monolingual batches; broken: cross-lingual batches."
    html = page(Curves("loss", tuple(lines), _of_kinds(lines)))
    assert html.count('stroke-dasharray="5 3"/>') == 1
    assert len(re.findall("<li><span", html)) == 2


KINDS_OF_LOSS = {"loss_monolingual": [2.0, 1.0, 0.9], "loss_cross_lingual": [3.0, 2.0, 1.0], "loss_mixed": [None] * 3}
