"""Every code point of a text: number, bidirectional class, name, and the grapheme that it belongs to."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from textwrap import wrap

from wcwidth import iter_graphemes

from xlbias.dashboard.terminal.wrapping import LONGEST
from xlbias.text import clean

MOST = 2_000
"""Characters of one text that are listed at most."""

Row = tuple[str, str]
"""Our own words, and behind them what comes from data, cleaned."""


def code_points(text: str, cells: int) -> Iterator[Row]:
    """Yield the code points of a text, one a line; the grapheme stands behind its first one.

    A line holds the grapheme's number, ``U+0928``, the bidirectional class (``L``, ``R``, ``AL``, ``EN``, ``NSM``, ...)
    and the name; a name that does not fit `cells` goes on on the next line.
    """
    for number, grapheme in enumerate(iter_graphemes(text[:MOST]), 1):
        for i, character in enumerate(grapheme):
            shown = clean(grapheme[:LONGEST]) if i == 0 else ""
            head = f"{number if i == 0 else '':>5}  {f'U+{ord(character):04X}':<8}  {bidi_class(character):<3}  "
            room = max(8, cells - len(head) - (8 if shown else 0))
            first, *more = wrap(name_of(character), room, break_long_words=False, break_on_hyphens=False)
            yield head + first + ("  " if shown else ""), shown
            for piece in more:
                yield " " * len(head) + piece, ""
    if len(text) > MOST:
        yield f"… {len(text) - MOST:,} more characters", ""


def bidi_class(character: str) -> str:
    """Bidirectional class, ``?`` for a code point that has none."""
    return unicodedata.bidirectional(character) or "?"


def name_of(character: str) -> str:
    """Name of a code point, in words also where Unicode gives it none."""
    code = ord(character)
    name = unicodedata.name(character, "")
    if name:
        return name
    if code < 0x20 or code == 0x7F:
        picture = chr(0x2400 + code) if code < 0x20 else "\u2421"
        return unicodedata.name(picture).replace("SYMBOL FOR", "control:")
    kinds = {"Cc": "control", "Co": "private use", "Cs": "lone surrogate", "Cn": "not assigned"}
    return kinds.get(unicodedata.category(character), "no name")
