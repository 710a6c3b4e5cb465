r"""The report as LaTeX: booktabs tables to \input into a paper, as wide as its lines; data is escaped.

A table that is too wide gets a smaller size, then its intervals below the numbers, then a second part below the first
one, with the names of the rows again.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from xlbias.report.document import Document, MatrixBlock, Paragraph, Plain, Table, Terms
from xlbias.report.formats.excerpt import of_cell, of_row
from xlbias.report.formats.format import Format
from xlbias.report.formats.tex_widths import LINE
from xlbias.report.formats.tex_widths import width as width_of
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
    "≥": r"$\geq$", "≠": r"$\neq$", "×": r"$\times$", "±": r"$\pm$", "√": r"$\surd$", "Σ": r"$\Sigma$", "μ": r"$\mu$",
    "σ": r"$\sigma$", "∆": r"$\Delta$", "³": "$^3$", "ᵀ": "$^T$", "▲": r"$\bigtriangleup$",
    "▼": r"$\bigtriangledown$",
}  # fmt: skip
_MOST_IN_A_COLUMN = 8  # columns, that of the names among them, of a table in one column of a paper
_LONGEST_LABEL = 40  # characters
_MOST_LINES = 40  # of a table that fits one page
_WIDEST_NAME = 0.36  # of the line, that a name of a row may take before it is broken
_WIDEST_WORDS = 0.26  # of the line, that other words may take
_WIDEST_HEAD = 64.0  # points that the head of a column of numbers may take before it is broken
_LONG_WORD = 14  # characters from which a word may be broken anywhere
_FLOATS = 12  # tables after which they are set before any more come: TeX keeps no more than 52 waiting
_SPECIAL = re.compile("[" + re.escape("".join(_ESCAPES)) + "]")
_MINUS = re.compile(r"(?<![\w\-])-(?=[.\d])")
_WORD_HYPHEN = re.compile(r"(?<=[A-Za-z0-9])\{-\}(?=[A-Za-z0-9])")


def to_latex(document: Document) -> str:
    r"""Return a document as LaTeX without a preamble, for \input."""
    lines = [
        _PREAMBLE.rstrip("\n"),
        r"\begingroup\sloppy",
        rf"\section*{{{_breakable(document.title)}}}",
        _breakable(document.subtitle),
    ]
    for section in document.plain:
        lines += ["", rf"\subsection*{{{_breakable(section.title)}}}"]
        waiting = 0
        for block in section.plain:
            for part in _floats(_block(block)):
                lines += ["", *part]
                waiting += part[0].startswith(r"\begin{table")
                if waiting == _FLOATS:
                    lines += ["", r"\clearpage"]
                    waiting = 0
        if waiting > 2:
            lines += ["", r"\clearpage"]
    return "\n".join([*lines, "", r"\par\endgroup"]) + "\n"


def block_to_latex(block: Plain) -> str:
    """Return one block on its own, to paste into a paper; a comment says which packages it needs.

    It has a label, and is as wide as a column of the paper unless it has too many columns for that. One row of a matrix
    has its intervals on a line below it.
    """
    if isinstance(block, MatrixBlock) and len(block.rows) == 1:
        one = len(block.columns) == 1
        lines = _table(of_cell(block) if one else of_row(block), stacked=not one, alone=True)
    elif isinstance(block, MatrixBlock):
        lines = _table(block.as_table(), alone=True)
    else:
        lines = _table(block, alone=True) if isinstance(block, Table) else _block(block)
    return _PREAMBLE + "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """Return a text as LaTeX that shows it, in one paragraph: every special character as itself, no ligatures."""
    return _escaped(_signed(text))


def _escaped(text: str) -> str:
    return _WORD_HYPHEN.sub("-", _SPECIAL.sub(lambda match: _ESCAPES[match.group()], text))


def _signed(text: str) -> str:
    """Return a text, cleaned, with a minus for every hyphen before a number."""
    return _MINUS.sub("−", clean(text))


def _width(text: str, size: str) -> float:
    return width_of(_signed(text), size)


def _breakable(text: str) -> str:
    r"""Return a text as `escape` does, with places where its long words may be broken."""
    parts = re.split(r"( +)", _signed(text))
    return "".join(_broken(part) if len(part) >= _LONG_WORD else _escaped(part) for part in parts)


def _broken(word: str) -> str:
    """Return a long word with places to break it: behind what is no letter, and every few letters."""
    pieces = re.findall(r"[^\W_]{1,8}[\W_]?|[\W_]", word)
    return r"\hspace{0pt}".join(map(_escaped, pieces))


def _block(block: Plain) -> list[str]:
    if isinstance(block, Paragraph):
        return [_breakable(block.text)]
    if isinstance(block, Terms):
        entries = [rf"\item[] \textbf{{{_breakable(word)}}} {_breakable(text)}" for word, text in block.entries]
        title = rf"\subsubsection*{{{_breakable(block.title)}}}"
        return [title, r"\begin{description}", *entries, r"\end{description}"]
    return _table(block.as_table() if isinstance(block, MatrixBlock) else block)


def _floats(lines: Sequence[str]) -> Iterator[list[str]]:
    """Yield lines, those of each table for themselves."""
    part: list[str] = []
    for line in lines:
        if part and line.startswith(r"\begin{table"):
            yield part
            part = []
        part.append(line)
    yield part


@dataclass(frozen=True)
class _Layout:
    """How a table is set: sizes of numbers and intervals, room between columns, intervals below the numbers or not."""

    size: str = r"\small"
    small: str = r"\scriptsize"
    gap: float = 3.0
    stacked: bool = False

    def room(self, table: Table, column: int) -> float:
        """Return how wide a column is at most."""
        head, cells = table.heads[column], [row[column] for row in table.rows]
        if limit := self.limit(table, column):
            return min(limit, max(_width(text, self.size) for text in (head, *(one.whole for one in cells))))
        widest = max((self._of_entry(one) for one in cells), default=0.0)
        return max(widest, min(_width(head, self.size), max(widest, _WIDEST_HEAD)))

    def _of_entry(self, entry: Entry) -> float:
        text, ends = _width(entry.text, self.size), _width(entry.interval, self.small)
        if not entry.interval:
            return text
        return max(text, ends) if self.stacked else text + _width(" ", self.size) + ends

    def limit(self, table: Table, column: int) -> float:
        """Return from what width on the words of a column are broken; 0 where it holds numbers."""
        if column < table.labels:
            return _WIDEST_NAME * LINE / table.labels
        return _WIDEST_WORDS * LINE if table.of_words(column) else 0.0

    def fits(self, table: Table, columns: Sequence[int]) -> bool:
        """Whether these columns fit a line together."""
        return sum(self.room(table, i) for i in columns) + 2 * self.gap * (len(columns) - 1) <= LINE


_LAYOUTS = (
    _Layout(),
    _Layout(r"\footnotesize"),
    _Layout(r"\footnotesize", gap=2.0),
    _Layout(r"\scriptsize", r"\tiny", gap=2.0),
    _Layout(stacked=True),
    _Layout(r"\footnotesize", stacked=True),
    _Layout(r"\scriptsize", gap=2.0, stacked=True),
)
_IN_PARTS = _Layout(stacked=True)


def _layout(table: Table, *, stacked: bool) -> tuple[_Layout, list[list[int]]]:
    """Return how a table is set, and the columns of each of its parts: one part, where any layout has room for it."""
    every = list(range(len(table.heads)))
    for layout in _LAYOUTS:
        if (layout.stacked or not stacked) and layout.fits(table, every):
            return layout, [every]
    names, numbers = every[: table.labels], every[table.labels :]
    parts: list[list[int]] = [names]
    for column in numbers:
        if len(parts[-1]) > table.labels and not _IN_PARTS.fits(table, [*parts[-1], column]):
            parts.append(names)
        parts[-1] = [*parts[-1], column]
    size = -(-len(numbers) // len(parts))
    even = [[*names, *numbers[i : i + size]] for i in range(0, len(numbers), size)]
    return _IN_PARTS, even if all(_IN_PARTS.fits(table, part) for part in even) else parts


def _table(table: Table, *, stacked: bool = False, alone: bool = False) -> list[str]:
    """Return a table, or several where it has more rows than a page.

    `stacked` puts intervals below the numbers in any case. One that stands `alone` has a label, and is a column wide
    where it has few columns.
    """
    few = len(table.heads) <= _MOST_IN_A_COLUMN
    kind = "table" if alone and few else "table*"
    layout, parts = _layout(table, stacked=stacked)
    words = sum(_lines(text, LINE, layout) for text in (table.title, *table.notes))
    room = max(_MOST_LINES - words, _MOST_LINES // 2)
    floats = [
        (group, rows) for group in _groups(table, parts, layout, room) for rows in _pages(table, group, layout, room)
    ]
    lines: list[str] = []
    for i, (group, rows) in enumerate(floats):
        lines += [
            rf"\begin{{{kind}}}[htbp]",
            rf"\centering{layout.size}\setlength{{\tabcolsep}}{{{layout.gap:g}pt}}",
            rf"\caption{{{_breakable(table.title)}{' (continued)' if i else ''}}}",
            *([rf"\label{{{_label(table.title)}}}"] if alone and not i else []),
        ]
        for n, columns in enumerate(group):
            lines += [*([r"\par\medskip"] if n else []), *_tabular(table, columns, rows, layout)]
        if i == len(floats) - 1:
            lines += [rf"\par\footnotesize {_breakable(note)}" for note in table.notes]
        lines.append(rf"\end{{{kind}}}")
    return lines


def _tabular(table: Table, columns: Sequence[int], rows: Sequence[int], layout: _Layout) -> list[str]:
    """Return some columns and rows of a table."""
    kinds = "".join("l" if table.of_words(column) else "r" for column in columns)
    return [
        rf"\begin{{tabular}}{{@{{}}{kinds}@{{}}}}",
        r"\toprule",
        _row([_head(table, column, layout) for column in columns]),
        r"\midrule",
        *(line for row in rows for line in _set(table, row, columns, layout)),
        r"\bottomrule",
        r"\end{tabular}",
    ]


def _lines(text: str, room: float, layout: _Layout) -> int:
    """Return how many lines a text takes at most in so much room."""
    needed = _width(text, layout.size)
    return 1 if needed <= room else math.ceil(1.2 * needed / max(room, 1.0)) + 1


def _height(table: Table, row: int, columns: Sequence[int], layout: _Layout) -> int:
    """Return how many lines a row takes."""
    cells = [table.rows[row][column] for column in columns]
    broken = [
        _lines(cell.text, layout.room(table, column), layout)
        for column, cell in zip(columns, cells, strict=True)
        if layout.limit(table, column)
    ]
    return max(broken, default=1) + (layout.stacked and any(cell.interval for cell in cells))


def _around(table: Table, columns: Sequence[int], layout: _Layout) -> int:
    """Return how many lines a part takes that are no rows: its heads, its rules and what is between parts."""
    return 2 + max(_lines(table.heads[column], layout.room(table, column), layout) for column in columns)


def _groups(table: Table, parts: Sequence[list[int]], layout: _Layout, room: int) -> Iterator[Sequence[list[int]]]:
    """Yield the parts that stand below each other on one page: all of their rows, or one part."""
    rows = range(len(table.rows))
    group: list[list[int]] = []
    used = 0
    for part in parts:
        height = _around(table, part, layout) + sum(_height(table, row, part, layout) for row in rows)
        if group and used + height > room:
            yield group
            group, used = [], 0
        group.append(part)
        used += height
    yield group


def _pages(table: Table, group: Sequence[list[int]], layout: _Layout, room: int) -> Iterator[list[int]]:
    """Yield the rows that fit a page together: all of them, where there are several parts."""
    page: list[int] = []
    used = above = max(_around(table, part, layout) for part in group)
    for row in range(len(table.rows)):
        height = max(_height(table, row, part, layout) for part in group)
        if page and len(group) == 1 and used + height > room:
            yield page
            page, used = [], above
        page.append(row)
        used += height
    yield page


def _head(table: Table, column: int, layout: _Layout) -> str:
    return _fitted(table.heads[column], layout.room(table, column), layout, right=not table.of_words(column))


def _set(table: Table, row: int, columns: Sequence[int], layout: _Layout) -> Iterator[str]:
    """Yield the lines of a row."""
    cells = [table.rows[row][column] for column in columns]
    written = [
        _fitted(cell.text, layout.room(table, column), layout) if layout.limit(table, column) else escape(cell.text)
        for column, cell in zip(columns, cells, strict=True)
    ]
    ends = [rf"{{{layout.small} {escape(cell.interval)}}}" if cell.interval else "" for cell in cells]
    if not layout.stacked:
        written = [f"{text} {end}" if end else text for text, end in zip(written, ends, strict=True)]
    yield _row(written)
    if layout.stacked and any(ends):
        yield _row(ends)


def _fitted(text: str, room: float, layout: _Layout, *, right: bool = False) -> str:
    """Return a text that is set in several lines where it is wider than its room."""
    if _width(text, layout.size) <= room + 1e-9:
        return escape(text)
    way = r"\raggedleft" if right else r"\raggedright"
    return rf"\parbox[t]{{{room:.1f}pt}}{{{way}\strut {_breakable(text)}\strut}}"


def _label(title: str) -> str:
    """Return a label for references, of letters and digits that are safe in one; of a long title one of its own."""
    slug = re.sub("[^a-z0-9]+", "-", title.lower()).strip("-")
    if len(slug) > _LONGEST_LABEL or not slug:
        digest = hashlib.sha256(title.encode("utf-8", "surrogatepass")).hexdigest()[:6]
        slug = f"{slug[:_LONGEST_LABEL].strip('-')}-{digest}".lstrip("-")
    return f"tab:{slug}"


def _row(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


FORMAT = Format(lambda documents, _: "\n".join(map(to_latex, documents)), block_to_latex)
