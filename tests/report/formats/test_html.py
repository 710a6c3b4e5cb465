"""The colours of a page: one scale of values, and one of differences whose middle is the page, light or dark."""

import re

import pytest

from xlbias.colour import MIN_CONTRAST, STEPS, contrast
from xlbias.measures.registry import measures
from xlbias.report.document import Document, MatrixBlock, Section
from xlbias.report.formats.html import to_html
from xlbias.results.cell import Cell
from xlbias.results.matrix import Matrix

RULE = re.compile(r"\.([hd]\d+) { color: #(\w{6}); background: #(\w{6}) }")


def page(values, *, differs, measure="map"):
    about = (measures("quality") | measures("bias"))[measure]
    cells = tuple(tuple(map(Cell, row)) for row in values)
    names = tuple("abcdef"[: len(values[0])])
    matrix = Matrix(about, names[: len(values)], names, cells, differs=differs)
    return to_html([Document("title", "", (Section("s", (MatrixBlock("m", matrix),)),))])


def rgb(text):
    return tuple(int(text[i : i + 2], 16) for i in (0, 2, 4))


def schemes(html):
    """The page's own background and the colours of steps, as (text, background), for light and for dark pages."""
    style = re.search(r"<style>(.*?)</style>", html, re.S)[1]
    bright, dim = style.split("@media screen and (prefers-color-scheme: dark)")
    light = {name: (rgb(ink), rgb(paper)) for name, ink, paper in RULE.findall(bright)}
    dark = light | {name: (rgb(ink), rgb(paper)) for name, ink, paper in RULE.findall(dim)}
    return [(rgb(paper), of) for paper, of in zip(re.findall(r"--paper: #(\w{6})", style), (light, dark), strict=True)]


def classes(html):
    return re.findall(r"<td(?: class=\"(\w+)\")? title", html)


def test_a_difference_of_nothing_has_the_colour_of_the_page_light_or_dark():
    html = page([[-0.2, 0.0, 0.1], [None, 0.2, -0.0001]], differs=True)
    worst, nothing, better, undefined, best, hardly = classes(html)
    assert undefined == "" and {worst, best} == {"d0", f"d{STEPS - 1}"}
    for paper, colours in schemes(html):
        assert colours[nothing][1] == colours[hardly][1] == paper
        away = [sum(abs(a - b) for a, b in zip(colours[name][1], paper, strict=True)) for name in (better, best)]
        assert 0 < away[0] < away[1]
        red, blue = colours[worst][1], colours[best][1]
        assert red[0] > red[2] and blue[2] > blue[0]


@pytest.mark.parametrize("differs", [True, False])
def test_every_colour_of_a_page_can_be_read_on(differs):
    for _, colours in schemes(page([[-0.2, 0.1]], differs=differs)):
        assert all(contrast(*pair) >= MIN_CONTRAST for pair in colours.values())


def test_where_low_is_good_a_fall_is_the_better_end_and_the_legend_says_so():
    html = page([[-30.0, 10.0, 0.0]], differs=True, measure="rank_distance")
    best, worse, _ = classes(html)
    assert best == f"d{STEPS - 1}" and worse < f"d{STEPS // 2}"
    legend = re.search(r'<p class="legend">(.*?)</p>', html)[1]
    assert re.sub("<.*?>", "", legend) == "worse +30.0 to .000 to better -30.0"


def test_values_keep_their_scale_and_a_page_without_differences_has_no_colours_for_them():
    html = page([[0.2, 0.5, 0.9]], differs=False)
    assert classes(html) == ["h0", "h27", f"h{STEPS - 1}"]
    assert ".d0" not in html
