"""Keeps what took long to compute in the user's cache folder: safe to delete at any time, never wrong."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xlbias._version import __version__
from xlbias.errors import WriteError
from xlbias.files import write_whole
from xlbias.folders import cache_folder

_FORMAT = 1


def folder_of(kind: str, path: Path, version: tuple[Any, ...]) -> Path:
    """Return where things of one kind are kept of the run at `path` as it is now, for this version of xlbias."""
    about = f"{_FORMAT}|{__version__}|{version!r}|".encode() + os.fsencode(path.absolute())
    return cache_folder(kind) / hashlib.sha256(about).hexdigest()[:32]


@dataclass(frozen=True)
class Kept:
    """Contents by name in a folder.

    A file ends in a SHA-256 of what it holds, so that one that is cut short or damaged is as one that is not there,
    and appears by renaming, so that nobody reads half of it. What cannot be written is computed again.
    """

    folder: Path

    def load(self, name: str) -> bytes | None:
        """Return a content, None where it is not there whole."""
        try:
            content = (self.folder / name).read_bytes()
        except OSError:
            return None
        data, checksum = content[:-32], content[-32:]
        return data if hashlib.sha256(data).digest() == checksum else None

    def save(self, name: str, data: bytes) -> None:
        """Keep a content."""
        with suppress(OSError, WriteError):
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(self.folder / name, data + hashlib.sha256(data).digest(), durable=False)
