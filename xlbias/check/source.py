"""The text of a requirement as one safe line, and errors that say where in it."""

from __future__ import annotations

from dataclasses import dataclass

from xlbias.errors import UsageError
from xlbias.text import clean, cut, one_line

LONGEST = 2000
_SHOWN = 80
_SPACES = str.maketrans("\t\r\n", "   ")


@dataclass(frozen=True)
class Source:
    """One requirement (a single line without control characters) and the place it stands in, such as ``gate.txt:3``."""

    text: str
    place: str = ""

    def error(self, at: int, what: str) -> UsageError:
        """Return the error that says `what` is wrong at character `at`, counted from 0; safe to print."""
        return UsageError(f"{_where(self.place)}{one_line(self.text, _SHOWN)!r}, column {at + 1}: {clean(what)}")


def read_source(text: str, place: str = "") -> Source:
    """Return the source of a requirement; raises UsageError if it is empty, too long or holds a control character."""
    if len(text) > LONGEST:
        raise UsageError(f"{_where(place)}a requirement has at most {LONGEST:,} characters, this one {len(text):,}")
    source = Source(text.translate(_SPACES), clean(place))
    if not source.text.strip():
        raise UsageError(f"{_where(place)}the requirement is empty: expected one such as 'map.multilingual >= 0.3'")
    for at, character in enumerate(source.text):
        if clean(character) != character:
            raise source.error(at, f"a control character ({character}) cannot stand in a requirement")
    return source


def short(text: str) -> str:
    """Return a word or part of a requirement as messages quote it."""
    return cut(text, _SHOWN)


def _where(place: str) -> str:
    return f"{clean(place)}: " if place else ""
