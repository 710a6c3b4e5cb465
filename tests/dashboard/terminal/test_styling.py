"""What is sent for colours: a terminal that gets less shows the same."""

import random

import pyte
import pytest
from rich.color import Color
from rich.console import Console
from rich.segment import Segment
from rich.style import Style

from xlbias.dashboard.terminal.styling import shortened

COLUMNS, LINES = 60, 12


def shown(sent: str) -> list[tuple]:
    """What a terminal shows of it: of blanks without flags only the background."""
    screen = pyte.Screen(COLUMNS, LINES)
    pyte.Stream(screen).feed(sent)
    cells = [screen.buffer[y][x] for y in range(LINES) for x in range(COLUMNS)]
    return [
        cell._replace(fg="")
        if cell.data == " " and not (cell.underscore or cell.reverse or cell.strikethrough)
        else cell
        for cell in cells
    ]


def frame(seed: int) -> str:
    """Text at places of a screen in the styles that Rich writes, as a repaint of Textual is."""
    draw = random.Random(seed)
    colours = [Color.from_rgb(draw.randrange(256), draw.randrange(256), draw.randrange(256)) for _ in range(4)]
    colours += [Color.parse("red"), Color.parse("bright_blue"), Color.from_ansi(130), Color.default()]
    console = Console(color_system="truecolor", force_terminal=True, width=COLUMNS)
    sent = ""
    for _ in range(60):
        sent += f"\x1b[{draw.randrange(LINES) + 1};{draw.randrange(COLUMNS - 30) + 1}H"
        for _ in range(draw.randrange(1, 5)):
            flags = {name: True for name in ("bold", "dim", "underline", "reverse", "strike") if draw.random() < 0.15}
            style = Style(color=draw.choice([None, *colours]), bgcolor=draw.choice([None, *colours]), **flags)
            text = draw.choice(["  ", "abc", "é ", " 中", "x"])
            sent += console._render_buffer([Segment(text, draw.choice([style, None]))])
        sent += draw.choice(["", "\x1b[K", "\r\n"])
    return sent


@pytest.mark.parametrize("seed", range(8))
def test_a_terminal_shows_the_same_of_fewer_bytes(seed):
    sent = frame(seed)
    found = shortened(sent)
    assert shown(found) == shown(sent)
    assert len(found) < len(sent)
    assert shown(found + "x") == shown(sent + "x")  # nothing is left on


def test_neighbours_that_share_a_colour_send_it_once():
    cells = "".join(f"\x1b[38;2;0;0;0;48;2;{red};9;9m .5 \x1b[0m" for red in (10, 10, 20))
    assert shortened(cells) == "\x1b[38;2;0;0;0;48;2;10;9;9m .5  .5 \x1b[48;2;20;9;9m .5 \x1b[0m"


def test_blanks_send_their_background_only_and_a_flag_ends_by_a_reset():
    sent = "\x1b[31;44ma\x1b[0m\x1b[32;44m  \x1b[0m\x1b[31;44mb\x1b[0m\x1b[1;31mc\x1b[0m\x1b[31md\x1b[0m"
    assert shortened(sent) == "\x1b[31;44ma  b\x1b[1;49mc\x1b[0;31md\x1b[0m"


@pytest.mark.parametrize(
    "sent", "text|\x1b[2J\x1b[H|\x1b[4:3mcurly\x1b[0m|\x1b[38;7mx\x1b[0m|\x1b[38;2;1mx|\x1b[?1049h|\x1b[99mx".split("|")
)
def test_what_is_not_known_is_sent_as_it_is(sent):
    assert shortened(sent) == sent
