"""ASCII only: every glyph of ours has a stand-in, widths stay, and no byte above 127 leaves the program."""

import os
import re
import sys
import unicodedata
from pathlib import Path

import pytest
from dashboard.idle import rested
from dashboard.made import opened, press, screen_lines
from dashboard.terminal.test_terminal import HOSTILE, Terminal
from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color

import xlbias.dashboard
from xlbias.colour import SHADES
from xlbias.dashboard.terminal.ascii import GLYPHS, AsciiFilter, in_ascii
from xlbias.dashboard.terminal.plot import BLOCKS, MARKS

pytestmark = pytest.mark.integration

TEXTS = [
    "plain", "■ ● ✖ ◌ … → ↑ · ░▒▓█", "Was ist das? Größe", "कहाँ है यह", "สวัสดีครับ", "東京タワー", "👩‍👩‍👧 family",
    "e\u0301a\u0308", "ความ⟨U+202E⟩", "\u2800\u2801\u28ff", "␛]52", "עברית", "ａｂｃ", "", "क्षत्रिय",
]  # fmt: skip


@pytest.mark.parametrize("text", [*TEXTS, *(t.replace("\x1b", "") for t in HOSTILE if "\ud800" not in t)])
def test_ascii_of_the_same_width(text):
    text = "".join(c for c in text if unicodedata.category(c) != "Cc")
    plain = in_ascii(text)
    assert plain.isascii()
    assert len(plain) == cell_len(text)


def test_own_glyphs_keep_their_meaning_and_data_becomes_question_marks():
    assert in_ascii("■ finished  hi→en  · … ▸") == "# finished  hi>en  . ~ >"
    assert in_ascii("東京 ok") == "???? ok"
    assert in_ascii("naïve") == "na?ve"
    assert in_ascii("┌─┐│└┘┤┬") == "+-+|++++"


def test_shades_blocks_and_marks_stay_distinct():
    assert len(set(map(in_ascii, SHADES))) == len(SHADES)
    assert len(set(map(in_ascii, MARKS))) >= 7
    assert in_ascii(BLOCKS)[0] != in_ascii(BLOCKS)[-1]


def test_every_glyph_in_the_code_of_the_dashboard_has_a_stand_in():
    """Whatever a screen writes by itself must not come out as a question mark."""
    folder = Path(xlbias.dashboard.__file__).parent
    found = set()
    for file in folder.rglob("*.py"):
        if file.name != "ascii.py":
            for literal in re.findall(r'"(?:[^"\\\n]|\\.)*"', file.read_text("utf-8")):
                found |= {c for c in literal if ord(c) > 127 and not 0x2800 <= ord(c) < 0x2900}
    assert {c for c in found if in_ascii(c) == "?" and ord(c) not in GLYPHS} == set()


def test_styles_and_control_segments_stay():
    segments = [Segment("→", None), Segment("a", None), Segment("", None, [])]
    assert AsciiFilter().apply(segments, Color(0, 0, 0))[0].text == ">"
    assert AsciiFilter().apply(segments, Color(0, 0, 0))[1:] == segments[1:]


async def test_all_screens_in_ascii(finished_run):
    async with opened(finished_run, size=(140, 45), ascii=True) as (app, pilot):
        for key in ("1", "2", "m", "3", "4", "5", "question_mark"):
            await press(pilot, key)
            await rested(app)
            rows = [
                row.apply_filter(app._filters[-1], Color(0, 0, 0)) for row in app.screen._compositor.render_strips()
            ]
            assert "".join(row.text for row in rows).isascii()
            assert len({row.cell_length for row in rows}) == 1
        assert screen_lines(app)


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (["--ascii"], {}),
        pytest.param([], {"LC_ALL": "C"}, marks=pytest.mark.slow),  # another way to say the same
        pytest.param([], {"LANG": "POSIX", "LC_ALL": None, "LC_CTYPE": None}, marks=pytest.mark.slow),
    ],
)
def test_no_byte_above_127_leaves(live_run, arguments, environment):
    run = live_run("ru\u0301n-東京.parquet", models=("größe", "東京", *HOSTILE[:3]), tasks=("สวัสดี",))
    for i in range(5):
        run.write("de", model=i, task=0)
    run.journal.progress("फेज़ …", 1, 3, "queries", force=True)
    with Terminal(run.path, *arguments, size=(100, 30), **environment) as terminal:
        terminal.until("gr??e")
        for key in ("j", "i", "2", "l", "?", "\x1b", "3", "4", "5", "7", "y", "\x1b", "\x10", "mat", "\x1b", "q"):
            terminal.press(key)
        assert terminal.ended() == 0
        assert max(terminal.raw) < 128


def test_a_unicode_terminal_gets_unicode(finished_run):
    with Terminal(finished_run, LC_ALL="C.UTF-8") as terminal:
        terminal.until("■ finished")


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        ({"LANG": "C"}, True), ({"LANG": "POSIX"}, True), ({"LC_ALL": "C", "LANG": "en_US.UTF-8"}, True),
        ({"LANG": "en_US.ISO-8859-1"}, True),
        ({"LANG": "en_US.UTF-8"}, False), ({"LANG": "C.utf8"}, False), ({"LC_ALL": "de_DE.utf8", "LANG": "C"}, False),
        ({"LC_CTYPE": "C.UTF-8", "LANG": "C"}, False), ({}, False),
        ({"LANG": "C", "TEXTUAL_DRIVER": "textual.drivers.web_driver:WebDriver"}, False),
    ],
)  # fmt: skip
def test_the_locale_decides(locale, expected):
    import subprocess

    environment = {k: v for k, v in os.environ.items() if k not in ("LANG", "LC_ALL", "LC_CTYPE")} | locale
    code = "from xlbias.dashboard.terminal.ascii import wanted; print(wanted())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout == f"{expected}\n"
