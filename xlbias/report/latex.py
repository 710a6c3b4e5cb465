r"""The report as LaTeX: booktabs tables to \input into a paper; what comes from data is escaped."""

from __future__ import annotations

import re
from collections.abc import Sequence

from xlbias.report.document import Block, Cell, Document, Matrix, Paragraph, Table, Terms
from xlbias.text import clean

_PREAMBLE = r"""% Needs \usepackage{booktabs}; names in other scripts need XeLaTeX or LuaLaTeX.
"""
_ESCAPES = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"{\char34}", "`": r"\textasciigrave{}", "'": r"{'}", "-": r"{-}", "[": "{[}", "]": "{]}",
    "*": "{*}", "→": r"$\rightarrow$", "−": "$-$", "–": "--", "·": r"$\cdot$", "α": r"$\alpha$", "χ": r"$\chi$",
    "²": "$^2$", "↑": r"$\uparrow$", "↓": r"$\downarrow$", "…": r"\ldots{}", "§": r"\S{}", "≤": r"$\leq$",
}  # fmt: skip
_MOST_BESIDE = 5  # columns of numbers with intervals beside them that fit a page
_SPECIAL = re.compile("[" + re.escape("".join(_ESCAPES)) + "]")
_MINUS = re.compile(r"(?<![\w\-])-(?=[.\d])")
_WORD_HYPHEN = re.compile(r"(?<=[A-Za-z0-9])\{-\}(?=[A-Za-z0-9])")


def to_latex(document: Document) -> str:
    r"""Return a document as LaTeX without a preamble, for \input."""
    lines = [_PREAMBLE, rf"\section*{{{escape(document.title)}}}", escape(document.subtitle)]
    for section in document.sections:
        lines += ["", rf"\subsection*{{{escape(section.title)}}}"]
        for block in section.blocks:
            lines += ["", *_block(block)]
    return "\n".join(lines) + "\n"


def block_to_latex(block: Block) -> str:
    """Return one block on its own, to paste into a paper; a comment says which packages it needs."""
    return _PREAMBLE + "\n".join(_block(block)) + "\n"


def escape(text: str) -> str:
    """Return a text as LaTeX that shows it, in one paragraph: every special character as itself, no ligatures."""
    signed = _MINUS.sub("−", clean(text))
    escaped = _SPECIAL.sub(lambda match: _ESCAPES[match.group()], signed)
    return _WORD_HYPHEN.sub("-", escaped)


def _block(block: Block) -> list[str]:
    if isinstance(block, Paragraph):
        return [escape(block.text)]
    if isinstance(block, Terms):
        entries = [rf"\item[{{{escape(word)}}}] {escape(meaning)}" for word, meaning in block.entries]
        return [rf"\subsubsection*{{{escape(block.title)}}}", r"\begin{description}", *entries, r"\end{description}"]
    if isinstance(block, Matrix):
        return _table(block.as_table(), stacked=len(block.columns) > _MOST_BESIDE)
    return _table(block)


def _table(table: Table, *, stacked: bool = False) -> list[str]:
    """Return a table; `stacked` puts intervals on a line of their own below the numbers, where many stand abreast."""
    columns = "".join("l" if table.of_words(i) else "r" for i in range(len(table.heads)))
    return [
        r"\begin{table*}[htbp]",
        r"\centering\small\setlength{\tabcolsep}{3pt}",
        rf"\caption{{{escape(table.title)}}}",
        rf"\begin{{tabular}}{{@{{}}{columns}@{{}}}}",
        r"\toprule",
        _row([escape(head) for head in table.heads]),
        r"\midrule",
        *(line for row in table.rows for line in (_stacked(row) if stacked else [_row([_cell(cell) for cell in row])])),
        r"\bottomrule",
        r"\end{tabular}",
        *(rf"\par\footnotesize {escape(note)}" for note in table.notes),
        r"\end{table*}",
    ]


def _row(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def _stacked(row: Sequence[Cell]) -> list[str]:
    lines = [_row([escape(cell.text) for cell in row])]
    if any(cell.interval for cell in row):
        lines.append(_row([rf"{{\tiny {escape(cell.interval)}}}" if cell.interval else "" for cell in row]))
    return lines


def _cell(cell: Cell) -> str:
    small = rf" {{\scriptsize {escape(cell.interval)}}}" if cell.interval else ""
    return escape(cell.text) + small
