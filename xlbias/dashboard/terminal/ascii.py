"""For terminals that can show ASCII only: every line is put into it as it leaves, cell by cell, at the same width."""

from __future__ import annotations

import os
import sys
from functools import lru_cache

from rich.cells import cell_len, split_graphemes
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_PAIRS = {
    "─━═╌┄┈╴╶╸╺⎯—–−‒―‾▔": "-", "│┃║╎┆┊╵╷╹╻▏▕⎸": "|", "┌┐└┘├┤┬┴┼╭╮╰╯┏┓┗┛┣┫┳┻╋╔╗╚╝╠╣╦╩╬": "+",
    "░": ".", "▒": ":", "▓": "%", "█▉▊■▆▇": "#", "▋▌▍▎▐▀▄▅": "=", "▁▂": "_", "▃": "-",
    "→⇢▶▸►⇥›»❯": ">", "←⇠◀◂◄‹«❮": "<", "↑▲▴⇧⇡": "^", "△": "A", "↓▼▽▾⇣": "v", "↔⇄": "=", "↕": "|",
    "·∙•⋅": ".", "…": "~", "●◉⬤": "o", "◌◎": "o", "○": "c", "◆∗": "*", "◇×✕✖✗": "x", "□": "u", "✱": "@",
    "✓✔": "+", "‖": "=",
    "‘’‚′": "'", "“”„″": '"', "±": "~", "≤": "<", "≥": ">", "≠": "!", "≈∼": "~", "∞": "8",
    "α": "a", "Δ∆": "D", "ρ": "r", "τ": "t", "χ": "X", "²": "2", "⟨": "<", "⟩": ">", "\u00a0": " ", "µ": "u", "°": "o",
}  # fmt: skip
GLYPHS = {ord(glyph): plain for glyphs, plain in _PAIRS.items() for glyph in glyphs}
"""Our own glyphs, by code point, and what stands for each."""

UNKNOWN = "?"
"""What stands for a cell of anything else."""

_BRAILLE = range(0x2800, 0x2900)
_CONTROL_PICTURES = range(0x2400, 0x2427)


class AsciiFilter(LineFilter):
    """Puts lines into ASCII."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments with their texts in ASCII, of the same widths."""
        return [
            segment
            if segment.control or segment.text.isascii()
            else Segment(in_ascii(segment.text), segment.style, segment.control)
            for segment in segments
        ]


@lru_cache(maxsize=4096)
def in_ascii(text: str) -> str:
    """Return `text` in ASCII, as many cells wide: our glyphs by what looks like them, all else as ``?`` per cell."""
    spans, _ = split_graphemes(text)
    plain = "".join(_in_ascii(text[start:end], cells) for start, end, cells in spans)
    wanted = cell_len(text)
    return plain if len(plain) == wanted else plain[:wanted].ljust(wanted)


def _in_ascii(grapheme: str, cells: int) -> str:
    if grapheme.isascii():
        return grapheme
    code = ord(grapheme[0])
    if cells == 1 and len(grapheme) == 1:
        if code in GLYPHS:
            return GLYPHS[code]
        if code in _BRAILLE:
            dots = (code - _BRAILLE.start).bit_count()
            return " " if not dots else "." if dots < 3 else ":" if dots < 6 else "#"
        if code in _CONTROL_PICTURES:
            return "^"
    return UNKNOWN * cells


def wanted() -> bool:
    """Whether the terminal should be sent ASCII only: its locale says C, POSIX, or an encoding that is not UTF-8.

    A locale that is not set at all says nothing: in containers it is missing where the terminal knows Unicode.
    """
    if "TEXTUAL_DRIVER" in os.environ:  # in a browser
        return False
    chosen = next((value for name in ("LC_ALL", "LC_CTYPE", "LANG") if (value := _set_by_user(name))), "")
    language, _, encoding = chosen.partition("@")[0].partition(".")
    if encoding:
        return encoding.lower().replace("-", "") != "utf8"
    if language in ("C", "POSIX"):
        return True
    said = getattr(sys.__stdout__, "encoding", None) or "utf-8"
    return said.lower().replace("-", "").replace("_", "") != "utf8"


def _set_by_user(name: str) -> str:
    """The value of a variable of the locale, without what Python sets itself where it finds the C locale."""
    value = os.environ.get(name, "")
    if name == "LC_CTYPE" and sys.flags.utf8_mode and value in ("C.UTF-8", "C.utf8", "UTF-8"):
        return ""
    return value
