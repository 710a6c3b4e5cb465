"""Where xlbias keeps what it can make again."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder(part: str) -> Path:
    """Return the folder of one cache, such as ``contrasts``: below ``$XLBIAS_CACHE``, or the user's cache folder."""
    from platformdirs import user_cache_path

    chosen = os.environ.get("XLBIAS_CACHE")
    return (Path(chosen) if chosen else user_cache_path("xlbias")) / part
