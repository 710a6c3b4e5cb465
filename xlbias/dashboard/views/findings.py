"""What a run says, as lines for a screen: what matters most of each question first, everything else below."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xlbias.report.documents.findings import MARGIN, as_many_as_fit, lines
from xlbias.runs.schema import SETTING_SHORT

if TYPE_CHECKING:
    from xlbias.results.findings import Finding

ACROSS = "cross-lingual"


@dataclass(frozen=True)
class Entry:
    """A finding with the lines that it takes; the first of a question has that in front of it."""

    finding: Finding
    lines: tuple[str, ...]


def entries(found: Sequence[Finding], room: int, width: int) -> tuple[list[Entry], int]:
    """Return all findings, and how many of them are those that matter most and fit `room` lines of `width` cells.

    These come first, by question; the others follow in the same order. Levels of quality stand in the table below the
    findings, and take no room from others.
    """
    named = {
        "encoders": len({one.encoder for one in found if one.encoder}) > 1,
        "tasks": len({one.task for one in found if one.task}) > 1,
    }
    others = [one for one in found if one.kind != "quality"]
    first = as_many_as_fit(others, room, width, **named)
    if len(first) == len(others):
        first = as_many_as_fit(found, room, width, **named)
    rest = [one for one in found if one not in first]
    return [*_lined(first, width, named), *_lined(rest, width, named)], len(first)


def _lined(found: Sequence[Finding], width: int, named: dict[str, bool]) -> Iterator[Entry]:
    before = None
    for one in found:
        head, *more = lines((one,), width, **named)
        if one.question == before:
            head = f"{' ' * MARGIN}{head[MARGIN:]}"
        before = one.question
        yield Entry(one, (head, *more))


def attention(found: Sequence[Finding], model: str, task: str) -> frozenset[str]:
    """Return the columns of the overview in whose numbers of an encoder on a task there is a reason to act or doubt."""
    columns: set[str] = set()
    for one in found:
        if not one.concern or one.encoder is None or not one.concerns(model, task):
            continue
        if one.question == "fair":
            columns.add("rank_distance_normalised")
        elif one.kind == "worst_pair":
            columns.add("worst")
        elif one.kind == "difference":
            columns.add("delta")
        elif one.kind == "chance_level":
            at_chance = {number.setting for number in one.numbers if not number.role}
            columns |= {f"map_{short}" for setting, short in SETTING_SHORT.items() if setting in at_chance}
    return frozenset(columns)


def differences(found: Sequence[Finding]) -> dict[tuple[str, str], tuple[float | None, str, str]]:
    """Return of every encoder and task that is compared the difference across languages, cells better and worse, and
    with what."""
    of_pair: dict[tuple[str, str], tuple[float | None, str, str]] = {}
    for one in found:
        if one.kind != "difference" or one.encoder is None or one.task is None:
            continue
        across = [n.value for n in one.numbers if n.setting == ACROSS and n.query_language is None]
        better, worse = (
            next((int(n.value or 0) for n in one.numbers if n.role == role), 0)
            for role in ("better cells", "worse cells")
        )
        for encoder in one.encoder.split(", "):
            of_pair[encoder, one.task] = (across[0] if across else None, f"+{better} -{worse}", one.base or "")
    return of_pair


def chance(found: Sequence[Finding], task: str) -> dict[str, float]:
    """Return what a random order of a task's pools gives, by column of the overview; empty where it is not known."""
    return {
        f"map_{SETTING_SHORT[str(number.setting)]}": number.value
        for one in found
        if one.kind == "quality" and one.task == task
        for number in one.numbers
        if number.role == "chance" and number.value is not None
    }
