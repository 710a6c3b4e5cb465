"""Trained on this: an encoder has seen in training what it is evaluated on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from xlbias.results.caveats.caveat import Caveat
from xlbias.results.run_numbers import RunNumbers
from xlbias.runs.run_info import ModelInfo, TaskInfo

KIND = "seen"

MEASURES = ("seen_queries", "seen_passages", "seen_ids", "validated_queries", "validated_passages")
"""The numbers of a summary that this is about."""

UNKNOWN = "what it was trained on is not known, so whether it has seen this task cannot be told."

Counts = Mapping[str, tuple[int, int]]
"""Of an encoder on a task, for each of MEASURES that is known: how many were seen, and of how many."""


def found(run: RunNumbers) -> Iterator[Caveat]:
    """Yield a caveat for every encoder that has seen something of a task, in training or as its validation."""
    counts = seen_counts(run)
    for model in run.models:
        for task in run.tasks:
            who = (task.name, model.name)
            known = counts.get((model.name, task.name), {})
            sentences = seen_sentences(known)
            if _trained_on_it(model, task) and not any(known.get(measure, (0, 0))[0] for measure in MEASURES[:2]):
                sentences = [
                    "was trained on this task itself: its numbers there are no zero-shot retrieval.",
                    *sentences,
                ]
            texts = [known[measure] for measure in MEASURES[:2] if measure in known]
            n, of = sum(one for one, _ in texts), sum(total for _, total in texts)
            for sentence in sentences:
                yield Caveat(KIND, *who, n / of if n else None, n or None, of if n else None, sentence)


def seen_counts(run: RunNumbers) -> dict[tuple[str, str], dict[str, tuple[int, int]]]:
    """Return by encoder and task how much was seen, and of how much, where it is known."""
    rows = run.summary.filter(
        pl.col("measure").is_in(MEASURES) & pl.col("query_language").is_null() & pl.col("value").is_not_null()
    )
    counts: dict[tuple[str, str], dict[str, tuple[int, int]]] = {}
    for model, task, measure, value, n in rows.select("model", "task", "measure", "value", "n").iter_rows():
        counts.setdefault((model, task), {})[measure] = (int(value), int(n))
    return counts


def seen_sentences(counts: Counts) -> list[str]:
    """Return what was seen in sentences; nothing where nothing was, or nothing is known."""
    sentences = []
    if texts := _said(counts, "seen"):
        sentences.append(f"was trained on {texts}: its numbers there are no zero-shot retrieval.")
    elif (ids := counts.get("seen_ids", (0, 0)))[0]:
        sentences.append(
            f"was trained on {ids[0]:,} of {ids[1]:,} query ids of the same task of the same source, though on no text "
            "of these: probably on their translations."
        )
    if texts := _said(counts, "validated"):
        sentences.append(f"was validated on {texts}, which chose it among its training steps.")
    return sentences


def _said(counts: Counts, prefix: str) -> str:
    known = {side: counts.get(f"{prefix}_{side}", (0, 0)) for side in ("queries", "passages")}
    return " and ".join(f"{n:,} of {of:,} {side}" for side, (n, of) in known.items() if n)


def _trained_on_it(model: ModelInfo, task: TaskInfo) -> bool:
    return bool(task.fingerprint) and any(source.fingerprint == task.fingerprint for source in model.card.trained_on)
