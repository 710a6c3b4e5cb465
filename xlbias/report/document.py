"""What a report is, whatever its format: sections of paragraphs, tables and matrices, whose cells know their numbers.

Texts may come from data: every renderer makes them safe for its format, after `xlbias.text.clean`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from xlbias.measures.measure import Direction, Measure

Kind = Literal["text", "name", "number"]


@dataclass(frozen=True)
class Cell:
    """One cell of a table.

    Attributes:
        text: what is shown, the same in every format; ``·`` for a number that is undefined.
        value: the number in full precision; None for a text, and where undefined.
        low: lower end of its 95% interval, or None.
        high: upper end.
        interval: the interval as it is shown, ``[.472, .500]``; empty where there is none.
        n: how many values the number is taken over, where that is known.
        kind: ``number``, ``name`` (of an encoder, task or language: it comes from data) or ``text``.
        p: the corrected p-value of a difference, or None.
    """

    text: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    interval: str = ""
    n: int | None = None
    kind: Kind = "text"
    p: float | None = None

    @property
    def whole(self) -> str:
        """The text with its interval."""
        return f"{self.text} {self.interval}" if self.interval else self.text


@dataclass(frozen=True)
class Paragraph:
    """A text of one or more sentences."""

    text: str


@dataclass(frozen=True)
class Terms:
    """Words and what they mean, as ``(word, meaning)``."""

    title: str
    entries: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Table:
    """A table: its first `labels` columns name the row. Notes stand below it, one sentence each."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    labels: int = 1

    def of_words(self, column: int) -> bool:
        """Whether a column holds words; else it holds numbers."""
        return column < self.labels or all(row[column].kind != "number" for row in self.rows)


@dataclass(frozen=True)
class Matrix:
    """One measure by query language (rows) and passage language or pool (columns), shown as a heat map.

    `label` says what the values are where they are not simply those of the measure, such as ``Δ mAP``.
    `scale` gives the values at the two ends of the colours, the same for all encoders of a task. `intervals` says
    whether formats without colours show intervals in the cells; on a heat map they are tooltips.
    """

    title: str
    measure: Measure
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: Sequence[Sequence[Cell]]
    scale: tuple[float, float]
    notes: tuple[str, ...] = ()
    intervals: bool = True
    axes: tuple[str, str] = ("row", "column")
    label: str = ""

    @property
    def heading(self) -> str:
        """What the values are, in a word or two."""
        return self.label or self.measure.label

    @property
    def better(self) -> Direction:
        """Which values are good."""
        return self.measure.better

    def goodness(self, value: float) -> float:
        """Place of a value on the scale of colours: 0 at the bad end (or the low one, if neither is), 1 at the good."""
        low, high = self.scale
        if not high > low:
            return 0.5
        place = min(1.0, max(0.0, (value - low) / (high - low)))
        return 1.0 - place if self.better == "low" else place

    def as_table(self) -> Table:
        """Return the matrix as a table, for formats without colours."""
        shown = [[cell if self.intervals else replace(cell, interval="") for cell in row] for row in self.cells]
        named = [(Cell(name, kind="name"), *cells) for name, cells in zip(self.rows, shown, strict=True)]
        return Table(self.title, ("", *self.columns), tuple(named), self.notes)

    def as_list(self) -> Table:
        """Return the matrix as a table with a row for each cell, named by its row and column: for a few cells."""
        rows = tuple(
            (Cell(row, kind="name"), Cell(column, kind="name"), cell)
            for row, cells in zip(self.rows, self.cells, strict=True)
            for column, cell in zip(self.columns, cells, strict=True)
        )
        return Table(self.title, (*self.axes, self.heading), rows, self.notes, 2)


Block = Paragraph | Terms | Table | Matrix


@dataclass(frozen=True)
class Section:
    """Blocks under a title."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Document:
    """A report."""

    title: str
    subtitle: str
    sections: tuple[Section, ...]
