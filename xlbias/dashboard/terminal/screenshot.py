"""A screen as a picture that opens anywhere, offline: SVG, and the same in one HTML file.

Drawn by Textual and Rich, then made safe to keep: nothing is loaded from elsewhere. Fonts are those of the reader's
machine, so every word has a place of its own and is stretched to the columns that it took in the terminal: tables stay
aligned whatever the font.
"""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html import escape, unescape

from rich.cells import cell_len

from xlbias.text import clean

_CELL = 12.2  # width of a column in Rich's picture

_FOREIGN = re.compile(r"<!--.*?-->|@font-face\s*\{[^}]*\}", re.DOTALL)
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_TEXT = re.compile(r'<text class="([^"]*-r\d+)" x="([^"]*)" y="([^"]*)" textLength="[^"]*"([^>]*)>([^<]*)</text>')
_WORD = re.compile(r"[^ ]+(?: [^ ]+)*")  # what stands between gaps of two blanks and more
_STYLE = re.compile(r"<style>.*?</style>", re.DOTALL)
_EMPTY_LINES = re.compile(r"\n\s*(?=\n)")

_PAGE_STYLE = "body { margin: 0; background: #12171d } svg { display: block; width: 100%; height: auto; margin: auto }"


def as_svg(drawn: str, title: str) -> str:
    """Return what `textual.app.App.export_screenshot` drew as an SVG file that loads nothing.

    `title` is what it shows, read aloud to those who cannot see it.
    """
    head, end, body = _NO_XML.sub("\ufffd", drawn).partition("</style>")  # no text from data stands in the head
    head = _EMPTY_LINES.sub("", _FOREIGN.sub("", head))
    head = head.replace("font-family: Fira Code, monospace;", "font-family: monospace;")
    head = head.replace("font-family: arial;", "font-family: system-ui, sans-serif;")
    head = head.replace(">", f' role="img">\n<title>{escape(clean(title))}</title>', 1)
    return head + end + _TEXT.sub(_placed, body)


def as_html(drawn: str, title: str) -> str:
    """Return the same as one HTML page, which may load and run nothing at all."""
    svg = as_svg(drawn, title)
    styles = [_PAGE_STYLE, *(found.removeprefix("<style>").removesuffix("</style>") for found in _STYLE.findall(svg))]
    allowed = " ".join(f"'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'" for style in styles)
    policy = f"default-src 'none'; style-src {allowed}; base-uri 'none'; form-action 'none'"
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="referrer" content="no-referrer">',
            f"<title>{escape(clean(title))}</title>",
            f"<style>{_PAGE_STYLE}</style>\n</head>\n<body>",
            svg.strip(),
            "</body>\n</html>\n",
        ]
    )


def _placed(match: re.Match[str]) -> str:
    """Give every word the place and the width of its columns, which Rich gives to whole lines, and by characters."""
    style, x, y, clip, escaped = match.groups()
    text = unescape(escaped).replace("\u00a0", " ")
    words = []
    for word in _WORD.finditer(text):
        start, cells = cell_len(text[: word.start()]), cell_len(word.group())
        if cells:
            words.append(
                f'<text class="{style}" x="{float(x) + start * _CELL:g}" y="{y}" textLength="{cells * _CELL:g}" '
                f'lengthAdjust="spacingAndGlyphs"{clip}>{escape(word.group()).replace(" ", "&#160;")}</text>'
            )
    return "".join(words)
