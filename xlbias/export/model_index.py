"""The ``model-index`` of a model card on the hub: the numbers of one encoder, written by huggingface_hub itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xlbias.errors import RunError
from xlbias.measures.registry import measures
from xlbias.results.run import Run
from xlbias.results.summary import OVERALL
from xlbias.text import clean

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

MEASURES = (
    "map", "ndcg@10", "recall@10", "recall@100", "rr", "rank_distance", "rank_distance.normalised", "kendall_w",
    "single_gold.gap", "rank_consistency",
)  # fmt: skip
"""What a card says of each setting: quality, and bias in the multilingual pool."""

_HOME = "https://github.com/xlbias/xlbias"


def export_model_index(run: Run, *, encoder: str | None = None, task: str | None = None, name: str = "") -> str:
    """Return the ``model-index`` block of an encoder's card as YAML, to paste between the ``---`` of its README.md.

    Args:
        run: the run.
        encoder: whose numbers; it may be left out where there is one only.
        task: on this task only; None for all.
        name: what the card calls it; by default the encoder's name in the run.

    Each task and setting is a data set with a configuration; the 95% interval and the number of query ids of a number
    stand in the ``args`` of its metric. Raises RunError where there are no numbers.
    """
    from huggingface_hub import ModelCardData

    encoder = run.only("model", encoder)
    tasks = [run.only("task", task)] if task is not None else [one.name for one in run.tasks]
    results = [result for one in tasks for result in eval_results(run, encoder, one)]
    if not results:
        raise RunError(f"{run.path}: it has no numbers of {encoder!r} on {', '.join(tasks)} yet")
    card = ModelCardData(model_name=clean(name or encoder), eval_results=results)
    return str(card.to_yaml()) + "\n"


def eval_results(run: Run, encoder: str, task: str) -> list[EvalResult]:
    """Return the numbers of an encoder on a task as huggingface_hub holds them, by setting."""
    from huggingface_hub import EvalResult

    info = run.task(task)
    assert info is not None
    chosen = run.summary.filter(
        (run.summary["model"] == encoder) & (run.summary["task"] == task) & run.summary["measure"].is_in(MEASURES)
    ).filter(OVERALL)
    known = {one.name: one for family in ("quality", "bias") for one in measures(family).values()}
    order = {name: place for place, name in enumerate(MEASURES)}
    results = []
    for row in sorted(chosen.iter_rows(named=True), key=lambda row: (row["setting"] or "", order[row["measure"]])):
        if row["value"] is None or row["setting"] is None:
            continue
        measure = known[row["measure"]]
        results.append(
            EvalResult(
                task_type="text-retrieval",
                task_name="Text Retrieval",
                dataset_type=_identifier(task),
                dataset_name=clean(task),
                dataset_config=row["setting"],
                dataset_revision=info.fingerprint,
                metric_type=measure.name,
                metric_name=measure.label,
                metric_value=row["value"],
                metric_args=_interval(row),
                source_name="xlbias",
                source_url=_HOME,
            )
        )
    return results


def _interval(row: dict[str, Any]) -> dict[str, Any] | None:
    found = {"low": row["low"], "high": row["high"], "n_ids": row["n_ids"]}
    return {name: value for name, value in found.items() if value is not None} or None


def _identifier(name: str) -> str:
    return clean(name).replace(" ", "-")
