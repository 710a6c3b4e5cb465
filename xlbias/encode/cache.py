"""A cache of vectors on disk, keyed by encoder weights and text: safe to delete at any time, never wrong."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt

from xlbias.errors import WriteError
from xlbias.files import write_whole
from xlbias.folders import cache_folder


def default_folder() -> Path:
    """Folder of the vector cache: ``$XLBIAS_CACHE``, or the user's cache folder."""
    chosen = os.environ.get("XLBIAS_CACHE")
    return Path(chosen) if chosen else cache_folder("vectors")


class VectorCache:
    """Vectors of chunks of texts, one file per chunk.

    A file's name is a SHA-256 over the encoder's fingerprint, the kind and every text of the chunk; its content ends
    in a SHA-256 of that name and of itself. A file that is missing, cut short, damaged, of another name or no regular
    file is a miss, and files appear by renaming, so no reader ever sees half of one. A cache that cannot be written is
    a slower cache, not an error.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or default_folder()

    def load(self, fingerprint: str, kind: str, texts: Sequence[str]) -> npt.NDArray[np.float32] | None:
        """Return float32 [len(texts), d], or None if the chunk is not there whole."""
        path = self._path(fingerprint, kind, texts)
        content = _read(path)
        if content is None or len(content) < 32:
            return None
        data, checksum = content[:-32], content[-32:]
        if _checksum(path, data) != checksum:
            return None
        vectors = np.frombuffer(data, dtype=np.float32)
        if not texts or vectors.size % len(texts):
            return None
        return vectors.reshape(len(texts), -1)

    def save(self, fingerprint: str, kind: str, texts: Sequence[str], vectors: npt.NDArray[np.float32]) -> None:
        """Store the vectors of one chunk."""
        path = self._path(fingerprint, kind, texts)
        if path.exists() and not path.is_file():  # a pipe, which is written through and would be waited for
            return
        data = np.ascontiguousarray(vectors, dtype=np.float32).tobytes()
        with suppress(OSError, WriteError):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, data + _checksum(path, data), durable=False)

    def _path(self, fingerprint: str, kind: str, texts: Sequence[str]) -> Path:
        digest = hashlib.sha256(f"2|{fingerprint}|{kind}|{len(texts)}|".encode())
        for text in texts:
            encoded = text.encode("utf-8", "surrogatepass")
            digest.update(len(encoded).to_bytes(8, "little"))
            digest.update(encoded)
        name = digest.hexdigest()
        return self.folder / name[:2] / name


def _checksum(path: Path, data: bytes) -> bytes:
    return hashlib.sha256(path.name.encode() + data).digest()


def _read(path: Path) -> bytes | None:
    """Return the content of a regular file; None for anything else, such as a pipe, which would be waited for."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
            return file.read() if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else None
    except OSError:
        return None
