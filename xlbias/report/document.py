"""What a report is, whatever its format: sections of paragraphs, tables and matrices, whose cells know their numbers.

Texts may come from data: every renderer makes them safe for its format, after `xlbias.text.clean`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from xlbias.colour import Range
from xlbias.measures.measure import Measure
from xlbias.report.numbers import Entry, difference_entry, entry
from xlbias.results.matrix import Matrix


@dataclass(frozen=True)
class Paragraph:
    """A text of one or more sentences."""

    text: str


@dataclass(frozen=True)
class Terms:
    """Words and what they mean, as ``(word, meaning)``.

    Attributes:
        title: what they are about.
        entries: the words with their meanings.
        beside: whether formats with columns put the title beside them: questions and their answers.
        doubt: whether they are reasons to doubt.
    """

    title: str
    entries: tuple[tuple[str, str], ...]
    beside: bool = False
    doubt: bool = False


@dataclass(frozen=True)
class Table:
    """A table: its first `labels` columns name the row. Notes stand below it, one sentence each."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[Entry, ...], ...]
    notes: tuple[str, ...] = ()
    labels: int = 1

    def of_words(self, column: int) -> bool:
        """Whether a column holds words; else it holds numbers."""
        return column < self.labels or not any(row[column].kind == "number" for row in self.rows)


@dataclass(frozen=True)
class MatrixBlock:
    """A matrix with its title and notes, shown as a heat map.

    Attributes:
        title: what it shows.
        matrix: the numbers.
        notes: stand below it, one sentence each.
        label: says what the values are where they are not simply those of the measure, such as ``Δ mAP``.
        scale: the values at the two ends of the colours, where several matrices share them.
        intervals: whether formats without colours show intervals in the cells; on a heat map they are tooltips.
        own_entries: [row][column], where the numbers are not written as those of the measure are.
        head: a shorter title, where it stands among panels that share the rest of it.
        picture: whether pages show colours without numbers; of very large matrices they do in any case.
    """

    title: str
    matrix: Matrix
    notes: tuple[str, ...] = ()
    label: str = ""
    scale: tuple[float, float] | None = None
    intervals: bool = True
    own_entries: tuple[tuple[Entry, ...], ...] = ()
    head: str = ""
    picture: bool = False

    @property
    def rows(self) -> tuple[str, ...]:
        """The names of the rows."""
        return self.matrix.rows

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return self.matrix.columns

    @property
    def measure(self) -> Measure:
        """What the values are."""
        return self.matrix.measure

    @property
    def heading(self) -> str:
        """What the values are, in a word or two."""
        return self.label or self.measure.label

    def entry(self, row: int, column: int) -> Entry:
        """Return a cell as it is written."""
        if self.own_entries:
            return self.own_entries[row][column]
        write = difference_entry if self.matrix.differs else entry
        return write(self.matrix.cells[row][column], self.measure)

    @cached_property
    def entries(self) -> tuple[tuple[Entry, ...], ...]:
        """[row][column], every cell as it is written."""
        columns = range(len(self.columns))
        return tuple(tuple(self.entry(row, column) for column in columns) for row in range(len(self.rows)))

    @cached_property
    def range(self) -> Range:
        """What the ends of the scale of colours stand for: as far to both sides of 0 for differences."""
        low, high = self.scale or ends_of(self.matrix.values, differs=self.matrix.differs)
        better: Literal["high", "low"] = "low" if self.measure.better == "low" else "high"
        return Range(low, high, better, diverging=self.matrix.differs)

    def as_table(self) -> Table:
        """Return the matrix as a table, for formats without colours."""
        written = [[one if self.intervals else replace(one, interval="") for one in row] for row in self.entries]
        named = [(Entry(name, kind="name"), *entries) for name, entries in zip(self.rows, written, strict=True)]
        return Table(self.title, ("", *self.columns), tuple(named), self.notes)

    def as_list(self) -> Table:
        """Return the matrix as a table with a row for each cell, named by its row and column: for a few cells."""
        rows = tuple(
            (Entry(row, kind="name"), Entry(column, kind="name"), one)
            for row, entries in zip(self.rows, self.entries, strict=True)
            for column, one in zip(self.columns, entries, strict=True)
        )
        return Table(self.title, (*self.matrix.axes, self.heading), rows, self.notes, 2)


