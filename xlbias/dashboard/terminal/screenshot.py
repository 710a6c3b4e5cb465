"""A screen as a picture that opens anywhere, offline: SVG, and the same in one HTML file.

Drawn from the lines of the screen. Nothing is loaded from elsewhere: fonts are those of the reader's machine, so every
word has a place of its own and is stretched to the columns that it took in the terminal, and tables stay aligned. What
is drawn is one line of the file each, with its colours in full and its text as it is, so that two pictures can be
compared by eye.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len
from rich.color import blend_rgb
from rich.style import Style
from rich.terminal_theme import SVG_EXPORT_THEME

from xlbias.text import clean

if TYPE_CHECKING:
    from rich.segment import Segment
    from rich.terminal_theme import TerminalTheme
    from textual.app import App

_COLUMN, _LINE, _BASE = 10, 20, 15  # width of a column, height of a line, and where in it letters stand
_FONT = 16.6  # whose columns most fonts make as wide
_FAINT = 0.4  # share of the ground in the ink of dim text

_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_WORD = re.compile(r"[^ ]+(?: [^ ]+)*")  # what stands between gaps of two blanks and more

_PAGE_STYLE = "body { margin: 0; background: #12171d } svg { display: block; width: 100%; height: auto; margin: auto }"


class _Run(NamedTuple):
    """Text of one look on a line: its first column, ink and ground as `#rrggbb`, and further attributes."""

    text: str
    column: int
    ink: str
    ground: str
    more: str


def lines_of(app: App[object]) -> list[list[Segment]]:
    """Return what is on the screen of an application, with what is seen behind a dialog, line by line."""
    drawn = app.screen._compositor.render_update(full=True, screen_stack=app._background_screens, simplify=True)
    return [[segment for strip in line for segment in strip] for line in drawn.strips]  # type: ignore[union-attr]


def as_svg(lines: Sequence[Iterable[Segment]], title: str, theme: TerminalTheme = SVG_EXPORT_THEME) -> str:
    """Return a screen as an SVG file that loads nothing.

    Args:
        lines: of the screen, see `lines_of`.
        title: what it shows, read aloud to those who cannot see it.
        theme: what the terminal's own colours are.
    """
    rows = [list(_runs(line, theme)) for line in lines]
    cells = Counter[str]()
    for run in (run for row in rows for run in row):
        cells[run.ground] += cell_len(run.text)
    paper = cells.most_common(1)[0][0] if cells else theme.background_color.hex
    width = max((cell_len("".join(run.text for run in row)) for row in rows), default=0) * _COLUMN
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {len(rows) * _LINE}" role="img" '
        f'font-family="monospace" font-size="{_FONT}">',
        f"<title>{escape(clean(title))}</title>",
        f'<clipPath id="terminal-line"><rect y="-2" width="{width}" height="{_LINE + 4}"/></clipPath>',
        f'<rect width="{width}" height="{len(rows) * _LINE}" fill="{paper}"/>',
    ]
    for number, row in enumerate(rows):
        drawn.append(f'<g transform="translate(0 {number * _LINE})" clip-path="url(#terminal-line)">')
        drawn += [*_grounds(row, paper), *(word for run in row for word in _words(run)), "</g>"]
    return "\n".join([*drawn, "</svg>", ""])


def as_html(lines: Sequence[Iterable[Segment]], title: str, theme: TerminalTheme = SVG_EXPORT_THEME) -> str:
    """Return the same as one HTML page, which may load and run nothing at all."""
    allowed = b64encode(sha256(_PAGE_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{allowed}'; base-uri 'none'; form-action 'none'"
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="referrer" content="no-referrer">',
            f"<title>{escape(clean(title))}</title>",
            f"<style>{_PAGE_STYLE}</style>\n</head>\n<body>",
            as_svg(lines, title, theme).strip(),
            "</body>\n</html>\n",
        ]
    )


def _runs(line: Iterable[Segment], theme: TerminalTheme) -> Iterator[_Run]:
    column = 0
    for segment in line:
        text = _NO_XML.sub("\ufffd", segment.text.replace("\u00a0", " "))
        if not segment.control and text:
            yield _Run(text, column, *_look(segment.style or Style.null(), theme))
            column += cell_len(text)


def _look(style: Style, theme: TerminalTheme) -> tuple[str, str, str]:
    """Return ink and ground of a style, and what else is to be said of it."""
    ink, ground = theme.foreground_color, theme.background_color
    if style.color is not None and not style.color.is_default:
        ink = style.color.get_truecolor(theme)
    if style.bgcolor is not None and not style.bgcolor.is_default:
        ground = style.bgcolor.get_truecolor(theme, foreground=False)
    if style.reverse:
        ink, ground = ground, ink
    if style.dim:
        ink = blend_rgb(ink, ground, _FAINT)
    more = [
        said
        for on, said in (
            (style.bold, 'font-weight="bold"'),
            (style.italic, 'font-style="italic"'),
            (style.underline, 'text-decoration="underline"'),
            (style.strike, 'text-decoration="line-through"'),
        )
        if on
    ]
    return ink.hex, ground.hex, "".join(f" {said}" for said in more)


def _grounds(row: Sequence[_Run], paper: str) -> Iterator[str]:
    for ground, group in groupby(row, lambda run: run.ground):
        runs = list(group)
        if ground != paper:
            cells = sum(cell_len(run.text) for run in runs)
            x, width = runs[0].column * _COLUMN, cells * _COLUMN
            yield f'<rect x="{x}" width="{width}" height="{_LINE}" fill="{ground}" shape-rendering="crispEdges"/>'


def _words(run: _Run) -> Iterator[str]:
    """Give every word the place and the width of its columns."""
    for word in _WORD.finditer(run.text):
        column, cells = run.column + cell_len(run.text[: word.start()]), cell_len(word.group())
        if cells:
            yield (
                f'<text x="{column * _COLUMN}" y="{_BASE}" fill="{run.ink}"{run.more} textLength="{cells * _COLUMN}" '
                f'lengthAdjust="spacingAndGlyphs">{escape(word.group(), quote=False)}</text>'
            )
