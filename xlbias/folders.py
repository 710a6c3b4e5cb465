"""Where xlbias keeps what it can make again, and how a path is shown."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder(part: str) -> Path:
    """Return the folder of one cache, such as ``contrasts``: below ``$XLBIAS_CACHE``, or the user's cache folder."""
    from platformdirs import user_cache_path

    chosen = os.environ.get("XLBIAS_CACHE")
    return (Path(chosen) if chosen else user_cache_path("xlbias")) / part


def from_here(path: Path) -> Path:
    """Return a path as seen from the current folder where it lies below that, else in full."""
    try:
        path, here = path.absolute(), Path.cwd()
    except OSError:  # the current folder has been removed
        return path
    return path.relative_to(here) if path.is_relative_to(here) else path
