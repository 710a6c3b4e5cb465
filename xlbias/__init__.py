"""xlbias: does a multilingual encoder treat languages fairly, and does that survive a change of domain?

The public API is loaded lazily, so that importing the package costs nothing::

    task = xlbias.load_task("builtin:money")
    run = xlbias.evaluate(xlbias.load_encoder("models/my-encoder"), task)
    run.matrix("map")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from xlbias._version import __version__

_LAZY = {
    "RetrievalTask": "xlbias.data.task",
    "load_task": "xlbias.data.catalog",
    "load_encoder": "xlbias.encode.load",
    "Encoder": "xlbias.encode.encoder",
    "PrecomputedVectors": "xlbias.encode.precomputed",
    "HybridBatchSampler": "xlbias.train.sampling.dataset_samplers",
    "MixedBatchSampler": "xlbias.train.sampling.dataset_samplers",
    "distil_encoder": "xlbias.train.trainer.distilled",
    "fit": "xlbias.train.trainer.fit",
    "fit_grid": "xlbias.train.trainer.fit",
    "recipe_for": "xlbias.train.recipe",
    "evaluate": "xlbias.evaluation",
    "import_run": "xlbias.systems",
    "merge_runs": "xlbias.systems.merge_runs",
    "rerank": "xlbias.systems.rerank",
    "Run": "xlbias.results.run",
    "open_run": "xlbias.results.run",
    "Side": "xlbias.results.compare",
    "compare": "xlbias.results.compare",
    "findings": "xlbias.results.findings",
    "Finding": "xlbias.results.findings",
    "Thresholds": "xlbias.results.findings",
    "render_report": "xlbias.report.render",
    "render_comparison": "xlbias.report.render",
    "export_run": "xlbias.export.trec",
    "export_qrels": "xlbias.export.trec",
    "export_values": "xlbias.export.values",
    "export_results": "xlbias.export.mteb_results",
    "export_model_index": "xlbias.export.model_index",
    "XlbiasError": "xlbias.errors",
}

__all__ = [
    "Encoder",
    "Finding",
    "HybridBatchSampler",
    "MixedBatchSampler",
    "PrecomputedVectors",
    "RetrievalTask",
    "Run",
    "Side",
    "Thresholds",
    "XlbiasError",
    "__version__",
    "compare",
    "distil_encoder",
    "evaluate",
    "export_model_index",
    "export_qrels",
    "export_results",
    "export_run",
    "export_values",
    "findings",
    "fit",
    "fit_grid",
    "import_run",
    "load_encoder",
    "load_task",
    "merge_runs",
    "open_run",
    "recipe_for",
    "render_comparison",
    "render_report",
    "rerank",
]

if TYPE_CHECKING:
    from xlbias.data.catalog import load_task
    from xlbias.data.task import RetrievalTask
    from xlbias.encode.encoder import Encoder
    from xlbias.encode.load import load_encoder
    from xlbias.encode.precomputed import PrecomputedVectors
    from xlbias.errors import XlbiasError
    from xlbias.evaluation import evaluate
    from xlbias.export.model_index import export_model_index
    from xlbias.export.mteb_results import export_results
    from xlbias.export.trec import export_qrels, export_run
    from xlbias.export.values import export_values
    from xlbias.report.render import render_comparison, render_report
    from xlbias.results.compare import Side, compare
    from xlbias.results.findings import Finding, Thresholds, findings
    from xlbias.results.run import Run, open_run
    from xlbias.systems import import_run
    from xlbias.systems.merge_runs import merge_runs
    from xlbias.systems.rerank import rerank
    from xlbias.train.recipe import recipe_for
    from xlbias.train.sampling.dataset_samplers import HybridBatchSampler, MixedBatchSampler
    from xlbias.train.trainer.distilled import distil_encoder
    from xlbias.train.trainer.fit import fit, fit_grid


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'xlbias' has no attribute {name!r}")
    value = getattr(import_module(_LAZY[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
