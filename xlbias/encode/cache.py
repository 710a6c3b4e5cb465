"""A cache of vectors on disk, keyed by encoder weights and text: safe to delete at any time, never wrong."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from xlbias.caches import read_checked, try_to_keep
from xlbias.folders import cache_folder


def default_folder() -> Path:
    """Folder of the vector cache: ``$XLBIAS_CACHE``, or the user's cache folder."""
    chosen = os.environ.get("XLBIAS_CACHE")
    return Path(chosen) if chosen else cache_folder("vectors")


class VectorCache:
    """Vectors of chunks of texts, one file per chunk.

    A file's name is a SHA-256 over the encoder's fingerprint, the kind and every text of the chunk, and its checksum is
    bound to that name, see `xlbias.caches`. A file that is missing, cut short, damaged, of another name or no regular
    file is a miss. A cache that cannot be written is a slower cache, not an error.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or default_folder()

    def load(self, fingerprint: str, kind: str, texts: Sequence[str]) -> npt.NDArray[np.float32] | None:
        """Return float32 [len(texts), d], or None if the chunk is not there whole."""
        data = self.load_bytes(fingerprint, kind, texts)
        if data is None:
            return None
        vectors = np.frombuffer(data, dtype=np.float32)
        if not texts or vectors.size % len(texts):
            return None
        return vectors.reshape(len(texts), -1)

    def save(self, fingerprint: str, kind: str, texts: Sequence[str], vectors: npt.NDArray[np.float32]) -> None:
        """Store the vectors of one chunk."""
        self.save_bytes(fingerprint, kind, texts, np.ascontiguousarray(vectors, dtype=np.float32).tobytes())

    def load_bytes(self, fingerprint: str, kind: str, texts: Sequence[str]) -> bytes | None:
        """Return what was kept of a chunk, None if it is not there whole."""
        path = self._path(fingerprint, kind, texts)
        return read_checked(path, path.name)

    def save_bytes(self, fingerprint: str, kind: str, texts: Sequence[str], data: bytes) -> None:
        """Store what was made of one chunk."""
        path = self._path(fingerprint, kind, texts)
        try_to_keep(path, data, path.name)

    def _path(self, fingerprint: str, kind: str, texts: Sequence[str]) -> Path:
        digest = hashlib.sha256(f"3|{fingerprint}|{kind}|{len(texts)}|".encode())
        for text in texts:
            encoded = text.encode("utf-8", "surrogatepass")
            digest.update(len(encoded).to_bytes(8, "little"))
            digest.update(encoded)
        name = digest.hexdigest()
        return self.folder / name[:2] / name
