"""The rows of the overview: its marks, its differences from a baseline, and those that a filter leaves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from xlbias.folding import folded
from xlbias.report.documents.caveats import MARK
from xlbias.results.compare import ALPHA

if TYPE_CHECKING:
    from xlbias.dashboard.workers.snapshot import Snapshot
    from xlbias.results.run import Run

_SEARCHED = ("model", "task", "domain", "sampler", "source")


def overview_rows(snapshot: Snapshot, against: Sequence[str | None]) -> pl.DataFrame:
    """Return the overview with ``done``, the cells that have rankings of all; ``significant``, and ``doubted``.

    Args:
        snapshot: of the run.
        against: for each row in how many cells it differs significantly from a baseline, None where there is none.
    """
    overview = snapshot.overview
    marks = [MARK if snapshot.doubts_of(*row) else "" for row in overview.select("model", "task").rows()]
    return overview.with_columns(
        pl.format("{}/{}", "n_cells", "n_cells_expected").alias("done"),
        pl.Series("significant", against, dtype=pl.String),
        pl.Series("doubted", marks if any(marks) else [None] * len(marks), dtype=pl.String),
    )


def matching(frame: pl.DataFrame, words: str) -> pl.DataFrame:
    """Return the rows that have all of some words, whatever their case and accents, in a name or in what is trained."""
    wanted = folded(words).split()
    texts = (folded(" ".join(filter(None, row))) for row in frame.select(_SEARCHED).iter_rows())
    return frame.filter(pl.Series([all(word in text for word in wanted) for text in texts], dtype=pl.Boolean))


def why_empty(snapshot: Snapshot | None) -> str:
    """Return why there are no rows or no numbers in them, empty where there are."""
    if snapshot is None:
        return "reading the run …"
    if not snapshot.run.tasks:
        return "This run has no evaluation; create one with `xlbias evaluate`."
    if not snapshot.run.models:
        return "No rankings yet: the first encoder is being loaded."
    if not snapshot.cells:
        return "No rankings." if snapshot.finished else "No rankings yet: passages are encoded first."
    return ""


def which_of(run: Run, model: str, task: str) -> str:
    """Return which of how many encoders and tasks these are, empty where there is one of each."""
    found = ""
    for kind, name, entries in (("encoder", model, run.models), ("task", task, run.tasks)):
        names = [entry.name for entry in entries]
        if len(names) > 1 and name in names:
            found += f"{kind} {names.index(name) + 1}/{len(names)}  "
    return found


def n_significant(compared: pl.DataFrame) -> str:
    """Return in how many cells of a comparison the new side is significantly better, and worse: ``+3 -1``."""
    cells = compared.filter(pl.col("query_language").is_not_null() & (pl.col("p_corrected") < ALPHA))
    ends = {end: ["difference", *([end] if end in cells.columns else [])] for end in ("least", "most")}
    sides = (pl.coalesce(ends["least"]) > 0, pl.coalesce(ends["most"]) < 0)
    up, down = (cells.filter(side).height for side in sides)
    return f"+{up} -{down}"
