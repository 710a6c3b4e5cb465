"""What a run may ask of the machine that opens it: a file of a few megabytes can hold rows for more memory than it has.

The limits are far beyond what evaluations make. Who trusts a file turns them off: ``xlbias --no-limits``, or
``$XLBIAS_NO_LIMITS``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xlbias.errors import RunError

VARIABLE = "XLBIAS_NO_LIMITS"

MOST_METADATA = 64 << 20
"""Bytes of metadata."""

MOST_RESULTS = 10_000
"""Encoders times tasks: a report of so many takes a minute."""

MOST_LANGUAGES = 4_000
"""Languages of one task: more than texts have been collected in."""

MOST_ROWS = 1_000_000
"""Rows that any file may have; a larger one has at least a byte for each. A ranking takes twenty and more."""


def check_metadata_size(path: Path, size: int) -> None:
    """Raise RunError if the metadata is larger than any run's."""
    if size > MOST_METADATA:
        _refuse(path, f"its metadata has {size:,} bytes, more than {MOST_METADATA:,}")


def check_counts(path: Path, metadata: Mapping[str, Any]) -> None:
    """Raise RunError if there are so many encoders, tasks or languages that a report would take minutes."""
    models, tasks = len(metadata["models"]), len(metadata["tasks"])
    if max(models, 1) * tasks > MOST_RESULTS:
        _refuse(path, f"it has {models:,} encoders on {tasks:,} tasks, more than {MOST_RESULTS:,} results")
    for task in metadata["tasks"]:
        n = max(len(task["pool_sizes"]), len(task["n_queries"]))
        if n > MOST_LANGUAGES:
            _refuse(path, f"its task {task['name']!r} has {n:,} languages, more than {MOST_LANGUAGES:,}")


def check_rows(path: Path, rows: int, size: int) -> None:
    """Raise RunError if there are more rows than the size of the file can hold of any run that was measured."""
    if rows > max(MOST_ROWS, size):
        _refuse(path, f"it has {rows:,} rows in {size:,} bytes, which may take {rows * 350 / 1e9:,.0f} GB of memory")


def _refuse(path: Path, why: str) -> None:
    if not os.environ.get(VARIABLE):
        raise RunError(f"{path}: {why}: if you trust it, open it with `xlbias --no-limits ...`")
