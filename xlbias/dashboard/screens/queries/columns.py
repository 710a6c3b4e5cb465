"""What the screen of queries says of a list: its columns, and its title."""

from __future__ import annotations

from xlbias.dashboard.widgets.table.columns import Column
from xlbias.dashboard.widgets.text.line import Part
from xlbias.dashboard.workers.query_list import QueryListing
from xlbias.report.documents.queries import difference
from xlbias.report.numbers import number
from xlbias.results.queries.filter import MULTI
from xlbias.results.queries.query_rows import languages_of
from xlbias.runs.schema import MULTILINGUAL_POOL

QUIET = "$quiet"


def title(listing: QueryListing | None, late: str) -> list[Part]:
    """Return how many queries are listed and their mean AP; `late` says why it is not yet what was asked for."""
    parts = [Part(f"{late}  ", "$text-accent")] if late else []
    if listing is None:
        return parts
    parts.append(Part(f"{listing.frame.height:,} of {listing.n_rows:,} rows", "bold", key="filter"))
    if listing.mean_ap is not None:
        parts.append(Part(f"  mean AP {number(listing.mean_ap)}"))
    if listing.n_censored:
        parts.append(Part(f"  {listing.n_censored:,} with censored AP", "$text-warning"))
    without = listing.frame.height - listing.n_scored - listing.n_censored
    if without:
        parts.append(Part(f"  {without:,} excluded", "$text-warning"))
    return [*parts, Part("   ")]


def columns(listing: QueryListing) -> tuple[Column, ...]:
    """Return the columns of a list: codes and numbers, then id and text."""
    about = next(entry for entry in listing.wanted.run.tasks if entry.name == listing.wanted.task)
    queries, passages = languages_of(about)
    found = [
        Column("query_language", "q", max(map(len, queries), default=2), align="left"),
        Column("pool", "d", max(5, *map(len, passages)), _pool, align="left"),
        Column("ap", "AP", 5, number),
        Column("delta", "Δ", 6, difference, rank=1),
        Column("first_rank", "first", 7, "{:,}".format, rank=2, best_first=True),
        Column("last_rank", "last", 7, "{:,}".format, rank=4, best_first=True),
        Column("n_relevant", "n", 4, "{:,}".format, rank=3),
        Column("query_id", "id", 24, text=True, brief=True, rank=1, sortable=False, style="virtual-table--dim"),
        Column("text", "query", 60, text=True, brief=True, sortable=False),
    ]
    return tuple(column for column in found if column.name != "delta" or "delta" in listing.frame.columns)


def _pool(pool: str) -> str:
    return MULTI if pool == MULTILINGUAL_POOL else pool
