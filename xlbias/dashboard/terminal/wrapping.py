"""Breaks text from data into lines: at blanks and slashes, beside wide characters, and else between graphemes."""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import cell_len
from wcwidth import iter_graphemes

from xlbias.text import clean, width

MOST = 20_000
"""Characters of one text that are shown at most; a copy holds all of it."""

LONGEST = 32
"""Code points of one grapheme that are shown at most: marks can be heaped on a letter without end."""


def room_of(grapheme: str) -> int:
    """Cells that a grapheme takes, the more cautious of two counts: terminals disagree."""
    return 1 if grapheme.isascii() and len(grapheme) == 1 else max(width(grapheme), cell_len(grapheme))


def wrapped(text: str, cells: int) -> Iterator[str]:
    """Yield `text`, cleaned, in lines of at most `cells` cells; line breaks of its own stay.

    Lines are made as they are asked for, so that the first ones of a megabyte cost nothing. Of a longer text than
    `MOST` characters the beginning is shown, and how much is left out is said.
    """
    cells = max(1, cells)
    for paragraph in clean(text[:MOST], keep_newlines=True).split("\n"):
        yield from _lines(paragraph, cells)
    if len(text) > MOST:
        yield from _lines(f"… {len(text) - MOST:,} more characters: a copy has all of them", cells)


def _lines(paragraph: str, cells: int) -> Iterator[str]:
    line: list[str] = []
    used = after_break = 0  # cells of the line; graphemes of it up to where it may be broken
    for cluster in iter_graphemes(paragraph):
        grapheme = cluster[:LONGEST]
        room = room_of(grapheme)
        blank = grapheme == " "
        if used + room > cells and line:
            if blank:
                yield "".join(line).rstrip()
                line, used, after_break = [], 0, 0
                continue
            at = after_break or len(line)
            if room > 1:
                at = len(line)
            yield "".join(line[:at]).rstrip()
            line = line[at:]
            used, after_break = sum(map(room_of, line)), 0
        if used + room > cells:  # one grapheme that is wider than the line
            continue
        line.append(grapheme)
        used += room
        if blank or room > 1 or grapheme == "/":
            after_break = len(line)
    yield "".join(line).rstrip()
