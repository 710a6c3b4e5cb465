"""A document as plain text: tables aligned in columns, names that come from data last on their line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xlbias.report.document import Document, MatrixBlock, Paragraph, Plain, Table
from xlbias.report.formats.columns import blocks, cut_all, names_left, table, wrapped
from xlbias.report.formats.format import Format
from xlbias.text import clean, cut
from xlbias.text import width as cells


def document_to_text(document: Document, width: int = 80) -> str:
    """Return a document as text of at most `width` columns; the audit of a run has a text of its own."""
    lines = [cut(clean(document.title), width), cut(clean(document.subtitle), width)]
    for section in document.plain:
        lines += ["", cut(clean(section.title), width)]
        for block in section.plain:
            lines += ["", *_block(block, width)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def table_lines(block: Table, width: int) -> list[str]:
    """Return a table as text, in blocks of as many columns as fit.

    What names the rows stands left where it is our own words, and last where it comes from data and may be long.
    """
    labels = [[cell.text for cell in row[: block.labels]] for row in block.rows]
    body = [[cell.whole for cell in row[block.labels :]] for row in block.rows]
    named, heads = block.heads[: block.labels], block.heads[block.labels :]
    widths = [2 + max(map(cells, column)) for column in zip(heads, *body, strict=True)]
    of_labels = sum(2 + max(map(cells, column)) for column in zip(named, *labels, strict=True))
    ours = all(cell.kind == "text" for row in block.rows for cell in row[: block.labels])
    lines = [cut(clean(block.title), width)]
    for part in _parts(widths, width - min(of_labels - 2 * ours, width // (3 if ours else 2))):
        if ours:
            rows = [[*name, *numbers[part]] for numbers, name in zip(body, labels, strict=True)]
            lines += cut_all(names_left([*named, *heads[part]], rows, block.labels, width), width)
        else:
            rows = [[*numbers[part], *name] for numbers, name in zip(body, labels, strict=True)]
            lines += cut_all(table([*heads[part], *named], rows, left=block.labels), width)
    return [*lines, *_wrapped(block.notes, width)]


def _parts(widths: Sequence[int], room: int) -> Iterator[slice]:
    """Yield slices of columns that fit the room together, at least one each."""
    start = used = 0
    for i, one in enumerate(widths):
        if i > start and used + one > room:
            yield slice(start, i)
            start, used = i, 0
        used += one
    yield slice(start, len(widths))


def matrix_lines(block: MatrixBlock, width: int) -> list[str]:
    """Return a matrix as text, in blocks of columns where they do not fit one line."""
    body = [[one.text for one in row] for row in block.entries]
    lines = [cut(clean(block.title), width), *cut_all(blocks(block.rows, block.columns, body, width), width)]
    return [*lines, *_wrapped(block.notes, width)]


def _block(block: Plain, width: int) -> list[str]:
    if isinstance(block, Table):
        return table_lines(block, width)
    if isinstance(block, MatrixBlock):
        return matrix_lines(block, width)
    if isinstance(block, Paragraph):
        return list(_wrapped([block.text], width))
    entries = [f"{word}: {meaning}" for word, meaning in block.entries]
    return [cut(clean(block.title), width), *_wrapped(entries, width)]


def _wrapped(texts: list[str] | tuple[str, ...], width: int) -> Iterator[str]:
    for text in texts:
        yield from wrapped(clean(text), width)


FORMAT = Format(lambda documents, width: "\n".join(document_to_text(one, width) for one in documents))
