"""Findings as reports show them: the answers first, by question, each with what it is about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from xlbias.report.document import Block, Fold, Paragraph, Section, Terms
from xlbias.report.formats.columns import wrapped_behind
from xlbias.results.findings import QUESTIONS, Finding, Question
from xlbias.text import clean

TITLE = "Findings"

HEADS: dict[Question, str] = {
    "good": "Good?",
    "for whom": "For whom?",
    "fair": "Fair?",
    "real": "Real?",
    "survives": "Survives?",
    "caveat": "But",
}
"""A question in a word or two."""

_FIRST = ("real", "for whom", "fair", "survives", "caveat", "good")
"""Questions by what is left out last where there is little room; quality stands in the table below, too."""


def about(one: Finding, *, encoders: bool = True, tasks: bool = True) -> str:
    """Return what a finding is about, cleaned; encoder and task are left out where there is only one."""
    compared = one.base is not None and one.kind in ("difference", "sampler")
    who = f"{one.encoder} against {one.base}" if compared else one.encoder
    encoder = who if encoders or one.kind == "difference" else None
    return clean(" on ".join(name for name in (encoder, one.task if tasks else None) if name is not None))


def sentence(one: Finding, *, encoders: bool = True, tasks: bool = True) -> str:
    """Return the sentence with what it is about."""
    named = about(one, encoders=encoders, tasks=tasks)
    return f"{named}: {one.sentence}" if named else one.sentence


_ROOM, _WIDTH = 14, 120  # lines and columns of the findings that stand at the top of a document
_MOST_FOLDED = 40  # findings that are listed behind those at the top


def section(
    found: Sequence[Finding],
    *,
    encoders: bool = True,
    tasks: bool = True,
    full: bool = False,
    where: str = "",
    room: int | None = None,
) -> Section | None:
    """Return findings as the first section of a document, None where there are none.

    What matters most is at the top; the rest is folded, and of very many counted. Encoder and task are left out where
    there is only one. `full` lists all, `where` is the command that does. With `room` there is nothing but what fits so
    many lines.
    """
    first = as_many_as_fit(found, room or _ROOM, _WIDTH, encoders=encoders, tasks=tasks)
    rest = [one for one in found if one not in first]
    listed = rest if full else rest[:_MOST_FOLDED]
    blocks: list[Block] = list(_terms(first, encoders=encoders, tasks=tasks))
    if rest and room is None:
        left = len(rest) - len(listed)
        more = [Paragraph(f"{left:,} more are left out{f': {where}' if where else ''}.")] if left else []
        folded: tuple[Block, ...] = (*_terms(listed, encoders=encoders, tasks=tasks), *more)
        blocks.append(Fold(f"{len(rest):,} more finding{'s' * (len(rest) > 1)}", folded, named=True))
    return Section(TITLE, tuple(blocks)) if blocks else None


def _terms(found: Sequence[Finding], *, encoders: bool, tasks: bool) -> Iterator[Terms]:
    for question in QUESTIONS:
        entries = tuple(
            (about(one, encoders=encoders, tasks=tasks) or "this run", one.sentence)
            for one in found
            if one.question == question
        )
        if entries:
            yield Terms(HEADS[question], entries, beside=True, doubt=question == "caveat")


def lines(found: Sequence[Finding], width: int, *, encoders: bool = True, tasks: bool = True) -> list[str]:
    """Return findings as lines of text by question, whose head stands before the first of them."""
    margin = max(len(head) for head in HEADS.values()) + 2
    shown: list[str] = []
    for question in QUESTIONS:
        head = HEADS[question]
        for one in found:
            if one.question == question:
                text = sentence(one, encoders=encoders, tasks=tasks)
                shown += wrapped_behind(head, text, margin, width)
                head = ""
    return shown


def as_many_as_fit(
    found: Sequence[Finding], room: int, width: int, *, encoders: bool = True, tasks: bool = True
) -> list[Finding]:
    """Return the findings that fit so many lines: what matters most of each question in turn, the gravest first."""
    waiting = {question: [one for one in found if one.question == question] for question in _FIRST}
    chosen: list[Finding] = []
    grave = [one for one in waiting["caveat"] if one.kind == "caveat"][:1]  # what makes all else doubtful
    last = [one for one in found if one.kind == "one_training"]  # a comparison says so, too
    order = grave + [
        some[i]
        for i in range(max(map(len, waiting.values()), default=0))
        for some in waiting.values()
        if i < len(some) and some[i] not in (*grave, *last)
    ]
    left = room
    for one in (*order, *last):
        if left < 1:
            break
        needed = len(lines([one], width, encoders=encoders, tasks=tasks))
        if needed <= left:
            chosen.append(one)
            left -= needed
    return [one for one in found if one in chosen]


def as_json(found: Sequence[Finding]) -> list[dict[str, Any]]:
    """Return findings as plain data, in the order of the questions: the fields of `xlbias.results.findings.Finding`."""
    return [asdict(one) | {"languages": list(one.languages)} for one in found]
