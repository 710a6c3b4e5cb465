"""JSON: a record a line, numbers in full precision, null for what JSON has no number for."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from typing import Any

_WRITE = json.JSONEncoder(allow_nan=False).encode


def in_lines(value: Any, levels: int) -> str:
    """Return `value` as JSON text, the entries of the first `levels` containers on lines of their own.

    A record is a line that can be searched for and compared, and the library's encoder in C writes it, which knows no
    indentation. The keys of these containers are text. Raises ValueError for NaN and infinities.
    """
    return "".join(_pieces(value, levels, "", _WRITE))


def finite_in_lines(value: Any, levels: int) -> str:
    """Return the same with null for NaN and infinities, which JSON has no numbers for."""
    return "".join(_pieces(value, levels, "", _write_finite))


def _pieces(value: Any, levels: int, margin: str, write: Callable[[Any], str]) -> Iterator[str]:
    """Yield the text in pieces: it may be large, so that it is put together once."""
    if not levels or not value or not isinstance(value, dict | list):
        yield write(value)
        return
    inner = margin + "  "
    keyed = isinstance(value, dict)
    yield "{" if keyed else "["
    for number, entry in enumerate(value):
        yield f",\n{inner}" if number else f"\n{inner}"
        if keyed:
            yield f"{_WRITE(entry)}: "
        yield from _pieces(value[entry] if keyed else entry, levels - 1, inner, write)
    yield f"\n{margin}" + ("}" if keyed else "]")


def _write_finite(value: Any) -> str:
    try:
        return _WRITE(value)
    except ValueError:  # seldom: a copy of everything costs as much as writing it
        return _WRITE(_finite(value))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_finite(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
