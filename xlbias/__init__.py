"""xlbias: does a multilingual encoder treat languages fairly, and does that survive a change of domain?

The public API is loaded lazily, so that importing the package costs nothing::

    task = xlbias.load_task("builtin:money")
    run = xlbias.evaluate(xlbias.load_encoder("models/my-encoder"), task)
    run.matrix("map")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_LAZY = {
    "RetrievalTask": "xlbias.data.task",
    "load_task": "xlbias.data.catalog",
    "load_encoder": "xlbias.encode.load",
    "Encoder": "xlbias.encode.encoder",
    "PrecomputedVectors": "xlbias.encode.precomputed",
    "evaluate": "xlbias.evaluation",
    "Run": "xlbias.results.run",
    "open_run": "xlbias.results.run",
    "XlbiasError": "xlbias.errors",
}

__all__ = [
    "Encoder",
    "PrecomputedVectors",
    "RetrievalTask",
    "Run",
    "XlbiasError",
    "__version__",
    "evaluate",
    "load_encoder",
    "load_task",
    "open_run",
]

if TYPE_CHECKING:
    from xlbias.data.catalog import load_task
    from xlbias.data.task import RetrievalTask
    from xlbias.encode.encoder import Encoder
    from xlbias.encode.load import load_encoder
    from xlbias.encode.precomputed import PrecomputedVectors
    from xlbias.errors import XlbiasError
    from xlbias.evaluation import evaluate
    from xlbias.results.run import Run, open_run


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'xlbias' has no attribute {name!r}")
    value = getattr(import_module(_LAZY[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
