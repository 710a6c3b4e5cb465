"""The report as one HTML file: no script, nothing loaded from anywhere; what comes from data is escaped."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from hashlib import sha256
from html import escape as _escape

from xlbias.colour import RGB, STEPS, colours, diverging_colours, step_of, text_on
from xlbias.report.document import Block, Document, MatrixBlock, Paragraph, Table, Terms
from xlbias.report.formats.format import Format
from xlbias.report.numbers import NOTHING, Entry, measured, signed_text
from xlbias.text import clean

LIGHT: RGB = (255, 255, 255)
"""The background of the page, which differences of nothing have, too."""

DARK: RGB = (13, 17, 23)
"""The same for readers who have chosen dark pages."""

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: LIGHT; --line: #d0d7de; --soft: #59636e; --band: #f6f8fa }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --paper: DARK; --line: #30363d; --soft: #9198a1; --band: #161b22 }
}
body { margin: 0 auto; max-width: 80rem; padding: 1rem; color: var(--ink); background: var(--paper);
  font: 1rem/1.5 system-ui, sans-serif }
h1 { font-size: 1.6rem } h2 { font-size: 1.3rem; border-bottom: 1px solid var(--line) }
.subtitle, .notes, .legend, small { color: var(--soft) } .subtitle { overflow-wrap: anywhere }
nav ol { columns: 18rem; margin: 0 }
.scroll { overflow-x: auto; margin: 1rem 0 .3rem }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem }
caption { text-align: start; font-weight: 600; padding-bottom: .3rem }
th, td { padding: .2rem .6rem; border-bottom: 1px solid var(--line); text-align: start; white-space: nowrap }
thead th { background: var(--band) } .number { text-align: end }
.map td { text-align: center; padding: .25rem .4rem } .map th { text-align: end }
.legend span { padding: .1rem .5rem }
.notes { margin: 0 0 1rem; padding-inline-start: 1.2rem; font-size: .85rem; overflow-wrap: anywhere }
dt { font-weight: 600 } dd { margin: 0 0 .4rem 1.2rem }
"""


def to_html(documents: Sequence[Document]) -> str:
    """Return documents as one HTML page, one after the other, with a table of contents."""
    style = _STYLE.replace("LIGHT", _hex(LIGHT)).replace("DARK", _hex(DARK)) + "".join(_heat(documents))
    allowed = f"'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'"
    policy = f"default-src 'none'; style-src {allowed}; base-uri 'none'; form-action 'none'"
    lines = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{escape(documents[0].title)}</title>\n<style>{style}</style>\n</head>\n<body>",
    ]
    for number, document in enumerate(documents, 1):
        lines += _document(document, f"d{number}")
    return "\n".join([*lines, "</body>\n</html>\n"])


def escape(text: str) -> str:
    """Return a text as HTML that shows it, in elements and in attributes: no markup, no control character."""
    return _escape(clean(text), quote=True)


def _heat(documents: Sequence[Document]) -> Iterator[str]:
    """Yield the colours of heat maps, and those of differences where there are any: their middle is the background."""
    yield from _steps(_VALUES, colours())
    if any(_differs(block) for one in documents for section in one.sections for block in section.blocks):
        yield from _steps(_DIFFERENCES, diverging_colours(LIGHT))
        dark = "".join(_steps(_DIFFERENCES, diverging_colours(DARK)))
        yield f"@media (prefers-color-scheme: dark) {{\n{dark}}}\n"


def _differs(block: Block) -> bool:
    return isinstance(block, MatrixBlock) and block.matrix.differs


def _steps(kind: str, scale: Sequence[RGB]) -> Iterator[str]:
    for step, background in enumerate(scale):
        yield f".{kind}{step} {{ color: {_hex(text_on(background))}; background: {_hex(background)} }}\n"


