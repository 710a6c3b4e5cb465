"""Queries as a filter leaves them, as a table of a report: what is copied of the dashboard's list."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from xlbias.report.document import Table
from xlbias.report.documents.wording import pool_name
from xlbias.report.numbers import Entry, count, number, numeric

LONGEST = 1000
"""Rows of a table at most; a note says how many there were."""

_LONGEST_TEXT = 500


def difference(value: float | None) -> str:
    """Return a difference in AP with its sign, as tables show it."""
    return f"+{number(value)}" if value is not None and value > 0 else number(value)


def queries_table(
    rows: pl.DataFrame, text_of: Callable[[str, str], str | None], title: str, against: str = ""
) -> Table:
    """Return rows of `xlbias.results.queries.query_rows.query_rows` as a table, in their order.

    Args:
        rows: the rows; with ``delta`` there is a column for it.
        text_of: returns the text of a query id in a language, None where there is none.
        title: of the table.
        against: what differences are taken from.
    """
    heads = ["id", "query language", "pool", "AP", "first rank", "last rank", "relevant", "query"]
    if "delta" in rows.columns:
        heads.insert(4, "Δ AP")
    lines = []
    for row in rows.head(LONGEST).iter_rows(named=True):
        ap, first, last, n = (row[name] for name in ("ap", "first_rank", "last_rank", "n_relevant"))
        text = text_of(row["query_id"], row["query_language"]) or ""
        numbers = [numeric(number(ap), _digits(ap))]
        if "delta" in rows.columns:
            numbers.append(numeric(difference(row["delta"]), _digits(row["delta"])))
        numbers += [count(value) for value in (first, last, n)]
        names = (row["query_id"], row["query_language"], pool_name(row["pool"]))
        lines.append((*(Entry(name, kind="name") for name in names), *numbers, Entry(text[:_LONGEST_TEXT])))
    notes = [f"Δ: AP minus that of {against}."] if against else []
    if rows.height > LONGEST:
        notes.append(f"The first {LONGEST:,} of {rows.height:,} rows.")
    return Table(title, tuple(heads), tuple(lines), tuple(notes), 3)


def _digits(value: float | None) -> float | None:
    """Return a number of 32 bits with the digits that it has."""
    return None if value is None else float(f"{value:.7g}")
