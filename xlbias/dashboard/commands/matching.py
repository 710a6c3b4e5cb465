"""How the palette compares what is typed with what there is."""

from __future__ import annotations

import re
from collections.abc import Iterator

from xlbias.folding import folded

_ARROW = re.compile(r"\s*(?:->|=>|>|→)\s*")
_APART = re.compile(r"\s(?:->|=>|>|→)\s")
_DASH = re.compile(r"(?<=\w)-(?=\w)")


def score(text: str, typed: str) -> float:
    """Return how well a folded text fits what is typed: 0 if a word is missing, else up to 1.

    A text whose own name is typed in full comes first: what stands before two blanks. Else words at the start of the
    text count most, then those at the start of a word; of equal ones that in the order typed, then the shorter wins.
    """
    return max(_score(text, words) for words in _readings(typed))


def spans(text: str, typed: str) -> list[tuple[int, int]]:
    """Return where the typed words stand in a folded text that fits them."""
    for words in _readings(typed):
        if _score(text, words) > 0:
            return [(at, at + len(word)) for word in words for at in (text.find(word),)]
    return []


def filter_in(typed: str) -> str | None:
    """Return a filter of queries as it is written in full, None where the typed text is not one.

    Words alone would be one, too, but are meant as a search for commands.
    """
    from xlbias.errors import UsageError
    from xlbias.results.queries.filter import parse_filter

    try:
        found = parse_filter(typed.removeprefix("queries:").strip())
    except UsageError:
        return None
    if all(term.name == "text" for term in found.terms) and not typed.startswith("queries:"):
        return None
    return str(found) if found.terms else None


def _readings(typed: str) -> Iterator[list[str]]:
    """Yield the words that are typed, arrows between them put together; and what else ``-`` and `` → `` may mean."""
    yield folded(_ARROW.sub("→", typed)).split()
    if _APART.search(typed):
        yield folded(_APART.sub(" ", typed)).split()
    if _DASH.search(typed):
        yield folded(_DASH.sub("→", typed)).split()


def _score(text: str, words: list[str]) -> float:
    if words and text.partition("  ")[0] == " ".join(words):
        return 1.0
    found = [text.find(word) for word in words]
    if not words or min(found) < 0:
        return 0.0
    points = sum(1.0 if at == 0 else 0.8 if not text[at - 1].isalnum() else 0.5 for at in found)
    swapped = 0.0 if found == sorted(found) else 0.0001  # less than a letter of length
    return points / len(words) - min(len(text), 200) / 2000 - swapped