def _hex(colour: RGB) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _document(document: Document, anchor: str) -> Iterator[str]:
    yield f'<header>\n<h1>{escape(document.title)}</h1>\n<p class="subtitle">{escape(document.subtitle)}</p>\n</header>'
    anchors = [f"{anchor}s{i}" for i in range(1, len(document.sections) + 1)]
    yield '<nav aria-label="Contents">\n<ol>'
    for section, of_section in zip(document.sections, anchors, strict=True):
        yield f'<li><a href="#{of_section}"><bdi>{escape(section.title)}</bdi></a></li>'
    yield "</ol>\n</nav>\n<main>"
    for section, of_section in zip(document.sections, anchors, strict=True):
        yield f'<section id="{of_section}">\n<h2><bdi>{escape(section.title)}</bdi></h2>'
        for block in section.blocks:
            yield from _block(block)
        yield "</section>"
    yield "</main>"


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Paragraph):
        yield f"<p>{escape(block.text)}</p>"
    elif isinstance(block, Terms):
        yield f"<h3>{escape(block.title)}</h3>\n<dl>"
        for word, meaning in block.entries:
            yield f"<dt>{escape(word)}</dt><dd>{escape(meaning)}</dd>"
        yield "</dl>"
    elif isinstance(block, Table):
        words = [block.of_words(i) for i in range(len(block.heads))]
        body = [[_cell(cell, head=i < block.labels) for i, cell in enumerate(row)] for row in block.rows]
        yield from _table(block.title, "", block.heads, body, words)
        yield from _notes(block.notes)
    else:
        yield from _matrix(block)


def _matrix(matrix: MatrixBlock) -> Iterator[str]:
    body, found, kind = [], matrix.range, _DIFFERENCES if _differs(matrix) else _VALUES
    for name, cells in zip(matrix.rows, matrix.entries, strict=True):
        line = [f'<th scope="row"><bdi>{escape(name)}</bdi></th>']
        for column, cell in zip(matrix.columns, cells, strict=True):
            heat = "" if cell.value is None else f' class="{kind}{step_of(found.goodness(cell.value))}"'
            title = escape(f"{name}→{column}: {_tooltip(cell)}")
            line.append(f'<td{heat} title="{title}">{_data(cell)}</td>')
        body.append(line)
    yield from _table(matrix.title, "map", ("", *matrix.columns), body, [False] * (len(matrix.columns) + 1))
    worst, best = _ends(matrix)
    ends = [(0, f"{worst} ", found.worst), (STEPS - 1, f"{best} ", found.best)]
    if found.diverging:
        ends.insert(1, (STEPS // 2, "", 0.0))
    write = signed_text if found.diverging else measured
    swatches = (f'<span class="{kind}{step}">{word}{escape(write(end, matrix.measure))}</span>'
                for step, word, end in ends)  # fmt: skip
    yield f'<p class="legend">{" to ".join(swatches)}</p>'
    yield from _notes(matrix.notes)


def _ends(matrix: MatrixBlock) -> tuple[str, str]:
    """Return what the ends of the scale of colours are called."""
    if matrix.measure.better == "neither":
        return "low", "high"
    return ("worse", "better") if matrix.matrix.differs else ("bad", "good")


def _table(
    title: str, kind: str, heads: Sequence[str], body: Sequence[Sequence[str]], words: Sequence[bool]
) -> Iterator[str]:
    yield f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(title)}">'
    yield f'<table class="{kind}">' if kind else "<table>"
    yield f"<caption>{escape(title)}</caption>\n<thead><tr>"
    for head, of_words in zip(heads, words, strict=True):
        yield f'<th scope="col"{"" if of_words else _NUMBER}><bdi>{escape(head)}</bdi></th>'
    yield "</tr></thead>\n<tbody>"
    for line in body:
        yield f"<tr>{''.join(line)}</tr>"
    yield "</tbody>\n</table>\n</div>"


def _notes(notes: Sequence[str]) -> Iterator[str]:
    if notes:
        yield f'<ul class="notes">{"".join(f"<li>{escape(note)}</li>" for note in notes)}</ul>'


_VALUES, _DIFFERENCES = "h", "d"
"""Of the classes of steps of colours."""

_NUMBER = ' class="number"'


def _cell(cell: Entry, *, head: bool) -> str:
    if head:
        return f'<th scope="row"><bdi>{escape(cell.text)}</bdi></th>'
    if cell.kind != "number":
        return f"<td>{escape(cell.text)}</td>"
    small = f" <small>{escape(cell.interval)}</small>" if cell.interval else ""
    tooltip = f' title="{escape(_tooltip(cell))}"' if cell.n is not None else ""
    return f"<td{_NUMBER}{tooltip}>{_data(cell)}{small}</td>"


def _data(cell: Entry) -> str:
    """Return the number as it is shown, with its full precision for programs."""
    text = escape(cell.text)
    return text if cell.value is None else f'<data value="{float(cell.value)!r}">{text}</data>'


def _tooltip(cell: Entry) -> str:
    parts = [cell.text if cell.value is not None else f"{NOTHING} (undefined)"]
    if cell.interval:
        parts.append(f"95 % {cell.interval}")
    if cell.n is not None:
        parts.append(f"n = {cell.n:,}")
    return ", ".join(parts)


FORMAT = Format(lambda documents, _: to_html(documents), has_colours=True)
