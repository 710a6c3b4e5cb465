"""What a format is: a file here that declares ``FORMAT``, named as the format is on the command line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module

from xlbias.choices import suggestion
from xlbias.errors import UsageError
from xlbias.report.document import Document, MatrixBlock, Table


@dataclass(frozen=True)
class Format:
    """How documents look.

    Attributes:
        documents: returns documents as one text of at most so many columns; formats that break no lines take no notice
            of them. None where there is nothing of the kind.
        block: returns one table or matrix, to paste somewhere: with its intervals, caption and notes. One row of a
            matrix has lines for what is known of its cells, one cell has columns for it. None where there is none.
        has_colours: whether matrices are heat maps that readers scroll through: then reports have some unasked, and the
            numbers of every language.
    """

    documents: Callable[[Sequence[Document], int], str] | None = None
    block: Callable[[Table | MatrixBlock], str] | None = None
    has_colours: bool = False


def format_of(name: str, known: Sequence[str]) -> Format:
    """Return a format by its name. Raises UsageError unless it is one of the `known` ones."""
    if name not in known:
        raise UsageError(f"unknown format {name!r}{suggestion(name, known)}; choose from {', '.join(known)}")
    found: Format = import_module(f"xlbias.report.formats.{name}").FORMAT
    return found
