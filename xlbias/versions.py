"""Versions of what results depend on, for the metadata of runs and the cards of checkpoints."""

from __future__ import annotations

import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version

_PACKAGES = (
    "torch", "sentence-transformers", "transformers", "accelerate", "tokenizers", "faiss-cpu", "numba", "numpy",
    "polars",
)  # fmt: skip


def package_versions() -> dict[str, str]:
    """Return the versions of Python and of every package that could change a result, by name."""
    return {"python": platform.python_version()} | dict(_installed())


@cache
def _installed() -> tuple[tuple[str, str], ...]:
    """Read the packages' descriptions once."""
    found = []
    for package in _PACKAGES:
        try:
            found.append((package, version(package)))
        except PackageNotFoundError:
            continue
    return tuple(found)
