"""Caveats as reports show them: a mark at the rows they are about, and below them what it stands for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from xlbias.report.document import Section, Terms
from xlbias.results.caveats import Caveat

if TYPE_CHECKING:
    pass

MARK = "!"
"""Before the name of an encoder whose numbers have a caveat."""

TITLE = "Caveats"
Doubts = Mapping[str, tuple[Sequence[Caveat], Sequence[Caveat]]]
"""Of a comparison: by task, the caveats of the base and of the new side."""

_SHOWN = 3  # encoders of one kind of caveat on one task that are listed one by one, where all are of different words


def mark_of(found: Sequence[Caveat], model: str, task: str) -> str:
    """Return the mark with a space behind it where a caveat marks the numbers of an encoder on a task, else nothing."""
    return f"{MARK} " if any(one.marks and one.concerns(model, task) for one in found) else ""


def entries(found: Sequence[Caveat]) -> list[tuple[str, str]]:
    """Return caveats as ``(what they are about, sentence)``: encoders of one sentence together.

    Of many encoders with a caveat of one kind on one task those with the largest values are listed, the rest counted.
    """
    groups: dict[tuple[str, str | None], dict[str, list[Caveat]]] = {}
    for one in found:
        groups.setdefault((one.kind, one.task), {}).setdefault(one.sentence, []).append(one)
    shown: list[tuple[str, str]] = []
    for (_, task), by_sentence in groups.items():
        ordered = sorted(by_sentence.items(), key=lambda item: -(item[1][0].value or 0.0))
        for sentence, some in ordered[:_SHOWN]:
            shown.append((_about(some), sentence))
        if rest := sum(len(some) for _, some in ordered[_SHOWN:]):
            about = Caveat("", task, None).about
            shown.append((about, f"the same kind of caveat for {rest:,} more; --format json lists all."))
    return shown


def section(found: Sequence[Caveat]) -> Section | None:
    """Return caveats as a section of a document, None where there are none."""
    listed = tuple((f"{MARK} {about}", sentence) for about, sentence in entries(found))
    return Section(TITLE, (Terms(f"{MARK} marks encoders with a caveat", listed),)) if listed else None


def section_of_sides(doubts: Doubts) -> Section | None:
    """Return the caveats of both sides of a comparison as a section, None where there are none.

    What is true of both, such as of a task, stands there once.
    """
    of_sides: dict[tuple[str, str], list[str]] = {}
    for side, found in _sided(doubts):
        for entry in entries(found):
            sides = of_sides.setdefault(entry, [])
            sides.extend([side] * (side not in sides))
    listed = tuple(
        (f"{MARK} {sides[0]} {about}" if len(sides) == 1 else f"{MARK} {about}", sentence)
        for (about, sentence), sides in of_sides.items()
    )
    return Section(TITLE, (Terms(f"{MARK} marks sides with a caveat", listed),)) if listed else None


def sided_json(doubts: Doubts) -> list[dict[str, object]]:
    """Return the caveats of both sides of a comparison as plain data, each with its ``"side"``, ``base`` or ``new``."""
    found: list[dict[str, object]] = []
    for side, some in _sided(doubts):
        found += [one for caveat in as_json(some) if (one := {"side": side, **caveat}) not in found]
    return found


def _sided(doubts: Doubts) -> Iterator[tuple[str, Sequence[Caveat]]]:
    for sides in doubts.values():
        yield from zip(("base", "new"), sides, strict=True)


def lines(found: Sequence[Caveat]) -> list[str]:
    """Return caveats as lines of text, cleaned, each with its mark."""
    return [f"{MARK} {about}: {sentence}" for about, sentence in entries(found)]


def as_json(found: Sequence[Caveat]) -> list[dict[str, object]]:
    """Return caveats as plain data: ``{"kind", "task", "model", "value", "n", "of", "sentence"}`` each."""
    names = ("kind", "task", "model", "value", "n", "of", "sentence")
    return [{name: getattr(one, name) for name in names} for one in found]


def _about(some: Sequence[Caveat]) -> str:
    if len(some) == 1:
        return some[0].about
    names = [one.model for one in some[:_SHOWN] if one.model is not None]
    more = f" and {len(some) - len(names):,} more" if len(some) > len(names) else ""
    return Caveat("", some[0].task, ", ".join(names) + more).about
