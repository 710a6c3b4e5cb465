"""A number as a cell of a document, with its interval, its n and its p; how it is written is `results.written`."""

from __future__ import annotations

from xlbias.measures.measure import Measure
from xlbias.report.document import Cell
from xlbias.results.compare import ALPHA
from xlbias.results.written import (
    LEAST_P,
    NOT_TESTED,
    NOTHING,
    difference_interval,
    difference_text,
    interval,
    measured,
    number,
    p_text,
    said_of_p,
    signed_text,
)

__all__ = [
    "EMPTY",
    "LEAST_P",
    "MARK",
    "NOTHING",
    "NOT_TESTED",
    "count",
    "difference_cell",
    "difference_interval",
    "difference_text",
    "interval",
    "measured",
    "number",
    "probability",
    "said_of_p",
]

EMPTY = Cell(NOTHING, kind="number")
"""A cell without a number."""


def count(n: int | None) -> Cell:
    """Return a count as a cell."""
    return Cell(NOTHING if n is None else f"{n:,}", None if n is None else float(n), kind="number")


MARK = "*"
"""After a difference: corrected p < .05."""


def difference_cell(row: dict[str, object], about: Measure) -> Cell:
    """Return a difference as a cell, with its mark and its interval."""
    value, low, high, p, n = (row[name] for name in ("difference", "low", "high", "p_corrected", "n_ids"))
    assert value is None or isinstance(value, float)
    text = signed_text(value, about)
    p = p if isinstance(p, float) else None
    if p is not None and p < ALPHA:
        text += MARK
    low, high = (end if isinstance(end, float) else None for end in (low, high))
    return Cell(
        text, value, low, high, difference_interval(low, high, about), n if isinstance(n, int) else None, "number", p
    )


def probability(p: object, least: float | None = LEAST_P) -> Cell:
    """Return a p-value as a cell, see `xlbias.results.written.p_text`."""
    return Cell(p_text(p, least), p if isinstance(p, float) else None, kind="number")
