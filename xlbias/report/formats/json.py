"""JSON: a record a line, numbers in full precision, null for what JSON has no number for."""

from __future__ import annotations

import json
import math
from typing import Any


def in_lines(value: Any, levels: int, margin: str = "") -> str:
    """Return `value` as JSON text, the entries of the first `levels` containers on lines of their own.

    A record is a line that can be searched for and compared, and the library's encoder in C writes it, which knows no
    indentation. The keys of these containers are text. Raises ValueError for NaN and infinities.
    """
    if not levels or not value or not isinstance(value, dict | list):
        return json.dumps(value, allow_nan=False)
    inner = margin + "  "
    if isinstance(value, dict):
        entries = [f"{json.dumps(key)}: {in_lines(entry, levels - 1, inner)}" for key, entry in value.items()]
        opening, closing = "{}"
    else:
        entries = [in_lines(entry, levels - 1, inner) for entry in value]
        opening, closing = "[]"
    return f"{opening}\n{inner}" + f",\n{inner}".join(entries) + f"\n{margin}{closing}"


def finite(value: Any) -> Any:
    """Return `value` with NaN and infinities as None, which JSON has no numbers for."""
    if isinstance(value, dict):
        return {key: finite(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [finite(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
