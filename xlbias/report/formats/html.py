"""The report as one HTML file: no script, nothing loaded from anywhere; what comes from data is escaped.

It looks like figures of a paper: what the run says, then matrices beside each other on one scale, dots with intervals
and curves; long tables are folded. It follows the reader's choice of light or dark, prints, and fits a narrow screen:
what is wider scrolls inside a box of its own.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from hashlib import sha256

from xlbias.colour import STEPS, colours, diverging_colours, step_of
from xlbias.report.document import (
    Block,
    Curves,
    Document,
    Dots,
    Fold,
    MatrixBlock,
    Panels,
    Paragraph,
    Section,
    Table,
    Terms,
    every_block,
)
from xlbias.report.formats.escaping import escape
from xlbias.report.formats.format import Format
from xlbias.report.formats.html_style import DIFFERENCES, LIGHT, VALUES, style_of
from xlbias.report.formats.png import png
from xlbias.report.formats.svg import dots, lines, mark
from xlbias.report.numbers import NOTHING, Entry, measured, signed_text
from xlbias.text import width as cells

_LONG = 12  # rows from which a table is folded
_LONG_NAME = 16  # cells from which a name may take several lines
_MOST_COLUMNS = 32  # of a matrix whose cells show their numbers; a larger one is a picture


def to_html(documents: Sequence[Document]) -> str:
    """Return documents as one HTML page, one after the other, with a table of contents."""
    blocks = [block for one in documents for section in one.sections for block in every_block(section.blocks)]
    pictures = any(isinstance(block, MatrixBlock) and _is_picture(block) for block in blocks)
    poster = any(one.poster for one in documents)
    style = style_of(differences=any(map(_differs, blocks)), poster=poster)
    allowed = f"'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'"
    images = " img-src data:;" if pictures else ""
    policy = f"default-src 'none'; style-src {allowed};{images} base-uri 'none'; form-action 'none'"
    page = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{escape(documents[0].title)}</title>\n<style>{style}</style>\n</head>",
        '<body class="poster">' if poster else "<body>",
    ]
    for number, document in enumerate(documents, 1):
        page += _document(document, f"d{number}")
    return "\n".join([*page, "</body>\n</html>\n"])


def _differs(block: Block) -> bool:
    return isinstance(block, MatrixBlock) and block.matrix.differs


def _is_picture(block: MatrixBlock) -> bool:
    return block.picture or len(block.columns) > _MOST_COLUMNS


def _document(document: Document, anchor: str) -> Iterator[str]:
    yield f'<header>\n<h1>{escape(document.title)}</h1>\n<p class="subtitle">{escape(document.subtitle)}</p>'
    anchors = [f"{anchor}s{i}" for i in range(1, len(document.sections) + 1)]
    yield '<nav aria-label="Contents">\n<ol>'
    for section, of_section in zip(document.sections, anchors, strict=True):
        yield f'<li><a href="#{of_section}"><bdi>{escape(section.title)}</bdi></a></li>'
    yield "</ol>\n</nav>\n</header>\n<main>"
    for section, of_section in zip(document.sections, anchors, strict=True):
        yield from _section(section, of_section)
    yield "</main>"


def _section(section: Section, anchor: str) -> Iterator[str]:
    yield f'<section id="{anchor}">'
    head = f"<h2><bdi>{escape(section.title)}</bdi></h2>"
    yield f"<details><summary>{head}</summary>" if section.folded else head
    for block in section.blocks:
        yield from _block(block)
    yield "</details></section>" if section.folded else "</section>"


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Paragraph):
        yield f"<p>{escape(block.text)}</p>"
    elif isinstance(block, Terms):
        yield from _terms(block)
    elif isinstance(block, Table):
        yield from _table_block(block)
    elif isinstance(block, MatrixBlock):
        yield from _matrix(block)
        yield from _legend(block)
        yield from _notes(block.notes)
    elif isinstance(block, Panels):
        yield from _panels(block)
    elif isinstance(block, Fold):
        yield f'<details><summary><span class="title">{escape(block.title)}</span></summary>'
        for one in block.blocks:
            yield from _block(one)
        yield "</details>"
    else:
        yield from _key(block)
        yield from _figure(block)


def _terms(block: Terms) -> Iterator[str]:
    entries = [(escape(word), escape(meaning)) for word, meaning in block.entries]
    if block.beside:
        kind = "answers doubt" if block.doubt else "answers"
        yield f'<div class="{kind}"><h3>{escape(block.title)}</h3>\n<dl>'
        yield from (f"<div><dt>{word}</dt><dd>{meaning}</dd></div>" for word, meaning in entries)
        yield "</dl></div>"
        return
    yield f"<h3>{escape(block.title)}</h3>\n<dl>"
    yield from (f"<dt>{word}</dt><dd>{meaning}</dd>" for word, meaning in entries)
    yield "</dl>"


def _table_block(block: Table) -> Iterator[str]:
    long = len(block.rows) > _LONG
    if long:
        count = f'<span class="count">({len(block.rows):,} rows)</span>'
        yield f'<details><summary><span class="title">{escape(block.title)}</span> {count}</summary>'
    words = [block.of_words(i) for i in range(len(block.heads))]
    body = [[_cell(cell, head=i < block.labels) for i, cell in enumerate(row)] for row in block.rows]
    yield from _table(block.title, "", block.heads, body, words, hidden=long)
    yield from _notes(block.notes)
    if long:
        yield "</details>"


def _panels(block: Panels) -> Iterator[str]:
    """Yield blocks beside each other: what they have in common, such as their scale and their notes, stands once."""
    if block.title:
        yield f"<h3>{escape(block.title)}</h3>"
    blocks = (*block.before, *block.blocks)
    drawn = [one for one in blocks if not isinstance(one, MatrixBlock)]
    if drawn:
        yield from _key(drawn[0])
    yield '<div class="panels">'
    for one in blocks:
        yield from _matrix(one) if isinstance(one, MatrixBlock) else _figure(one)
    yield "</div>"
    matrices = [one for one in blocks if isinstance(one, MatrixBlock)]
    legends = {(one.range, one.measure.name, one.matrix.differs): one for one in matrices}
    for one in legends.values():
        yield from _legend(one, named=len({each.measure.name for each in matrices}) > 1)
    notes = [note for one in matrices for note in one.notes]
    yield from _notes(tuple(dict.fromkeys([*notes, *block.notes])))


def _key(block: Dots | Curves) -> Iterator[str]:
    """Yield which mark is whose; nothing where there is only one."""
    if isinstance(block, Dots):
        named = list(enumerate(block.matrix.columns))
    else:
        named = list({line.series: line.name for line in block.lines}.items())
    if len(named) > 1:
        marks = (f'<li><span class="s{i}">{mark(i)}</span> <bdi>{escape(name)}</bdi></li>' for i, name in named)
        yield f'<ul class="key">{"".join(marks)}</ul>'


def _figure(block: Dots | Curves) -> Iterator[str]:
    yield f'<figure class="drawn"><figcaption>{escape(block.title)}</figcaption>'
    yield from dots(block) if isinstance(block, Dots) else lines(block)
    yield f'<p class="legend">{escape(block.note)}</p></figure>' if block.note else "</figure>"


def _matrix(matrix: MatrixBlock) -> Iterator[str]:
    if _is_picture(matrix):
        yield from _picture(matrix)
        return
    body, found, kind = [], matrix.range, DIFFERENCES if _differs(matrix) else VALUES
    for name, entries in zip(matrix.rows, matrix.entries, strict=True):
        line = [_head(name)]
        for column, cell in zip(matrix.columns, entries, strict=True):
            heat = "" if cell.value is None else f' class="{kind}{step_of(found.goodness(cell.value))}"'
            title = escape(f"{name}→{column}: {_tooltip(cell)}")
            line.append(f'<td{heat} title="{title}">{_data(cell)}</td>')
        body.append(line)
    heads = ("", *matrix.columns)
    yield f"<figure><figcaption>{escape(matrix.head or matrix.title)}</figcaption>"
    yield from _table(matrix.title, "map", heads, body, [False] * len(heads), hidden=True)
    yield "</figure>"


def _picture(matrix: MatrixBlock) -> Iterator[str]:
    """Yield a matrix whose cells are too many for numbers as a picture: a point each, worst and best cells in words.

    Of differences small ones are transparent, so that the page is seen, light or dark.
    """
    found = matrix.range
    nothing = STEPS
    steps = [[nothing if cell.value is None else step_of(found.goodness(cell.value)) for cell in line]
             for line in matrix.matrix.cells]  # fmt: skip
    palette = diverging_colours(LIGHT) if matrix.matrix.differs else colours()
    opacities = [255] * STEPS
    if matrix.matrix.differs:
        opacities = [round(255 * min(1.0, abs(2 * i / (STEPS - 1) - 1) * 2)) for i in range(STEPS)]
    picture = b64encode(png(steps, [*palette, (0, 0, 0)], [*opacities, 0])).decode()
    about = f"{len(matrix.rows):,} rows, {matrix.rows[0]} to {matrix.rows[-1]}, by {len(matrix.columns):,} columns"
    yield f'<figure class="drawn"><figcaption>{escape(matrix.head or matrix.title)}</figcaption>'
    yield f'<img class="picture" alt="{escape(f"{matrix.title}: {about}")}" src="data:image/png;base64,{picture}">'
    ordered = sorted(
        (cell.value, row, column)
        for row, line in zip(matrix.rows, matrix.matrix.cells, strict=True)
        for column, cell in zip(matrix.columns, line, strict=True)
        if cell.value is not None
    )
    ends = [("lowest", ordered[:3]), ("highest", ordered[-3:][::-1])]
    write = signed_text if matrix.matrix.differs else measured
    said = "; ".join(
        f"{which} {', '.join(f'{row}→{column} {write(value, matrix.measure)}' for value, row, column in some)}"
        for which, some in ends
    )
    yield f'<p class="legend">{escape(f"{about}; {said}")}</p></figure>'


def _legend(matrix: MatrixBlock, *, named: bool = False) -> Iterator[str]:
    found, kind = matrix.range, DIFFERENCES if _differs(matrix) else VALUES
    worst, best = _ends(matrix)
    ends = [(0, f"{worst} ", found.worst), (STEPS - 1, f"{best} ", found.best)]
    if found.diverging:
        ends.insert(1, (STEPS // 2, "", 0.0))
    write = signed_text if found.diverging else measured
    swatches = (f'<span class="{kind}{step}">{word}{escape(write(end, matrix.measure))}</span>'
                for step, word, end in ends)  # fmt: skip
    about = f"{escape(matrix.heading)}: " if named else ""
    yield f'<p class="legend">{about}{" to ".join(swatches)}</p>'


def _ends(matrix: MatrixBlock) -> tuple[str, str]:
    """Return what the ends of the scale of colours are called."""
    if matrix.measure.better == "neither":
        return "low", "high"
    return ("worse", "better") if matrix.matrix.differs else ("bad", "good")


def _table(
    title: str,
    kind: str,
    heads: Sequence[str],
    body: Sequence[Sequence[str]],
    words: Sequence[bool],
    *,
    hidden: bool = False,
) -> Iterator[str]:
    """Yield a table in a box of its own; where its title stands above the box already, only screen readers see it."""
    yield f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(title)}">'
    yield f'<table class="{kind}">' if kind else "<table>"
    caption = f'<span class="hidden">{escape(title)}</span>' if hidden else escape(title)
    yield f"<caption>{caption}</caption>\n<thead><tr>"
    for head, of_words in zip(heads, words, strict=True):
        yield f'<th scope="col"{"" if of_words else _NUMBER}><bdi>{escape(head)}</bdi></th>'
    yield "</tr></thead>\n<tbody>"
    for line in body:
        yield f"<tr>{''.join(line)}</tr>"
    yield "</tbody>\n</table>\n</div>"


def _notes(notes: Sequence[str]) -> Iterator[str]:
    if notes:
        yield f'<ul class="notes">{"".join(f"<li>{escape(note)}</li>" for note in notes)}</ul>'


_NUMBER = ' class="number"'


def _cell(cell: Entry, *, head: bool) -> str:
    if head:
        return _head(cell.text)
    if cell.kind != "number":
        return f"<td{_long(cell.text)}>{escape(cell.text)}</td>"
    small = f" <small>{escape(cell.interval)}</small>" if cell.interval else ""
    tooltip = f' title="{escape(_tooltip(cell))}"' if cell.n is not None else ""
    return f"<td{_NUMBER}{tooltip}>{_data(cell)}{small}</td>"


def _head(name: str) -> str:
    return f'<th scope="row"{_long(name)}><bdi>{escape(name)}</bdi></th>'


def _long(text: str) -> str:
    """Return the class of a text that may take several lines."""
    return ' class="long"' if cells(text) > _LONG_NAME else ""


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
