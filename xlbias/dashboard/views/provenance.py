"""Where the numbers of one encoder and task come from: model card, task, sizes, versions, coverage, caveats."""

from __future__ import annotations

import time
from typing import Any

from xlbias.dashboard.workers.snapshot import Snapshot
from xlbias.measures.registry import SIDES, measures
from xlbias.report.documents.caveats import MARK
from xlbias.report.documents.wording import prompts_of, reading_of, vectors_of
from xlbias.report.numbers import measured, number
from xlbias.results.caveats.leaks import seen_counts
from xlbias.results.one_training import single_trainings
from xlbias.results.per_query import Key
from xlbias.runs.run_info import ModelInfo, TaskInfo
from xlbias.text import clean, cut

Fact = tuple[str, str]
"""Label and cleaned text."""

_MOST = 400  # characters of one fact; a model card may hold anything


def facts(snapshot: Snapshot, row: dict[str, Any]) -> list[Fact]:
    """Return what is known of the encoder and task of one row of the overview, cleaned; what is unknown stays out."""
    metadata = snapshot.run.metadata
    model = snapshot.run.model(row["model"]) or ModelInfo("")
    task = snapshot.run.task(row["task"]) or TaskInfo("", {}, {})
    doubts = snapshot.doubts_of(str(row["model"]), str(row["task"]))
    found = [
        *((f"{MARK} caveat", one.sentence) for one in doubts),
        ("encoder", _joined(row["model"], *vectors_of(model), reading_of(model))),
        ("prompts", prompts_of(model)),
        ("trained", _joined(_with(row["sampler"], "{} sampler"), _with(row["alpha"], "α {:g}"),
                            _with(row["seed"], "seed {}"), _with(row["source"], "on {}"),
                            "one training" if row["model"] in single_trainings(snapshot.run.models) else "")),
        ("seen", _seen(snapshot, row)),
        ("texts", _texts(snapshot, row)),
        ("task", _joined(row["task"], _with(row["domain"], "domain {}"))),
        ("source", _joined(task.source, task.licence)),
        ("queries", _queries(task)),
        ("pools", _pools(task)),
        ("mAP", _quality(row)),
        ("rank dist.", _rank_distance(row)),
        ("coverage", _coverage(row)),
        ("", "approximate search: ranks are not exact" if metadata.get("approximate") else ""),
        ("made", _joined(_date(metadata.get("created")), _with(metadata.get("xlbias"), "xlbias {}"),
                         _with(metadata.get("device"), "device {}"))),
        ("with", _joined(*(f"{name} {version}" for name, version in dict(metadata.get("versions", {})).items()))),
        ("fingerprint", _joined(_with(_short(model), "encoder {}"), _with(_short(task), "task {}"))),
        *(("note", note) for note in snapshot.notes),
    ]  # fmt: skip
    return [(label, cut(clean(text[:_MOST]), _MOST)) for label, text in found if text]


def _joined(*texts: object) -> str:
    return " · ".join(str(text) for text in texts if text not in (None, ""))


def _with(value: object, pattern: str) -> str | None:
    if value is None or value == "":
        return None
    try:
        return pattern.format(value)
    except (ValueError, TypeError):  # a model card from elsewhere may hold anything
        return str(value)


def _short(entry: ModelInfo | TaskInfo) -> str | None:
    return entry.fingerprint[:12] if entry.fingerprint else None


def _date(at: object) -> str | None:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at)) if isinstance(at, int | float) else None


def _texts(snapshot: Snapshot, row: dict[str, Any]) -> str:
    """How many tokens the texts of a task have, and the share that is cut; nothing where they were not counted."""
    found = snapshot.run.numbers.of(row["model"], row["task"])
    facts = []
    for side in SIDES:
        values = [
            f"{measured(found[Key(f'{side}.{name}')].value, about)} {about.label}"
            for name, about in measures("texts").items()
            if Key(f"{side}.{name}") in found
        ]
        if values:
            facts.append(f"{side}: {', '.join(values)}")
    return _joined(*facts)


def _seen(snapshot: Snapshot, row: dict[str, Any]) -> str:
    """How much of the task was trained on; nothing before it has been ranked."""
    if not row["n_rankings"]:
        return ""
    key = ("seen",)
    if key not in snapshot.cache:
        snapshot.cache[key] = seen_counts(snapshot.run)
    known = snapshot.cache[key].get((row["model"], row["task"]), {})
    texts = (known.get(f"seen_{side}", (0, 0)) for side in ("queries", "passages"))
    (n, of), (m, of_m) = texts
    if not known:
        return "unknown: its training data are not known"
    return f"{n:,} of {of:,} queries and {m:,} of {of_m:,} passages in training"


def _queries(task: TaskInfo) -> str:
    counts = task.n_queries
    if not counts:
        return ""
    return f"{sum(counts.values()):,} in {len(counts)} languages · {task.n_ids or 0:,} ids"


def _pools(task: TaskInfo) -> str:
    sizes = task.pool_sizes
    if not sizes:
        return ""
    return f"{sum(sizes.values()):,} passages · " + " ".join(f"{code} {size:,}" for code, size in sizes.items())


def _coverage(row: dict[str, Any]) -> str:
    done, expected = row["n_cells"], row["n_cells_expected"]
    return f"{done:,} of {expected:,} cells have rankings · {row['n_rankings']:,} rankings"


def _quality(row: dict[str, Any]) -> str:
    worst = f"worst {row['worst_pair']} {number(row['worst'])}" if row["worst_pair"] else None
    best = f"best {row['best_pair']} {number(row['best'])}" if row["best_pair"] else None
    means = " ".join(f"{short} {number(row[f'map_{short}'])}" for short in ("mono", "cross", "multi"))
    return _joined(means, worst, best) if row["n_rankings"] else ""


def _rank_distance(row: dict[str, Any]) -> str:
    if row["rank_distance"] is None:
        return ""
    mean, median = (number(row[f"rank_distance{kind}"], unit_range=False) for kind in ("", "_median"))
    return f"mean {mean} · median {median} · normalised {number(row['rank_distance_normalised'])}"
