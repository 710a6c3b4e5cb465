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
    return _table(block.as_table() if isinstance(block, Matrix) else block)


def _table(table: Table) -> list[str]:
    columns = "".join("l" if table.of_words(i) else "r" for i in range(len(table.heads)))
    return [
        r"\begin{table*}[htbp]",
        r"\centering\small\setlength{\tabcolsep}{3pt}",
        rf"\caption{{{escape(table.title)}}}",
        rf"\begin{{tabular}}{{@{{}}{columns}@{{}}}}",
        r"\toprule",
        _row([escape(head) for head in table.heads]),
        r"\midrule",
        *(_row([_cell(cell) for cell in row]) for row in table.rows),
        r"\bottomrule",
        r"\end{tabular}",
        *(rf"\par\footnotesize {escape(note)}" for note in table.notes),
        r"\end{table*}",
    ]


def _row(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def _cell(cell: Cell) -> str:
    small = rf" {{\scriptsize {escape(cell.interval)}}}" if cell.interval else ""
    return escape(cell.text) + small
