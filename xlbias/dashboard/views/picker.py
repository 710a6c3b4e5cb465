"""The list of runs: its rows, and what is said of the one under the cursor. Pure functions to clean text."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from xlbias.dashboard.terminal.plot import BLOCKS
from xlbias.dashboard.views.provenance import Fact
from xlbias.folders import from_here
from xlbias.folding import folded
from xlbias.progress import percent
from xlbias.text import clean

if TYPE_CHECKING:
    from xlbias.dashboard.workers.shelf import Listed, Thumbnail
    from xlbias.runs.heads import Head

SIDES = ("base", "new")
"""What the first and the second marked run are in a comparison."""

_STATES = {
    "finished": "■ finished",
    "running": "● running",
    "died": "✖ died",
    "elsewhere": "◌ elsewhere",
    "broken": "✖ broken",
}
_NAMED = 3
_PARTS = 2  # of a path outside the folder that are shown
_PROFILE = 12  # cells
_UNITS = (("min", 60), ("h", 3600), ("d", 86_400), ("wk", 7 * 86_400), ("mo", 30 * 86_400), ("y", 365 * 86_400))


def ordered(heads: Sequence[Head]) -> list[Head]:
    """Return runs in progress first, then the newest, broken ones last."""
    return sorted(heads, key=lambda one: (one.status == "broken", not one.live, -one.changed, str(one.path)))


def rows(
    heads: Sequence[Head],
    numbers: Mapping[Path, int],
    thumbnails: Mapping[Path, Thumbnail],
    marked: Sequence[Path],
    now: float,
    folder: Path,
) -> pl.DataFrame:
    """Return a row per run: ``at`` (its number), ``mark, state, age, size, profile, run, encoders, tasks``,
    and ``changed``."""
    found = [
        {
            "at": numbers[head.path],
            "mark": SIDES[marked.index(head.path)] if head.path in marked else "",
            "state": state_of(head),
            "age": age(now - head.changed),
            "changed": head.changed,
            "size": head.size,
            "profile": profile(thumbnails[head.path].profile) if head.path in thumbnails else "",
            "run": name_of(head.path, folder),
            "encoders": reason(head) if head.sentence else some(head.encoders),
            "tasks": "training" if head.trained else some(head.tasks),
        }
        for head in heads
    ]
    schema = {
        "at": pl.Int64, "mark": pl.String, "state": pl.String, "age": pl.String, "changed": pl.Float64,
        "size": pl.Int64, "profile": pl.String, "run": pl.String, "encoders": pl.String, "tasks": pl.String,
    }  # fmt: skip
    return pl.DataFrame(found, schema=schema)


def matching(heads: Sequence[Head], words: str) -> list[Head]:
    """Return the runs that have all of some words in path, encoders, tasks or state; case and accents do not count."""
    wanted = folded(words).split()
    return [
        head
        for head in heads
        if all(
            word in folded(" ".join((_text(head.path), state_of(head), *head.encoders, *head.tasks))) for word in wanted
        )
    ]


def state_of(head: Head) -> str:
    """Return where a run stands, in a mark and a word."""
    text = _STATES[head.status]
    if head.status == "running" and head.progress and head.progress.whole is not None:
        text = f"● {percent(head.progress.whole)} % done"
    return text


def reason(head: Head) -> str:
    """Return why a run is broken, without its path."""
    return clean(head.sentence.partition(f"{head.path}: ")[2] or head.sentence)


def name_of(path: Path, folder: Path) -> str:
    """Return what a run is called in the list over a folder: its path from there or from here, or the end of it."""
    near = path.relative_to(folder) if path.is_relative_to(folder) else from_here(path)
    if near.is_absolute() and len(near.parts) > _PARTS + 1:
        return clean(f"…/{_text(Path(*near.parts[-_PARTS:]))}")
    return clean(_text(near))


def _text(path: Path) -> str:
    return os.fsencode(path).decode("utf-8", "replace")


def some(names: Sequence[str]) -> str:
    """Return names in a row, the first ones where they are many."""
    more = f" +{len(names) - _NAMED}" if len(names) > _NAMED else ""
    return clean(", ".join(name[:80] for name in names[:_NAMED])) + more


def age(seconds: float) -> str:
    """Return how long ago something was, in at most six characters: ``now``, ``5 min``, ``3 d``."""
    unit, size = next(((unit, size) for unit, size in reversed(_UNITS) if seconds >= size), ("", 0))
    return f"{int(seconds / size)} {unit}" if size else "now"


def bytes_of(size: int) -> str:
    """Return a size in at most six characters: ``812 B``, ``34 kB``, ``1.2 GB``."""
    value, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 999.5:
            break
        value, unit = value / 1000, larger
    return f"{value:.1f} {unit}" if value < 9.95 and unit != "B" else f"{value:.0f} {unit}"


def profile(values: Sequence[float | None]) -> str:
    """Return means as blocks from 0 to the largest one, the first ones where they are many; ``·`` where none is."""
    most = max((value for value in values if value is not None), default=0.0) or 1.0
    levels = [None if value is None else int(value / most * len(BLOCKS)) for value in values[:_PROFILE]]
    return "".join("·" if level is None else BLOCKS[min(len(BLOCKS) - 1, level)] for level in levels)


def facts(head: Head) -> list[Fact]:
    """Return what the head of a run says, a line each."""
    made = head.facts.get("created")
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(made)) if isinstance(made, int | float) else ""
    version = head.facts.get("xlbias")
    progress = head.progress
    found = [
        ("broken" if head.sentence else "state", reason(head) if head.sentence else state_of(head)),
        ("doing", progress.phase if progress and head.live else ""),
        ("run", _text(from_here(head.path))),
        ("encoders", f"{len(head.encoders)}: {', '.join(head.encoders[:20])}" if head.encoders else ""),
        ("tasks", ", ".join(head.tasks[:20])),
        ("made", " · ".join(filter(None, (when, f"xlbias {version}" if isinstance(version, str) else "")))),
        ("size", bytes_of(head.size)),
    ]
    return [(label, clean(text[:400])) for label, text in found if text]


def told(listed: Listed | None, shown: int, words: str) -> str:
    """Return in a line how many runs there are, and what was left out."""
    if listed is None:
        return "looking for runs …"
    n = len(listed.heads)
    parts = [f"{shown:,} of {n:,} runs" if words.split() else f"{n:,} run{'' if n == 1 else 's'}"]
    if listed.searching:
        parts.append("looking for more …")
    elif listed.cut_short:
        parts.append("too many files to look at all: name a folder to see more")
    return " · ".join(parts)


def why_not_compared(marked: Sequence[Path], heads: Sequence[Head]) -> str | None:
    """Return why two runs cannot be compared, as far as `heads`, those of all runs, say; None where they can."""
    data = [head.data for path in marked for head in heads if head.path == path]
    both_known = len(data) == len(SIDES) and all(data)
    return "the two runs have no task in common" if both_known and not data[0] & data[1] else None


def choice(marked: Sequence[Path], folder: Path, heads: Sequence[Head] = ()) -> str:
    """Return what Enter does with the marked runs, in a sentence; empty where none is marked."""
    if len(marked) == len(SIDES):
        base, new = (name_of(path, folder) for path in marked)
        if (why := why_not_compared(marked, heads)) is not None:
            return f"{why}: Space unmarks one"
        return f"Enter compares: {new} with {base} as its base"
    return f"1 marked: mark another one with Space to compare it with {name_of(marked[0], folder)}" if marked else ""


EMPTY = (
    "There is no run here. Make one:\n\n"
    "  xlbias demo                                  three encoders, about two minutes\n"
    "  xlbias evaluate ENCODER --task lareqa:xquad-r --out run.parquet\n\n"
    "It appears here as soon as it is being written."
)
