"""Caveats as reports show them: a mark at the rows they are about, and below them what it stands for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from xlbias.choices import listed
from xlbias.report.document import Section, Terms
from xlbias.results.caveats import Caveat
from xlbias.text import clean

MARK = "!"
"""Before the name of an encoder whose numbers have a caveat."""

TITLE = "Caveats"
Doubts = Mapping[str, tuple[Sequence[Caveat], Sequence[Caveat]]]
"""Of a comparison: by task, the caveats of the base and of the new side."""

_SHOWN = 3  # entries of one kind of caveat that are listed one by one; encoders and tasks that are named


def mark_of(found: Sequence[Caveat], model: str, task: str) -> str:
    """Return the mark with a space behind it where a caveat marks the numbers of an encoder on a task, else nothing."""
    return f"{MARK} " if any(one.marks and one.concerns(model, task) for one in found) else ""


def entries(found: Sequence[Caveat], *, full: bool = False) -> list[tuple[str, str]]:
    """Return caveats as ``(what they are about, sentence)``: encoders of one sentence together.

    A kind that would take many entries is one: whom it is about, and the sentence with the largest value. `full` lists
    every sentence.
    """
    of_kind: dict[str, dict[tuple[str | None, str], list[Caveat]]] = {}
    for one in found:
        of_kind.setdefault(one.kind, {}).setdefault((one.task, one.sentence), []).append(one)
    shown: list[tuple[str, str]] = []
    for by_sentence in of_kind.values():
        ordered = sorted(by_sentence.values(), key=lambda some: -(some[0].value or 0.0))
        if full or len(ordered) <= _SHOWN:
            shown += [(_about(some), some[0].sentence) for some in by_sentence.values()]
        else:
            shown.append(_together([one for some in ordered for one in some], len(ordered), ordered[0]))
    return shown


def _together(found: Sequence[Caveat], n_sentences: int, gravest: Sequence[Caveat]) -> tuple[str, str]:
    """Return caveats of one kind as one entry: how many encoders on which tasks, and the gravest of the sentences."""
    encoders, tasks = ({name: None for one in found if (name := getattr(one, of))} for of in ("model", "task"))
    who = f"{len(encoders):,} encoders" if len(encoders) > 1 else next(iter(encoders), "")
    where = listed(list(tasks), _SHOWN)
    about = " on ".join(part for part in (who, where) if part) or "this run"
    rest = f"the gravest of {n_sentences:,}, of {_about(gravest)}; --full lists all"
    return clean(about), f"{gravest[0].sentence.removesuffix('.')} ({rest})."


def section(found: Sequence[Caveat], *, full: bool = False) -> Section | None:
    """Return caveats as a section of a document, None where there are none."""
    shown = tuple((f"{MARK} {about}", sentence) for about, sentence in entries(found, full=full))
    return Section(TITLE, (Terms(f"{MARK} marks encoders with a caveat", shown),)) if shown else None


def section_of_sides(doubts: Doubts) -> Section | None:
    """Return the caveats of both sides of a comparison as a section, None where there are none.

    What is true of both, such as of a task, stands there once.
    """
    of_sides: dict[tuple[str, str], list[str]] = {}
    for side, found in _sided(doubts):
        for entry in entries(found):
            sides = of_sides.setdefault(entry, [])
            sides.extend([side] * (side not in sides))
    shown = tuple(
        (f"{MARK} {sides[0]} {about}" if len(sides) == 1 else f"{MARK} {about}", sentence)
        for (about, sentence), sides in of_sides.items()
    )
    return Section(TITLE, (Terms(f"{MARK} marks sides with a caveat", shown),)) if shown else None


def sided_json(doubts: Doubts) -> list[dict[str, object]]:
    """Return the caveats of both sides of a comparison as plain data, each with its ``"side"``, ``base`` or ``new``."""
    found: list[dict[str, object]] = []
    for side, some in _sided(doubts):
        found += [one for caveat in as_json(some) if (one := {"side": side, **caveat}) not in found]
    return found


def _sided(doubts: Doubts) -> Iterator[tuple[str, Sequence[Caveat]]]:
    for sides in doubts.values():
        yield from zip(("base", "new"), sides, strict=True)


def lines(found: Sequence[Caveat], *, full: bool = False) -> list[str]:
    """Return caveats as lines of text, cleaned, each with its mark."""
    return [f"{MARK} {about}: {sentence}" for about, sentence in entries(found, full=full)]


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
