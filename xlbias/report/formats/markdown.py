"""The report as Markdown: pipe tables, as GitHub shows them; what comes from data is escaped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from xlbias.report.document import Document, MatrixBlock, Paragraph, Plain, Table, Terms
from xlbias.report.formats.excerpt import of_cell, of_row
from xlbias.report.formats.format import Format
from xlbias.report.numbers import NOTHING, Entry, numeric
from xlbias.text import clean

_SPECIAL = re.compile(r"[\\`*_{}\[\]<>|~#$&!]|(?<=\w):(?=//)|(?<=www)\.", re.IGNORECASE)
_OPENING = re.compile(r"^(\d*)([-+=.)])")  # would begin a list or an underline

_PLAIN = re.compile(r"-?[\d.,]+|\[[-\d., ]+\]")  # a number, or an interval, as it is shown


def to_markdown(document: Document) -> str:
    """Return a document as GitHub-flavoured Markdown."""
    lines = [f"# {escape(document.title)}", "", escape(document.subtitle)]
    for section in document.plain:
        lines += ["", f"## {escape(section.title)}"]
        for block in section.plain:
            lines += ["", *_block(block)]
    return "\n".join(lines) + "\n"


def block_to_markdown(block: Plain) -> str:
    """Return one block on its own, e.g. to paste into an issue."""
    if isinstance(block, MatrixBlock) and len(block.rows) == 1:
        block = of_cell(block) if len(block.columns) == 1 else _with_intervals(of_row(block))
    return "\n".join(_block(block)) + "\n"


def _with_intervals(table: Table) -> Table:
    """Return the table of one row of a matrix with the intervals in a row of their own."""
    (name, *cells), *further = table.rows
    if not any(cell.interval for cell in cells):
        return table
    values = (name, *(replace(cell, interval="") for cell in cells))
    ends = (Entry("95 % interval"), *(numeric(cell.interval or NOTHING) for cell in cells))
    return replace(table, rows=(values, ends, *further))


def escape(text: str) -> str:
    """Return a text as Markdown that shows it: on one line, no markup, no HTML, no link."""
    escaped = _SPECIAL.sub(lambda match: f"\\{match.group()}", clean(text).strip())
    return _OPENING.sub(r"\1\\\2", escaped)


def _block(block: Plain) -> list[str]:
    if isinstance(block, Paragraph):
        return [escape(block.text)]
    if isinstance(block, Terms):
        return [f"### {escape(block.title)}", "", *(f"- **{escape(w)}**: {escape(text)}" for w, text in block.entries)]
    return _table(block.as_table() if isinstance(block, MatrixBlock) else block)


def _table(table: Table) -> list[str]:
    aligned = [":---" if table.of_words(i) else "---:" for i in range(len(table.heads))]
    lines = [f"### {escape(table.title)}", "", _row([escape(head) for head in table.heads]), _row(aligned)]
    lines += [_row([_cell(cell) for cell in row]) for row in table.rows]
    if table.notes:
        lines += ["", *(f"- {escape(note)}" for note in table.notes)]
    return lines


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Entry) -> str:
    text = cell.text if _PLAIN.fullmatch(cell.text) else escape(cell.text)
    return f"{text} {cell.interval}" if cell.interval else text


FORMAT = Format(lambda documents, _: "\n".join(map(to_markdown, documents)), block_to_markdown)
