"""Keeps what tests have found in the user's cache folder: safe to delete, and bound to what it was made from."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import polars as pl

from xlbias._version import __version__
from xlbias.caches import read_checked, try_to_keep
from xlbias.folders import cache_folder
from xlbias.results import binding
from xlbias.results.compare import Side

_FORMAT = 1


class ResultCache:
    """One frame in the cache.

    Args:
        about: everything that it is made of; with None among it, it is not known, and nothing is kept.
    """

    def __init__(self, *about: object) -> None:
        text = repr((_FORMAT, __version__, about)).encode("utf-8", "surrogatepass")
        name = hashlib.sha256(text).hexdigest()[:40]
        self._path: Path | None = None if None in about else cache_folder("findings") / name

    def load(self) -> pl.DataFrame | None:
        """Return the frame, None where it is not there whole."""
        if self._path is None or (content := read_checked(self._path, self._path.name)) is None:
            return None
        return pl.read_ipc(io.BytesIO(content))

    def keep(self, frame: pl.DataFrame) -> None:
        """Keep the frame, where that can be done."""
        if self._path is not None:
            out = io.BytesIO()
            frame.write_ipc(out)
            try_to_keep(self._path, out.getvalue(), self._path.name)


def made_from(side: Side, task: str) -> list[str | None]:
    """Return digests of the rankings of every encoder of a side, and what identifies the task; None for the unknown."""
    run, on = side.run, side.task(task)
    rows = run.stored_summary.filter((pl.col("task") == task) & pl.col("model").is_in(side.models))
    found = dict(rows.group_by("model").agg(pl.col(binding.COLUMN).unique()).iter_rows())
    digests: list[str | None] = []
    for model in side.models:
        known = found.get(model) or [None]
        digests.append(None if run.changed or len(known) > 1 else known[0])
    return [*digests, on.fingerprint, repr(sorted(on.pool_sizes.items()))]
