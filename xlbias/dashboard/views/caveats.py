"""What a reader must know before believing the numbers on a screen, in a line."""

from __future__ import annotations

from collections.abc import Iterable

from xlbias.dashboard.workers.snapshot import Snapshot
from xlbias.report.documents.caveats import MARK, entries
from xlbias.results.caveats import Caveat, of_side
from xlbias.results.compare import Side


def of_pair(snapshot: Snapshot, model: str, task: str, base: Side | None = None) -> list[str]:
    """Return the caveats of an encoder on a task; of its differences from `base` those of both sides."""
    of_base = None if base is None else [one for one in of_side(base, task) if one.marks]
    return sentences(snapshot.doubts_of(model, task), of_base)


def of_all(snapshot: Snapshot) -> list[str]:
    """Return the caveats of all encoders on all tasks, with what they are about."""
    return [f"{about}: {sentence}" for about, sentence in entries(snapshot.doubts)]


def sentences(new: Iterable[Caveat], base: Iterable[Caveat] | None = None) -> list[str]:
    """Return the caveats of numbers; of differences, where `base` is given, with whose they are."""
    if base is None:
        return list(dict.fromkeys(one.sentence for one in new))
    sides = (("base", base), ("new", new))
    return list(dict.fromkeys(f"{side}: {one.sentence}" for side, found in sides for one in found))


def notes(found: Iterable[str]) -> tuple[str, ...]:
    """Return the caveats as the notes of a copy."""
    return tuple(f"{MARK} {sentence}" for sentence in found)
