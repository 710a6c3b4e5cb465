"""Aligned columns and wrapped lines: what text is laid out with."""

from __future__ import annotations

import re
from collections.abc import Sequence

from xlbias.text import clean, cut
from xlbias.text import width as cells


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 0) -> list[str]:
    """Return aligned lines; columns are right-aligned but for the last `left` ones; cells are cleaned."""
    heads, rows = [clean(head) for head in heads], [[clean(cell) for cell in row] for row in rows]
    widths = [max(cells(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    first_left = len(heads) - left

    def line(cells: Sequence[str]) -> str:
        return "  ".join(
            cell.rjust(widths[i]) if i < first_left else (cell if i == len(heads) - 1 else cell.ljust(widths[i]))
            for i, cell in enumerate(cells)
        )

    return [line(heads), *(line(row) for row in rows)]


def cut_all(lines: list[str], width: int) -> list[str]:
    """Return lines of at most `width` cells."""
    return [cut(line, width) for line in lines]


def blocks(firsts: Sequence[str], heads: Sequence[str], body: Sequence[Sequence[str]], width: int) -> list[str]:
    """Return a table with a row per name in `firsts`, in blocks of as many columns as fit the width."""
    first = max((len(name) for name in firsts), default=0)
    widest = max(len(cell) for row in [heads, *body] for cell in row) + 2
    per_line = max(1, (width - first) // widest)
    lines = []
    for start in range(0, len(heads), per_line):
        part = slice(start, start + per_line)
        rows = [[name, *row[part]] for name, row in zip(firsts, body, strict=True)]
        lines += table(["", *heads[part]], rows)
    return lines


def wrapped(text: str, width: int) -> list[str]:
    """Return `text` in indented lines of at most `width` cells; a word that is longer is cut."""
    lines: list[str] = []
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines else ""
        if lines and cells(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(cut(f"  {word}", width))
    return lines


def wrapped_behind(head: str, text: str, margin: int, width: int) -> list[str]:
    """Return `text` in lines of at most `width` cells behind a head, which stands on the first of them."""
    lines = [line[2:] for line in wrapped(_TOGETHER.sub(_joined, clean(text)), width - margin + 2)]
    return [f"{(head if i == 0 else '').ljust(margin)}{line}".replace(_GLUE, " ") for i, line in enumerate(lines)]


_LEAST_NAME = 8
_GLUE = "\ue000"  # for private use: no text that is shown has it
_TOGETHER = re.compile(r"\[[^\[\] ]+, [^\[\] ]+\]|\d %|\bp [≤<] \S|\bp \.")


def _joined(found: re.Match[str]) -> str:
    return found.group().replace(" ", _GLUE)


def names_left(heads: Sequence[str], rows: Sequence[Sequence[str]], labels: int, width: int) -> list[str]:
    """Return aligned lines: the first `labels` columns left, cut where there is no room, numbers on the right."""
    top, *body = ([clean(cell) for cell in row] for row in [heads, *rows])
    widths = [max(cells(row[i]) for row in [top, *body]) for i in range(len(heads))]
    while sum(widths) + 2 * (len(widths) - 1) > width and max(widths[:labels]) > _LEAST_NAME:
        widths[widths.index(max(widths[:labels]))] -= 1
    body = [[cut(cell, widths[i]) if i < labels else cell for i, cell in enumerate(row)] for row in body]
    return [
        "  ".join(
            cell + " " * (widths[i] - cells(cell)) if i < labels else " " * (widths[i] - cells(cell)) + cell
            for i, cell in enumerate(row)
        ).rstrip()
        for row in [top, *body]
    ]
