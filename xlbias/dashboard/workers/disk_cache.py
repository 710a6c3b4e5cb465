"""Keeps what took long to compute in the user's cache folder: safe to delete at any time, never wrong."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xlbias._version import __version__
from xlbias.caches import read_checked, try_to_keep
from xlbias.folders import cache_folder

_FORMAT = 2


def folder_of(kind: str, path: Path, version: tuple[Any, ...]) -> Path:
    """Return where things of one kind are kept of the run at `path` as it is now, for this version of xlbias."""
    about = f"{_FORMAT}|{__version__}|{version!r}|".encode() + os.fsencode(path.absolute())
    return cache_folder(kind) / hashlib.sha256(about).hexdigest()[:32]


@dataclass(frozen=True)
class DiskCache:
    """Contents by name in a folder.

    One that is cut short or damaged is as one that is not there. What cannot be written is computed again.
    """

    folder: Path

    def load(self, name: str) -> bytes | None:
        """Return a content, None where it is not there whole."""
        return read_checked(self.folder / name, name)

    def save(self, name: str, data: bytes) -> None:
        """Keep a content."""
        try_to_keep(self.folder / name, data, name)
