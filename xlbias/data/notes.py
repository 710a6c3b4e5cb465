"""What a reader took for granted, merged or left out: it stands in no frame, and a number may hang on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Notes:
    """What is known of how a task was read.

    Attributes:
        parallel_by: what makes two texts translations of one another, as it follows "the same": ``question id``.
        files_count: each language has a file of its own that gives the ids, so that ids which are counters may agree
            although the files have nothing to do with one another.
        n_copies: passages that were merged into another one with the same text (but for Unicode normalisation and
            white space) in the same language.
        n_copies_elsewhere: those of them that stand in another document than the one they were merged into.
        n_unanswerable: questions left out because they have no answer.
        n_empty: passages left out because they have no text.
        n_unknown_judgements: judgements left out because their query or passage is not there.
        n_variants: translations left out because their unit has another one in the same language.
        tags: language tags as the data has them, with what they are here, where that is something else.
    """

    parallel_by: str = "query id"
    files_count: bool = False
    n_copies: int = 0
    n_copies_elsewhere: int = 0
    n_unanswerable: int = 0
    n_empty: int = 0
    n_unknown_judgements: int = 0
    n_variants: int = 0
    tags: tuple[tuple[str, str], ...] = ()


def changed_tags(normal: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the tags that are something else in their normal form, with that, sorted."""
    return tuple(sorted((tag, other) for tag, other in normal.items() if tag != other))