def ends_of(values: Sequence[float], *, differs: bool = False) -> tuple[float, float]:
    """Return the values at the ends of the scale of colours: least and greatest, or as far to both sides of 0."""
    if differs:
        end = max(map(abs, values), default=0.0)
        return -end, end
    return min(values, default=0.0), max(values, default=0.0)


@dataclass(frozen=True)
class Level:
    """A value to read others beside, with its name: ``chance``."""

    name: str
    value: float


@dataclass(frozen=True)
class Dots:
    """A figure of dots with intervals: a row for each row of a matrix, in each a dot for each of its columns.

    Tables hold the same numbers: formats that draw nothing leave it out.

    Attributes:
        title: what it shows.
        matrix: the numbers; its rows are languages or the like, its columns encoders.
        levels: values to read the dots beside.
        note: stands below it.
    """

    title: str
    matrix: Matrix
    levels: tuple[Level, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Line:
    """A series of points, by step.

    Attributes:
        name: the encoder, as the legend says.
        points: step and value.
        series: which colour and mark it has, those of the encoder of this place.
        part: which of the lines of the encoder it is, where it has several.
        dashed: whether its line is broken.
    """

    name: str
    points: tuple[tuple[float, float], ...]
    series: int = 0
    part: str = ""
    dashed: bool = False


@dataclass(frozen=True)
class Curves:
    """A figure of lines over training steps. Formats that draw nothing leave it out."""

    title: str
    lines: tuple[Line, ...]
    note: str = ""


@dataclass(frozen=True)
class Panels:
    """Blocks that are looked at beside each other, such as the matrices of two encoders and their difference.

    Attributes:
        title: what they have in common.
        blocks: from left to right.
        notes: stand below them, one sentence each.
        before: stand left of them where there is room; formats without panels leave them out.
    """

    title: str
    blocks: tuple[MatrixBlock | Dots | Curves, ...]
    notes: tuple[str, ...] = ()
    before: tuple[MatrixBlock, ...] = ()


@dataclass(frozen=True)
class Fold:
    """Blocks that a reader opens; formats that cannot be opened show them in their place.

    Attributes:
        title: what a reader opens.
        blocks: what is there then.
        named: whether formats that cannot be opened have the title, too, as the blocks do not say it.
    """

    title: str
    blocks: tuple[Block, ...]
    named: bool = False


Plain = Paragraph | Terms | Table | MatrixBlock
"""What every format shows."""

Block = Plain | Dots | Curves | Panels | Fold


@dataclass(frozen=True)
class Section:
    """Blocks under a title; `folded` where a reader opens them."""

    title: str
    blocks: tuple[Block, ...]
    folded: bool = False

    @property
    def plain(self) -> tuple[Plain, ...]:
        """The blocks as formats show them that draw no figures and fold nothing."""
        return tuple(unfolded(self.blocks))


def every_block(blocks: Iterable[Block]) -> Iterator[Block]:
    """Yield the blocks, and those of panels and of what is folded behind them."""
    for block in blocks:
        yield block
        if isinstance(block, Fold | Panels):
            yield from every_block(block.blocks)
        if isinstance(block, Panels):
            yield from block.before


def unfolded(blocks: Iterable[Block]) -> Iterator[Plain]:
    """Yield the blocks that every format shows, those of panels and of what is folded in their places."""
    for block in blocks:
        if isinstance(block, Fold):
            if block.named:
                yield Paragraph(f"{block.title}:")
            yield from unfolded(block.blocks)
        elif isinstance(block, Panels):
            yield from unfolded(block.blocks)
            for note in block.notes:
                yield Paragraph(note)
        elif not isinstance(block, Dots | Curves):
            yield block


@dataclass(frozen=True)
class Document:
    """A report; `poster` where it is to fit one page, and has what fits one."""

    title: str
    subtitle: str
    sections: tuple[Section, ...]
    poster: bool = False

    @property
    def plain(self) -> tuple[Section, ...]:
        """The sections as formats show them that draw no figures: without those that are nothing else."""
        return tuple(one for one in self.sections if one.plain)
