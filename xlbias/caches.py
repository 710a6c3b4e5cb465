"""Files that may be damaged or removed at any time: each ends in a checksum, and one that is not whole is not there."""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import suppress
from pathlib import Path

from xlbias.errors import WriteError
from xlbias.files import write_whole

_DIGEST = 32  # bytes


def read_checked(path: Path, bound: str) -> bytes | None:
    """Return what `write_checked` wrote to `path` with the same `bound`, None where it is not there whole.

    What is no regular file is not read: a pipe would be waited for.
    """
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
            found = file.read() if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else b""
    except OSError:
        return None
    content, checksum = found[:-_DIGEST], found[-_DIGEST:]
    return content if checksum == _checksum(content, bound) else None


def write_checked(path: Path, content: bytes, bound: str) -> None:
    """Keep `content` at `path`, in a folder that is made where it is missing.

    `bound` is what it was made from or for: another one does not find it. Raises WriteError where it cannot be written.
    """
    if path.exists() and not path.is_file():  # a pipe, which is written through and would be waited for
        raise WriteError(f"{path}: is not a file, so nothing is kept there")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"{path.parent}: cannot be made: {error.strerror or error}") from error
    write_whole(path, content + _checksum(content, bound), durable=False)


def try_to_keep(path: Path, content: bytes, bound: str) -> None:
    """Keep `content` as `write_checked` does, or nothing where that cannot be done: a slower cache is no error."""
    with suppress(OSError, WriteError):
        write_checked(path, content, bound)


def _checksum(content: bytes, bound: str) -> bytes:
    digest = hashlib.sha256(bound.encode("utf-8", "surrogatepass") + b"\0")
    digest.update(content)
    return digest.digest()
