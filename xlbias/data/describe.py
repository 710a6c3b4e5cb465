"""What a run's metadata says of its tasks."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from xlbias.data.parallels import parallels
from xlbias.data.selves import selves
from xlbias.data.task import RetrievalTask


def describe_task(task: RetrievalTask) -> dict[str, Any]:
    """Return what a run's metadata says of a task.

    `parallel` is what it takes for translations of one another, `self` which queries are passages of their own pool,
    `notes` what its reader merged and left out; runs of earlier versions do not have them.
    """
    per_language = task.queries.group_by("language").len().sort("language")
    return {
        "name": task.name,
        "domain": task.domain,
        "source": task.source,
        "licence": task.licence,
        "fingerprint": task.fingerprint,
        "n_ids": task.queries["query_id"].n_unique(),
        "n_queries": dict(per_language.iter_rows()),
        "pool_sizes": task.pool_sizes,
        "n_pairs": task.n_pairs,
        "parallel": asdict(parallels(task)),
        "self": asdict(selves(task)),
        "notes": asdict(task.notes),
    }
