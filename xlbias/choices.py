"""What an error says of a name that is not there: the names that are close to it, and those that there are."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_LONGEST = 80  # characters of a word that is looked for among the known ones


def suggestion(word: str, known: Iterable[str], *, before: str = "") -> str:
    """Return `` (did you mean ...?)`` with the known words closest to `word` whatever their case, or nothing.

    `before` is written before each of them.
    """
    by_lower = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), by_lower, n=3, cutoff=0.6) if len(word) <= _LONGEST else []
    return f" (did you mean {' or '.join(before + by_lower[name] for name in close)}?)" if close else ""


def listed(words: Iterable[str], most: int = 10) -> str:
    """Return words with commas, at most `most` of them and how many more there are; one more is named, not counted."""
    words = list(words)
    if len(words) <= most + 1:
        return ", ".join(words)
    return f"{', '.join(words[:most])} and {len(words) - most:,} more"
