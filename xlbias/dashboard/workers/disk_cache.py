"""Keeps what took long to compute in the user's cache folder: safe to delete at any time, never wrong."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from xlbias._version import __version__
from xlbias.folders import cache_folder

_FORMAT = 2


def folder_of(kind: str, path: Path, version: tuple[Any, ...]) -> Path:
    """Return where things of one kind are kept of the run at `path` as it is now, for this version of xlbias."""
    about = f"{_FORMAT}|{__version__}|{version!r}|".encode() + os.fsencode(path.absolute())
    return cache_folder(kind) / hashlib.sha256(about).hexdigest()[:32]
