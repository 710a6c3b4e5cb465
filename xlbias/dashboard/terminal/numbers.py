"""Numbers as narrow cells show them; wider places use `xlbias.report.numbers.number`."""

from __future__ import annotations

import math

from xlbias.report.numbers import NOTHING

THIN = 4
"""Cells that a thin number takes at most."""


def thin(value: float | None, *, unit_range: bool) -> str:
    """Return a value in at most `THIN` characters: ``.573`` and ``1.00`` in [0, 1]; ``315``, ``7.5k``, ``11k`` else."""
    if value is None or math.isnan(value):
        return NOTHING
    if unit_range:
        text = f"{value:.3f}"
        return text[1:] if text.startswith("0.") else text[:THIN]
    return count(value) if abs(value) >= 9.95 else f"{value:.1f}"


def signed(value: float | None, *, unit_range: bool, room: int = THIN) -> str:
    """Return a difference with its sign in at most `room` characters: ``+.12``, with more room ``+.123``; ``-7.5k``.

    What rounds to nothing has a blank instead of a sign.
    """
    if value is None or math.isnan(value):
        return NOTHING
    size = abs(value)
    if unit_range:
        text = f"{size:.{3 if room > THIN else 2}f}"
        text = text[1:] if text.startswith("0.") else text[: room - 1]
    else:
        text = count(size) if size >= 9.95 else f"{size:.1f}"
    return ("-" if value < 0 else "+") + text if text.strip("0.") else f" {text}"


def count(value: float) -> str:
    """Return a count in at most `THIN` characters: ``852``, ``1190``, ``13k``, ``1.2M``."""
    for limit, divisor, unit in ((9_999.5, 1, ""), (999_500, 1e3, "k"), (999_500_000, 1e6, "M")):
        if abs(value) < limit:
            scaled = value / divisor
            return f"{scaled:.1f}{unit}" if unit and abs(scaled) < 9.95 else f"{scaled:.0f}{unit}"
    return f"{value / 1e9:.0f}G"


def duration(seconds: float) -> str:
    """Return a time span in at most six characters: ``8 s``, ``3m 20``, ``2h 05``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}"
    return f"{whole // 3600}h {whole % 3600 // 60:02d}"
