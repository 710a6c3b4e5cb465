"""What a cell of a heat map says in so many terminal cells: its number, and below it its interval or n."""

from __future__ import annotations

from xlbias.dashboard.terminal.numbers import THIN, count, signed, thin
from xlbias.dashboard.views.sheet import Sheet
from xlbias.report.numbers import MARK, Entry
from xlbias.results.cell import Cell
from xlbias.text import one_line, width


def number_in(sheet: Sheet, row: int, column: int, room: int) -> str:
    """Return the number of a cell in at most `room` cells; that of a difference with its mark but in compact sheets."""
    return _compact(sheet, row, column, room) if sheet.compact else _in_full(sheet, row, column, room)


def _compact(sheet: Sheet, row: int, column: int, room: int) -> str:
    """A thin number, so that many languages are seen."""
    value, unit_range = sheet.value(row, column), sheet.block.measure.unit_range
    if value is None and (ends := sheet.block.entry(row, column).cell.bounds) is not None:
        return _at_least(ends[0], sheet, row, column, room)
    if sheet.form == "difference":
        return signed(value, unit_range=unit_range, room=room)
    return thin(value, unit_range=unit_range)


def _at_least(least: float, sheet: Sheet, row: int, column: int, room: int) -> str:
    """The lower bound of a number of censored ranks; of a difference that is tested its sign, else that it is not."""
    if sheet.form == "difference":
        ends = sheet.block.entry(row, column).cell.bounds
        low, high = ends or (0.0, 0.0)
        return "+" if low > 0 else "-" if high < 0 else "±?"
    whole = f"≥{thin(least, unit_range=sheet.block.measure.unit_range)}"
    return whole if width(whole) <= room else whole[:room]


def _in_full(sheet: Sheet, row: int, column: int, room: int) -> str:
    """The number as a report writes it, where it has room."""
    found = sheet.block.entry(row, column)
    if sheet.form in ("text", "percent") or found.value is None:
        return found.whole if width(found.whole) <= room else one_line(found.text, room)
    if sheet.form == "value":
        unit_range = sheet.block.measure.high <= 1.0
        if found.value < 0:
            return one_line(found.text, room) if width(found.text) <= room else count(found.value)
        if not unit_range and width(found.text) <= THIN:
            return found.text
        return thin(found.value, unit_range=unit_range)
    mark = mark_of(sheet, row, column)
    plain = found.text.removesuffix(MARK)
    if width(plain) < room:
        return plain + mark
    return signed(found.value, unit_range=abs(found.value) < 1, room=max(THIN, min(THIN + 1, room - 1))) + mark


def mark_of(sheet: Sheet, row: int, column: int) -> str:
    """Return the mark of a significant difference; a blank otherwise."""
    return MARK if sheet.marked(row, column) else " "


def sign_and_size(sheet: Sheet, row: int, column: int) -> tuple[str, str]:
    """Return the sign of a difference and its size, thin; no sign where it rounds to nothing."""
    value = sheet.value(row, column)
    size = thin(None if value is None else abs(value), unit_range=sheet.block.measure.unit_range)
    nothing = value is None or not size.strip(".0·")
    return " " if nothing or value is None else "-" if value < 0 else "+", size


def ends_in(cell: Cell, sheet: Sheet) -> str:
    """Return the interval of a cell as narrow as it can be told: ``.437–.487``; empty where it has none."""
    if cell.low is None or cell.high is None:
        return ""
    return "–".join(_end(end, unit_range=sheet.block.measure.unit_range) for end in (cell.low, cell.high))


def _end(value: float, *, unit_range: bool) -> str:
    text = thin(abs(value), unit_range=unit_range)
    return f"-{text}" if value < 0 and text.strip(".0") else text


def below(found: Entry, number: str, room: int, *, intervals: bool) -> str:
    """Return what stands below a number: its interval where those of all cells have room, or else its n."""
    if found.interval and intervals and found.interval not in number:
        return found.interval
    if not found.n:
        return ""
    named = f"n {found.n:,}"
    return named if width(named) <= room else count(found.n)
