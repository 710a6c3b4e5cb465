"""The rows of the overview: its marks, its differences from a baseline, and those that a filter leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from xlbias.dashboard.views.findings import ACROSS, attention
from xlbias.folding import folded
from xlbias.report.documents.caveats import MARK
from xlbias.results.compare import ALPHA
from xlbias.results.summary import OVERALL

if TYPE_CHECKING:
    from xlbias.dashboard.workers.snapshot import Snapshot
    from xlbias.results.findings import Finding
    from xlbias.results.run import Run

_SEARCHED = ("model", "task", "domain", "sampler", "source")


PENDING = "…"
"""Instead of cells that are better and worse, while these are computed."""


@dataclass(frozen=True)
class Difference:
    """How an encoder on a task differs from what it is compared with.

    Attributes:
        cells: in how many cells it is significantly better, and worse; ``…`` while that is computed.
        across: the difference of mAP across languages; None where it is not known.
        base: what it is compared with, cleaned.
    """

    cells: str
    across: float | None = None
    base: str = ""


def overview_rows(
    snapshot: Snapshot, against: Sequence[Difference | None], found: Sequence[Finding] = ()
) -> pl.DataFrame:
    """Return the overview by task, with ``done``, the cells that have rankings of all; ``significant`` and ``delta``;
    ``doubted``, and ``attention``, the names of columns with a finding that is a reason to act or doubt.

    Args:
        snapshot: of the run.
        against: for each row of its overview how it differs from what it is compared with, None where it is not.
        found: the findings on the run.
    """
    overview = snapshot.overview
    pairs = overview.select("model", "task").rows()
    tasks = [task.name for task in snapshot.run.tasks]
    marks = [MARK if snapshot.doubts_of(*row) else "" for row in overview.select("model", "task").rows()]
    return overview.with_columns(
        pl.format("{}/{}", "n_cells", "n_cells_expected").alias("done"),
        pl.Series("significant", [one.cells if one else None for one in against], dtype=pl.String),
        pl.Series("delta", [one.across if one else None for one in against], dtype=pl.Float64),
        pl.Series("base", [one.base if one else None for one in against], dtype=pl.String),
        pl.Series("attention", [sorted(attention(found, *pair)) for pair in pairs], dtype=pl.List(pl.String)),
        pl.Series("doubted", marks if any(marks) else [None] * len(marks), dtype=pl.String),
        pl.Series("by_task", [tasks.index(task) for _, task in pairs], dtype=pl.Int64),
    ).sort("by_task", maintain_order=True)  # fmt: skip


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


def across(compared: pl.DataFrame) -> float | None:
    """Return the difference of a comparison's mAP over all cells of two languages; None where there is none."""
    rows = compared.filter(OVERALL & (pl.col("setting") == ACROSS))
    found = rows["difference"].drop_nulls()
    return float(found[0]) if len(found) else None
