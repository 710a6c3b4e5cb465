"""Columns of a virtual table: which fit a width, and how a row becomes styled text.

Columns of codes and numbers are aligned and have a fixed width. Columns of text from data come after them, because
terminals disagree about the width of Indic, Thai and right-to-left text: only what stands behind it can shift.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from xlbias.report.numbers import NOTHING
from xlbias.text import brief, one_line, width

GAP = 2
"""Blank cells between two columns."""

MIN_TEXT = 30
"""Cells that are kept for the text columns, if they need so many, before a column of numbers is left out."""

ATTENTION = "◆"
"""Before a value that needs attention."""

_LEAST_TEXT = 8
_LEAST_OPTIONAL = 14  # cells below which a text column that may be left out says nothing


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: of the frame's column.
        label: head.
        width: in terminal cells; of a text column the most it takes, shared out if there is less.
        format: how a value that is not null is written.
        align: of an aligned column.
        group: head over several neighbouring columns.
        rank: the higher, the earlier it is left out where there is no room; 0 stays always.
        text: whether it holds text from data, which stands last on its line.
        sortable: whether the table may be sorted by it.
        best_first: whether sorting by it begins with the largest values.
        style: component class of its values.
        lower: name of the frame's column with the least that a value can be, which stands for one that is null.
        attention: name of the frame's column that holds the names of columns whose value in a row needs attention; such
            a value has a mark before it.
        brief: whether hidden characters of its texts take one cell each; else their code points are written out.
    """

    name: str
    label: str
    width: int
    format: Callable[[Any], str] = str
    align: Literal["left", "right"] = "right"
    group: str = ""
    rank: int = 0
    text: bool = False
    sortable: bool = True
    best_first: bool = False
    style: str = "virtual-table--value"
    brief: bool = False
    lower: str = ""
    attention: str = ""

    def of_row(self, values: Mapping[str, Any], cells: int) -> str:
        """Return the value of a row in exactly `cells` terminal cells; where it is null, ``≥`` and the least."""
        value, least = values.get(self.name), values.get(self.lower)
        if value is not None and self.marked(values):
            return fit(f"{ATTENTION}{self.format(value)}", cells, "left" if self.text else self.align)
        if value is None and least is not None:
            return fit(f"≥{self.format(least)}", cells, "left" if self.text else self.align)
        return self.cell(value, cells)

    def marked(self, values: Mapping[str, Any]) -> bool:
        """Whether the value of a row needs attention."""
        return self.name in (values.get(self.attention) or ())

    def cell(self, value: Any, cells: int) -> str:
        """Return a value as exactly `cells` terminal cells of clean text."""
        shown = NOTHING if value is None else self.format(value)
        if self.brief:
            shown = brief(shown[: cells * 32 + 32])
        return fit(shown, cells, "left" if self.text else self.align)


@dataclass(frozen=True)
class Placed:
    """A column with its place on the line."""

    column: Column
    x: int
    width: int


def place(columns: Sequence[Column], total: int, *, margin: int = 0) -> tuple[Placed, ...]:
    """Choose the columns that fit `total` cells, least important ones out first, and give each its place.

    Aligned columns come first, text columns last, both in the given order; those of one rank stay or go together.
    `margin` cells stay free on the left.
    """
    texts = [column for column in columns if column.text]
    shown = [column for column in columns if not column.text]
    room = total - margin
    wanted_text = min(_needed(column for column in texts if not column.rank), MIN_TEXT)
    behind = 0 if texts else GAP  # nothing stands behind the last of them
    while _needed(shown) + wanted_text - behind > room and any(column.rank for column in shown):
        shown = _without_least(shown)
    room -= _needed(shown)
    while _needed(c for c in texts if not c.rank) + _LEAST_OPTIONAL > room and any(column.rank for column in texts):
        texts = _without_least(texts)
    placed, x = [], margin
    for column in shown:
        placed.append(Placed(column, x, column.width))
        x += column.width + GAP
    for i, column in enumerate(texts):
        share = _share(column, texts[i + 1 :], total - x)
        if share <= 0:
            break
        placed.append(Placed(column, x, share))
        x += share + GAP
    return tuple(placed)


def _needed(columns: Iterable[Column]) -> int:
    """Cells of some columns with the gap behind each."""
    return sum(column.width + GAP for column in columns)


def _without_least(columns: Sequence[Column]) -> list[Column]:
    """The columns without those of the highest rank."""
    least = max(column.rank for column in columns)
    return [column for column in columns if column.rank != least]


def _share(column: Column, rest: Sequence[Column], room: int) -> int:
    """Cells of a text column: what it wants, but for a few that those behind it need; all if it is the last."""
    if not rest:
        return room
    reserved = sum(min(other.width, _LEAST_TEXT) + GAP for other in rest)
    return min(room, max(_LEAST_TEXT, min(column.width, room - reserved)))


def fit(text: str, cells: int, align: Literal["left", "right"] = "left") -> str:
    """Clean, cut and pad `text` to exactly `cells` terminal cells."""
    line = one_line(text, cells)
    blank = " " * (cells - width(line))
    return blank + line if align == "right" else line + blank
