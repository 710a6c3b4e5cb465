"""The numbers of a run in the files that mteb keeps its results in, one for each encoder and task.

Format: `mteb.results.TaskResult` of mteb 2 (``DIR/results/MODEL/REVISION/TASK.json`` beside a ``model_meta.json``).
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from xlbias.errors import RunError
from xlbias.files import make_folder, write_whole
from xlbias.languages import iso3_and_script
from xlbias.measures.registry import measures
from xlbias.results.run import Run
from xlbias.runs.run_info import ModelInfo, TaskInfo
from xlbias.runs.schema import MULTILINGUAL_POOL, SETTINGS
from xlbias.text import clean

MAIN_SCORE = "ndcg@10"
"""What mteb takes as the score of a retrieval task."""

_NO_FILE_NAME = re.compile(r"[^\w.+-]+")


def export_results(run: Run, out: str | Path, *, encoder: str | None = None, task: str | None = None) -> list[Path]:
    """Write the quality of encoders as results that mteb loads from the folder `out`; return the files.

    Args:
        run: the run.
        out: the folder, which `mteb.ResultCache` takes; other results in it stay.
        encoder: this one only; None for all.
        task: this one only; None for all.

    The settings are splits, and each cell is a subset such as ``de-en``, so that mteb's mean over the subsets of a
    split is the setting's number in a report. Measures are called as in mteb: ``ndcg_at_10``. Raises RunError where
    there are no numbers, WriteError where a file cannot be written.
    """
    encoders = [run.only("model", encoder)] if encoder is not None else [one.name for one in run.models]
    tasks = [run.only("task", task)] if task is not None else [one.name for one in run.tasks]
    written = []
    for model in (one for one in run.models if one.name in encoders):
        contents = [
            (one, content) for one in run.tasks if one.name in tasks and (content := task_result(run, model.name, one))
        ]
        if not contents:
            continue
        folder = Path(out) / "results" / _file_name(model.name) / _file_name(model.fingerprint or "no_revision")
        make_folder(folder)
        for one, content in contents:
            written.append(folder / f"{_file_name(one.name)}.json")
            _write_json(written[-1], content)
        _write_json(folder / "model_meta.json", model_meta(model))
    if not written:
        raise RunError(f"{run.path}: it has no numbers of retrieval yet")
    return written


def task_result(run: Run, encoder: str, task: TaskInfo) -> dict[str, Any]:
    """Return what mteb keeps of an encoder on a task; empty where it has no numbers."""
    cells = run.cells.filter((run.cells["model"] == encoder) & (run.cells["task"] == task.name))
    languages = {tag: iso3_and_script(tag) for tag in {*task.n_queries, *task.pool_sizes}}
    scores: dict[str, list[dict[str, Any]]] = {}
    for row in cells.sort("query_language", "pool").iter_rows(named=True):
        asked, pool = row["query_language"], row["pool"]
        numbers = {mteb_name(name): row[name] for name in measures("quality") if row.get(name) is not None}
        if mteb_name(MAIN_SCORE) not in numbers:
            continue  # no query has a relevant passage there
        of = sorted(languages.values()) if pool == MULTILINGUAL_POOL else [languages[asked], languages[pool]]
        scores.setdefault(row["setting"], []).append(
            {
                "hf_subset": asked if asked == pool else f"{asked}-{pool}",
                "languages": list(dict.fromkeys(of)),
                "main_score": numbers[mteb_name(MAIN_SCORE)],
                **numbers,
            }
        )
    if not scores:
        return {}
    return {
        "dataset_revision": task.fingerprint or "no_revision",
        "task_name": clean(task.name),
        "mteb_version": None,  # mteb has not measured them
        "scores": {setting: scores[setting] for setting in SETTINGS if setting in scores},
        "evaluation_time": None,
        "kg_co2_emissions": None,
    }


def model_meta(model: ModelInfo) -> dict[str, Any]:
    """Return what mteb keeps of an encoder beside its results: name and revision."""
    return {"name": clean(model.name), "revision": model.fingerprint or "no_revision", "embed_dim": model.dimension}


def mteb_name(measure: str) -> str:
    """Return the name of a measure in mteb: ``ndcg@10`` is ``ndcg_at_10`` there, ``rr`` is ``mrr``."""
    return {"rr": "mrr"}.get(measure, measure.replace("@", "_at_"))


def _file_name(name: str) -> str:
    return _NO_FILE_NAME.sub("__", clean(name)).lstrip(".")[:100] or "_"


def _write_json(path: Path, content: dict[str, Any]) -> None:
    write_whole(path, json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False).encode("utf-8", "replace"))
