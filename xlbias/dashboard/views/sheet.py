"""Numbers in rows and columns with all that a screen says of them: heads, colours, what to read from them, and why.

A sheet is made by pure functions (`xlbias.dashboard.views.bias`, `xlbias.dashboard.views.domains`) and holds the block
that a report would print, so that what is shown and what is copied are the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Literal

from xlbias.colour import Range
from xlbias.measures.measure import Measure
from xlbias.report.document import MatrixBlock, ends_of
from xlbias.report.documents.matrices import DELTA
from xlbias.report.numbers import Entry
from xlbias.results.matrix import Matrix

Shades = tuple[tuple[float | None, ...], ...]
"""[row][column], what the colour of a cell stands for; None for a cell without colour."""

Spot = tuple[str, str]
"""Row and column of a cell, by their names."""


class Said(Mapping[Spot, str]):
    """What is said of each cell, made when it is asked for: of 10,000 cells that of one."""

    def __init__(self, rows: Sequence[str], columns: Sequence[str], say: Callable[[str, str], str]) -> None:
        """Take the names of rows and columns, and what says it."""
        self._rows, self._columns, self._say = rows, columns, say

    def __getitem__(self, spot: Spot) -> str:
        row, column = spot
        if row not in self._rows or column not in self._columns:
            raise KeyError(spot)
        return self._say(row, column)

    def __iter__(self) -> Iterator[Spot]:
        return product(self._rows, self._columns)

    def __len__(self) -> int:
        return len(self._rows) * len(self._columns)


@dataclass(frozen=True, eq=False)
class Sheet:
    """One screenful of numbers.

    Attributes:
        block: title, measure, rows, columns and cells, with intervals and n. Row and column names may come from data.
        reading: how to read it, in a sentence or two: our own words.
        meaning: what its measure is, for where there is room: our own words.
        heads: the parts of each row's head, of which the last one is never cut; by default the row's name.
        headline: numbers over everything, with what they are.
        remark: what is the matter with it: still being computed, or why there is nothing; empty if all is well.
        shades: what the colours stand for, where that is not the values.
        diverging: whether the middle of the colours is a neutral value, which lies at 0 in `shades`.
        form: how a cell's number is written in a narrow cell: a value, a difference with its sign, a share in
            percent, or the cell's own text.
        pinned: lines under the heads that do not scroll: a head and a text for each column.
        said: of single cells what else there is to say, in our own words.
        name_of: what a cell is called in full, which may come from data; by default its row and column.
        opens: of single cells the encoder and the task that they lead to.
        neutral: the value at which nobody is preferred, where bars begin and which is the middle of the colours; None
            where bars begin at 0.
        sided: whether a cell's number does not tell by itself on which side of the neutral value it lies.
        logarithms: whether the colours stand for logarithms of ratios.
        tails: words behind the number of each row, where there is one column.
        bars: whether rows of one column have bars.
        compact: whether cells stay narrow, so that many languages are seen.
        small: whether cells are as narrow as their numbers, as in one of several matrices beside each other.
        apart: whether the last column stands apart: it is over all the others, and stays last in every order.
        labels: heads of the columns; by default their names.
        corner: what stands over the heads of the rows.
    """

    block: MatrixBlock
    reading: str
    heads: tuple[tuple[str, ...], ...] = ()
    headline: tuple[tuple[str, Entry], ...] = ()
    remark: str = ""
    shades: Shades | None = None
    diverging: bool = False
    form: str = "value"
    pinned: tuple[tuple[str, tuple[str, ...]], ...] = ()
    said: Mapping[Spot, str] = field(default_factory=dict)
    name_of: Callable[[Spot], str] | None = None
    opens: Mapping[Spot, tuple[str, str]] = field(default_factory=dict)
    tails: tuple[str, ...] = ()
    bars: bool = True
    meaning: str = ""
    compact: bool = False
    small: bool = False
    neutral: float | None = None
    sided: bool = False
    logarithms: bool = False
    apart: bool = False
    labels: tuple[str, ...] = ()
    corner: str = ""

    @property
    def is_list(self) -> bool:
        """Whether there is one column only, so that there is room for the interval, n and a bar."""
        return len(self.block.columns) == 1

    def head(self, row: int) -> tuple[str, ...]:
        """The parts of a row's head."""
        return self.heads[row] if self.heads else (self.block.rows[row],)

    def named(self, spot: Spot) -> str:
        """What a cell is called in full: text from data."""
        if self.name_of is not None:
            return self.name_of(spot)
        return spot[0] if self.is_list else " → ".join(spot)

    def label(self, column: int) -> str:
        """The head of a column."""
        return self.labels[column] if self.labels else self.block.columns[column]

    def value(self, row: int, column: int) -> float | None:
        """The value of a cell, None where it has none."""
        return self.block.matrix.cells[row][column].value

    def shade(self, row: int, column: int) -> float | None:
        """What the colour of a cell stands for."""
        return self.value(row, column) if self.shades is None else self.shades[row][column]

    def marked(self, row: int, column: int) -> bool:
        """Whether a cell is a significant difference."""
        return self.block.matrix.cells[row][column].significant

    @property
    def same_n(self) -> int | None:
        """Over how many values every number is taken, None where that is not known, or not the same everywhere."""
        found = {cell.n for line in self.block.matrix.cells for cell in line if cell.value is not None}
        return next(iter(found)) if len(found) == 1 else None

    def range(self, *, full: bool, ends: tuple[float, float] | None = None) -> Range | None:
        """What the colours stand for, None where there are none.

        Differences reach as far to one side as to the other.

        Args:
            full: spread the colours over [0, 1], where that holds all.
            ends: the least and the greatest value of all sheets that share the colours.
        """
        every = (self.shade(r, c) for r in range(len(self.block.rows)) for c in range(len(self.block.columns)))
        known = [shade for shade in every if shade is not None]
        if not known:
            return None
        known += ends or ()
        better: Literal["high", "low"] = "low" if self.block.measure.better == "low" else "high"
        if full and self.block.measure.unit_range and not self.diverging:
            return Range(0.0, 1.0, better)
        return Range(*ends_of(known, differs=self.diverging), better, self.diverging)

    def part(self, rows: Sequence[int], columns: Sequence[int]) -> MatrixBlock:
        """Return some rows and columns as a block, in the order given: what is copied."""
        block, own = self.block, self.block.own_entries
        names = ([block.rows[r] for r in rows], [block.columns[c] for c in columns])
        return replace(
            block,
            matrix=block.matrix.part(*names),
            own_entries=tuple(tuple(own[r][c] for c in columns) for r in rows) if own else (),
            notes=(*block.notes, f"{self.reading} {self.meaning}".strip()),
        )


def block_of(
    title: str,
    measure: Measure,
    rows: Sequence[str],
    columns: Sequence[str],
    entries: Sequence[Sequence[Entry]],
    axes: tuple[str, str],
    *,
    differs: bool = False,
) -> MatrixBlock:
    """Return numbers that are written in ways of their own as a block; of differences it says that they are."""
    cells = tuple(tuple(one.cell for one in line) for line in entries)
    own = tuple(map(tuple, entries))
    label = f"{DELTA}{measure.label}" if differs else ""
    numbers = Matrix(measure, tuple(rows), tuple(columns), cells, axes=axes)
    return MatrixBlock(title, numbers, label=label, own_entries=own)
