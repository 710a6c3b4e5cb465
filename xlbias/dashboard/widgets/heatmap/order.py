"""In which order a heat map shows its rows and columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from xlbias.dashboard.views.sheet import Sheet

NAMES, VALUE, COLUMN = "as listed", "mean", "this column"
LANGUAGE, SCRIPT, FAMILY = "language", "script", "family"

OF_LANGUAGES = (LANGUAGE, VALUE, SCRIPT, FAMILY)
OF_ROWS = (NAMES, VALUE, COLUMN)
OF_GROUPS = (NAMES, "sampler", VALUE, COLUMN)
"""Orders that a screen may offer; the first is that of the sheet."""


def order(sheet: Sheet, sort: str, column: int, *, reverse: bool) -> tuple[list[int], list[int]]:
    """Return rows and columns in the order to show them; what has no value goes last.

    `mean` puts the best first, rows by their mean, columns by theirs; where no end is good, the largest. `column` is
    where the cursor stands, for the order by its values. Only sheets of languages order columns, too. A column that
    stands apart stays last, and counts in the means of rows only where no other one has values.
    """
    block = sheet.block
    rows, columns = list(range(len(block.rows))), list(range(len(block.columns)))
    apart = [columns.pop()] if sheet.apart else []
    of_languages = bool(apart) or not set(block.rows).isdisjoint(block.columns)
    if sort in (SCRIPT, FAMILY):
        from xlbias.languages import family_of, script_of

        group_of: Callable[[str], str] = script_of if sort == SCRIPT else family_of
        rows.sort(key=lambda r: (group_of(block.rows[r]), block.rows[r]), reverse=reverse)
        if not sheet.is_list:
            columns.sort(key=lambda c: (group_of(block.columns[c]), block.columns[c]), reverse=reverse)
    elif sort == VALUE:
        downwards = (block.measure.better != "low") != reverse
        across = columns if any(sheet.value(r, c) is not None for r in rows for c in columns) else columns + apart
        by_row = [_mean([sheet.value(r, c) for c in across]) for r in rows]
        by_column = [_mean([sheet.value(r, c) for r in rows]) for c in columns]
        rows = _by(by_row, downwards=downwards)
        columns = _by(by_column, downwards=downwards) if of_languages else columns
    elif sort == COLUMN:
        chosen = min(column, len(block.columns) - 1)
        rows = _by([sheet.value(r, chosen) for r in rows], downwards=(block.measure.better != "low") != reverse)
    elif sort == "sampler":
        rows.sort(key=lambda r: (_first_with(sheet, sheet.head(r)[-1]), r))
        if reverse:
            rows.reverse()
    elif reverse:
        rows.reverse()
        if of_languages:
            columns.reverse()
    return rows, columns + apart


def _first_with(sheet: Sheet, last: str) -> int:
    return next(r for r in range(len(sheet.block.rows)) if sheet.head(r)[-1] == last)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _by(values: Sequence[float | None], *, downwards: bool) -> list[int]:
    known = [(value, i) for i, value in enumerate(values) if value is not None]
    known.sort(key=lambda pair: (-pair[0] if downwards else pair[0], pair[1]))
    return [i for _, i in known] + [i for i, value in enumerate(values) if value is None]
