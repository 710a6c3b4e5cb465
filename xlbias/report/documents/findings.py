"""Findings as reports show them: the answers first, by question, each with what it is about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from xlbias.folders import from_here
from xlbias.report.document import Block, Fold, Paragraph, Section, Terms
from xlbias.report.formats.columns import wrapped, wrapped_behind
from xlbias.results.findings import QUESTIONS, Finding, Number, Question
from xlbias.results.findings.finding import ONE_TRAINING
from xlbias.results.written import number
from xlbias.runs.schema import SETTING_SHORT
from xlbias.text import as_argument, clean

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

MARGIN = max(map(len, HEADS.values())) + 2
"""Cells before a sentence, for its question."""

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
    shown: list[str] = []
    for question in QUESTIONS:
        head = HEADS[question]
        for one in found:
            if one.question == question:
                text = sentence(one, encoders=encoders, tasks=tasks)
                shown += wrapped_behind(head, text, MARGIN, width)
                head = ""
    return shown


def how_to_see_more(run: Path, width: int, first: str) -> list[str]:
    """Return the commands that tell more, in two lines at most: where the path of the run is too long, without it.

    Args:
        run: the path of the run.
        width: cells of a line.
        first: what is said before the command that prints all numbers, with ``{path}`` for the run; empty for nothing.
    """
    for path in (as_argument(from_here(run)), "RUN"):
        before = f"{first.replace('{path}', path)}; " if first else ""
        foot = wrapped(f"{before}all numbers: xlbias report {path} --full", width)
        if len(foot) <= 2:
            break
    return [line[2:] for line in foot]


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


_ANSWERED: tuple[Question, ...] = ("caveat", "real", "for whom", "fair", "good", "survives")
"""Questions by what is left out last where not even one line of each fits."""


def answers_that_fit(
    found: Sequence[Finding], room: int, width: int, *, encoders: bool = True, tasks: bool = True
) -> list[Finding]:
    """Return findings that fit so many lines, every question that has one before any has two.

    Of what is real, what became significantly worse stands first. With little room a finding is said in its short form:
    what is returned has that as its sentence.
    """
    waiting = {question: _gravest_first(question, found) for question in _ANSWERED}
    alone = [one for one in waiting["caveat"] if one.kind == "one_training"]
    chosen: list[tuple[Finding, Finding]] = []  # as found, and as said

    def needed(said: Sequence[Finding]) -> int:
        return len(lines(said, width, encoders=encoders, tasks=tasks))

    left = room
    firsts = [_over_tasks(some) if question == "good" else some[0] for question, some in waiting.items() if some]
    for one in dict.fromkeys((*firsts, *alone)):
        said = _shortened(one)
        if needed([said]) <= left:
            chosen.append((one, said))
            left -= needed([said])
    told = any(one in alone for one, _ in chosen)  # once is enough
    for place, (one, said) in enumerate(chosen):
        whole = replace(one, sentence=one.sentence.replace(f"; {ONE_TRAINING}", "")) if told else one
        more = needed([whole]) - needed([said])
        if one.question != "caveat" and more <= left:
            chosen[place] = one, whole
            left -= more
    rest = [some[i] for i in range(1, max(map(len, waiting.values()))) for some in waiting.values() if i < len(some)]
    for one in rest:
        if left < 1:
            break
        if one not in [known for known, _ in chosen] and needed([one]) <= left:
            chosen.append((one, one))
            left -= needed([one])
    return [said for _, said in chosen]


def _gravest_first(question: Question, found: Sequence[Finding]) -> list[Finding]:
    """Return the findings of a question: of what is real by how many cells became significantly worse.

    That there is one training each comes behind other caveats: it has a line of its own.
    """
    some = [one for one in found if one.question == question]
    if question == "caveat":
        return sorted(some, key=lambda one: one.kind == "one_training")
    return sorted(some, key=lambda one: -_n_worse(one)) if question == "real" else some


def _n_worse(one: Finding) -> float:
    return next((n.value or 0.0 for n in one.numbers if n.role == "worse cells"), 0.0)


def _shortened(one: Finding) -> Finding:
    return replace(one, sentence=one.short) if one.short else one


def _over_tasks(found: Sequence[Finding]) -> Finding:
    """Return how good the best encoder is over all tasks, from its least to its greatest number of each setting.

    The best has the greatest mean mAP between languages. Where there is one task, or not all encoders were evaluated on
    the same ones, the first finding.
    """
    of_encoder: dict[str | None, list[Finding]] = defaultdict(list)
    for one in found:
        if one.kind == "quality":
            of_encoder[one.encoder].append(one)
    tasks = [{one.task for one in some} for some in of_encoder.values()]
    if not tasks or len(tasks[0]) < 2 or any(some != tasks[0] for some in tasks):
        return found[0]
    own = {name: [_own(one) for one in some] for name, some in of_encoder.items()}
    settings = [s for s in SETTING_SHORT if all(s in numbers for some in own.values() for numbers in some)]
    if not settings:
        return found[0]
    ranked = settings[min(1, len(settings) - 1)]
    best = max(own, key=lambda name: sum(numbers[ranked].value or 0.0 for numbers in own[name]))
    parts = []
    for setting in settings:
        values = [numbers[setting].value or 0.0 for numbers in own[best]]
        parts.append(f"{SETTING_SHORT[setting]} {number(min(values))} to {number(max(values))}")
    numbers = tuple(numbers[setting] for numbers in own[best] for setting in settings)
    chances = tuple(n for one in of_encoder[best] for n in one.numbers if n.role == "chance" and n.value is not None)
    values = [n.value for n in chances if n.value is not None]
    ends = dict.fromkeys((number(min(values)), number(max(values)))) if values else ()
    chance = f"; chance {' to '.join(ends)}" if ends else ""
    return replace(
        of_encoder[best][0],
        task=None,
        sentence=f"mAP {', '.join(parts)}, from task to task{chance}.",
        short="",
        numbers=(*numbers, *chances),
    )


def _own(one: Finding) -> dict[str, Number]:
    """Return the mAP of an encoder by setting, without the levels beside it."""
    return {str(n.setting): n for n in one.numbers if n.encoder == one.encoder and not n.role and n.setting}


def as_json(found: Sequence[Finding]) -> list[dict[str, Any]]:
    """Return findings as plain data, in the order of the questions: the fields of `xlbias.results.findings.Finding`."""
    return [asdict(one) | {"languages": list(one.languages)} for one in found]
