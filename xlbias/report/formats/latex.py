r"""The report as LaTeX: booktabs tables to \input into a paper; what comes from data is escaped."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from xlbias.report.document import Document, MatrixBlock, Paragraph, Plain, Table, Terms
from xlbias.report.formats.excerpt import of_cell, of_row
from xlbias.report.formats.format import Format
from xlbias.report.numbers import Entry
from xlbias.text import clean

_PREAMBLE = r"""% Needs \usepackage{booktabs}; names in other scripts need XeLaTeX or LuaLaTeX.
"""
_ESCAPES = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"{\char34}", "`": r"\textasciigrave{}", "'": r"{'}", "-": r"{-}", "[": "{[}", "]": "{]}",
    "*": "{*}", "→": r"$\rightarrow$", "−": "$-$", "–": "--", "·": r"$\cdot$", "α": r"$\alpha$", "χ": r"$\chi$",
    "Δ": r"$\Delta$", "²": "$^2$",
    "↑": r"$\uparrow$", "↓": r"$\downarrow$", "…": r"\ldots{}", "§": r"\S{}", "≤": r"$\leq$",
}  # fmt: skip
_MOST_IN_A_COLUMN = 8  # columns, that of the names among them, of a table in one column of a paper
_LONGEST_LABEL = 40  # characters
_MOST_BESIDE = 5  # columns of numbers with intervals beside them that fit a page
_SPECIAL = re.compile("[" + re.escape("".join(_ESCAPES)) + "]")
_MINUS = re.compile(r"(?<![\w\-])-(?=[.\d])")
_WORD_HYPHEN = re.compile(r"(?<=[A-Za-z0-9])\{-\}(?=[A-Za-z0-9])")


def to_latex(document: Document) -> str:
    r"""Return a document as LaTeX without a preamble, for \input."""
    lines = [_PREAMBLE, rf"\section*{{{escape(document.title)}}}", escape(document.subtitle)]
    for section in document.sections:
        lines += ["", rf"\subsection*{{{escape(section.title)}}}"]
        for block in section.plain:
            lines += ["", *_block(block)]
    return "\n".join(lines) + "\n"


def block_to_latex(block: Plain) -> str:
    """Return one block on its own, to paste into a paper; a comment says which packages it needs.

    It has a label, and is as wide as a column of the paper unless it has too many columns for that. One row of a matrix
    has its intervals on a line below it.
    """
    if isinstance(block, MatrixBlock) and len(block.rows) == 1:
        one = len(block.columns) == 1
        lines = _table(of_cell(block) if one else of_row(block), stacked=not one, alone=True)
    elif isinstance(block, MatrixBlock):
        lines = _table(block.as_table(), stacked=len(block.columns) > _MOST_BESIDE, alone=True)
    else:
        lines = _table(block, alone=True) if isinstance(block, Table) else _block(block)
    return _PREAMBLE + "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """Return a text as LaTeX that shows it, in one paragraph: every special character as itself, no ligatures."""
    signed = _MINUS.sub("−", clean(text))
    escaped = _SPECIAL.sub(lambda match: _ESCAPES[match.group()], signed)
    return _WORD_HYPHEN.sub("-", escaped)


def _block(block: Plain) -> list[str]:
    if isinstance(block, Paragraph):
        return [escape(block.text)]
    if isinstance(block, Terms):
        entries = [rf"\item[{{{escape(word)}}}] {escape(meaning)}" for word, meaning in block.entries]
        return [rf"\subsubsection*{{{escape(block.title)}}}", r"\begin{description}", *entries, r"\end{description}"]
    if isinstance(block, MatrixBlock):
        return _table(block.as_table(), stacked=len(block.columns) > _MOST_BESIDE)
    return _table(block)


def _table(table: Table, *, stacked: bool = False, alone: bool = False) -> list[str]:
    """Return a table; `stacked` puts intervals on a line of their own below the numbers, where many stand abreast.

    One that stands `alone` has a label, and is a column wide where it has few columns.
    """
    few = len(table.heads) <= _MOST_IN_A_COLUMN
    kind = "table" if alone and few else "table*"
    size = r"\scriptsize" if len(table.heads) <= _MOST_BESIDE + 1 else r"\tiny"
    columns = "".join("l" if table.of_words(i) else "r" for i in range(len(table.heads)))
    return [
        rf"\begin{{{kind}}}[htbp]",
        r"\centering\small\setlength{\tabcolsep}{3pt}",
        rf"\caption{{{escape(table.title)}}}",
        *([rf"\label{{{_label(table.title)}}}"] if alone else []),
        rf"\begin{{tabular}}{{@{{}}{columns}@{{}}}}",
        r"\toprule",
        _row([escape(head) for head in table.heads]),
        r"\midrule",
        *(
            line
            for row in table.rows
            for line in (_stacked(row, size) if stacked else [_row([_cell(cell) for cell in row])])
        ),
        r"\bottomrule",
        r"\end{tabular}",
        *(rf"\par\footnotesize {escape(note)}" for note in table.notes),
        rf"\end{{{kind}}}",
    ]


def _label(title: str) -> str:
    """Return a label for references, of letters and digits that are safe in one; of a long title one of its own."""
    slug = re.sub("[^a-z0-9]+", "-", title.lower()).strip("-")
    if len(slug) > _LONGEST_LABEL or not slug:
        digest = hashlib.sha256(title.encode("utf-8", "surrogatepass")).hexdigest()[:6]
        slug = f"{slug[:_LONGEST_LABEL].strip('-')}-{digest}".lstrip("-")
    return f"tab:{slug}"


def _row(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def _stacked(row: Sequence[Entry], size: str) -> list[str]:
    lines = [_row([escape(cell.text) for cell in row])]
    if any(cell.interval for cell in row):
        lines.append(_row([rf"{{{size} {escape(cell.interval)}}}" if cell.interval else "" for cell in row]))
    return lines


def _cell(cell: Entry) -> str:
    small = rf" {{\scriptsize {escape(cell.interval)}}}" if cell.interval else ""
    return escape(cell.text) + small


FORMAT = Format(lambda documents, _: "\n".join(map(to_latex, documents)), block_to_latex)
