"""Why a filter leaves no query: the term that does it, in a sentence."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl

from xlbias.results.queries.filter import NUMBERS, Filter, Term
from xlbias.text import one_line

_LONGEST = 40  # characters of a term

Leaves = Callable[[Sequence[Term]], pl.DataFrame]
"""Returns the rows that some terms leave together."""


def why_nothing(filter: Filter, rows: pl.DataFrame, leaves: Leaves) -> str:
    """Return which term leaves nothing of `rows`, by itself or after those before it; empty where rows are left.

    Args:
        filter: the terms.
        rows: those of the cells that the filter asks for.
        leaves: what terms about single rows leave of them.
    """
    if rows.is_empty():
        said = " ".join(map(str, filter.about("q", "d", "set", "p")))
        return f"no language pair matches {one_line(said, _LONGEST)}" if said else "no query has been ranked yet"
    terms = filter.without("q", "d", "set", "p", "model", "task").terms
    for term in terms:
        if leaves([term]).is_empty():
            return _said(term)
    for n in range(2, len(terms) + 1):
        if leaves(terms[:n]).is_empty():
            before = one_line(" ".join(map(str, terms[: n - 1])), _LONGEST)
            return f"no query that matches {before} also matches {one_line(str(terms[n - 1]), _LONGEST)}"
    return ""


def _said(term: Term) -> str:
    """Return what a term by itself leaves nothing of."""
    value = f"'{one_line(term.values[0], _LONGEST)}'"
    which = "every" if term.negated else "no"
    if term.name == "text":
        return f"{which} query has {value} in its text"
    if term.name == "passage":
        return f"{which} query has a relevant passage with {value} in its text"
    if term.name == "any":
        return f"{which} query has {value} in its text or in that of a relevant passage"
    if term.name == "id":
        return f"{which} query has {value} in its id"
    assert term.name in NUMBERS
    return f"no query matches {one_line(str(term), _LONGEST)}"
